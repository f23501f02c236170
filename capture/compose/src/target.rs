//! The pixels that layers are drawn on.

use pixman::Image;
use stratus_frame::Size;

use crate::LayerError;
use crate::image_unsafe::canvas;

/// A picture, one row after the other, that is drawn on.
pub(crate) struct Target<'a> {
    pub(crate) words: &'a mut [u32],
    pub(crate) size: Size,
}

impl Target<'_> {
    /// The same for pixman to draw on.
    ///
    /// # Errors
    /// [`LayerError::Memory`] if pixman has none for it.
    pub(crate) fn image(&mut self) -> Result<Image<'_, 'static>, LayerError> {
        canvas(self.words, self.size).ok_or(LayerError::Memory)
    }
}
