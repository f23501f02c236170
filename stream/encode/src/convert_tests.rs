//! Tests of the conversion, against BT.709 in floating point.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use stratus_frame::{PixelFormat, Rect};

use super::*;
use crate::planes::{Plane, Planes};

/// Pixels with a stride of their own and a value in every byte, padding and alpha included.
struct Image {
    size: Size,
    stride: usize,
    data: Vec<u8>,
}

impl Image {
    fn noise(size: Size, padding: usize, seed: u32) -> Self {
        let stride = size.width as usize * 4 + padding;
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        let len = stride * (size.height as usize - 1) + size.width as usize * 4;
        let data = (0..len)
            .map(|_| {
                // xorshift32
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                (state >> 24) as u8
            })
            .collect();
        Self { size, stride, data }
    }

    fn view(&self, format: PixelFormat) -> PixelView<'_> {
        PixelView { data: &self.data, stride: self.stride, size: self.size, format }
    }

    fn rgb(&self, x: u32, y: u32) -> [f64; 3] {
        // Beyond the edge the last pixel repeats.
        let (x, y) = (x.min(self.size.width - 1), y.min(self.size.height - 1));
        let at = y as usize * self.stride + x as usize * 4;
        [2, 1, 0].map(|i| f64::from(self.data[at + i]))
    }

    fn set(&mut self, rect: Rect, bgra: [u8; 4]) {
        for y in rect.y..rect.bottom() {
            for x in rect.x..rect.right() {
                let at = y as usize * self.stride + x as usize * 4;
                self.data[at..at + 4].copy_from_slice(&bgra);
            }
        }
    }
}

/// Y', Cb, Cr of BT.709 (ITU-R BT.709-6 items 3.2 to 3.4), limited range, unrounded.
fn exact([r, g, b]: [f64; 3]) -> [f64; 3] {
    let y = (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255.0;
    let cb = (b / 255.0 - y) / 1.8556;
    let cr = (r / 255.0 - y) / 1.5748;
    [16.0 + 219.0 * y, 128.0 + 224.0 * cb, 128.0 + 224.0 * cr]
}

/// The largest distance from exact, of luma and of chroma, over the whole coded picture.
fn worst(image: &Image, planes: &Planes<'_>) -> (f64, f64) {
    let (mut luma, mut chroma) = (0.0_f64, 0.0_f64);
    let coded = planes.size();
    for y in 0..coded.height {
        for x in 0..coded.width {
            let y_code = f64::from(planes.luma.row(y)[x as usize]);
            luma = luma.max((y_code - exact(image.rgb(x, y))[0]).abs());
        }
    }
    for y in 0..coded.height / 2 {
        for x in 0..coded.width / 2 {
            let four =
                [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| image.rgb(2 * x + i, 2 * y + j));
            let mean = [0, 1, 2].map(|c| four.iter().map(|p| p[c]).sum::<f64>() / 4.0);
            for (i, plane) in planes.chroma.iter().enumerate() {
                let code = f64::from(plane.row(y)[x as usize]);
                chroma = chroma.max((code - exact(mean)[i + 1]).abs());
            }
        }
    }
    (luma, chroma)
}

fn converted(image: &Image) -> Converter {
    let mut converter = Converter::new();
    let damage = Damage::none(image.size);
    let rows = converter.convert(image.view(PixelFormat::Xrgb8888), &damage).unwrap();
    assert_eq!(rows, image.size.height, "the first picture is converted whole");
    converter
}

fn bytes(plane: &Plane<'_>) -> Vec<u8> {
    (0..plane.size.height).flat_map(|y| plane.row(y).to_vec()).collect()
}

fn contents(converter: &Converter) -> [Vec<u8>; 3] {
    let planes = converter.picture().unwrap().planes().unwrap();
    [bytes(&planes.luma), bytes(&planes.chroma[0]), bytes(&planes.chroma[1])]
}

#[test]
fn every_sample_is_near_exact_whatever_the_size_and_stride() {
    let sizes =
        [(1, 1), (2, 2), (3, 5), (16, 16), (33, 17), (64, 2), (127, 31), (130, 64), (641, 9)];
    for (i, (width, height)) in sizes.into_iter().enumerate() {
        for padding in [0, 4, 60] {
            let image = Image::noise(Size::new(width, height), padding, i as u32 + 1);
            let converter = converted(&image);
            let picture = converter.picture().unwrap();
            assert_eq!(picture.coded_size(), image.size.rounded_up_to_even());
            let (luma, chroma) = worst(&image, &picture.planes().unwrap());
            assert!(luma <= 1.5 && chroma <= 1.5, "{}: off by {luma} and {chroma}", image.size);
        }
    }
}

#[test]
fn plain_colours_are_within_one_code() {
    for (bgra, yuv) in [
        ([0, 0, 0, 0], [16, 128, 128]),
        ([255, 255, 255, 0], [235, 128, 128]),
        ([0, 0, 255, 9], [63, 102, 240]),
        ([0, 255, 0, 200], [173, 42, 26]),
        ([255, 0, 0, 255], [32, 240, 118]),
        ([128, 128, 128, 77], [126, 128, 128]),
    ] {
        let mut image = Image::noise(Size::new(70, 6), 8, 3);
        image.set(Rect::covering(image.size).unwrap(), bgra);
        for (plane, code) in contents(&converted(&image)).iter().zip(yuv) {
            assert!(
                plane.iter().all(|v| v.abs_diff(code) <= 1),
                "{bgra:?}: {} for {code}",
                plane[0]
            );
        }
    }
}

#[test]
fn alpha_is_without_effect() {
    let image = Image::noise(Size::new(50, 10), 12, 8);
    let mut other = Image { data: image.data.clone(), ..image };
    other.data.chunks_exact_mut(4).for_each(|p| p[3] = !p[3]);
    assert_eq!(contents(&converted(&image)), contents(&converted(&other)));
}

#[test]
fn damaged_rows_alone_give_the_same_picture_as_all_rows() {
    let mut seed = 77_u32;
    let mut next = |limit: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % limit
    };
    for size in [Size::new(64, 48), Size::new(37, 23), Size::new(2, 131)] {
        let mut image = Image::noise(size, 16, size.width);
        let mut converter = converted(&image);
        for _ in 0..60 {
            let mut damage = Damage::none(size);
            for _ in 0..next(11) {
                let (x, y) = (next(size.width), next(size.height));
                let (width, height) =
                    (1 + next(size.width - x), 1 + next((size.height - y).min(6)));
                let rect = Rect { x, y, width, height };
                let code = next(1 << 24);
                image.set(rect, code.to_le_bytes());
                damage.add(rect);
            }
            let rows = converter.convert(image.view(PixelFormat::Argb8888), &damage).unwrap();
            assert!(rows <= size.height && (rows == 0) == damage.is_empty());
            assert!(contents(&converter) == contents(&converted(&image)), "{size}");
        }
    }
}

