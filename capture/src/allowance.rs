//! How many descriptors of a client are kept for its buffers.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::resource::{Resource, getrlimit};

/// Pools and dmabufs of one client that are kept at once. Toolkits that make a pool for each
/// buffer have some dozens.
const MAX_KEPT: usize = 1024;

/// Fds that no buffer takes: they are for what the clients send each other and the compositor.
const FD_RESERVE: u64 = 256;

/// Why a descriptor is not kept. Its buffers are then not streamed; whether it is an error is for
/// the compositor to say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Spent {
    /// Each costs an fd, which all clients share.
    #[error("the client has {MAX_KEPT} pools and dmabufs already")]
    TooMany,
    /// The limit of open files is near.
    #[error("no file descriptors are left")]
    NoFds,
    /// The system says so.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Counts what is kept of one client, and remembers whether it was said that memory of its cannot
/// be read. Each kept descriptor goes with a clone of this.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowance(Arc<AtomicBool>);

impl Allowance {
    /// Keeps a descriptor.
    ///
    /// # Errors
    /// [`Spent`] if that would be one too many.
    pub(crate) fn keep(&self, file: BorrowedFd<'_>) -> Result<OwnedFd, Spent> {
        // One of the references is the allowance itself.
        if Arc::strong_count(&self.0) > MAX_KEPT {
            return Err(Spent::TooMany);
        }
        let file = file.try_clone_to_owned()?;
        // The kernel gives out the lowest number that is free.
        let (limit, _) = getrlimit(Resource::RLIMIT_NOFILE).map_err(io::Error::from)?;
        let most = limit - FD_RESERVE.min(limit / 8);
        if u64::try_from(file.as_raw_fd()).is_ok_and(|number| number >= most) {
            return Err(Spent::NoFds);
        }
        Ok(file)
    }

    /// Whether this is the first time that memory of the client cannot be read.
    pub(crate) fn is_first_failure(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }
}
