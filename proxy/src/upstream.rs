//! The way to the compositor.

use std::ffi::OsStr;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

/// There is no saying where the compositor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "WAYLAND_DISPLAY is no absolute path and XDG_RUNTIME_DIR is not set: no compositor can be found"
)]
pub struct NoUpstream;

/// The compositor's socket by libwayland's rules: `display` (WAYLAND_DISPLAY, by default
/// `wayland-0`) is an absolute path or a name in `runtime_dir` (XDG_RUNTIME_DIR).
///
/// `WAYLAND_SOCKET` does not count: it names one connection, which belongs to one client.
///
/// # Errors
/// [`NoUpstream`] if the name is relative and there is no `runtime_dir`.
pub fn upstream_path(
    display: Option<&OsStr>,
    runtime_dir: Option<&OsStr>,
) -> Result<PathBuf, NoUpstream> {
    let display = Path::new(display.filter(|d| !d.is_empty()).unwrap_or(OsStr::new("wayland-0")));
    if display.is_absolute() {
        return Ok(display.to_path_buf());
    }
    let folder = runtime_dir.filter(|d| !d.is_empty()).ok_or(NoUpstream)?;
    Ok(Path::new(folder).join(display))
}

/// Connects without waiting: a compositor that hangs with a full backlog must not stop the loop.
///
/// # Errors
/// Those of `connect`.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(UnixStream::from(socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_display_is_a_path_or_a_name_in_the_runtime_dir() {
        let path = |display: Option<&str>, dir: Option<&str>| {
            upstream_path(display.map(OsStr::new), dir.map(OsStr::new))
        };
        assert_eq!(path(None, Some("/run/u")), Ok("/run/u/wayland-0".into()));
        assert_eq!(path(Some(""), Some("/run/u")), Ok("/run/u/wayland-0".into()));
        assert_eq!(path(Some("wayland-7"), Some("/run/u")), Ok("/run/u/wayland-7".into()));
        assert_eq!(path(Some("/tmp/w"), None), Ok("/tmp/w".into()));
        assert_eq!(path(Some("wayland-7"), None), Err(NoUpstream));
        assert_eq!(path(Some("wayland-7"), Some("")), Err(NoUpstream));
    }
}
