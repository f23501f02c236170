//! The process that cleans up when Stratus itself is killed.
//!
//! It holds the read end of a pipe whose write end only Stratus has, so that the kernel closes it
//! with Stratus, however that ends. Then the janitor ends what carries the session's marker and
//! removes the runtime directory. After an orderly end it finds nothing left to do.

use std::io::{self, BufRead, PipeWriter, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::unistd::Pid;

use super::sweep::{Known, Scope, end_all};
use super::{Marker, SESSION_VARIABLE, runtime_dir, spawn_unsafe};
use crate::failure::Failure;

/// How long the session's processes have to end when nobody is left to tell them why.
const GRACE: Duration = Duration::from_secs(1);

/// Stratus' end of the pipe. Dropping it sends the janitor to work.
#[derive(Debug)]
pub struct Janitor {
    process: Child,
    alive: Option<PipeWriter>,
}

impl Janitor {
    /// Starts one for the session that `marker` and `directory` name.
    ///
    /// # Errors
    /// A [`Failure`] if no process can be started.
    pub fn start(marker: &Marker, directory: &Path) -> Result<Self, Failure> {
        Self::spawn(marker, directory).map_err(|e| {
            Failure::new("start the process that cleans up after the session", e)
                .remedy("check the limits on processes and open files (ulimit -u, ulimit -n)")
        })
    }

    fn spawn(marker: &Marker, directory: &Path) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        // The link in /proc leads to this very binary even when its file was replaced.
        let mut command = Command::new("/proc/self/exe");
        command
            .args(["janitor", "--session", marker.id(), "--directory"])
            .arg(directory)
            // Were this one nested in another session, that one's end must not end it too early.
            .env_remove(SESSION_VARIABLE)
            .current_dir("/")
            .stdin(reader)
            .stdout(Stdio::null());
        spawn_unsafe::outlive_parent(&mut command);
        let process = command.spawn()?;
        Ok(Self { process, alive: Some(writer) })
    }

    /// Makes sure that `known` ends as well, should its marker not be readable.
    pub fn watch(&mut self, known: Known) {
        let Some(pipe) = &mut self.alive else { return };
        if let Err(e) = writeln!(pipe, "{} {}", known.pid, known.started) {
            tracing::warn!("the process that cleans up after the session is gone: {e}");
        }
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> Pid {
        super::pid_of(&self.process)
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        self.alive = None;
        // It ends as soon as it has looked; an error means that it was reaped already.
        let _ = self.process.wait();
    }
}

/// What the janitor's process does.
///
/// # Errors
/// A [`Failure`] if something of the session is still there at the end.
pub fn work(marker: &Marker, directory: &Path) -> Result<(), Failure> {
    let known = known_until_the_end(io::stdin().lock());
    let scope = Scope { marker, root: None, known: &known, spare: &[] };
    let left = end_all(&scope, GRACE, || ());
    let removed = runtime_dir::remove(directory);
    if !left.is_empty() {
        return Err(Failure::new("end all processes of the session", format!("{left:?} remain")));
    }
    removed.map_err(|e| Failure::new(format!("remove {}", directory.display()), e))
}

/// Reads what [`Janitor::watch`] wrote. Returns when Stratus has ended.
fn known_until_the_end(pipe: impl BufRead) -> Vec<Known> {
    let parse = |line: &str| {
        let (pid, started) = line.split_once(' ')?;
        Some(Known { pid: Pid::from_raw(pid.parse().ok()?), started: started.parse().ok()? })
    };
    pipe.lines().map_while(Result::ok).filter_map(|line| parse(&line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_is_to_watch() {
        let known = known_until_the_end(&b"12 345\nnonsense\n7 8\n9"[..]);
        let expected =
            [(12, 345), (7, 8)].map(|(pid, started)| Known { pid: Pid::from_raw(pid), started });
        assert_eq!(known, expected);
    }
}
