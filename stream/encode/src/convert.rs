//! From the game's pixels to what encoders take: BGRA or BGRX to I420, BT.709, limited range.
//!
//! The picture stays between frames, so only rows that changed are converted, in pairs because
//! chroma is shared by two. Alpha is left aside: the window covers everything (see
//! [`stratus_frame::PixelFormat`]).

use std::ops::Range;

use stratus_frame::{Damage, PixelFormat, PixelView, Size};
use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix,
    bgra_to_yuv420,
};

use crate::ffi::frame::PlanesMut;
use crate::picture::{OutOfMemory, Picture};

/// Damage has at most eight rectangles, hence at most eight separate runs of rows.
const MAX_RUNS: usize = 8;

/// Why a frame could not be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// The pixels end before the last row, rows overlap, or there is no pixel at all; whoever
    /// made the frame is to blame.
    #[error("{size} pixels with a stride of {stride} bytes do not fit {len} bytes")]
    BadView {
        /// Width and height that were claimed.
        size: Size,
        /// Stride that was claimed, in bytes.
        stride: usize,
        /// Bytes there are.
        len: usize,
    },
    /// The pixels are not B, G, R and one byte more; whoever made the frame must compose it first.
    #[error("pixels in {0:?} are not converted as they are")]
    Format(PixelFormat),
    /// No memory for the picture.
    #[error(transparent)]
    Memory(#[from] OutOfMemory),
    /// The conversion refused its arguments: a bug of ours, since they are checked before.
    #[error("conversion of {size}: {reason}")]
    Refused {
        /// Width and height of the rows.
        size: Size,
        /// What it said.
        reason: String,
    },
}

/// Keeps the newest picture in I420.
#[derive(Debug, Default)]
pub struct Converter {
    picture: Option<Picture>,
    /// The picture holds rows that were never rightly read.
    distrusted: bool,
    /// Room for the last two rows where the pixels end before the stride does.
    tail: Vec<u8>,
}

impl Converter {
    /// A converter without a picture.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The picture as last converted.
    #[must_use]
    pub fn picture(&self) -> Option<&Picture> {
        self.picture.as_ref()
    }

    /// The picture as last converted, for an encoder.
    pub fn picture_mut(&mut self) -> Option<&mut Picture> {
        self.picture.as_mut()
    }

    /// The picture as last converted, to keep.
    #[must_use]
    pub fn into_picture(self) -> Option<Picture> {
        self.picture
    }

    /// Makes the next conversion one of all rows: what the last one read was not the picture.
    pub fn distrust(&mut self) {
        self.distrusted = true;
    }

    /// Whether the next conversion is one of all rows, whatever the damage.
    #[must_use]
    pub fn is_distrusted(&self) -> bool {
        self.distrusted
    }

    /// Brings the rows of `view` that `damage` touches into the picture; all rows if the size
    /// changed or there was no picture. Returns how many rows it converted.
    ///
    /// # Errors
    /// See [`ConvertError`]; the picture may then be half new, and the next conversion is full.
    pub fn convert(&mut self, view: PixelView<'_>, damage: &Damage) -> Result<u32, ConvertError> {
        check(view)?;
        let fits = self.picture.as_ref().is_some_and(|p| p.size() == view.size);
        if !fits {
            self.picture = None;
        }
        let picture = match &mut self.picture {
            Some(picture) => picture,
            none => none.insert(Picture::new(view.size)?),
        };
        let everything = !fits || self.distrusted || damage.size() != view.size;
        let full = Damage::full(view.size);
        let runs = Runs::of(if everything { &full } else { damage });
        self.distrusted = true;
        let mut planes = picture.planes_mut()?;
        for run in runs.iter() {
            convert_run(view, &mut planes, run, &mut self.tail)?;
        }
        self.distrusted = false;
        Ok(runs.iter().map(|r| r.end - r.start).sum())
    }
}

fn check(view: PixelView<'_>) -> Result<(), ConvertError> {
    let PixelView { data, stride, size, format } = view;
    if !format.is_bgrx() {
        return Err(ConvertError::Format(format));
    }
    let bad = ConvertError::BadView { size, stride, len: data.len() };
    let row = (size.width as usize).checked_mul(format.bytes_per_pixel());
    let needed = row.zip(size.height.checked_sub(1)).and_then(|(row, before)| {
        let start = stride.checked_mul(before as usize)?;
        (stride >= row && row > 0 && u32::try_from(stride).is_ok()).then_some(())?;
        start.checked_add(row)
    });
    if needed.is_some_and(|n| n <= data.len()) { Ok(()) } else { Err(bad) }
}

/// Runs of rows, in ascending order, apart from each other, starting at even rows.
struct Runs {
    runs: [Range<u32>; MAX_RUNS],
    len: usize,
}

