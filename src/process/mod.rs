//! The processes of a session: how they start, and how every one of them ends.
//!
//! Each carries `STRATUS_SESSION=<id>` in its environment, leads a process group of its own, and
//! is asked to end by the kernel when Stratus dies. Because none of that reaches everything (a
//! game may start others that detach), three further nets lie below: Stratus is the reaper of
//! orphans among its descendants, [`sweep`] ends everything with the marker, and the
//! [`janitor`], a process apart, does the same when Stratus itself is killed.

mod family;
pub mod janitor;
mod marker;
pub mod open_files;
mod output;
pub mod priority;
mod runtime_dir;
mod spawn_unsafe;
pub mod sweep;

pub use family::Family;
pub use marker::{Marker, SESSION_VARIABLE};
pub use output::Lines;
pub use runtime_dir::{RuntimeDir, is_usable as is_usable_directory};

use std::io;
use std::process::{Child, Command};

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Exited(i32),
    /// By this signal.
    Killed(nix::sys::signal::Signal),
}

impl Ended {
    /// Whether it ended of its own will and content.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }

    /// The code a shell would give: 128 + N for signal N.
    #[must_use]
    pub fn shell_code(self) -> u8 {
        match self {
            Self::Exited(code) => u8::try_from(code & 0xff).unwrap_or(u8::MAX),
            Self::Killed(signal) => 128u8.saturating_add(u8::try_from(signal as i32).unwrap_or(0)),
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit code {code}"),
            Self::Killed(signal) => write!(f, "signal {} ({})", *signal as i32, signal.as_str()),
        }
    }
}

/// Starts `command` as part of the session that `marker` names: in a process group of its own,
/// with the limit of open files that we were started with, and with SIGTERM for it when the
/// calling thread ends. Call it from the main thread only.
///
/// # Errors
/// Those of [`Command::spawn`].
pub fn spawn(mut command: Command, marker: &Marker) -> io::Result<Child> {
    use std::os::unix::process::CommandExt;
    command.env(SESSION_VARIABLE, marker.id()).process_group(0);
    spawn_unsafe::end_with_parent(&mut command);
    if let Some(limits) = open_files::found() {
        spawn_unsafe::limit_open_files(&mut command, limits);
    }
    command.spawn()
}

/// Like [`spawn`], but in our own process group: the terminal stays the child's as well, with its
/// keys and its Ctrl-C.
///
/// # Errors
/// Those of [`Command::spawn`].
pub fn spawn_beside(mut command: Command, marker: &Marker) -> io::Result<Child> {
    command.env(SESSION_VARIABLE, marker.id());
    spawn_unsafe::end_with_parent(&mut command);
    command.spawn()
}

/// All children that ended since the last call, orphans that came to us among them.
///
/// Nothing else in a session waits for children, so no status is lost.
pub fn reap() -> Vec<(Pid, Ended)> {
    let mut ended = Vec::new();
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) => ended.push((pid, Ended::Exited(code))),
            Ok(WaitStatus::Signaled(pid, signal, _)) => ended.push((pid, Ended::Killed(signal))),
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return ended,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(e) => {
                tracing::error!("cannot wait for processes: {e}");
                return ended;
            }
        }
    }
}

/// The pid of `child` in nix's type.
#[must_use]
pub fn pid_of(child: &Child) -> Pid {
    // Linux pids fit 22 bits.
    Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::Signal;

    use super::*;

    #[test]
    fn shell_codes_are_those_of_a_shell() {
        assert_eq!(Ended::Exited(0).shell_code(), 0);
        assert_eq!(Ended::Exited(3).shell_code(), 3);
        assert_eq!(Ended::Killed(Signal::SIGKILL).shell_code(), 137);
        assert!(!Ended::Killed(Signal::SIGTERM).is_success());
    }
}
