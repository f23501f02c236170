//! The game's cursor as one of the window's.

use stratus_frame::{CursorImage, CursorLook, CursorState, PointerBounds, Size};
use winit::window::{CursorGrabMode, CursorIcon};

use crate::kernel::Filter;
use crate::resample::Resampler;

/// The longest side of a cursor that displays and X servers take.
const MAX_SIDE: u32 = 256;

/// What the window shows at the pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Hidden,
    Icon(CursorIcon),
    Image(Image),
}

/// Rows of bytes R G B A, colours not multiplied with alpha.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) rgba: Vec<u8>,
    pub(crate) size: (u16, u16),
    pub(crate) hotspot: (u16, u16),
}

/// How the pointer is to be held for the game.
pub(crate) const fn grab(bounds: &PointerBounds) -> CursorGrabMode {
    match bounds {
        PointerBounds::Free => CursorGrabMode::None,
        PointerBounds::Locked { .. } => CursorGrabMode::Locked,
        PointerBounds::Confined => CursorGrabMode::Confined,
    }
}

/// How the game's cursor looks here, where a pixel of the picture is `factor` pixels of a cursor.
pub(crate) fn look(state: &CursorState, factor: f64) -> Look {
    match &state.look {
        CursorLook::Unknown => Look::Icon(CursorIcon::Default),
        CursorLook::Hidden => Look::Hidden,
        // A name that came after this version is some cursor, so the usual one.
        CursorLook::Shape(name) => Look::Icon(name.parse().unwrap_or_default()),
        CursorLook::Image { image, shown, hotspot } => scaled(image, *shown, *hotspot, factor)
            .map_or(Look::Icon(CursorIcon::Default), Look::Image),
    }
}

fn scaled(image: &CursorImage, shown: Size, hotspot: (i32, i32), factor: f64) -> Option<Image> {
    let own = image.size;
    let pixels = own.width as usize * own.height as usize;
    if own.is_empty() || shown.is_empty() || image.bgra.len() < pixels * 4 {
        return None;
    }
    let longest = f64::from(shown.width.max(shown.height));
    let factor = factor.min(f64::from(MAX_SIDE) / longest);
    let side = |n: u32| (f64::from(n) * factor).round().clamp(1.0, f64::from(MAX_SIDE)) as u16;
    let to = (side(shown.width), side(shown.height));
    let mut resampler = Resampler::new(own, Size::new(to.0.into(), to.1.into()), Filter::Smooth);
    let mut channel = vec![0; pixels];
    let mut rgba = vec![0; resampler.len() * 4];
    let mut result = vec![0; resampler.len()];
    // Channels multiplied with alpha are what may be mixed.
    for (from, into) in [(2, 0), (1, 1), (0, 2), (3, 3)] {
        for (sample, pixel) in channel.iter_mut().zip(image.bgra.chunks_exact(4)) {
            *sample = pixel[from];
        }
        resampler.resample(&channel, own.width as usize, &mut result);
        for (pixel, sample) in rgba.chunks_exact_mut(4).zip(&result) {
            pixel[into] = *sample;
        }
    }
    for pixel in rgba.chunks_exact_mut(4) {
        let alpha = u32::from(pixel[3]);
        for channel in &mut pixel[..3] {
            let plain = (u32::from(*channel) * 255 + alpha / 2).checked_div(alpha).unwrap_or(0);
            *channel = plain.min(255) as u8;
        }
    }
    let spot = |at: i32, side: u16| {
        let at = (f64::from(at) * factor).round();
        at.clamp(0.0, f64::from(side - 1)) as u16
    };
    let hotspot = (spot(hotspot.0, to.0), spot(hotspot.1, to.1));
    Some(Image { rgba, size: to, hotspot })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::sync::Arc;

    use stratus_frame::CursorId;

    use super::*;

    fn image(bgra: &[u8], size: Size, shown: Size, hotspot: (i32, i32)) -> CursorState {
        let image = CursorImage { id: CursorId(1), size, bgra: bgra.to_vec().into() };
        let look = CursorLook::Image { image: Arc::new(image), shown, hotspot };
        CursorState { look, bounds: PointerBounds::Free }
    }

    #[test]
    fn images_lose_their_multiplied_colours_and_keep_their_point() {
        // Red at half alpha, and nothing.
        let size = Size::new(2, 1);
        let state = image(&[0, 0, 128, 128, 0, 0, 0, 0], size, size, (1, 0));
        let Look::Image(found) = look(&state, 1.0) else { panic!("no image") };
        assert_eq!(found.rgba, [255, 0, 0, 128, 0, 0, 0, 0]);
        assert_eq!((found.size, found.hotspot), ((2, 1), (1, 0)));
    }

    #[test]
    fn images_grow_with_the_picture_up_to_what_displays_take() {
        let size = Size::new(32, 16);
        let white = vec![255; 32 * 16 * 4];
        let at = |factor| match look(&image(&white, size, size, (8, 40)), factor) {
            Look::Image(image) => (image.size, image.hotspot),
            other => panic!("{other:?}"),
        };
        assert_eq!(at(1.5), ((48, 24), (12, 23)));
        assert_eq!(at(100.0), ((256, 128), (64, 127)));
        assert_eq!(at(0.001), ((1, 1), (0, 0)));
        // Drawn for a screen twice as dense.
        let shown = Size::new(16, 8);
        let Look::Image(found) = look(&image(&white, size, shown, (4, 4)), 1.0) else { panic!() };
        assert_eq!((found.size, found.hotspot), ((16, 8), (4, 4)));
        assert!(found.rgba.iter().all(|b| *b == 255));
    }

    #[test]
    fn names_and_what_is_not_understood_have_an_icon() {
        let named = |name: &'static str| {
            let look = CursorLook::Shape(name.into());
            CursorState { look, bounds: PointerBounds::Free }
        };
        assert_eq!(look(&named("nw-resize"), 1.0), Look::Icon(CursorIcon::NwResize));
        assert_eq!(look(&named("text"), 1.0), Look::Icon(CursorIcon::Text));
        assert_eq!(look(&named("new-in-2030"), 1.0), Look::Icon(CursorIcon::Default));
        let short = image(&[0; 4], Size::new(2, 2), Size::new(2, 2), (0, 0));
        assert_eq!(look(&short, 1.0), Look::Icon(CursorIcon::Default));
        assert_eq!(look(&CursorState::default(), 1.0), Look::Icon(CursorIcon::Default));
        let hidden = CursorState { look: CursorLook::Hidden, ..CursorState::default() };
        assert_eq!(look(&hidden, 1.0), Look::Hidden);
    }
}
