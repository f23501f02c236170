//! Waiting for several compositor connections at once.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::Problem;

/// Waits until something can be read from one of `sockets`, or `time` has passed.
pub(super) fn wait_readable<'a>(
    sockets: impl Iterator<Item = &'a UnixStream>,
    time: Duration,
) -> Result<(), Problem> {
    let mut polled: Vec<PollFd<'_>> =
        sockets.map(|socket| PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN)).collect();
    let timeout = Timespec::try_from(time).ok();
    match poll(&mut polled, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(e) => Err(Problem::Connection(e.into())),
    }
}
