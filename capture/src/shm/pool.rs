//! The memory of one `wl_shm_pool`.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::stat::{SFlag, fstat};
use nix::sys::statfs::{HUGETLBFS_MAGIC, fstatfs};
use stratus_mapping::Mapping;

use crate::allowance::{Allowance, Spent};

/// Why the memory of a pool is not kept. Its buffers are then not streamed; whether it is an error
/// is for the compositor to say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotKept {
    /// Mapping it would fail, or reading it would do things.
    #[error("it is no file (but a pipe, a socket, a directory or a device)")]
    NotAFile,
    /// Their faults cannot be answered page by page.
    #[error("it has huge pages")]
    HugePages,
    /// The client has too many.
    #[error(transparent)]
    Spent(#[from] Spent),
    /// The system says so.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// A pool's file and, once something was read from it, its mapping.
///
/// The pool object and every buffer of it share this: the protocol lets a client destroy the pool
/// before its buffers. Memory and fd go when the last of them goes.
#[derive(Debug)]
pub(crate) struct PoolMemory {
    file: OwnedFd,
    /// Bytes that the client says the pool has. It may only grow (`wl_shm_pool.resize`).
    size: AtomicUsize,
    mapping: Mutex<Option<Arc<Mapping>>>,
    /// Counts this pool while it lives.
    allowance: Allowance,
}

impl PoolMemory {
    /// Keeps the file behind a pool of `size` bytes.
    ///
    /// # Errors
    /// [`NotKept`] if its pixels are not to be had.
    pub(crate) fn keep(
        file: BorrowedFd<'_>,
        size: usize,
        allowance: &Allowance,
    ) -> Result<Self, NotKept> {
        // Before anything else: the last to close a socket may have to wait for its peer.
        let mode = fstat(file).map_err(io::Error::from)?.st_mode;
        if SFlag::from_bits_truncate(mode) & SFlag::S_IFMT != SFlag::S_IFREG {
            return Err(NotKept::NotAFile);
        }
        if fstatfs(file).map_err(io::Error::from)?.filesystem_type() == HUGETLBFS_MAGIC {
            return Err(NotKept::HugePages);
        }
        let file = allowance.keep(file)?;
        Ok(Self {
            file,
            size: AtomicUsize::new(size),
            mapping: Mutex::new(None),
            allowance: allowance.clone(),
        })
    }

    /// The size as the client last stated it, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    /// Follows `wl_shm_pool.resize`. The memory is mapped anew when a buffer needs more of it
    /// than is mapped; readers of the old mapping keep it until they are done.
    pub(crate) fn grow(&self, size: usize) {
        self.size.fetch_max(size, Ordering::Relaxed);
    }

    /// A mapping of at least the first `end` bytes.
    ///
    /// # Errors
    /// If the kernel will not map the file.
    pub(super) fn map(&self, end: usize) -> io::Result<Arc<Mapping>> {
        let mut mapping = self.lock();
        if let Some(mapped) = mapping.as_ref().filter(|m| m.len() >= end) {
            return Ok(Arc::clone(mapped));
        }
        let fresh = Arc::new(Mapping::new(&self.file, self.size().max(end))?);
        *mapping = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    /// Gives up `spoilt`, whose tail has become zeros: the file may be whole again by the next
    /// read.
    pub(super) fn discard(&self, spoilt: &Arc<Mapping>) {
        let mut mapping = self.lock();
        if mapping.as_ref().is_some_and(|m| Arc::ptr_eq(m, spoilt)) {
            *mapping = None;
        }
    }

    /// Whether this is the first time that memory of the pool's client cannot be read.
    pub(super) fn is_first_failure(&self) -> bool {
        self.allowance.is_first_failure()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Mapping>>> {
        self.mapping.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