impl Runs {
    fn of(damage: &Damage) -> Self {
        let height = damage.size().height;
        let mut runs = Self { runs: Default::default(), len: 0 };
        for rect in damage.rects() {
            let end = rect.bottom().min(height).next_multiple_of(2).min(height);
            runs.add(rect.y.min(height) & !1..end);
        }
        runs
    }

    fn add(&mut self, mut new: Range<u32>) {
        if new.is_empty() {
            return;
        }
        // Everything that overlaps or touches becomes part of the new run.
        let mut kept = 0;
        for i in 0..self.len {
            let old = self.runs[i].clone();
            if old.end < new.start || old.start > new.end {
                self.runs[kept] = old;
                kept += 1;
            } else {
                new = new.start.min(old.start)..new.end.max(old.end);
            }
        }
        // Never full: there are at most as many runs as damage has rectangles.
        let at = kept.min(MAX_RUNS - 1);
        self.runs[at] = new;
        self.len = at + 1;
        self.runs[..self.len].sort_unstable_by_key(|r| r.start);
    }

    fn iter(&self) -> impl Iterator<Item = Range<u32>> + '_ {
        self.runs[..self.len].iter().cloned()
    }
}

/// How a picture of `size` is converted.
///
/// Both modes stay within one and a half codes of exact, and the fast one takes a fifth less time;
/// but it gets the chroma of a last column or row without a neighbour wrong (yuv 0.8.20).
fn mode_for(size: Size) -> YuvConversionMode {
    if size == size.rounded_up_to_even() {
        YuvConversionMode::Fast
    } else {
        YuvConversionMode::Balanced
    }
}

/// Converts `rows` of a checked `view`. They start at an even row and end at one, or at the
/// picture's last.
fn convert_run(
    view: PixelView<'_>,
    planes: &mut PlanesMut<'_>,
    rows: Range<u32>,
    tail: &mut Vec<u8>,
) -> Result<(), ConvertError> {
    let (stride, width, mode) = (view.stride, view.size.width, mode_for(view.size));
    let at = |row: u32| row as usize * stride;
    // The conversion looks at whole pairs of rows, stride included, and silently leaves out a
    // last pair that is shorter; a game's pool may well end with the last pixel.
    let short = rows.end.is_multiple_of(2) && view.data.len() < at(rows.end);
    let whole = if short { rows.end - 2 } else { rows.end };
    if whole > rows.start {
        let end = at(whole).min(view.data.len());
        convert_rows(
            &view.data[at(rows.start)..end],
            stride,
            width,
            planes,
            rows.start..whole,
            mode,
        )?;
    }
    if short {
        tail.clear();
        tail.extend_from_slice(&view.data[at(whole)..]);
        tail.resize(2 * stride, 0);
        convert_rows(tail, stride, width, planes, whole..rows.end, mode)?;
    }
    replicate_edges(view.size, planes, rows);
    Ok(())
}

/// Converts `pixels`, which are `rows` of the picture and nothing beyond.
fn convert_rows(
    pixels: &[u8],
    stride: usize,
    width: u32,
    planes: &mut PlanesMut<'_>,
    rows: Range<u32>,
    mode: YuvConversionMode,
) -> Result<(), ConvertError> {
    let size = Size::new(width, rows.end - rows.start);
    let luma = rows.start as usize * planes.luma_stride..rows.end as usize * planes.luma_stride;
    let [first, last] = [rows.start / 2, rows.end.div_ceil(2)].map(|r| r as usize);
    let chroma = first * planes.chroma_stride..last * planes.chroma_stride;
    let [cb, cr] = &mut planes.chroma;
    // All strides were checked or come from FFmpeg's ints, so they fit u32.
    let mut image = YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(&mut planes.luma[luma]),
        y_stride: planes.luma_stride as u32,
        u_plane: BufferStoreMut::Borrowed(&mut cb[chroma.clone()]),
        u_stride: planes.chroma_stride as u32,
        v_plane: BufferStoreMut::Borrowed(&mut cr[chroma]),
        v_stride: planes.chroma_stride as u32,
        width: size.width,
        height: size.height,
    };
    let (range, matrix) = (YuvRange::Limited, YuvStandardMatrix::Bt709);
    bgra_to_yuv420(&mut image, pixels, stride as u32, range, matrix, mode)
        .map_err(|e| ConvertError::Refused { size, reason: e.to_string() })
}

/// Fills the column and the row that rounding up to even numbers adds.
fn replicate_edges(size: Size, planes: &mut PlanesMut<'_>, rows: Range<u32>) {
    let stride = planes.luma_stride;
    if !size.width.is_multiple_of(2) {
        let last = size.width as usize - 1;
        for y in rows.clone() {
            let at = y as usize * stride + last;
            planes.luma[at + 1] = planes.luma[at];
        }
    }
    if !size.height.is_multiple_of(2) && rows.end == size.height {
        let coded = size.width.next_multiple_of(2) as usize;
        let from = (size.height as usize - 1) * stride;
        planes.luma.copy_within(from..from + coded, from + stride);
    }
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
