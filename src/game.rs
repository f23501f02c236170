//! The game of `stratus run`.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::unistd::Pid;

use crate::failure::{FAILED, Failure};
use crate::process::{self, Ended, Lines, Marker};

/// What makes toolkits choose Wayland. A value that the user has set stays.
const DEFAULTS: [(&str, &str); 7] = [
    ("SDL_VIDEODRIVER", "wayland"),
    ("SDL_VIDEO_DRIVER", "wayland"),
    ("GDK_BACKEND", "wayland"),
    ("QT_QPA_PLATFORM", "wayland"),
    ("MOZ_ENABLE_WAYLAND", "1"),
    ("ELECTRON_OZONE_PLATFORM_HINT", "wayland"),
    ("XDG_SESSION_TYPE", "wayland"),
];

/// Variables that lead past the session.
const FOREIGN: [&str; 5] = ["DISPLAY", "WAYLAND_SOCKET", "SWAYSOCK", "I3SOCK", "PULSE_SERVER"];

/// How long the last words of a game that ended may take to arrive.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The game's process and what it prints.
#[derive(Debug)]
pub struct Game {
    process: Child,
    name: String,
    lines: Lines,
}

impl Game {
    /// Starts `command`, a program and its arguments, as a client of `socket` in `directory`, with
    /// `more` in its environment.
    ///
    /// # Errors
    /// A [`Failure`] if it cannot be started.
    pub fn start(
        command: &[OsString],
        socket: &str,
        directory: &Path,
        marker: &Marker,
        more: Vec<(&'static str, String)>,
    ) -> Result<Self, Failure> {
        let Some((program, arguments)) = command.split_first() else {
            return Err(Failure::usage("start the game", "none is given")
                .remedy("name it after --, as in stratus run -- foot"));
        };
        let name = program.to_string_lossy().into_owned();
        let spawned = Self::spawn(program, arguments, (socket, directory), marker, more);
        let (process, lines) = spawned.map_err(|e| {
            let failure = Failure::new(format!("start the game {name:?}"), why(&e));
            match e.kind() {
                ErrorKind::NotFound | ErrorKind::PermissionDenied => failure
                    .remedy("check the name, install the game, or give its full path after --"),
                _ => failure,
            }
        })?;
        Ok(Self { process, name, lines })
    }

    fn spawn(
        program: &OsString,
        arguments: &[OsString],
        (socket, directory): (&str, &Path),
        marker: &Marker,
        more: Vec<(&'static str, String)>,
    ) -> io::Result<(Child, Lines)> {
        let (reader, writer) = io::pipe()?;
        let mut game = Command::new(program);
        game.args(arguments);
        for name in FOREIGN {
            game.env_remove(name);
        }
        for (name, value) in DEFAULTS {
            if std::env::var_os(name).is_none() {
                game.env(name, value);
            }
        }
        // Standard output belongs to the link.
        game.env("WAYLAND_DISPLAY", socket)
            .env("XDG_RUNTIME_DIR", directory)
            .envs(more)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        let process = process::spawn(game, marker)?;
        Ok((process, Lines::follow(reader)?))
    }

    /// Its name, as the user wrote it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> Pid {
        process::pid_of(&self.process)
    }

    /// What to report when it ended by itself.
    ///
    /// # Errors
    /// A [`Failure`] with its last words and its own exit code, if that is not 0.
    pub fn verdict(&self, ended: Ended) -> Result<(), Failure> {
        if ended.is_success() {
            return Ok(());
        }
        let mut cause = format!("it ended with {ended}");
        let last = self.lines.last(LAST_WORDS);
        if !last.is_empty() {
            cause.push_str("; it said last:");
        }
        for line in last {
            cause.push_str("\n    ");
            cause.push_str(&line);
        }
        let code = ended.shell_code().max(FAILED);
        Err(Failure::new(format!("go on with the game {:?}", self.name), cause).exiting_with(code))
    }
}

/// What keeps a program from starting, in words.
pub(crate) fn why(e: &io::Error) -> String {
    match e.kind() {
        ErrorKind::NotFound => "there is no such program".into(),
        // Searching $PATH gives this too if a directory on the way may not be read.
        ErrorKind::PermissionDenied => {
            "it is not a program, not allowed for this user, or not in $PATH".into()
        }
        _ => e.to_string(),
    }
}
