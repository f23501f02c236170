//! A live session: `stratus run` or `stratus proxy` with games, and `stratus play` that measures it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

/// Where the games of `stratus proxy` connect, in its runtime directory.
const SOCKET: &str = "stratus-0";
/// How long a session may take to begin.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long it may take to end when asked to.
const END_LIMIT: Duration = Duration::from_secs(15);

/// What to start.
pub(crate) struct Options<'a> {
    /// The folder of `stratus` and `harness-client`.
    pub(crate) programs: &'a Path,
    /// Of the game's screen in pixels.
    pub(crate) size: (u32, u32),
    /// Frames a second.
    pub(crate) fps: u32,
    /// Further options of `stratus run`.
    pub(crate) options: &'a [&'a str],
    /// The game and its arguments.
    pub(crate) game: &'a [&'a str],
}

/// A running session; dropping it ends it and removes its folder.
pub(crate) struct Session {
    child: Child,
    folder: TempDir,
    /// For the player.
    pub(crate) link: String,
    /// When it was started, before anything of it ran.
    pub(crate) started: Instant,
}

impl Session {
    /// Starts it and waits for its link.
    ///
    /// # Errors
    /// If it ends or says nothing; its log is part of the message.
    pub(crate) fn start(options: &Options<'_>) -> anyhow::Result<Self> {
        Self::start_with(options, &[])
    }

    /// The same with these variables in its environment.
    ///
    /// # Errors
    /// As of [`Session::start`].
    pub(crate) fn start_with(
        options: &Options<'_>,
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        Self::launch(options, &["run"], |command| {
            command.arg("--").args(options.game).env_remove("WAYLAND_DISPLAY");
            command.envs(environment.iter().copied());
        })
    }

    /// Starts `stratus proxy` in front of the compositor whose socket is `upstream`, and waits for
    /// its link. The game is not started.
    ///
    /// # Errors
    /// As for [`Session::start`].
    pub(crate) fn in_front_of(upstream: &Path, options: &Options<'_>) -> anyhow::Result<Self> {
        Self::launch(options, &["proxy", "--socket", SOCKET], |command| {
            command.env("WAYLAND_DISPLAY", upstream);
        })
    }

    fn launch(
        options: &Options<'_>,
        subcommand: &[&str],
        complete: impl FnOnce(&mut Command),
    ) -> anyhow::Result<Self> {
        // Paths of sockets have room for 107 bytes, so the folder lies in /tmp whatever TMPDIR says.
        let folder = tempfile::Builder::new().prefix("stratus-bench-").tempdir_in("/tmp")?;
        fs::DirBuilder::new().mode(0o700).create(folder.path().join("run"))?;
        fs::write(folder.path().join("config.toml"), "")?;
        let log = fs::File::create(folder.path().join("log"))?;
        let (width, height) = options.size;
        let mut command = Command::new(options.programs.join("stratus"));
        command
            .args(subcommand)
            .args(["--listen", "127.0.0.1:0", "--size", &format!("{width}x{height}")])
            .args(["--fps", &options.fps.to_string(), "--config"])
            .arg(folder.path().join("config.toml"))
            .args(options.options)
            .env("XDG_RUNTIME_DIR", folder.path().join("run"))
            .env_remove("DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0);
        complete(&mut command);
        let started = Instant::now();
        let child = command.spawn().context("starting stratus")?;
        let mut session = Self { child, folder, link: String::new(), started };
        session.link = session.read_link().with_context(|| session.log())?;
        Ok(session)
    }

    fn read_link(&mut self) -> anyhow::Result<String> {
        let said = self.child.stdout.take().context("its output is ours")?;
        let (tell, told) = channel();
        // It reads on, or the session would stop at a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(said).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        match told.recv_timeout(START_LIMIT) {
            Ok(link) => Ok(link),
            Err(_) => bail!("stratus printed no link"),
        }
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The socket for games, whose full path is good as `WAYLAND_DISPLAY`.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("run").join(SOCKET)
    }

    /// Ends it and gives what it logged.
    pub(crate) fn finish(mut self) -> String {
        self.stop();
        self.log()
    }

    /// Its process group, which its compositor and its game are of unless they left it.
    pub(crate) fn group(&self) -> u32 {
        self.child.id()
    }

