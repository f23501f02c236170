//! What a client says of a dmabuf, and what of it holds.

use std::io;
use std::os::fd::OwnedFd;

use stratus_frame::{PixelFormat, Size};

use crate::exporter::Exporter;
use crate::format::{self, INVALID, LINEAR};

/// Planes of one picture at most (`zwp_linux_buffer_params_v1.add`, error `plane_idx`).
pub const MAX_PLANES: usize = 4;

/// One plane as the client describes it.
#[derive(Debug)]
pub struct Plane {
    /// The dmabuf.
    pub fd: OwnedFd,
    /// Where the plane begins, bytes.
    pub offset: u32,
    /// Bytes from one row to the next; of a layout that has no rows, what its driver makes of it.
    pub stride: u32,
}

/// A picture as the client describes it: none of the numbers has been checked.
#[derive(Debug)]
pub struct Description {
    /// Pixels in a row.
    pub width: i32,
    /// Rows.
    pub height: i32,
    /// The DRM format.
    pub format: u32,
    /// The DRM modifier, the same for all planes.
    pub modifier: u64,
    /// By index, from 0 and without gaps.
    pub planes: Vec<Plane>,
}

/// Why a dmabuf's pixels are not for us. The compositor judges for itself whether it is an error.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    /// It is YUV, of another depth, or unknown.
    #[error("its format {} is none that frames can be made of", format::name(*.0))]
    Format(u32),
    /// None, more than four, or one in between is missing.
    #[error("it has no plane or more than {MAX_PLANES}")]
    Planes,
    /// Upside down or interlaced.
    #[error("it is upside down or interlaced")]
    Flags,
    /// The numbers lie, or there are too many rows for anything to show.
    #[error("its offset, size and stride do not lie in its memory")]
    Bounds,
    /// A pipe, a socket, a directory or a device.
    #[error("it is neither a dmabuf nor a file")]
    NotMemory,
    /// Faults in them cannot be answered page by page.
    #[error("it has huge pages")]
    HugePages,
    /// The system says so.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Where the pixels of the first plane lie: checked numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) size: Size,
    pub(crate) format: PixelFormat,
    pub(crate) fourcc: u32,
    pub(crate) modifier: u64,
    pub(crate) stride: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Layout {
    /// Checks a description against planes of `sizes` bytes.
    ///
    /// # Errors
    /// [`Rejected`] if we cannot read such a picture.
    pub(crate) fn new(described: &Description, sizes: &[u64]) -> Result<Self, Rejected> {
        let fourcc = described.format;
        let format = format::pixel_format(fourcc).ok_or(Rejected::Format(fourcc))?;
        if described.planes.len() > MAX_PLANES {
            return Err(Rejected::Planes);
        }
        let (first, &bytes) =
            described.planes.first().zip(sizes.first()).ok_or(Rejected::Planes)?;
        let positive = |n: i32| u32::try_from(n).ok().filter(|&n| n > 0).ok_or(Rejected::Bounds);
        let size = Size::new(positive(described.width)?, positive(described.height)?);
        let bytes = usize::try_from(bytes).map_err(|_| Rejected::Bounds)?;
        let (start, stride) = (first.offset as usize, first.stride as usize);
        let row = (size.width as usize).checked_mul(format.bytes_per_pixel());
        let row = row.ok_or(Rejected::Bounds)?;
        // Every layout has room for each pixel; one of rows must have it where the rows are.
        let end = if is_rows(described.modifier) {
            if row > stride {
                return Err(Rejected::Bounds);
            }
            (size.height as usize - 1).checked_mul(stride).and_then(|rows| rows.checked_add(row))
        } else {
            row.checked_mul(size.height as usize)
        };
        let end = end.and_then(|len| len.checked_add(start)).ok_or(Rejected::Bounds)?;
        let rest = described.planes.iter().zip(sizes).skip(1);
        if end > bytes || rest.clone().any(|(plane, &len)| u64::from(plane.offset) >= len) {
            return Err(Rejected::Bounds);
        }
        Ok(Self { size, format, fourcc, modifier: described.modifier, stride, start, end })
    }

    /// Whether a mapping shows the picture row by row. A layout that is not stated is linear where
    /// only processors draw.
    pub(crate) fn is_linear(&self, exporter: &Exporter) -> bool {
        self.modifier == LINEAR || (self.modifier == INVALID && exporter.is_plain())
    }
}

/// Whether the numbers that go with a modifier can be those of rows. What a driver does without
/// saying keeps to them too, but for the order of the bytes.
fn is_rows(modifier: u64) -> bool {
    modifier == LINEAR || modifier == INVALID
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
