//! The headless Sway of a session.

pub mod config;
mod output;
mod socket;
mod tick;
mod wlr;

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use nix::unistd::Pid;
use stratus_frame::Size;

pub use output::{Output, Way};
pub use socket::Appearing;
pub use tick::Tick;

use crate::failure::Failure;
use crate::process::{self, Ended, Marker};

/// A Sway that was started; its socket may not be there yet.
#[derive(Debug)]
pub struct Sway {
    process: Child,
    log: PathBuf,
}

impl Sway {
    /// Starts Sway in `directory`, with one output of `size` that ticks `fps` times a second.
    ///
    /// # Errors
    /// A [`Failure`] if Sway is not installed or its files cannot be written.
    pub fn start(directory: &Path, marker: &Marker, size: Size, fps: u32) -> Result<Self, Failure> {
        let failed = |tried: &str, e: std::io::Error| Failure::new(tried, e);
        let config = directory.join("sway.config");
        fs::write(&config, config::text(size, fps))
            .map_err(|e| failed("write Sway's config", e))?;
        let log = directory.join("sway.log");
        let output = File::create(&log).map_err(|e| failed("make Sway's log", e))?;
        let errors = output.try_clone().map_err(|e| failed("make Sway's log", e))?;
        let mut command = config::command(&config, directory);
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let process = process::spawn(command, marker).map_err(|e| match e.kind() {
            ErrorKind::NotFound => Failure::new("start Sway", "it is not installed").remedy(
                "install it (Debian: apt install sway); `stratus doctor` looks at the rest",
            ),
            _ => Failure::new("start Sway", e),
        })?;
        Ok(Self { process, log })
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> Pid {
        process::pid_of(&self.process)
    }

    /// A failure that says what Sway said last.
    #[must_use]
    pub fn failure(&self, tried: &str, ended: Option<Ended>) -> Failure {
        let mut cause = match ended {
            Some(ended) => format!("Sway ended with {ended}"),
            None => "Sway does not answer".to_owned(),
        };
        let said = fs::read(&self.log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().filter(|l| !l.trim().is_empty()).collect();
        if !lines.is_empty() {
            cause.push_str("; it said last:");
        }
        for line in &lines[lines.len().saturating_sub(10)..] {
            cause.push_str("\n    ");
            cause.push_str(line);
        }
        Failure::new(tried, cause)
    }
}