    /// A folder for what lies about, which goes with the session.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Session {
    /// Asks it to end, and sees to it.
    fn stop(&mut self) {
        let group = Pid::from_raw(self.child.id().cast_signed());
        let _ = nix::sys::signal::kill(group, Signal::SIGTERM);
        let deadline = Instant::now() + END_LIMIT;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A `stratus play --headless` that is running.
pub(crate) struct Player {
    child: Child,
    folder: TempDir,
}

impl Player {
    /// Joins the session of `link` with further arguments.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) fn join(programs: &Path, link: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("stratus-bench-").tempdir_in("/tmp")?;
        let out = fs::File::create(folder.path().join("out"))?;
        let log = fs::File::create(folder.path().join("log"))?;
        let child = Command::new(programs.join("stratus"))
            .args(["play", "--headless", "--json", "--stamps"])
            .arg(folder.path().join("stamps.csv"))
            .args(arguments)
            .arg(link)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(log)
            .process_group(0)
            .spawn()
            .context("starting stratus play")?;
        Ok(Self { child, folder })
    }

    pub(crate) fn group(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// If it fails, or what it wrote cannot be read; its log is part of the message.
    pub(crate) fn finish(self, limit: Duration) -> anyhow::Result<Played> {
        let (played, fault) = self.finish_with_faults(limit)?;
        match fault {
            None => Ok(played),
            Some(fault) => bail!("stratus play: {fault}"),
        }
    }

    /// Waits for its end, and gives what it saw even if that was no good stream, with what it said
    /// of that.
    ///
    /// # Errors
    /// If what it wrote cannot be read; its log is part of the message.
    pub(crate) fn finish_with_faults(
        mut self,
        limit: Duration,
    ) -> anyhow::Result<(Played, Option<String>)> {
        let deadline = Instant::now() + limit;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            ensure!(Instant::now() < deadline, "stratus play did not end; {}", self.said("log"));
            std::thread::sleep(Duration::from_millis(5));
        };
        let fault = (!status.success()).then(|| format!("{status}; {}", self.said("log")));
        let report = serde_json::from_str(&self.said("out"))
            .with_context(|| format!("what stratus play printed; {}", self.said("log")))?;
        let stamps = fs::read_to_string(self.path("stamps.csv"))?;
        Ok((Played { report, frames: frames(&stamps)? }, fault))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn said(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a player saw.
pub(crate) struct Played {
    /// As `--json` gives it.
    pub(crate) report: serde_json::Value,
    pub(crate) frames: Vec<Frame>,
}

impl Played {
    /// The frames whose moment lies within `length` seconds that begin `skip` seconds after the
    /// first such moment.
    pub(crate) fn within(
        &self,
        moment: impl Fn(&Frame) -> Option<u64>,
        (skip, length): (u32, u32),
    ) -> Vec<Frame> {
        let Some(first) = self.frames.iter().find_map(&moment) else { return Vec::new() };
        let begin = first + u64::from(skip) * 1_000_000_000;
        let end = begin + u64::from(length) * 1_000_000_000;
        let counts = |frame: &&Frame| moment(frame).is_some_and(|at| (begin..end).contains(&at));
        self.frames.iter().filter(counts).copied().collect()
    }
}

/// A frame that a player decoded. Moments are nanoseconds of the monotonic clock; those before the
/// encoder are none where it shows again what an earlier frame had shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Frame {
    pub(crate) id: u64,
    pub(crate) newest_input: u64,
    /// Of its access unit.
    pub(crate) bytes: u64,
    pub(crate) read: Option<u64>,
    pub(crate) handed: Option<u64>,
    pub(crate) convert_start: Option<u64>,
    pub(crate) convert_end: Option<u64>,
    pub(crate) encoded: Option<u64>,
    pub(crate) sent: Option<u64>,
    pub(crate) first_byte: Option<u64>,
    pub(crate) last_byte: Option<u64>,
    pub(crate) decoded: Option<u64>,
}

impl Frame {
    /// Milliseconds between two of its moments.
    pub(crate) fn ms(from: Option<u64>, to: Option<u64>) -> Option<f64> {
        Some(to?.saturating_sub(from?) as f64 / 1e6)
    }

    /// Milliseconds from the commit's bytes to the picture.
    pub(crate) fn total(&self) -> Option<f64> {
        Self::ms(self.read, self.decoded)
    }
}

/// What `stratus play --stamps` wrote, by the names in its first line.
fn frames(csv: &str) -> anyhow::Result<Vec<Frame>> {
    let mut lines = csv.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let column = |name: &str| {
        names.iter().position(|n| *n == name).with_context(|| format!("no column {name} in {csv}"))
    };
    let at = |name: &str| -> anyhow::Result<_> {
        let column = column(name)?;
        Ok(move |fields: &[&str]| fields.get(column).and_then(|text| text.parse::<u64>().ok()))
    };
    let (id, newest_input, bytes) = (at("id")?, at("newest_input")?, at("bytes")?);
    let (read, handed) = (at("read")?, at("handed")?);
    let (convert_start, convert_end) = (at("convert_start")?, at("convert_end")?);
    let (encoded, sent) = (at("encoded")?, at("sent")?);
    let (first_byte, last_byte, decoded) = (at("first_byte")?, at("last_byte")?, at("decoded")?);
    let frame = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        Some(Frame {
            id: id(&fields)?,
            newest_input: newest_input(&fields)?,
            bytes: bytes(&fields)?,
            read: read(&fields),
            handed: handed(&fields),
            convert_start: convert_start(&fields),
            convert_end: convert_end(&fields),
            encoded: encoded(&fields),
            sent: sent(&fields),
            first_byte: first_byte(&fields),
            last_byte: last_byte(&fields),
            decoded: decoded(&fields),
        })
    };
    lines.map(|line| frame(line).with_context(|| format!("a line of stamps: {line}"))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn stamps_are_read_by_their_names() {
        let read = frames(
            "id,bytes,newest_input,read,handed,convert_start,convert_end,encoded,sent,\
                           first_byte,last_byte,decoded\n7,100,2,1000000,,,,,,,,3500000\n",
        );
        let frame = read.unwrap()[0];
        assert_eq!((frame.id, frame.bytes, frame.newest_input), (7, 100, 2));
        assert_eq!((frame.total(), frame.handed), (Some(2.5), None));
        assert!(frames("id,bytes\n").is_err());
    }

    #[test]
    fn a_part_of_what_was_played_can_be_asked_for() {
        let frame =
            |n: u64| Frame { read: Some(5_000_000_000 + n * 10_000_000), ..Frame::default() };
        let played = |frames| Played { report: serde_json::Value::Null, frames };
        let all = played((0..400).map(frame).collect());
        let some = all.within(|frame| frame.read, (1, 2));
        assert_eq!((some.len(), some[0].read), (200, Some(6_000_000_000)));
        // None of these has such a moment.
        assert!(all.within(|frame| frame.decoded, (0, 9)).is_empty());
        assert!(played(Vec::new()).within(|frame| frame.read, (0, 9)).is_empty());
    }
}
