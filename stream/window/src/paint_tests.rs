//! The painter against the plain conversion of each pixel.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::letterbox::Scale;
use crate::picture::Samples;

const MARK: u32 = 0x1234_5678;

/// BT.709 in limited range to full-range RGB, by its definition.
fn rgb(y: u8, cb: u8, cr: u8) -> [f64; 3] {
    let y = (f64::from(y) - 16.0) * 255.0 / 219.0;
    let (cb, cr) = (f64::from(cb) - 128.0, f64::from(cr) - 128.0);
    let (b, r) = (cb * 255.0 / 224.0 * 1.8556, cr * 255.0 / 224.0 * 1.5748);
    let green = y - r * 0.2126 / 0.7152 - b * 0.0722 / 0.7152;
    [y + r, green, y + b].map(|c| c.clamp(0.0, 255.0))
}

struct Kept {
    planes: [Vec<u8>; 3],
    stride: usize,
    visible: Size,
}

impl Kept {
    /// Blocks of 4x4 pixels of different colours; planes are larger than what is seen, and end
    /// with their last sample.
    fn new(visible: Size) -> Self {
        let stride = visible.width.next_multiple_of(16) as usize + 16;
        let rows = visible.height.next_multiple_of(2) as usize;
        let plane = |rows: usize, block: usize, salt: usize| {
            let sample = |i: usize| {
                let (x, y) = (i % stride / block, i / stride / block);
                (40 + (x * 37 + y * 59 + salt * 71) % 180) as u8
            };
            (0..rows * stride).map(sample).collect()
        };
        let planes = [plane(rows, 4, 0), plane(rows / 2, 2, 1), plane(rows / 2, 2, 2)];
        Self { planes, stride, visible }
    }

    fn picture(&self) -> I420<'_> {
        let [y, u, v] = self.planes.each_ref().map(|p| Samples { data: p, stride: self.stride });
        I420 { planes: [y, u, v], visible: self.visible }
    }

    fn pixel(&self, x: u32, y: u32) -> [f64; 3] {
        let at = |plane: usize, half: u32| {
            self.planes[plane][(y / half) as usize * self.stride + (x / half) as usize]
        };
        rgb(at(0, 1), at(1, 2), at(2, 2))
    }
}

fn paint(kept: &Kept, window: Size, scale: Scale) -> (Vec<u32>, Letterbox) {
    let place = Letterbox::new(window, kept.visible, scale);
    let mut pixels = vec![MARK; window.width as usize * window.height as usize];
    let mut canvas = Canvas::new(&mut pixels, window);
    Painter::new(Filter::Sharp).paint(&mut canvas, &kept.picture(), &place).unwrap();
    (pixels, place)
}

fn check(pixel: u32, wanted: [f64; 3], why: &str) {
    for (shift, channel) in [16, 8, 0].into_iter().zip(wanted) {
        let got = f64::from(pixel >> shift & 0xff);
        assert!((got - channel).abs() <= 3.0, "{why}: {pixel:08x} for {wanted:?}");
    }
}

#[test]
fn pictures_are_shown_pixel_for_pixel_with_black_around() {
    for visible in [Size::new(32, 20), Size::new(33, 21), Size::new(64, 2)] {
        let kept = Kept::new(visible);
        let window = Size::new(71, 21);
        // One pixel to one, whatever the proportions of the window.
        let (pixels, place) = paint(&kept, window, Scale::Integer);
        assert_eq!(place.shown, visible);
        for y in 0..window.height {
            for x in 0..window.width {
                let pixel = pixels[(y * window.width + x) as usize];
                let (dx, dy) = (x.wrapping_sub(place.left), y.wrapping_sub(place.top));
                if dx < visible.width && dy < visible.height {
                    check(pixel, kept.pixel(dx, dy), &format!("{visible} at {dx},{dy}"));
                } else {
                    assert_eq!(pixel & 0xff_ffff, 0, "{visible}: the bar at {x},{y}");
                }
            }
        }
    }
}

#[test]
fn whole_factors_repeat_pixels() {
    let kept = Kept::new(Size::new(32, 20));
    let (pixels, place) = paint(&kept, Size::new(100, 60), Scale::Integer);
    assert_eq!((place.shown, place.left, place.top), (Size::new(96, 60), 2, 0));
    for y in 0..60 {
        for x in 0..96 {
            let pixel = pixels[(y * 100 + x + 2) as usize];
            // Chroma is repeated in the picture and again here.
            check(pixel, kept.pixel(x / 3, y / 3), &format!("at {x},{y}"));
        }
    }
}

#[test]
fn fractional_factors_keep_the_inside_of_blocks() {
    let kept = Kept::new(Size::new(32, 20));
    let (pixels, place) = paint(&kept, Size::new(80, 50), Scale::Fit);
    assert_eq!(place.shown, Size::new(80, 50));
    // A block of 4x4 pixels is 10x10 here.
    for y in 0..5 {
        for x in 0..8 {
            let pixel = pixels[((y * 10 + 5) * 80 + x * 10 + 5) as usize];
            check(pixel, kept.pixel(x * 4 + 2, y * 4 + 2), &format!("block {x},{y}"));
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let kept = Kept::new(Size::new(32, 20));
    let mut pixels = vec![MARK; 64 * 20];
    let mut painter = Painter::new(Filter::Smooth);
    let mut canvas = Canvas::new(&mut pixels, Size::new(64, 20));
    let other = Letterbox::new(Size::new(64, 20), Size::new(30, 20), Scale::Fit);
    assert!(painter.paint(&mut canvas, &kept.picture(), &other).is_err());
    let place = Letterbox::new(Size::new(64, 20), kept.visible, Scale::Fit);
    let mut short = kept.picture();
    short.planes[2].data = &[];
    assert!(painter.paint(&mut canvas, &short, &place).is_err());
    let larger = Letterbox::new(Size::new(65, 41), kept.visible, Scale::Fit);
    assert!(painter.paint(&mut canvas, &kept.picture(), &larger).is_err());
    assert!(pixels.iter().all(|p| *p == MARK));
}
