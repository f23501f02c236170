//! The requests of `linux/dma-buf.h`.

#![allow(unsafe_code)] // An ioctl with an argument cannot be had without.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::Result;
use nix::errno::Errno;

/// `DMA_BUF_SYNC_READ`: for one that reads.
const READ: u32 = 1;
/// `DMA_BUF_SYNC_END`: it is done.
const END: u64 = 4;

/// Tries that an interrupted request gets; signals do not come in such numbers.
const TRIES: usize = 100;

/// `struct dma_buf_sync`.
#[repr(C)]
struct Sync {
    flags: u64,
}

/// `struct dma_buf_export_sync_file`.
#[repr(C)]
struct ExportSyncFile {
    flags: u32,
    fd: i32,
}

nix::ioctl_write_ptr!(dma_buf_sync, b'b', 0, Sync);
nix::ioctl_readwrite!(dma_buf_export_sync_file, b'b', 2, ExportSyncFile);

/// A descriptor that is readable once all who draw are done (`DMA_BUF_IOCTL_EXPORT_SYNC_FILE`).
///
/// # Errors
/// `ENOTTY` before Linux 6.0 and from what is no dmabuf.
pub(crate) fn producers_fence(dmabuf: BorrowedFd<'_>) -> Result<OwnedFd> {
    let mut request = ExportSyncFile { flags: READ, fd: -1 };
    // SAFETY: the request is a valid value of the kernel's structure, which outlives the call.
    unsafe { dma_buf_export_sync_file(dmabuf.as_raw_fd(), &raw mut request) }?;
    if request.fd < 0 {
        return Err(Errno::EBADF);
    }
    // SAFETY: the kernel made this descriptor for us just now, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(request.fd) })
}

/// Reads by the processor begin, or end (`DMA_BUF_IOCTL_SYNC`).
///
/// # Errors
/// `ENOTTY` from what is no dmabuf, else what the exporter answers.
pub(crate) fn processor_reads(dmabuf: BorrowedFd<'_>, begin: bool) -> Result<()> {
    let flags = u64::from(READ) | if begin { 0 } else { END };
    let request = Sync { flags };
    let mut answer = Ok(0);
    for _ in 0..TRIES {
        // SAFETY: as above; the kernel only reads it.
        answer = unsafe { dma_buf_sync(dmabuf.as_raw_fd(), &raw const request) };
        if !matches!(answer, Err(Errno::EINTR | Errno::EAGAIN)) {
            break;
        }
    }
    answer.map(|_| ())
}
