//! The limit: a relay that moves bytes and fds between two sockets and looks at none of them.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::socket::{receive, send};

/// Relays every client of `listen` to a connection of its own to `upstream`, for ever.
pub(crate) fn relay(listen: &Path, upstream: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(listen)?;
    for client in listener.incoming() {
        let ends = [client?, UnixStream::connect(upstream)?];
        std::thread::spawn(move || carry(&ends));
    }
    Ok(())
}

/// Carries in both directions until one end is gone: what `poll` names is read and written once.
fn carry(ends: &[UnixStream; 2]) -> io::Result<()> {
    let mut room = vec![0; 64 << 10];
    let mut fds: Vec<OwnedFd> = Vec::new();
    loop {
        let mut ready = ends.each_ref().map(|end| PollFd::new(end.as_fd(), PollFlags::POLLIN));
        poll(&mut ready, PollTimeout::NONE)?;
        for (from, to) in [(0, 1), (1, 0)] {
            if ready[from].any() != Some(true) {
                continue;
            }
            let len = receive(&ends[from], &mut room, &mut fds)?;
            if len == 0 {
                return Ok(());
            }
            send(&ends[to], &room[..len], &fds)?;
            fds.clear();
        }
    }
}
