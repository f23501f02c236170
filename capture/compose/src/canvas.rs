//! The picture, which stays between frames.

use stratus_frame::{Damage, PixelFormat, PixelView, Size};

use crate::bands::draw_all;
use crate::draw::clear;
use crate::image_unsafe::bytes_of;
use crate::plan::{Plan, area};
use crate::target::Target;
use crate::{ComposeError, Layer};

/// The longest side of a picture; also what pixman's coordinates leave room for.
const MAX_SIDE: u32 = 16_384;

/// The most bytes of a picture.
const MAX_BYTES: u64 = 256 << 20;

/// Keeps the newest picture, in [`PixelFormat::Xrgb8888`], and draws on it what changed.
#[derive(Debug, Default)]
pub struct Canvas {
    words: Vec<u32>,
    size: Size,
    /// The picture holds pixels that were never rightly drawn.
    distrusted: bool,
    composed: u64,
    /// Room for rows of a layer that are copied before they are drawn.
    copied: Vec<u32>,
}

impl Canvas {
    /// A canvas without a picture.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Draws `layers`, the lowest first, over black onto a picture of `size`, in the region that
    /// `changed` covers; everywhere if `size` is new, the canvas is distrusted, or `changed` is of
    /// another size.
    ///
    /// Takes time in proportion to the pixels drawn: less what opaque layers hide, the changed
    /// part of each layer.
    ///
    /// # Errors
    /// [`ComposeError::Layer`] if a layer cannot be drawn: all others are, so that a client that
    /// spoils one of its surfaces may still be shown. After any error the canvas is distrusted.
    pub fn compose(
        &mut self,
        size: Size,
        layers: &[Layer],
        changed: &Damage,
    ) -> Result<(), ComposeError> {
        self.composed = 0;
        let kept = self.make_room(size)?;
        let everything = !kept || self.distrusted || changed.size() != size;
        self.distrusted = true;
        let full = Damage::full(size);
        let plan = Plan::new(size, layers, if everything { &full } else { changed });
        let mut target = Target { words: &mut self.words, size };
        clear(&mut target, &plan.background).map_err(|_| ComposeError::Memory(size))?;
        self.composed =
            area(&plan.background) + plan.steps.iter().map(|s| area(&s.region)).sum::<u64>();
        let drawn = draw_all(target, &plan.steps, &mut self.copied);
        self.distrusted = drawn.is_err();
        drawn
    }

    /// The picture; `None` if there is none yet. After an error it may be half new.
    #[must_use]
    pub fn view(&self) -> Option<PixelView<'_>> {
        let (size, format) = (self.size, PixelFormat::Xrgb8888);
        let stride = size.width as usize * format.bytes_per_pixel();
        (!size.is_empty()).then(|| PixelView { data: bytes_of(&self.words), stride, size, format })
    }

    /// Makes the next composition one of everything: what the last one showed was not the picture.
    pub fn distrust(&mut self) {
        self.distrusted = true;
    }

    /// How many pixels the last composition drew; one that several layers draw counts for each.
    #[must_use]
    pub fn composed_pixels(&self) -> u64 {
        self.composed
    }

    /// Makes the picture one of `size`. Returns whether it was one before.
    fn make_room(&mut self, size: Size) -> Result<bool, ComposeError> {
        if self.size == size && !size.is_empty() {
            return Ok(true);
        }
        self.distrusted = true;
        let len = u64::from(size.width) * u64::from(size.height);
        let too_long = size.width.max(size.height) > MAX_SIDE;
        if size.is_empty() || too_long || len * 4 > MAX_BYTES {
            return Err(ComposeError::Size(size));
        }
        let len = usize::try_from(len).map_err(|_| ComposeError::Size(size))?;
        self.size = Size::default();
        self.words.clear();
        self.words.try_reserve_exact(len).map_err(|_| ComposeError::Memory(size))?;
        self.words.resize(len, 0);
        self.size = size;
        Ok(false)
    }
}

#[cfg(test)]
#[path = "canvas_tests.rs"]
mod tests;
