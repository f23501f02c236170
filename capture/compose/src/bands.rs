//! Draws the layers of a picture band by band.
//!
//! Each layer drawn over all of the picture at once would bring the whole picture from memory and
//! back there. A band is small enough for the cache: what one layer has drawn on it is still there
//! for the next. For that, the buffers of several layers are laid open together.

use pixman::Region32;
use stratus_frame::{PixelView, ReadError, Rect};

use crate::draw::{draw, fill};
use crate::plan::{Step, area};
use crate::target::Target;
use crate::{ComposeError, Content, LayerError};

/// Pixels of a band: half of the smallest second-level caches of today, because the layers pass
/// through those too.
const BAND: u32 = 32 * 1024;

/// Layers that are laid open together, one call inside the other.
const MOST_OPEN: usize = 4;

/// Draws `steps` onto `target`. `words` is room for rows that are copied.
///
/// # Errors
/// [`ComposeError::Layer`], of the lowest layer that could not be drawn; all others are.
pub(crate) fn draw_all(
    target: Target<'_>,
    steps: &[Step<'_>],
    words: &mut Vec<u32>,
) -> Result<(), ComposeError> {
    let mut drawing = Drawing { target, words, failed: None };
    let mut left = steps;
    while !left.is_empty() {
        let easy = left.iter().take(MOST_OPEN).take_while(|step| is_easy(step)).count();
        let (group, rest) = left.split_at(easy.max(1));
        drawing.open(group, 0, &[None; MOST_OPEN], easy > 0);
        left = rest;
    }
    match drawing.failed {
        Some((index, source)) => Err(ComposeError::Layer { index, source }),
        None => Ok(()),
    }
}

/// Whether a layer may be drawn in parts, and its buffer laid open while others are. Parts of what
/// is scaled do not always come out as the whole does: pixman mixes at edges by other ways. And
/// nobody waits for a GPU, or for a driver, with other buffers open.
fn is_easy(step: &Step<'_>) -> bool {
    match &step.layer.content {
        Content::Colour(_) => true,
        Content::Pixels(pixels) => {
            step.sampling.is_some_and(|s| s.is_upright()) && pixels.reads_at_once()
        }
    }
}

/// Whether bands of `all`, which is around all of `group`, save more than they cost: where layers
/// lie over each other, or where rows are copied before they are drawn.
fn is_worth_bands(
    group: &[Step<'_>],
    views: &[Option<PixelView<'_>>; MOST_OPEN],
    all: Rect,
) -> bool {
    if views.iter().flatten().any(|view| !view.format.is_bgrx()) {
        return true;
    }
    let around = u64::from(all.width) * u64::from(all.height);
    let drawn: u64 = group.iter().map(|step| area(&step.region)).sum();
    drawn > around + around / 8
}

struct Drawing<'a> {
    target: Target<'a>,
    words: &'a mut Vec<u32>,
    /// The lowest layer that could not be drawn.
    failed: Option<(usize, LayerError)>,
}

impl Drawing<'_> {
    /// Lays the buffers of `group` open from the one at `at` on, and then draws all of them. Those
    /// before it are `views`.
    fn open(
        &mut self,
        group: &[Step<'_>],
        at: usize,
        views: &[Option<PixelView<'_>>; MOST_OPEN],
        easy: bool,
    ) {
        let Some(step) = group.get(at) else {
            self.draw(group, views, easy);
            return;
        };
        let Content::Pixels(pixels) = &step.layer.content else {
            self.open(group, at + 1, views, easy);
            return;
        };
        let mut opened = false;
        let read = pixels.read(&mut |view| {
            opened = true;
            let mut views = *views;
            views[at] = Some(view);
            self.open(group, at + 1, &views, easy);
        });
        if !opened {
            self.open(group, at + 1, views, easy);
        }
        if let Err(error) = read.and(opened.then_some(()).ok_or(ReadError::Truncated)) {
            self.fail(step, error.into());
        }
    }

    /// Draws what is open of `group`.
    fn draw(&mut self, group: &[Step<'_>], views: &[Option<PixelView<'_>>; MOST_OPEN], easy: bool) {
        let Some(all) = group.iter().map(|step| step.around).reduce(Rect::union) else { return };
        let banded = easy && is_worth_bands(group, views, all);
        let rows = if banded { (BAND / all.width).max(1) } else { all.height };
        for top in (all.y..all.bottom()).step_by(rows as usize) {
            let bottom = (top + rows).min(all.bottom());
            for (step, view) in group.iter().zip(views) {
                if step.around.y >= bottom || step.around.bottom() <= top {
                    continue;
                }
                let whole = step.around.y >= top && step.around.bottom() <= bottom;
                let drawn = if whole {
                    self.draw_part(step, view.as_ref(), &step.region)
                } else {
                    let width = all.right();
                    let part = step.region.intersect_rect(0, top as i32, width, bottom - top);
                    self.draw_part(step, view.as_ref(), &part)
                };
                if let Err(error) = drawn {
                    self.fail(step, error);
                }
            }
        }
    }

    fn draw_part(
        &mut self,
        step: &Step<'_>,
        view: Option<&PixelView<'_>>,
        region: &Region32,
    ) -> Result<(), LayerError> {
        let Step { layer, sampling, .. } = step;
        match (&layer.content, sampling, view) {
            (Content::Colour(colour), _, _) => fill(&mut self.target, *colour, layer.alpha, region),
            (Content::Pixels(_), Some(sampling), Some(view)) => {
                draw(&mut self.target, view, (layer, sampling), region, self.words)
            }
            // Its buffer could not be laid open, which was said then.
            (Content::Pixels(_), _, _) => Ok(()),
        }
    }

    fn fail(&mut self, step: &Step<'_>, error: LayerError) {
        if self.failed.is_none_or(|(index, _)| step.index <= index) {
            self.failed = Some((step.index, error));
        }
    }
}

#[cfg(test)]
#[path = "bands_tests.rs"]
mod tests;
