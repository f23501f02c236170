//! The socket that games connect to, kept by libwayland's convention.
//!
//! Beside the socket lies `<socket>.lock`, locked with `flock` by whoever serves the socket. A
//! socket whose lock is free was left by someone who died; it is taken over. Names are looked up
//! in XDG_RUNTIME_DIR, absolute paths are taken as they are.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

/// Where the proxy listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketName {
    path: PathBuf,
}

impl SocketName {
    /// `name` (say `stratus-0`) in `runtime_dir` (XDG_RUNTIME_DIR), or an absolute path.
    ///
    /// # Errors
    /// [`BindError::NoRuntimeDir`] for a name without a folder to put it in;
    /// [`BindError::BadName`] for an empty name or a relative path.
    pub fn new(name: &OsStr, runtime_dir: Option<&OsStr>) -> Result<Self, BindError> {
        let asked = Path::new(name);
        if asked.is_absolute() {
            return Ok(Self { path: asked.to_path_buf() });
        }
        if asked.file_name() != Some(name) {
            return Err(BindError::BadName(name.to_string_lossy().into_owned()));
        }
        let folder = runtime_dir.filter(|d| !d.is_empty()).ok_or(BindError::NoRuntimeDir)?;
        Ok(Self { path: Path::new(folder).join(asked) })
    }

    /// The socket's path. As WAYLAND_DISPLAY it works everywhere, whatever XDG_RUNTIME_DIR is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Why the proxy's socket could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A name was given and there is no folder for it.
    #[error(
        "XDG_RUNTIME_DIR is not set, so there is no place for the socket; set it or give an absolute path"
    )]
    NoRuntimeDir,
    /// Neither a name nor an absolute path.
    #[error("{0:?} is neither a socket's name nor an absolute path")]
    BadName(String),
    /// Somebody serves this socket.
    #[error("{0} is in use: another program holds its lock; choose another name")]
    InUse(PathBuf),
    /// The lock cannot be made or taken.
    #[error("cannot lock {path}: {source}")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A stale socket cannot be removed, or the new one not be made.
    #[error("cannot listen on {path}: {source}")]
    Listen {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The loop's own fds cannot be made.
    #[error("cannot set up the proxy's loop: {0}")]
    Loop(#[source] io::Error),
}

/// The socket and its lock. Both files go when this is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: UnixListener,
    path: PathBuf,
    lock_path: PathBuf,
    /// Held until after the files are gone.
    _lock: File,
}

impl Listener {
    pub(crate) fn bind(name: &SocketName) -> Result<Self, BindError> {
        let path = name.path.clone();
        let mut lock_path = path.clone().into_os_string();
        lock_path.push(".lock");
        let lock_path = PathBuf::from(lock_path);
        let lock = take_lock(&lock_path, &path)?;
        let listen = |source| BindError::Listen { path: path.clone(), source };
        // With the lock in hand, whatever lies there was left by someone who is gone.
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(listen(e)),
            _ => {}
        }
        let socket = UnixListener::bind(&path).map_err(listen)?;
        socket.set_nonblocking(true).map_err(listen)?;
        Ok(Self { socket, path, lock_path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The next client; `WouldBlock` if there is none.
    pub(crate) fn accept(&self) -> io::Result<UnixStream> {
        self.socket.accept().map(|(stream, _)| stream)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for path in [&self.path, &self.lock_path] {
            if let Err(error) = std::fs::remove_file(path) {
                tracing::warn!("cannot remove {}: {error}", path.display());
            }
        }
    }
}

fn take_lock(lock_path: &Path, socket: &Path) -> Result<File, BindError> {
    let failed = |source| BindError::Lock { path: lock_path.to_path_buf(), source };
    loop {
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o660)
            .open(lock_path)
            .map_err(failed)?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(BindError::InUse(socket.to_path_buf()));
            }
            Err(error) => return Err(failed(error.into())),
        }
        // Its last holder may have removed the file between our opening and our locking it; then
        // this lock keeps nobody out.
        if is_same_file(&lock, lock_path) {
            return Ok(lock);
        }
    }
}

fn is_same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(ours), Ok(there)) = (file.metadata(), std::fs::metadata(path)) else { return false };
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn name_in(folder: &Path) -> SocketName {
        SocketName::new(OsStr::new("stratus-0"), Some(folder.as_os_str())).unwrap()
    }

    #[test]
    fn one_listener_a_name_and_no_file_left_after() {
        let folder = tempfile::tempdir().unwrap();
        let name = name_in(folder.path());
        let first = Listener::bind(&name).unwrap();
        assert!(folder.path().join("stratus-0.lock").exists());
        assert!(matches!(Listener::bind(&name), Err(BindError::InUse(_))));
        UnixStream::connect(name.path()).unwrap();
        drop(first);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        Listener::bind(&name).unwrap();
    }

    #[test]
    fn a_stale_socket_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let name = name_in(folder.path());
        // Dropping a std listener leaves its file behind, as a killed server does.
        drop(UnixListener::bind(name.path()).unwrap());
        std::fs::write(folder.path().join("stratus-0.lock"), "").unwrap();
        let listener = Listener::bind(&name).unwrap();
        UnixStream::connect(listener.path()).unwrap();
    }

    #[test]
    fn names_and_paths() {
        let dir = Some(OsStr::new("/run/u"));
        let path = |name: &str| SocketName::new(OsStr::new(name), dir).map(|n| n.path);
        assert_eq!(path("stratus-3").unwrap(), Path::new("/run/u/stratus-3"));
        assert_eq!(path("/tmp/x").unwrap(), Path::new("/tmp/x"));
        for bad in ["", "a/b", "..", "a/"] {
            assert!(matches!(path(bad), Err(BindError::BadName(_))), "{bad:?}");
        }
        assert!(matches!(SocketName::new(OsStr::new("a"), None), Err(BindError::NoRuntimeDir)));
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_an_error_and_leaves_no_socket() {
        let folder = tempfile::tempdir().unwrap();
        let name = SocketName { path: folder.path().join("x".repeat(150)) };
        assert!(matches!(Listener::bind(&name), Err(BindError::Listen { .. })));
    }
}
