//! Which part of which layer is drawn: what changed, less what the layers above hide.

use pixman::{Box32, Region32};
use stratus_frame::{Damage, Rect, Size};

use crate::sampling::Sampling;
use crate::{Content, Layer};

/// Rectangles that a region may fall into by cutting hidden parts out of it. Beyond, cutting costs
/// more than drawing what is hidden, and a client that splinters the picture could make it cost any
/// time.
const MAX_RECTS: usize = 256;

/// What of a layer is to be drawn.
pub(crate) struct Step<'a> {
    /// The layer's place, from 0 at the bottom.
    pub(crate) index: usize,
    pub(crate) layer: &'a Layer,
    /// Where its pixels come from; `None` if it has but one colour.
    pub(crate) sampling: Option<Sampling>,
    /// The part of the picture that is drawn; never empty.
    pub(crate) region: Region32,
    /// The smallest rectangle around that.
    pub(crate) around: Rect,
}

/// What is drawn for a picture.
pub(crate) struct Plan<'a> {
    /// What no layer hides, which is black below them.
    pub(crate) background: Region32,
    /// The layers of which something is seen, from the bottom.
    pub(crate) steps: Vec<Step<'a>>,
}

impl<'a> Plan<'a> {
    /// What to draw where `changed` says so, in a picture of `picture`.
    pub(crate) fn new(picture: Size, layers: &'a [Layer], changed: &Damage) -> Self {
        let boxes: Vec<Box32> = changed.rects().map(as_box).collect();
        let mut left = Region32::init_rects(&boxes);
        let mut steps = Vec::new();
        for (index, layer) in layers.iter().enumerate().rev() {
            if !left.is_non_empty() {
                break;
            }
            let Some(visible) = layer.visible(picture) else { continue };
            let Box32 { x1, y1, .. } = as_box(visible);
            let region = left.intersect_rect(x1, y1, visible.width, visible.height);
            let Some(around) = extents(&region) else { continue };
            let sampling = match layer.content {
                Content::Colour(_) => None,
                Content::Pixels(_) => match Sampling::new(layer, visible) {
                    None => continue,
                    some => some,
                },
            };
            if layer.hides() {
                let less = left.subtract(&region);
                // What is hidden but left in is drawn, and then drawn over.
                if less.n_rects() <= left.n_rects().max(MAX_RECTS) {
                    left = less;
                }
            }
            steps.push(Step { index, layer, sampling, region, around });
        }
        steps.reverse();
        Self { background: left, steps }
    }
}

/// A rectangle of a picture, whose sides are at most 16384 pixels.
fn as_box(rect: Rect) -> Box32 {
    let [x1, y1, x2, y2] =
        [rect.x, rect.y, rect.right(), rect.bottom()].map(|n| i32::try_from(n).unwrap_or(i32::MAX));
    Box32 { x1, y1, x2, y2 }
}

/// The smallest rectangle around `region`, which lies in a picture; `None` if it is empty.
pub(crate) fn extents(region: &Region32) -> Option<Rect> {
    let around = region.rectangles().iter().copied().reduce(|a, b| Box32 {
        x1: a.x1.min(b.x1),
        y1: a.y1.min(b.y1),
        x2: a.x2.max(b.x2),
        y2: a.y2.max(b.y2),
    })?;
    let [x, y, right, bottom] =
        [around.x1, around.y1, around.x2, around.y2].map(|n| u32::try_from(n).unwrap_or(0));
    Some(Rect { x, y, width: right.checked_sub(x)?, height: bottom.checked_sub(y)? })
}

/// Pixels in `region`.
pub(crate) fn area(region: &Region32) -> u64 {
    region
        .rectangles()
        .iter()
        .map(|b| u64::from(b.x2.abs_diff(b.x1)) * u64::from(b.y2.abs_diff(b.y1)))
        .sum()
}
