//! The game that all contestants show: the scripted client, and when it committed what.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

/// When the game draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Pace {
    /// 60 times a second by its own clock, as games without vertical sync do
    Rate,
    /// When the compositor's frame callback says so, as games with vertical sync do
    Callbacks,
}

/// What all contestants show.
#[derive(Clone)]
pub(super) struct Scene {
    /// The folder of `harness-client`.
    pub(super) programs: PathBuf,
    pub(super) size: (u32, u32),
    pub(super) pace: Pace,
    /// Where the game notes its commits.
    pub(super) commits: PathBuf,
}

impl Scene {
    /// The game and its arguments.
    pub(super) fn command(&self) -> Vec<String> {
        let (width, height) = self.size;
        let program = self.programs.join("harness-client");
        let mut command = vec![program.to_string_lossy().into_owned()];
        let size = format!("{width}x{height}");
        let commits = self.commits.to_string_lossy();
        let always = ["--frames", "0", "--size", &size, "--fullscreen", "--commits", &commits];
        command.extend(always.map(str::to_owned));
        if self.pace == Pace::Rate {
            command.extend(["--rate", "60"].map(str::to_owned));
        }
        command
    }
}

/// A game that runs in a compositor; dropping it ends it.
pub(super) struct Game(Child);

impl Game {
    /// Starts it in the compositor that listens at `socket`.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn start(scene: &Scene, socket: &Path) -> anyhow::Result<Self> {
        let command = scene.command();
        let child = Command::new(&command[0])
            .args(&command[1..])
            .env("WAYLAND_DISPLAY", socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("starting harness-client")?;
        Ok(Self(child))
    }
}

impl Drop for Game {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the game noted: numbers, and nanoseconds of the monotonic clock.
///
/// # Errors
/// If the file cannot be read, or a line but the last is no such pair.
pub(super) fn commits(file: &Path) -> anyhow::Result<Vec<(u32, u64)>> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    parse(&text)
}

fn parse(text: &str) -> anyhow::Result<Vec<(u32, u64)>> {
    // A game that was killed may have left half a line.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let pair = |line: &str| {
        let (number, at) = line.split_once(',')?;
        Some((number.parse().ok()?, at.parse().ok()?))
    };
    whole.lines().map(|line| pair(line).with_context(|| format!("a commit: {line}"))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn whole_lines_are_read() {
        assert_eq!(parse("1,500\n2,700\n3,9").unwrap(), [(1, 500), (2, 700)]);
        assert_eq!(parse("").unwrap(), []);
        assert!(parse("1;500\n").is_err());
    }
}
