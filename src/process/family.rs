//! All that one session starts, and its end.

use std::path::Path;
use std::time::Duration;

use nix::sys::prctl::set_child_subreaper;
use nix::unistd::Pid;

use super::janitor::Janitor;
use super::sweep::{Known, Scope, end_all};
use super::{Ended, Marker, RuntimeDir, reap};
use crate::failure::Failure;

/// How long processes have to end when they are asked to. Games save on SIGTERM.
const GRACE: Duration = Duration::from_secs(2);

/// A session's directory, the mark on its processes, and its janitor.
///
/// When this is dropped, every process of the session is ended and the directory removed.
#[derive(Debug)]
pub struct Family {
    marker: Marker,
    directory: RuntimeDir,
    watched: Vec<Known>,
    // Dropped after `directory`, and replaced when someone kills it.
    janitor: Janitor,
}

impl Family {
    /// Makes the directory and starts the janitor. From here on orphans among our descendants
    /// become our children.
    ///
    /// # Errors
    /// A [`Failure`] if one of them cannot be made.
    pub fn begin() -> Result<Self, Failure> {
        set_child_subreaper(true).map_err(|e| Failure::new("adopt orphaned processes", e))?;
        let directory = RuntimeDir::create()?;
        // The directory's name is unique among the living; the rest makes it so for good.
        let unique = directory.path().file_name().unwrap_or_default().to_string_lossy();
        let now = stratus_frame::MonoTime::now().as_nanos();
        let marker = Marker::new(&format!("{unique}-{}-{now:x}", Pid::this()));
        let janitor = Janitor::start(&marker, directory.path())?;
        Ok(Self { marker, directory, watched: Vec::new(), janitor })
    }

    /// What to mark the session's processes with.
    #[must_use]
    pub fn marker(&self) -> &Marker {
        &self.marker
    }

    /// The private directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Accounts for `pid`, a child that was just started.
    pub fn watch(&mut self, pid: Pid) {
        if let Some(known) = Known::look_up(pid) {
            self.janitor.watch(known);
            self.watched.push(known);
        }
    }

    /// The children that ended since the last call. Replaces the janitor if it is among them.
    pub fn reap(&mut self) -> Vec<(Pid, Ended)> {
        let ended = reap();
        if ended.iter().any(|(pid, _)| *pid == self.janitor.pid()) {
            tracing::warn!("the process that cleans up after the session was ended; starting anew");
            match Janitor::start(&self.marker, self.directory.path()) {
                Ok(mut janitor) => {
                    self.watched.iter().for_each(|known| janitor.watch(*known));
                    self.janitor = janitor;
                }
                Err(failure) => tracing::warn!("{failure:#}"),
            }
        }
        ended
    }

    /// Ends all processes of the session but those in `spare`.
    pub fn end_all_but(&self, spare: &[Pid]) {
        let spare: Vec<Pid> = spare.iter().copied().chain([self.janitor.pid()]).collect();
        let scope = Scope {
            marker: &self.marker,
            root: Some(Pid::this()),
            known: &self.watched,
            spare: &spare,
        };
        // Children that ended count as living until they are reaped, whoever asks for them.
        let left = end_all(&scope, GRACE, || drop(reap()));
        if !left.is_empty() {
            tracing::warn!("these processes do not end: {left:?}");
        }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        self.end_all_but(&[]);
    }
}
