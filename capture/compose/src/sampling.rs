//! Where in a buffer each pixel of the picture comes from.
//!
//! Positions are 16.16 fixed point, as in pixman, but in 64 bits; what pixman is given is relative
//! to the part of the buffer that it needs, so that its 32 bits suffice. That part is chosen by
//! whole pixels and pixman steps linearly, so a pixel comes out the same whichever part of the
//! picture is drawn with it.

use pixman::Fixed;
use stratus_frame::{Rect, Size};

use crate::Layer;

/// One pixel of a buffer in 16.16.
const ONE: i64 = 1 << 16;

/// pixman takes images whose sides are less, and silently draws nothing of others.
const PIXMAN_LIMIT: u32 = 32_767;

/// Where along one side of the upright buffer the pixels come from.
#[derive(Clone, Copy, Debug)]
struct Along {
    /// Position of the left edge of the first pixel that can be seen.
    start: i64,
    /// From pixel to pixel of the picture.
    step: i64,
    /// Pixels of the picture before the first that can be seen.
    first: u32,
    /// Pixels of the buffer on this side.
    len: u32,
}

impl Along {
    /// `from` and `to` are in 1/256 of a pixel, `shown` in pixels of the picture, `at` is where
    /// the first of them would lie, and `first` is the first that can be seen.
    fn new([from, to]: [i64; 2], shown: u32, at: i32, first: u32, len: u32) -> Self {
        let span = (to - from) << 8;
        let shown = i64::from(shown).max(1);
        let hidden = i128::from(i64::from(first) - i64::from(at));
        // Less than `span`, because less than `shown` are hidden.
        let skipped = (i128::from(span) * hidden / i128::from(shown)) as i64;
        // Rounded down, as wlroots does; never 0, which pixman cannot step by.
        Self { start: (from << 8) + skipped, step: (span / shown).max(1), first, len }
    }

    fn is_exact(self) -> bool {
        self.step == ONE && self.start % ONE == 0
    }

    /// Position of the left edge of pixel `at` of the picture.
    fn position(self, at: u32) -> i64 {
        self.start + (i64::from(at) - i64::from(self.first)) * self.step
    }

    /// First pixel of the buffer, and the one after the last, that `width` pixels of the picture
    /// from `at` on are made of.
    fn needed(self, at: u32, width: u32, exact: bool) -> [u32; 2] {
        let (low, high) = (self.position(at) >> 16, self.position(at + width) >> 16);
        // A bilinear sample takes the pixels on both sides of it.
        let [low, high] = if exact { [low, high] } else { [low - 1, high + 2] };
        let last = i64::from(self.len);
        // Both lie in 0..=len, which is a u32.
        let low = low.clamp(0, last - 1);
        [low as u32, high.clamp(low + 1, last) as u32]
    }
}

/// Where all pixels of a layer come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampling {
    /// Along the sides of the buffer as it is stored.
    sides: [Along; 2],
    /// Whether each of them runs against its side.
    reverses: [bool; 2],
    /// Whether the buffer's width lies along the picture's height.
    swaps: bool,
    exact: bool,
}

/// What pixman is to draw for a rectangle of the picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampled {
    /// The pixels of the buffer that it needs, as it is stored.
    pub(crate) needed: Rect,
    /// Maps pixels of the rectangle to those; `None` if each is just the pixel at its own place.
    pub(crate) matrix: Option<[[Fixed; 3]; 3]>,
}

impl Sampling {
    /// Where the pixels of `layer`, which is seen at `visible`, come from; `None` if it shows
    /// nothing.
    pub(crate) fn new(layer: &Layer, visible: Rect) -> Option<Self> {
        let [left, top, right, bottom] = layer.source_rect()?;
        let upright = layer.transform.undone(layer.size);
        let (at, shown) = (layer.at, layer.shown);
        let across = Along::new([left, right], shown.width, at.0, visible.x, upright.width);
        let down = Along::new([top, bottom], shown.height, at.1, visible.y, upright.height);
        let swaps = layer.transform.swaps_sides();
        Some(Self {
            sides: if swaps { [down, across] } else { [across, down] },
            reverses: layer.transform.reverses().into(),
            swaps,
            exact: across.is_exact() && down.is_exact(),
        })
    }

    /// Whether each pixel of the picture is one of the buffer.
    pub(crate) fn is_exact(&self) -> bool {
        self.exact
    }

    /// Whether, beyond that, they lie in the picture as they are stored.
    pub(crate) fn is_upright(&self) -> bool {
        self.exact && !self.swaps && self.reverses == [false; 2]
    }

    /// What to draw for `part` of the picture.
    ///
    /// # Errors
    /// How many pixels of the buffer are needed if pixman cannot take as many.
    pub(crate) fn of(&self, part: Rect) -> Result<Sampled, Size> {
        let parts = [[part.x, part.width], [part.y, part.height]];
        let parts = if self.swaps { [parts[1], parts[0]] } else { parts };
        let mut rows = [[0; 3]; 2];
        let mut needed = [[0; 2]; 2];
        for (side, along) in self.sides.into_iter().enumerate() {
            let [at, width] = parts[side];
            let [low, high] = along.needed(at, width, self.exact);
            let position = along.position(at);
            // The axis of the picture that this side of the buffer lies along.
            let axis = if self.swaps { 1 - side } else { side };
            if self.reverses[side] {
                needed[side] = [along.len - high, high - low];
                rows[side][axis] = -along.step;
                rows[side][2] = i64::from(high) * ONE - position;
            } else {
                needed[side] = [low, high - low];
                rows[side][axis] = along.step;
                rows[side][2] = position - i64::from(low) * ONE;
            }
        }
        let [[x, width], [y, height]] = needed;
        let size = Size::new(width, height);
        let needed = Rect { x, y, width, height };
        if width >= PIXMAN_LIMIT || height >= PIXMAN_LIMIT {
            return Err(size);
        }
        if self.is_upright() {
            return Ok(Sampled { needed, matrix: None });
        }
        Ok(Sampled { needed, matrix: Some(matrix(rows).ok_or(size)?) })
    }
}

/// The matrix that pixman takes, if its numbers do.
fn matrix(rows: [[i64; 3]; 2]) -> Option<[[Fixed; 3]; 3]> {
    let mut matrix = [[Fixed::ZERO; 3]; 3];
    for (to, from) in matrix.iter_mut().zip(rows) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = Fixed::from_raw(i32::try_from(from).ok()?);
        }
    }
    matrix[2][2] = Fixed::ONE;
    Some(matrix)
}
