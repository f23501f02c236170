//! A game's shared memory, mapped for reading.

#![allow(unsafe_code)] // Mapping memory that another process shares cannot be had without.

use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::libc::c_void;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use crate::guard_unsafe;

/// The first `len` bytes of a file, whether the file has as many or not.
///
/// Costs address space only: pages that nobody reads are never made (foot's pools have 512 MiB).
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<c_void>,
    len: usize,
    /// Set once a read met the end of the file; the pages behind are zeros for good.
    truncated: AtomicBool,
}

// SAFETY: the mapping is only ever read, is owned by this value, and stays where it is until drop.
unsafe impl Send for Mapping {}
// SAFETY: as for Send; `truncated` is atomic.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `len` bytes of `file`, read only.
    ///
    /// # Errors
    /// `InvalidInput` for a length of 0, else what `mmap` or `sigaction` answered.
    pub fn new(file: impl AsFd, len: usize) -> io::Result<Self> {
        guard_unsafe::install()?;
        let length = NonZeroUsize::new(len).ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: no address is asked for, so nothing that exists is replaced.
        let start = unsafe {
            mmap(
                None,
                length,
                ProtFlags::PROT_READ,
                MapFlags::MAP_SHARED | MapFlags::MAP_NORESERVE,
                file,
                0,
            )
        }?;
        Ok(Self { start, len, truncated: AtomicBool::new(false) })
    }

    /// How many bytes are mapped, at least 1.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Lends the bytes at `range` to `read`. Answers whether all of them were really there;
    /// `None`, without a call, if `range` does not lie in the mapping.
    pub fn read(&self, range: Range<usize>, read: impl FnOnce(&[u8])) -> Option<bool> {
        if range.start > range.end || range.end > self.len {
            return None;
        }
        let base = self.start.as_ptr() as usize;
        guard_unsafe::reading(base..base + self.len, &self.truncated, || {
            // SAFETY: `range.start` was checked against the mapping's length.
            let at = unsafe { self.start.as_ptr().cast::<u8>().add(range.start) };
            // SAFETY: the range was checked and stays mapped while `self` is borrowed; pages past
            // the file's end are answered by the guard. The game may write at the same time:
            // every byte is a valid u8 whatever it writes, and no reader relies on reading the
            // same value twice (that is the contract of `Pixels::read`).
            read(unsafe { std::slice::from_raw_parts(at, range.len()) });
        });
        Some(!self.truncated.load(Ordering::Relaxed))
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this is the mapping that `new` made, and no borrow of it can be left.
        if let Err(error) = unsafe { munmap(self.start, self.len) } {
            tracing::error!(%error, "could not unmap shared memory");
        }
    }
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
