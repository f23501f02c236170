//! Pixels as pixman takes them without a detour: aligned words of B, G, R and alpha.
//!
//! Most buffers are that already. Others are copied, where they are needed: pixman reads some of
//! them too, but at a tenth of the speed.

use stratus_frame::{PixelFormat, PixelView, Rect, Size};

use crate::LayerError;

/// Bytes that are copied at most, which is twice an 8K picture.
const MAX_BYTES: usize = 256 << 20;

/// Checks that `view` is a whole picture of `size`.
///
/// # Errors
/// [`LayerError::View`] if it is not.
pub(crate) fn check(view: &PixelView<'_>, size: Size) -> Result<(), LayerError> {
    let row = size.width as usize * view.format.bytes_per_pixel();
    let needed = (size.height as usize).checked_sub(1);
    let needed = needed.and_then(|n| n.checked_mul(view.stride)).and_then(|n| n.checked_add(row));
    let fits = needed.is_some_and(|n| n <= view.data.len());
    if view.size == size && row > 0 && view.stride >= row && fits {
        return Ok(());
    }
    let (stride, len) = (view.stride, view.data.len());
    Err(LayerError::View { layer: size, view: view.size, stride, len })
}

/// The bytes of a checked `view` from the first pixel of `part` to its last.
pub(crate) fn bytes<'a>(view: &PixelView<'a>, part: Rect) -> &'a [u8] {
    let pixel = view.format.bytes_per_pixel();
    let start = part.y as usize * view.stride + part.x as usize * pixel;
    let end = (part.bottom() as usize - 1) * view.stride + part.right() as usize * pixel;
    &view.data[start..end]
}

/// Whether pixman can read `data` where it lies.
pub(crate) fn is_direct(view: &PixelView<'_>, data: &[u8]) -> bool {
    let aligned = data.as_ptr().addr().is_multiple_of(4) && view.stride.is_multiple_of(4);
    // pixman counts bytes of a row and words of an image with C's ints.
    let counted = i32::try_from(view.stride).is_ok() && i32::try_from(data.len() / 4).is_ok();
    view.format.is_bgrx() && aligned && counted
}

/// Copies `data`, which is `part` of `view`, one row after the other, into `words`, of which as
/// many as that takes are returned.
///
/// # Errors
/// [`LayerError::Copied`] if it is more than any screen shows, [`LayerError::Memory`] if there is
/// no memory for it.
pub(crate) fn copy<'a>(
    view: &PixelView<'_>,
    data: &[u8],
    part: Rect,
    words: &'a mut Vec<u32>,
) -> Result<&'a [u32], LayerError> {
    let (width, height) = (part.width as usize, part.height as usize);
    let len = width.saturating_mul(height);
    if len > MAX_BYTES / 4 {
        return Err(LayerError::Copied(Size::new(part.width, part.height)));
    }
    if let Some(more) = len.checked_sub(words.len()) {
        words.try_reserve_exact(more).map_err(|_| LayerError::Memory)?;
        words.resize(len, 0);
    }
    let words = &mut words[..len];
    let rows = words.chunks_exact_mut(width).zip(data.chunks(view.stride));
    match view.format {
        PixelFormat::Argb8888 | PixelFormat::Xrgb8888 => each(rows, |pixel| pixel),
        PixelFormat::Abgr8888 | PixelFormat::Xbgr8888 => each(rows, from_abgr),
        PixelFormat::Argb2101010 | PixelFormat::Xrgb2101010 => {
            each(rows, |p| from_deep(p, p >> 22, p >> 2));
        }
        PixelFormat::Abgr2101010 | PixelFormat::Xbgr2101010 => {
            each(rows, |p| from_deep(p, p >> 2, p >> 22));
        }
    }
    Ok(words)
}

/// Converts rows, in loops that compilers make do several pixels at a time.
#[inline]
fn each<'a>(rows: impl Iterator<Item = (&'a mut [u32], &'a [u8])>, convert: impl Fn(u32) -> u32) {
    for (words, bytes) in rows {
        for (word, pixel) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = convert(u32::from_le_bytes(*pixel));
        }
    }
}

#[inline]
fn from_abgr(pixel: u32) -> u32 {
    (pixel & 0xff00_ff00) | (pixel & 0xff) << 16 | (pixel >> 16 & 0xff)
}

/// Ten bits become eight by their upper eight, which is what rounding down the fraction that they
/// state comes to; two bits of alpha are thirds, which is those bits four times.
#[inline]
fn from_deep(pixel: u32, red: u32, blue: u32) -> u32 {
    let alpha = pixel & 0xc000_0000;
    let alpha = alpha | alpha >> 2 | alpha >> 4 | alpha >> 6;
    alpha | (red & 0xff) << 16 | (pixel >> 12 & 0xff) << 8 | blue & 0xff
}
