//! Waiting for who draws, and telling the exporter that the processor reads.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::sync_unsafe::{processor_reads, producers_fence};

/// Waits until what was drawn into `dmabuf` is there, at most until `deadline`; answers whether it
/// is.
///
/// The fences of the producer come as a file that becomes readable. Before Linux 6.0 the dmabuf
/// itself does, which may also wait for others that merely read. What is no dmabuf has no fences,
/// and is always readable.
pub(crate) fn wait(dmabuf: BorrowedFd<'_>, deadline: Instant) -> bool {
    match producers_fence(dmabuf) {
        Ok(fence) => is_readable(fence.as_fd(), deadline),
        Err(_) => is_readable(dmabuf, deadline),
    }
}

fn is_readable(fd: BorrowedFd<'_>, deadline: Instant) -> bool {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // Rounded up: waking a moment too early would spin until the deadline.
        let left = if left.is_zero() { left } else { left + Duration::from_micros(999) };
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(fd, PollFlags::POLLIN)];
        match poll(&mut fds, timeout) {
            Err(Errno::EINTR) => {}
            // Nothing to wait for is the same as nobody who draws.
            Err(_) => return true,
            Ok(ready) => return ready > 0,
        }
    }
}

/// The processor reads while this lives: caches are made to agree before and after.
pub(crate) struct ProcessorReads<'a>(Option<BorrowedFd<'a>>);

impl<'a> ProcessorReads<'a> {
    /// Reads begin. What is no dmabuf needs no word.
    ///
    /// # Errors
    /// What the exporter answers: then its memory is not to be read.
    pub(crate) fn begin(dmabuf: BorrowedFd<'a>) -> Result<Self, Errno> {
        match processor_reads(dmabuf, true) {
            Ok(()) => Ok(Self(Some(dmabuf))),
            Err(Errno::ENOTTY) => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }
}

impl Drop for ProcessorReads<'_> {
    fn drop(&mut self) {
        if let Some(dmabuf) = self.0
            && let Err(error) = processor_reads(dmabuf, false)
        {
            tracing::debug!(%error, "a dmabuf's exporter does not take the end of a read");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn what_has_no_fences_is_ready_and_what_never_is_costs_the_limit() {
        let file = tempfile::tempfile().unwrap();
        assert!(wait(file.as_fd(), Instant::now()));
        assert!(ProcessorReads::begin(file.as_fd()).is_ok());
        // A pipe that nobody writes to stands in for a GPU that hangs.
        let (pipe, writer) = std::io::pipe().unwrap();
        let started = Instant::now();
        let limit = Duration::from_millis(20);
        assert!(!wait(pipe.as_fd(), started + limit));
        assert!(started.elapsed() >= limit);
        assert!(!wait(pipe.as_fd(), started), "in the past, it only looks");
        std::io::Write::write_all(&mut &writer, &[1]).unwrap();
        assert!(wait(pipe.as_fd(), started));
    }
}
