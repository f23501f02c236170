//! Pictures to encode in tests: repeatable, with edges and motion as games and text have them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use stratus_frame::{Damage, PixelFormat, PixelView, Size};

use crate::convert::Converter;
use crate::planes::Planes;

/// A picture in BGRX without gaps between rows.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) size: Size,
    pub(crate) data: Vec<u8>,
}

impl Scene {
    /// Gradients with a box that moves `step` by `step`.
    pub(crate) fn moving(size: Size, step: u32) -> Self {
        Self::of(size, |x, y| {
            let (bx, by) = ((step * 7) % size.width, (step * 3) % size.height);
            let in_box = x.wrapping_sub(bx) < 48 && y.wrapping_sub(by) < 32;
            let shade = (x + y + step * 2) as u8;
            if in_box { [230, 40, 200, 0] } else { [shade, (x / 2) as u8, (y / 2) as u8, 0] }
        })
    }

    /// Small dark letters on a light ground, which coarse coding smears.
    pub(crate) fn text(size: Size) -> Self {
        Self::of(size, |x, y| {
            let (cell_x, cell_y) = (x / 9, y / 15);
            let glyph = (cell_x.wrapping_mul(2_654_435_761) ^ cell_y.wrapping_mul(40_503)) >> 3;
            let bit = (x % 9 / 2 + y % 15 / 3 * 4) % 20;
            // Half of the lines, half of each line.
            let written = y / 15 % 2 == 0 && x < size.width / 2;
            let ink = written && glyph >> bit & 1 == 1 && x % 9 < 7 && y % 15 < 12;
            if ink { [40, 30, 20, 0] } else { [235, 240, 245, 0] }
        })
    }

    /// Noise, different for each `seed`: the most bits a picture can take.
    pub(crate) fn noise(size: Size, seed: u32) -> Self {
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        Self::of(size, |_, _| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()
        })
    }

    /// A number in black and white squares of 32 pixels, least significant bit first.
    pub(crate) fn marker(size: Size, number: u32) -> Self {
        let columns = size.width / 32;
        Self::of(size, |x, y| {
            let bit = y / 32 * columns + x / 32;
            if bit < 32 && x / 32 < columns && number >> bit & 1 == 1 { [255; 4] } else { [0; 4] }
        })
    }

    fn of(size: Size, mut pixel: impl FnMut(u32, u32) -> [u8; 4]) -> Self {
        let mut data = Vec::with_capacity(size.width as usize * size.height as usize * 4);
        for y in 0..size.height {
            for x in 0..size.width {
                data.extend_from_slice(&pixel(x, y));
            }
        }
        Self { size, data }
    }

    pub(crate) fn view(&self) -> PixelView<'_> {
        PixelView {
            data: &self.data,
            stride: self.size.width as usize * 4,
            size: self.size,
            format: PixelFormat::Xrgb8888,
        }
    }

    pub(crate) fn draw(&self, converter: &mut Converter) {
        converter.convert(self.view(), &Damage::full(self.size)).unwrap();
    }

    /// Peak signal-to-noise ratio of decoded `planes` against this picture, over R, G and B.
    pub(crate) fn psnr(&self, planes: &Planes<'_>) -> f64 {
        let decoded = planes.to_rgb(self.size);
        let sum: f64 = self
            .data
            .chunks_exact(4)
            .zip(decoded.chunks_exact(3))
            .flat_map(|(p, q)| [(p[2], q[0]), (p[1], q[1]), (p[0], q[2])])
            .map(|(a, b)| f64::from(a.abs_diff(b)).powi(2))
            .sum();
        let mean = sum / decoded.len() as f64;
        10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
    }
}

/// The number that [`Scene::marker`] drew.
pub(crate) fn read_marker(planes: &Planes<'_>) -> u32 {
    let columns = planes.size().width / 32;
    (0..32).fold(0, |number, bit| {
        let (x, y) = (bit % columns * 32 + 16, bit / columns * 32 + 16);
        number | u32::from(planes.luma.row(y)[x as usize] > 126) << bit
    })
}
