//! The picture between conversion and encoder.

use ffmpeg_next::color;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use stratus_frame::Size;

use crate::ffi::frame::{self, PlanesMut};
use crate::planes::Planes;

/// Memory for a picture could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no memory for a picture of {0}")]
pub struct OutOfMemory(pub Size);

/// An I420 picture (BT.709, limited range) in FFmpeg's buffers, so that handing it to an encoder
/// copies nothing.
///
/// Its coded size is the visible one rounded up to even numbers; the added column and row repeat
/// their neighbours.
pub struct Picture {
    frame: Video,
    size: Size,
}

impl Picture {
    /// A black picture of `size` visible pixels.
    ///
    /// # Errors
    /// [`OutOfMemory`], also for an empty size or one that FFmpeg does not take.
    pub fn new(size: Size) -> Result<Self, OutOfMemory> {
        // Larger numbers would not fit FFmpeg's ints.
        const LIMIT: u32 = 1 << 16;
        if size.is_empty() || size.width > LIMIT || size.height > LIMIT {
            return Err(OutOfMemory(size));
        }
        let frame = frame::allocate(Pixel::YUV420P, size.rounded_up_to_even());
        let mut frame = frame.ok_or(OutOfMemory(size))?;
        frame::fill(&mut frame, &[16, 128, 128]);
        frame.set_color_range(color::Range::MPEG);
        frame.set_color_space(color::Space::BT709);
        frame.set_color_primaries(color::Primaries::BT709);
        frame.set_color_transfer_characteristic(color::TransferCharacteristic::BT709);
        Ok(Self { frame, size })
    }

    /// Visible width and height.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// Width and height as coded: rounded up to even numbers.
    #[must_use]
    pub fn coded_size(&self) -> Size {
        self.size.rounded_up_to_even()
    }

    /// The samples, of the coded size.
    ///
    /// # Errors
    /// None in practice: a picture always has its three planes; [`OutOfMemory`] stands for the
    /// impossible case.
    pub fn planes(&self) -> Result<Planes<'_>, OutOfMemory> {
        frame::planes(&self.frame).ok_or(OutOfMemory(self.size))
    }

    /// The samples for writing. An encoder that still refers to them keeps the old ones: then
    /// this copies, which no encoder without delay causes.
    pub(crate) fn planes_mut(&mut self) -> Result<PlanesMut<'_>, OutOfMemory> {
        let size = self.size;
        if frame::unshare(&mut self.frame).ok_or(OutOfMemory(size))? {
            tracing::debug!(%size, "the encoder kept a picture; copied it");
        }
        frame::planes_mut(&mut self.frame).ok_or(OutOfMemory(size))
    }

    pub(crate) fn frame_mut(&mut self) -> &mut Video {
        &mut self.frame
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture").field("size", &self.size).finish_non_exhaustive()
    }
}
