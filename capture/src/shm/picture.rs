//! The picture that a `wl_buffer` shows of its pool.

use std::sync::Arc;

use stratus_frame::{PixelFormat, PixelView, Pixels, ReadError, Size};

use super::PoolMemory;
use crate::CaptureStats;

/// Why a buffer's pixels are not for us. The compositor judges for itself whether it is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejected {
    #[error("its shm format {0:#x} is none that is read")]
    Format(u32),
    #[error("its offset, size and stride do not lie in its pool")]
    Bounds,
}

/// Where a picture lies in its pool: checked numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) size: Size,
    pub(crate) format: PixelFormat,
    stride: usize,
    start: usize,
    end: usize,
}

impl Layout {
    /// Checks the arguments of `wl_shm_pool.create_buffer`: pixels, and bytes for `offset` and
    /// `stride`, against a pool of `pool_size` bytes.
    ///
    /// # Errors
    /// [`Rejected`] if we cannot read such a picture.
    pub(crate) fn new(
        [offset, width, height, stride]: [i32; 4],
        format: u32,
        pool_size: usize,
    ) -> Result<Self, Rejected> {
        let format = format_of(format).ok_or(Rejected::Format(format))?;
        let positive = |n: i32| u32::try_from(n).ok().filter(|&n| n > 0).ok_or(Rejected::Bounds);
        let (width, height, stride) = (positive(width)?, positive(height)?, positive(stride)?);
        let start = usize::try_from(offset).map_err(|_| Rejected::Bounds)?;
        let stride = stride as usize;
        let row = (width as usize).checked_mul(format.bytes_per_pixel()).ok_or(Rejected::Bounds)?;
        let end = (height as usize - 1)
            .checked_mul(stride)
            .and_then(|rows| rows.checked_add(row))
            .and_then(|len| len.checked_add(start))
            .ok_or(Rejected::Bounds)?;
        if row > stride || end > pool_size {
            return Err(Rejected::Bounds);
        }
        Ok(Self { size: Size::new(width, height), format, stride, start, end })
    }
}

/// `wl_shm.format.argb8888`.
const ARGB8888: u32 = 0;
/// `wl_shm.format.xrgb8888`.
const XRGB8888: u32 = 1;

/// What a `wl_shm.format` is; the two of the core protocol have numbers of their own, and all
/// others those of DRM. `None` if it is not read.
pub(crate) fn format_of(shm: u32) -> Option<PixelFormat> {
    Some(match shm {
        ARGB8888 => PixelFormat::Argb8888,
        XRGB8888 => PixelFormat::Xrgb8888,
        0x3432_4241 => PixelFormat::Abgr8888,
        0x3432_4258 => PixelFormat::Xbgr8888,
        0x3033_5241 => PixelFormat::Argb2101010,
        0x3033_5258 => PixelFormat::Xrgb2101010,
        0x3033_4241 => PixelFormat::Abgr2101010,
        0x3033_4258 => PixelFormat::Xbgr2101010,
        _ => return None,
    })
}

/// One `wl_buffer`'s pixels; made once, when the buffer is created, and shared by its frames.
pub(crate) struct ShmPicture {
    pool: Arc<PoolMemory>,
    layout: Layout,
    stats: Arc<CaptureStats>,
}

impl ShmPicture {
    pub(crate) fn new(pool: Arc<PoolMemory>, layout: Layout, stats: Arc<CaptureStats>) -> Self {
        Self { pool, layout, stats }
    }

    fn truncated(&self, why: &dyn std::fmt::Display) -> ReadError {
        self.stats.truncated.add(1);
        if self.pool.is_first_failure() {
            tracing::warn!("dropping a frame whose memory cannot be read: {why}");
        }
        ReadError::Truncated
    }
}

impl Pixels for ShmPicture {
    fn read(&self, read: &mut dyn FnMut(PixelView<'_>)) -> Result<(), ReadError> {
        let Layout { size, format, stride, start, end } = self.layout;
        let mapping = self.pool.map(end).map_err(|error| self.truncated(&error))?;
        let whole = mapping.read(start..end, |data| read(PixelView { data, stride, size, format }));
        if whole == Some(true) {
            return Ok(());
        }
        self.pool.discard(&mapping);
        Err(self.truncated(&ReadError::Truncated))
    }
}

#[cfg(test)]
#[path = "picture_tests.rs"]
mod tests;
