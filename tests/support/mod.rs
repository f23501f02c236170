//! What the tests of the binary share: a place of its own for each session, and looks at what the
//! kernel knows of it.
//!
//! Nothing here uses the code under test: processes are recognised by the runtime directory that
//! the test gave them, not by Stratus' own mark.

#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Long enough for two noisy cores; no test passes by waiting for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The binary with a clean environment and `place` as its runtime directory.
pub(crate) fn stratus(place: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stratus"));
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"STRATUS_") {
            command.env_remove(name);
        }
    }
    command
        .env("XDG_RUNTIME_DIR", place)
        .env("XDG_CONFIG_HOME", place)
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("DISPLAY")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}

/// A private directory.
pub(crate) fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o700)).unwrap();
    place
}

/// What a command that ends by itself said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `command` to its end.
pub(crate) fn say(mut command: Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A running `stratus run` or `stratus proxy`, in a place of its own.
pub(crate) struct Session {
    pub(crate) place: tempfile::TempDir,
    pub(crate) link: String,
    process: Child,
    out: BufReader<ChildStdout>,
    log: std::path::PathBuf,
}

impl Session {
    /// Starts `stratus run OPTIONS -- GAME` and waits for its link.
    pub(crate) fn run(options: &[&str], game: &[&str]) -> Self {
        assert!(
            !nix::unistd::Uid::effective().is_root(),
            "Sway refuses root: run the tests through scripts/test, or as another user"
        );
        let place = place();
        let mut command = stratus(place.path());
        command.arg("run").args(options).arg("--").args(game);
        Self::start(place, command)
    }

    /// Starts `command` and waits for its link.
    pub(crate) fn start(place: tempfile::TempDir, mut command: Command) -> Self {
        let log = std::env::temp_dir()
            .join(format!("{}.log", place.path().file_name().unwrap().to_str().unwrap()));
        let errors = fs::File::create(&log).unwrap();
        let mut process = command.stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        let mut link = String::new();
        out.read_line(&mut link).unwrap();
        assert!(
            link.starts_with("http://127.0.0.1:"),
            "{link:?}\n{}",
            fs::read_to_string(&log).unwrap()
        );
        Self { place, link: link.trim().to_owned(), process, out, log }
    }

    /// The link for viewers, which `--viewers` makes the second line; once.
    pub(crate) fn viewers_link(&mut self) -> String {
        let mut link = String::new();
        self.out.read_line(&mut link).unwrap();
        assert!(link.starts_with("http://127.0.0.1:"), "{link:?}");
        link.trim().to_owned()
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.process.id().try_into().unwrap())
    }

    /// What was logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The socket of Sway itself, which the game was never told, as soon as there is one.
    pub(crate) fn compositor(&self) -> PathBuf {
        eventually("Sway listens", || {
            let mut places = vec![self.place.path().to_owned()];
            while let Some(place) = places.pop() {
                for entry in fs::read_dir(place).unwrap().flatten() {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    if entry.file_type().unwrap().is_dir() {
                        places.push(entry.path());
                    } else if name.starts_with("wayland-") && !name.ends_with(".lock") {
                        // The file is there a moment before it may be connected to.
                        return UnixStream::connect(entry.path()).ok().map(|_| entry.path());
                    }
                }
            }
            None
        })
    }

    /// The session's process named `name`, as soon as there is one.
    pub(crate) fn find(&self, name: &str) -> Pid {
        eventually(&format!("{name} runs"), || {
            inhabitants(self.place.path()).into_iter().find(|p| p.name == name).map(|p| p.pid)
        })
    }

    /// The process that cleans up should Stratus be killed.
    pub(crate) fn find_janitor(&self) -> Pid {
        eventually("the janitor runs", || {
            inhabitants(self.place.path())
                .into_iter()
                .find(|p| p.arguments.iter().any(|a| a == "janitor"))
                .map(|p| p.pid)
        })
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Waits for the end of Stratus itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let ended = eventually("stratus ends", || self.process.try_wait().unwrap());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "standard output must have nothing but the link");
        ended
    }

    /// Asserts that nothing of the session is left.
    pub(crate) fn assert_gone(&self) {
        let gone = Instant::now() + PATIENCE;
        loop {
            let left = inhabitants(self.place.path());
            let files = files(self.place.path());
            if left.is_empty() && files.is_empty() {
                return;
            }
            assert!(Instant::now() < gone, "left: {left:?} {files:?}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = kill(self.pid(), Signal::SIGTERM);
            let until = Instant::now() + PATIENCE;
            while self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
                if Instant::now() > until {
                    // The test has failed, and its janitor cleans up.
                    let _ = self.process.kill();
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let _ = fs::remove_file(&self.log);
    }
}

/// A process and what is known of it.
#[derive(Debug)]
pub(crate) struct Inhabitant {
    pub(crate) pid: Pid,
    pub(crate) name: String,
    pub(crate) arguments: Vec<String>,
}

/// The living processes whose runtime directory is `place` or lies in it.
pub(crate) fn inhabitants(place: &Path) -> Vec<Inhabitant> {
    let entry = format!("XDG_RUNTIME_DIR={}", place.display());
    let lives_here = |environ: &[u8]| {
        environ
            .split(|&b| b == 0)
            .any(|e| e.strip_prefix(entry.as_bytes()).is_some_and(|r| r.is_empty() || r[0] == b'/'))
    };
    let mut found = Vec::new();
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = process.file_name().to_string_lossy().parse() else { continue };
        let read = |name: &str| fs::read(process.path().join(name)).unwrap_or_default();
        if lives_here(&read("environ")) {
            let arguments = read("cmdline");
            found.push(Inhabitant {
                pid: Pid::from_raw(pid),
                name: String::from_utf8_lossy(&read("comm")).trim().to_owned(),
                arguments: arguments
                    .split(|&b| b == 0)
                    .map(|a| String::from_utf8_lossy(a).into_owned())
                    .collect(),
            });
        }
    }
    found
}

/// The names of what lies in a directory.
pub(crate) fn files(directory: &Path) -> Vec<String> {
    fs::read_dir(directory)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Looks until `look` finds something.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "this never came true: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Makes an executable shell script.
pub(crate) fn script(path: &Path, text: impl AsRef<OsStr>) {
    let mut bytes = b"#!/bin/sh\n".to_vec();
    bytes.extend_from_slice(text.as_ref().as_encoded_bytes());
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
