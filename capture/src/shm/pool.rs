//! The memory of one `wl_shm_pool`.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::mapping_unsafe::Mapping;

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
}

impl PoolMemory {
    pub(crate) fn new(file: OwnedFd, size: usize) -> Self {
        Self { file, size: AtomicUsize::new(size), mapping: Mutex::new(None) }
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

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Mapping>>> {
        self.mapping.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
