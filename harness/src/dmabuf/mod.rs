//! Memory as games share it with a GPU: a dmabuf where the machine makes them (`/dev/udmabuf`),
//! and a file in its place where it does not.

mod udmabuf_unsafe;

use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, OwnedFd};

use anyhow::Context as _;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// Bytes that a dmabuf's size is a multiple of.
const PAGE: u64 = 4096;

/// Memory with two ends: the game draws into `memory`, and shares `shared`.
#[derive(Debug)]
pub struct Dmabuf {
    /// The pages as a file.
    pub memory: File,
    /// The same pages as a dmabuf, or the file once more.
    pub shared: OwnedFd,
}

impl Dmabuf {
    /// Memory of at least `len` bytes.
    ///
    /// # Errors
    /// If none can be had.
    pub fn new(len: u64) -> anyhow::Result<Self> {
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let memory = File::from(memfd_create("harness-dmabuf", flags).context("memfd_create")?);
        let len = len.next_multiple_of(PAGE);
        memory.set_len(len).context("size the memory")?;
        // A dmabuf cannot lose its pages, so the file must not be able to.
        fcntl(&memory, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK))
            .context("seal the memory")?;
        let shared = match device() {
            Some(device) => udmabuf_unsafe::create(device.as_fd(), memory.as_fd(), len)
                .context("make a dmabuf of the memory")?,
            None => memory.as_fd().try_clone_to_owned()?,
        };
        Ok(Self { memory, shared })
    }

    /// Whether this machine makes dmabufs for us.
    #[must_use]
    pub fn are_real() -> bool {
        device().is_some()
    }
}

fn device() -> Option<File> {
    OpenOptions::new().read(true).write(true).open("/dev/udmabuf").ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn what_is_drawn_is_shared() {
        let dmabuf = Dmabuf::new(5000).unwrap();
        dmabuf.memory.write_all_at(b"drawn", 4990).unwrap();
        assert_eq!(dmabuf.memory.metadata().unwrap().len(), 8192);
        let shared = File::from(dmabuf.shared);
        let mut bytes = [0; 5];
        if Dmabuf::are_real() {
            // Its bytes are only to be mapped.
            assert!(shared.read_exact_at(&mut bytes, 4990).is_err());
        } else {
            println!("skipped: no /dev/udmabuf");
            shared.read_exact_at(&mut bytes, 4990).unwrap();
            assert_eq!(&bytes, b"drawn");
        }
    }
}