#[test]
fn other_formats_are_refused_rather_than_mistaken() {
    let size = Size::new(8, 4);
    let image = Image::noise(size, 0, 3);
    let formats = [
        PixelFormat::Abgr8888,
        PixelFormat::Xbgr8888,
        PixelFormat::Argb2101010,
        PixelFormat::Xrgb2101010,
        PixelFormat::Abgr2101010,
        PixelFormat::Xbgr2101010,
    ];
    for format in formats {
        let refused = Converter::new().convert(image.view(format), &Damage::full(size));
        assert_eq!(refused, Err(ConvertError::Format(format)));
    }
}

#[test]
fn only_pairs_of_damaged_rows_are_touched() {
    let size = Size::new(32, 40);
    let mut converter = converted(&Image::noise(size, 0, 1));
    let before = contents(&converter);
    let other = Image::noise(size, 0, 2);
    let mut damage = Damage::none(size);
    for (y, height) in [(5, 1), (6, 2), (31, 1)] {
        damage.add(Rect { x: 3, y, width: 1, height });
    }
    assert_eq!(converter.convert(other.view(PixelFormat::Xrgb8888), &damage), Ok(6));
    let after = contents(&converter);
    for y in 0..40_usize {
        let row = y * 32..(y + 1) * 32;
        let touched = matches!(y, 4..=7 | 30..=31);
        assert_eq!(before[0][row.clone()] != after[0][row], touched, "row {y}");
    }
}

#[test]
fn another_size_and_a_distrusted_picture_are_converted_whole() {
    let (small, large) =
        (Image::noise(Size::new(9, 8), 0, 1), Image::noise(Size::new(20, 30), 0, 2));
    let mut converter = converted(&small);
    let none = Damage::none(large.size);
    assert_eq!(converter.convert(large.view(PixelFormat::Xrgb8888), &none), Ok(30));
    assert_eq!(converter.convert(large.view(PixelFormat::Xrgb8888), &none), Ok(0));
    converter.distrust();
    assert_eq!(converter.convert(large.view(PixelFormat::Xrgb8888), &none), Ok(30));
    assert_eq!(contents(&converter), contents(&converted(&large)));
}

#[test]
fn views_that_do_not_hold_what_they_claim_are_refused() {
    let image = Image::noise(Size::new(10, 10), 0, 1);
    let good = image.view(PixelFormat::Xrgb8888);
    let bad = [
        PixelView { data: &good.data[1..], ..good },
        PixelView { stride: 39, ..good },
        PixelView { stride: usize::MAX, ..good },
        PixelView { size: Size::new(0, 10), ..good },
        PixelView { size: Size::new(10, 0), ..good },
        PixelView { size: Size::new(u32::MAX, u32::MAX), stride: usize::MAX, ..good },
    ];
    for view in bad {
        let mut converter = Converter::new();
        let refused = converter.convert(view, &Damage::none(view.size));
        assert!(matches!(refused, Err(ConvertError::BadView { .. })), "{view:?}");
    }
}
