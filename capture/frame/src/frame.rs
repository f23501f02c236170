//! A picture as the game committed it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::{Damage, Hold, Size, Stamps};

/// Numbers the frames of a session from 1, in commit order and without gaps at the mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(pub u64);

/// How a pixel lies in memory. Names are those of `wl_shm.format` and DRM: little-endian words of
/// 32 bits, highest bits first. Alpha is premultiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// Bytes B G R A. For a window that covers everything alpha is without effect on the picture.
    Argb8888,
    /// Bytes B G R and one unused.
    Xrgb8888,
    /// Bytes R G B A.
    Abgr8888,
    /// Bytes R G B and one unused.
    Xbgr8888,
    /// 2 bits alpha, 10 bits each of red, green and blue.
    Argb2101010,
    /// 2 unused bits, 10 bits each of red, green and blue.
    Xrgb2101010,
    /// 2 bits alpha, 10 bits each of blue, green and red.
    Abgr2101010,
    /// 2 unused bits, 10 bits each of blue, green and red.
    Xbgr2101010,
}

impl PixelFormat {
    /// Bytes of one pixel.
    #[must_use]
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Argb8888
            | Self::Xrgb8888
            | Self::Abgr8888
            | Self::Xbgr8888
            | Self::Argb2101010
            | Self::Xrgb2101010
            | Self::Abgr2101010
            | Self::Xbgr2101010 => 4,
        }
    }

    /// Whether something below may shine through a pixel.
    #[must_use]
    pub const fn has_alpha(self) -> bool {
        match self {
            Self::Argb8888 | Self::Abgr8888 | Self::Argb2101010 | Self::Abgr2101010 => true,
            Self::Xrgb8888 | Self::Xbgr8888 | Self::Xrgb2101010 | Self::Xbgr2101010 => false,
        }
    }

    /// Whether a pixel is the bytes B, G, R and one more, which is what the encoder's conversion
    /// takes; a picture in any other format must be composed first.
    #[must_use]
    pub const fn is_bgrx(self) -> bool {
        matches!(self, Self::Argb8888 | Self::Xrgb8888)
    }
}

/// Pixels laid open for reading: `height` rows of `width` pixels, `stride` bytes apart.
///
/// `data` holds at least `(height - 1) * stride + width * bytes_per_pixel` bytes.
#[derive(Clone, Copy, Debug)]
pub struct PixelView<'a> {
    /// The rows.
    pub data: &'a [u8],
    /// Bytes from one row to the next; may exceed the width's worth.
    pub stride: usize,
    /// Width and height in pixels.
    pub size: Size,
    /// How a pixel is stored.
    pub format: PixelFormat,
}

/// Why pixels could not be read; the frame is then dropped and the session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The game cut the memory off while it was being read (SIGBUS).
    Truncated,
    /// The GPU had not finished drawing in time.
    Unfinished,
    /// Nothing here can read such memory.
    Unreadable,
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truncated => f.write_str("the game truncated its buffer while it was being read"),
            Self::Unfinished => f.write_str("the GPU had not finished drawing the buffer in time"),
            Self::Unreadable => f.write_str("nothing here can read the buffer's memory"),
        }
    }
}

impl std::error::Error for ReadError {}

/// Something whose pixels can be read from any thread.
pub trait Pixels: Send + Sync {
    /// Calls `read` once with the pixels laid open.
    ///
    /// The game may write to them at the same time: what was read is then torn, not unsafe.
    ///
    /// # Errors
    /// [`ReadError::Truncated`] if memory vanished during the call; what `read` saw of it was 0.
    /// With the others, `read` was not called.
    fn read(&self, read: &mut dyn FnMut(PixelView<'_>)) -> Result<(), ReadError>;

    /// Whether a read waits for nobody and asks no GPU, so that any thread may do it.
    fn reads_at_once(&self) -> bool {
        true
    }

    /// As [`Pixels::read`], for a reader that has kept the picture before: it needs only what
    /// `changed` covers, the [`Frame::damage`] of the frame. A picture that must be made first is
    /// made there alone.
    ///
    /// # Errors
    /// As for [`Pixels::read`].
    fn read_changed(
        &self,
        changed: &Damage,
        read: &mut dyn FnMut(PixelView<'_>),
    ) -> Result<(), ReadError> {
        let _ = changed;
        self.read(read)
    }
}

/// One committed picture on its way to the encoder.
pub struct Frame {
    /// Its number.
    pub id: FrameId,
    /// When it passed which stage.
    pub stamps: Stamps,
    /// Width and height in pixels.
    pub size: Size,
    /// The newest input that the picture may show; 0 if there was none.
    pub newest_input: u64,
    /// What changed since the frame with the id before (frames that the mailbox replaced are
    /// already counted in).
    pub damage: Damage,
    /// The picture.
    pub pixels: Arc<dyn Pixels>,
    /// Set when the hold was forced at its deadline while someone still read: the game may have
    /// drawn over what was read.
    pub torn: Arc<AtomicBool>,
    /// Keeps the buffer from the game. Drop it as soon as the pixels are no longer read.
    pub hold: Hold,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frame")
            .field("id", &self.id)
            .field("size", &self.size)
            .field("damage", &self.damage)
            .finish_non_exhaustive()
    }
}
