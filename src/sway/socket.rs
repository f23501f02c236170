//! Waiting for Sway's Wayland socket without looking again and again.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::net::unix::pipe;

/// Between `bind`, which makes the file, and `listen` the socket refuses; libwayland has nothing
/// between the two.
const UNTIL_LISTENING: Duration = Duration::from_millis(1);

/// Sees a Wayland socket appear in a directory.
pub struct Appearing {
    directory: PathBuf,
    // tokio waits for an inotify as for any pipe: it polls and reads it, no more.
    changes: pipe::Receiver,
}

impl Appearing {
    /// Watches `directory` from now on. Needs the reactor of a tokio runtime.
    ///
    /// # Errors
    /// Those of inotify.
    pub fn watch(directory: &Path) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        inotify.add_watch(directory, AddWatchFlags::IN_CREATE)?;
        let changes = pipe::Receiver::from_owned_fd_unchecked(OwnedFd::from(inotify))?;
        Ok(Self { directory: directory.to_owned(), changes })
    }

    /// The path of the socket, as soon as it takes connections.
    ///
    /// # Errors
    /// Those of reading the directory.
    pub async fn socket(&mut self) -> io::Result<PathBuf> {
        loop {
            if let Some(path) = self.find()? {
                while UnixStream::connect(&path).is_err() {
                    tokio::time::sleep(UNTIL_LISTENING).await;
                }
                return Ok(path);
            }
            self.changes.readable().await?;
            // What happened does not matter: the directory is read anew.
            match self.changes.try_read(&mut [0; 4096]) {
                Err(e) if e.kind() != io::ErrorKind::WouldBlock => return Err(e),
                _ => {}
            }
        }
    }

    /// libwayland names them `wayland-N`, each with a lock file beside it.
    fn find(&self) -> io::Result<Option<PathBuf>> {
        for entry in std::fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|n| n.strip_prefix("wayland-"));
            if number.is_some_and(|n| n.parse::<u32>().is_ok()) {
                return Ok(Some(self.directory.join(name)));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::os::unix::net::UnixListener;

    use super::*;

    #[tokio::test]
    async fn finds_the_socket_and_not_its_lock() {
        let directory = tempfile::tempdir().unwrap();
        let mut appearing = Appearing::watch(directory.path()).unwrap();
        let path = directory.path().join("wayland-1");
        std::fs::write(directory.path().join("wayland-1.lock"), "").unwrap();
        let early = tokio::time::timeout(Duration::from_millis(20), appearing.socket()).await;
        assert!(early.is_err(), "the lock was taken for the socket");
        let _listener = UnixListener::bind(&path).unwrap();
        assert_eq!(appearing.socket().await.unwrap(), path);
    }
}
