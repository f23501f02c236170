//! Buffers that a test paints.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;

use anyhow::{Context as _, ensure};
use nix::sys::memfd::{MFdFlags, memfd_create};
use wayland_client::QueueHandle;
use wayland_client::protocol::{wl_buffer::WlBuffer, wl_shm, wl_shm::WlShm};

use super::Heard;

/// An argb8888 buffer out of a pool of its own, and the memory behind it.
#[derive(Debug)]
pub struct Paint {
    /// What surfaces attach.
    pub buffer: WlBuffer,
    /// Width and height in pixels.
    pub size: (u32, u32),
    file: File,
}

impl Paint {
    pub(super) fn new(
        shm: &WlShm,
        size: (u32, u32),
        queue: &QueueHandle<Heard>,
    ) -> anyhow::Result<Self> {
        let len = i32::try_from(u64::from(size.0) * 4 * u64::from(size.1))
            .context("the buffer is too large for wl_shm")?;
        let memory =
            memfd_create("harness-paint", MFdFlags::MFD_CLOEXEC).context("memfd_create")?;
        let file = File::from(memory);
        file.set_len(len.unsigned_abs().into()).context("size the pool")?;
        let pool = shm.create_pool(file.as_fd(), len, queue, ());
        let (width, height) = (size.0 as i32, size.1 as i32);
        let format = wl_shm::Format::Argb8888;
        let buffer = pool.create_buffer(0, width, height, width * 4, format, queue, ());
        // Legal: buffers keep the pool's memory.
        pool.destroy();
        Ok(Self { buffer, size, file })
    }

    /// Gives all pixels the bytes B G R A.
    ///
    /// # Errors
    /// If the memory cannot be written.
    pub fn fill(&self, bgra: [u8; 4]) -> anyhow::Result<()> {
        self.write(&bgra.repeat(self.size.0 as usize * self.size.1 as usize))
    }

    /// Writes all pixels: rows of bytes B G R A without gaps.
    ///
    /// # Errors
    /// If there are more or fewer than the buffer has, or the memory cannot be written.
    pub fn write(&self, pixels: &[u8]) -> anyhow::Result<()> {
        let len = self.size.0 as usize * 4 * self.size.1 as usize;
        ensure!(pixels.len() == len, "{} bytes for a buffer of {len}", pixels.len());
        self.file.write_all_at(pixels, 0).context("paint")
    }
}
