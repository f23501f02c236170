//! What a picture is composed of.

use std::sync::Arc;

use stratus_frame::{Pixels, Rect, Size};

/// What a layer shows.
#[derive(Clone)]
pub enum Content {
    /// The pixels of a buffer.
    Pixels(Arc<dyn Pixels>),
    /// One pixel, as `wp_single_pixel_buffer_manager_v1.create_u32_rgba_buffer` states it: red,
    /// green, blue and alpha, premultiplied, each of `u32::MAX`.
    Colour([u32; 4]),
}

/// How a client turned what a buffer holds: `wl_output.transform`, as
/// `wl_surface.set_buffer_transform` uses it. Angles are counter-clockwise, and what is flipped is
/// so around the vertical axis, before it is rotated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Transform {
    /// Not at all.
    #[default]
    Normal,
    /// By 90 degrees.
    Rotated90,
    /// By 180 degrees.
    Rotated180,
    /// By 270 degrees.
    Rotated270,
    /// Flipped.
    Flipped,
    /// Flipped and rotated by 90 degrees.
    Flipped90,
    /// Flipped and rotated by 180 degrees.
    Flipped180,
    /// Flipped and rotated by 270 degrees.
    Flipped270,
}

impl Transform {
    /// The transform that a client means by `value`; `None` if there is no such one, which is a
    /// protocol error (`wl_surface.error.invalid_transform`).
    #[must_use]
    pub const fn from_wire(value: u32) -> Option<Self> {
        Some(match value {
            0 => Self::Normal,
            1 => Self::Rotated90,
            2 => Self::Rotated180,
            3 => Self::Rotated270,
            4 => Self::Flipped,
            5 => Self::Flipped90,
            6 => Self::Flipped180,
            7 => Self::Flipped270,
            _ => return None,
        })
    }

    /// Whether a buffer's width is the height of what it shows.
    #[must_use]
    pub const fn swaps_sides(self) -> bool {
        matches!(self, Self::Rotated90 | Self::Rotated270 | Self::Flipped90 | Self::Flipped270)
    }

    /// The size that a buffer of `size` has once the transform is undone.
    #[must_use]
    pub const fn undone(self, size: Size) -> Size {
        if self.swaps_sides() { Size::new(size.height, size.width) } else { size }
    }

    /// Whether the buffer's x and its y run against the axis of the upright picture that they lie
    /// along.
    pub(crate) const fn reverses(self) -> (bool, bool) {
        match self {
            Self::Normal | Self::Flipped90 => (false, false),
            Self::Flipped | Self::Rotated270 => (true, false),
            Self::Flipped180 | Self::Rotated90 => (false, true),
            Self::Rotated180 | Self::Flipped270 => (true, true),
        }
    }
}

/// The part of a buffer that is shown, in 1/256 of a pixel of the buffer after its transform is
/// undone: what `wp_viewport.set_source` states, times the buffer's scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Left edge.
    pub x: i32,
    /// Top edge.
    pub y: i32,
    /// Width.
    pub width: i32,
    /// Height.
    pub height: i32,
}

/// One surface as it lies in the picture.
#[derive(Clone)]
pub struct Layer {
    /// What it shows.
    pub content: Content,
    /// Width and height of the buffer in pixels, as it is stored.
    pub size: Size,
    /// How the client turned the buffer's content.
    pub transform: Transform,
    /// The part that is shown; all if `None`. What of it lies outside of the buffer is cut off.
    pub source: Option<Source>,
    /// Top left corner in the picture, in pixels; may lie outside.
    pub at: (i32, i32),
    /// Width and height in the picture, in pixels, to which the part shown is scaled.
    pub shown: Size,
    /// Whether the client says that nothing below shines through, whatever alpha the pixels have.
    pub opaque: bool,
    /// What all pixels are multiplied with, of `u32::MAX` (`wp_alpha_modifier_surface_v1`).
    pub alpha: u32,
}

impl std::fmt::Debug for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut s = f.debug_struct("Layer");
        if let Content::Colour(colour) = self.content {
            s.field("colour", &colour);
        }
        s.field("size", &self.size)
            .field("transform", &self.transform)
            .field("source", &self.source)
            .field("at", &self.at)
            .field("shown", &self.shown)
            .field("opaque", &self.opaque)
            .field("alpha", &self.alpha)
            .finish()
    }
}

impl Layer {
    /// Where it lies in a picture of `picture`; `None` if nothing of it can be seen.
    pub(crate) fn visible(&self, picture: Size) -> Option<Rect> {
        if self.alpha == 0 || self.source_rect().is_none() {
            return None;
        }
        let (x, width) = clipped(self.at.0, self.shown.width, picture.width)?;
        let (y, height) = clipped(self.at.1, self.shown.height, picture.height)?;
        Some(Rect { x, y, width, height })
    }

    /// Whether it hides whatever lies below.
    pub(crate) fn hides(&self) -> bool {
        let solid = matches!(self.content, Content::Colour([_, _, _, u32::MAX]));
        self.alpha == u32::MAX && (self.opaque || solid)
    }

    /// Left, top, right and bottom of the part shown, in 1/256 of a pixel of the upright buffer;
    /// `None` if it is empty.
    pub(crate) fn source_rect(&self) -> Option<[i64; 4]> {
        let upright = self.transform.undone(self.size);
        let whole = [i64::from(upright.width) * 256, i64::from(upright.height) * 256];
        let [mut left, mut top, mut right, mut bottom] = [0, 0, whole[0], whole[1]];
        if let Some(source) = self.source {
            let [x, y, width, height] =
                [source.x, source.y, source.width, source.height].map(i64::from);
            (left, right) = (x.clamp(0, whole[0]), (x + width).clamp(0, whole[0]));
            (top, bottom) = (y.clamp(0, whole[1]), (y + height).clamp(0, whole[1]));
        }
        (left < right && top < bottom).then_some([left, top, right, bottom])
    }
}

/// Start and length of what lies inside `0..limit`.
fn clipped(from: i32, len: u32, limit: u32) -> Option<(u32, u32)> {
    let start = i64::from(from).clamp(0, i64::from(limit));
    let end = (i64::from(from) + i64::from(len)).clamp(0, i64::from(limit));
    // Both lie in 0..=limit, which is a u32.
    (end > start).then_some((start as u32, (end - start) as u32))
}
