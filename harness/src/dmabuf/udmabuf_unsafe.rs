//! The request of `linux/udmabuf.h`.

#![allow(unsafe_code)] // An ioctl with an argument cannot be had without.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// `UDMABUF_FLAGS_CLOEXEC`.
const CLOEXEC: u32 = 1;

/// `struct udmabuf_create`.
#[repr(C)]
struct Create {
    memfd: u32,
    flags: u32,
    offset: u64,
    size: u64,
}

nix::ioctl_write_ptr!(udmabuf_create, b'u', 0x42, Create);

/// A dmabuf of the first `size` bytes of a sealed memory file.
pub(super) fn create(
    device: BorrowedFd<'_>,
    memory: BorrowedFd<'_>,
    size: u64,
) -> nix::Result<OwnedFd> {
    let memfd = memory.as_raw_fd().unsigned_abs();
    let request = Create { memfd, flags: CLOEXEC, offset: 0, size };
    // SAFETY: the request is a valid value of the kernel's structure, which it only reads.
    let made = unsafe { udmabuf_create(device.as_raw_fd(), &raw const request) }?;
    // SAFETY: the kernel made this descriptor for us just now, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(made) })
}
