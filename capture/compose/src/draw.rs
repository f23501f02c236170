//! Draws a part of one layer.

use pixman::{Color, FormatCode, Operation, Region32, Solid};
use stratus_frame::{PixelView, Rect, Size};

use crate::avx2_unsafe::Avx2;
use crate::image_unsafe::{ReadImage, bytes_of};
use crate::over::over;
use crate::plan::extents;
use crate::rows;
use crate::sampling::Sampling;
use crate::target::Target;
use crate::{Layer, LayerError};

/// Fills `region` with black.
///
/// # Errors
/// [`LayerError::Memory`].
pub(crate) fn clear(target: &mut Target<'_>, region: &Region32) -> Result<(), LayerError> {
    let black = Color::new(0, 0, 0, u16::MAX);
    fill_boxes(target, Operation::Src, black, region)
}

/// Draws one colour, as `wp_single_pixel_buffer_manager_v1` states it, in `region`.
///
/// # Errors
/// [`LayerError::Memory`].
pub(crate) fn fill(
    target: &mut Target<'_>,
    colour: [u32; 4],
    alpha: u32,
    region: &Region32,
) -> Result<(), LayerError> {
    // To eight bits, rounded down, as wlroots makes a buffer of it.
    let most = u64::from(u32::MAX);
    let [r, g, b, a] = colour.map(|n| {
        let eight = u64::from(n) * 255 / most;
        (eight * 257 * u64::from(alpha) / most) as u16
    });
    let operation = if a == u16::MAX { Operation::Src } else { Operation::Over };
    fill_boxes(target, operation, Color::new(r, g, b, a), region)
}

fn fill_boxes(
    target: &mut Target<'_>,
    operation: Operation,
    color: Color,
    region: &Region32,
) -> Result<(), LayerError> {
    if !region.is_non_empty() {
        return Ok(());
    }
    let filled = target.image()?.fill_boxes(operation, color, region.rectangles());
    filled.map_err(|_| LayerError::Memory)
}

/// Draws `view`, which is what `layer` shows, in `region`. `words` is room for rows that are
/// copied.
///
/// # Errors
/// [`LayerError`]; some of the layer may then be drawn.
pub(crate) fn draw(
    target: &mut Target<'_>,
    view: &PixelView<'_>,
    (layer, sampling): (&Layer, &Sampling),
    region: &Region32,
    words: &mut Vec<u32>,
) -> Result<(), LayerError> {
    rows::check(view, layer.size)?;
    let Some(part) = extents(region) else { return Ok(()) };
    let sampled = sampling.of(part).map_err(LayerError::Scaled)?;
    let mut data = rows::bytes(view, sampled.needed);
    let mut stride = view.stride;
    if !rows::is_direct(view, data) {
        let copied = rows::copy(view, data, sampled.needed, words)?;
        (data, stride) = (bytes_of(copied), sampled.needed.width as usize * 4);
    }
    let see_through = view.format.has_alpha() && !layer.hides();
    let plain = see_through && layer.alpha == u32::MAX && sampled.matrix.is_none();
    if plain && let Some(avx2) = Avx2::of_processor() {
        over(avx2, target, (data, stride), part, region);
        return Ok(());
    }
    let format = if see_through { FormatCode::A8R8G8B8 } else { FormatCode::X8R8G8B8 };
    let size = Size::new(sampled.needed.width, sampled.needed.height);
    let image = ReadImage::new(format, size, data, stride).ok_or(LayerError::Scaled(size))?;
    let mut image = image.map_err(|_| LayerError::Memory)?;
    if let Some(matrix) = sampled.matrix {
        image.sample(matrix, sampling.is_exact()).map_err(|_| LayerError::Memory)?;
    }
    composite(target, &image, see_through, layer.alpha, region, part)
}

fn composite(
    target: &mut Target<'_>,
    image: &ReadImage<'_>,
    see_through: bool,
    alpha: u32,
    region: &Region32,
    part: Rect,
) -> Result<(), LayerError> {
    let mut canvas = target.image()?;
    let mask = if alpha == u32::MAX {
        None
    } else {
        let color = Color::new(0, 0, 0, (alpha >> 16) as u16);
        Some(Solid::new(color).map_err(|_| LayerError::Memory)?)
    };
    let solid = mask.is_none() && !see_through;
    let operation = if solid { Operation::Src } else { Operation::Over };
    // The sides of a picture are far below i32.
    let [x, y, width, height] = [part.x, part.y, part.width, part.height].map(|n| n as i32);
    if region.n_rects() > 1 {
        canvas.set_clip_region32(Some(region)).map_err(|_| LayerError::Memory)?;
    }
    let mask = mask.as_deref();
    canvas.composite32(operation, image.get(), mask, (0, 0), (0, 0), (x, y), (width, height));
    Ok(())
}
