//! pixman's images over memory that is ours or a client's.

#![allow(unsafe_code)] // pixman knows memory by pointers.

use pixman::{CreateFailed, Filter, FormatCode, Image, ImageRef, Repeat};
use stratus_frame::Size;

/// An image that pixman only reads: nothing here lends it for writing.
pub(crate) struct ReadImage<'a>(Image<'a, 'static>);

impl<'a> ReadImage<'a> {
    /// An image of `size` pixels in `data`, whose rows are `stride` bytes apart; `None` if that is
    /// not aligned to words, is too short, or exceeds what pixman counts.
    ///
    /// # Errors
    /// [`CreateFailed`] if pixman has no memory for it.
    pub(crate) fn new(
        format: FormatCode,
        size: Size,
        data: &'a [u8],
        stride: usize,
    ) -> Option<Result<Self, CreateFailed>> {
        let (width, height) = (size.width as usize, size.height as usize);
        let row = width.checked_mul(4)?;
        let end = stride.checked_mul(height.checked_sub(1)?)?.checked_add(row)?;
        let counts = [width, height, stride, end / 4].iter().all(|&n| i32::try_from(n).is_ok());
        let aligned = data.as_ptr().cast::<u32>().is_aligned() && stride.is_multiple_of(4);
        let four_bytes = FormatCode::bpp(format) == 32;
        if !(four_bytes && counts && aligned && row <= stride && end <= data.len()) {
            return None;
        }
        let start = data.as_ptr().cast::<u32>().cast_mut();
        // SAFETY: the words of all rows lie in `data` and are aligned, both as just checked, and
        // stay there for 'a, which the image does not outlive. pixman writes to an image only
        // where it is the destination, for which one needs `&mut Image`; this type never lends
        // that. A client may write to the memory at the same time: each word is a valid pixel
        // whatever it holds, and pixman takes no address or length from pixels.
        let image = unsafe { Image::from_raw_mut(format, width, height, start, stride, false) };
        Some(image.map(Self))
    }

    /// Makes pixman sample at `matrix` of the pixels drawn: bilinearly with the edge repeated, or,
    /// if `exact`, the one pixel that lies there.
    pub(crate) fn sample(
        &mut self,
        matrix: [[pixman::Fixed; 3]; 3],
        exact: bool,
    ) -> Result<(), pixman::OperationFailed> {
        self.0.set_transform(matrix)?;
        self.0.set_repeat(if exact { Repeat::None } else { Repeat::Pad });
        self.0.set_filter(if exact { Filter::Nearest } else { Filter::Bilinear }, &[])
    }

    /// The image, for reading.
    pub(crate) fn get(&self) -> &ImageRef {
        &self.0
    }
}

/// An image of `size` over `words`, one row after the other, to draw on; `None` if they are fewer
/// or pixman has no memory for it.
pub(crate) fn canvas(words: &mut [u32], size: Size) -> Option<Image<'_, 'static>> {
    let (width, height) = (size.width as usize, size.height as usize);
    let stride = width.checked_mul(4).filter(|&n| i32::try_from(n).is_ok())?;
    let fits = i32::try_from(height).is_ok() && width.checked_mul(height)? <= words.len();
    // pixman's own check of this is none, for all that it calls the function safe.
    fits.then(|| Image::from_slice_mut(FormatCode::X8R8G8B8, width, height, words, stride, false))?
        .ok()
}

/// The bytes of `words`.
pub(crate) fn bytes_of(words: &[u32]) -> &[u8] {
    // SAFETY: a u32 is four bytes, each of them valid as a u8, and bytes need no alignment; the
    // length in bytes is that of the slice, and the borrow is kept.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<u8>(), size_of_val(words)) }
}
