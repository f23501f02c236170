//! Tests of how a cursor's picture is read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use stratus_frame::{PixelFormat, PixelView, Pixels, ReadError};

use super::image::NotTaken;
use super::*;
use crate::graph::Viewport;

struct Rows {
    data: Vec<u8>,
    size: Size,
    stride: usize,
    format: PixelFormat,
}

impl Pixels for Rows {
    fn read(&self, read: &mut dyn FnMut(PixelView<'_>)) -> Result<(), ReadError> {
        let Self { data, size, stride, format } = self;
        read(PixelView { data, stride: *stride, size: *size, format: *format });
        Ok(())
    }
}

/// A drawing of one byte for each pixel, repeated four times, in rows of `width`.
fn drawing(width: u32, pixels: &[u8]) -> Drawing {
    let data = pixels.iter().flat_map(|&p| [p; 4]).collect();
    let size = Size::new(width, pixels.len() as u32 / width);
    let format = PixelFormat::Argb8888;
    let pixels = Arc::new(Rows { data, size, stride: width as usize * 4, format });
    Drawing { pixels: Some(pixels), scale: 1, transform: 0, viewport: Viewport::default() }
}

fn letters(image: &CursorImage) -> String {
    image.bgra.chunks_exact(4).map(|pixel| char::from(pixel[0])).collect()
}

fn take(drawing: &Drawing) -> (String, Size, Size) {
    let (image, shown) = Images::default().take(drawing).unwrap();
    (letters(&image), image.size, shown)
}

#[test]
fn all_eight_transforms_are_undone() {
    // Upright:  a b c      Each buffer is what a client draws that turns this counter-clockwise
    //           d e f      by the transform's angle, from 4 on after a flip left to right.
    let drawn: [(u32, &[u8]); 8] = [
        (3, b"abcdef"),
        (2, b"cfbead"),
        (3, b"fedcba"),
        (2, b"daebfc"),
        (3, b"cbafed"),
        (2, b"adbecf"),
        (3, b"defabc"),
        (2, b"fcebda"),
    ];
    for (transform, (width, pixels)) in (0..).zip(drawn) {
        let drawing = Drawing { transform, ..drawing(width, pixels) };
        let (upright, size, shown) = take(&drawing);
        assert_eq!((&upright[..], size), ("abcdef", Size::new(3, 2)), "transform {transform}");
        assert_eq!(shown, size);
    }
}

#[test]
fn scale_and_destination_state_the_size_and_the_source_crops() {
    let mut picture = drawing(4, b"abcdefgh");
    picture.scale = 2;
    assert_eq!(take(&picture), ("abcdefgh".into(), Size::new(4, 2), Size::new(2, 1)));
    picture.viewport.destination = Some(Size::new(9, 7));
    assert_eq!(take(&picture).2, Size::new(9, 7));
    // From 0.5, 0 on, 1 wide and 0.5 high in surface coordinates: pixels 1 and 2 of the first row.
    picture.viewport.source = Some([128, 0, 256, 128]);
    assert_eq!(take(&picture), ("bc".into(), Size::new(2, 1), Size::new(9, 7)));
    picture.viewport.destination = None;
    assert_eq!(take(&picture).2, Size::new(1, 1));
    for source in [[i32::MAX; 4], [i32::MIN, 0, 256, 256], [0, 0, 0, 0], [-512, 0, 256, 256]] {
        picture.viewport.source = Some(source);
        assert_eq!(Images::default().take(&picture), Err(NotTaken::Empty), "{source:?}");
    }
    for scale in [0, -1, i32::MIN, i32::MAX] {
        let odd = Drawing { scale, ..drawing(2, b"ab") };
        assert!(take(&odd).2.width >= 1, "{scale}");
    }
}

#[test]
fn equal_images_share_a_number_and_the_oldest_are_forgotten() {
    let mut images = Images::default();
    let mut id = |n: u32| images.take(&drawing(4, &n.to_le_bytes())).unwrap().0.id.0;
    assert_eq!([id(7), id(8), id(7), id(8)], [1, 2, 1, 2]);
    for n in 100..163 {
        id(n);
    }
    assert_eq!(id(8), 2, "64 images are known");
    assert_eq!(id(7), 66);
}

#[test]
fn padding_goes_unused_bytes_become_opaque_and_large_ones_are_refused() {
    let size = Size::new(1, 2);
    let data = vec![1, 2, 3, 0, 9, 9, 9, 9, 4, 5, 6, 7];
    let of = |format, size, stride| Drawing {
        pixels: Some(Arc::new(Rows { data: data.clone(), size, stride, format })),
        ..drawing(1, b"a")
    };
    let (image, _) = Images::default().take(&of(PixelFormat::Xrgb8888, size, 8)).unwrap();
    assert_eq!(image.bgra[..], [1, 2, 3, 255, 4, 5, 6, 255]);
    let (image, _) = Images::default().take(&of(PixelFormat::Argb8888, size, 8)).unwrap();
    assert_eq!(image.bgra[..], [1, 2, 3, 0, 4, 5, 6, 7]);
    let words = [0xc01f_f3ff_u32, 0x3ff0_0000];
    let pixels: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    let of_ten = |format| Drawing {
        pixels: Some(Arc::new(Rows { data: pixels.clone(), size, stride: 4, format })),
        ..drawing(1, b"a")
    };
    for (format, bgra) in [
        // Alpha 3, red 1, green 0x3fc, blue 0x3ff; then red 0x3ff.
        (PixelFormat::Argb2101010, [255, 255, 0, 255, 0, 0, 255, 0]),
        (PixelFormat::Xrgb2101010, [255, 255, 0, 255, 0, 0, 255, 255]),
        (PixelFormat::Abgr2101010, [0, 255, 255, 255, 255, 0, 0, 0]),
        (PixelFormat::Xbgr8888, [0x1f, 0xf3, 0xff, 255, 0xf0, 0, 0, 255]),
        (PixelFormat::Abgr8888, [0x1f, 0xf3, 0xff, 0xc0, 0xf0, 0, 0, 0x3f]),
    ] {
        let (image, _) = Images::default().take(&of_ten(format)).unwrap();
        assert_eq!(image.bgra[..], bgra, "{format:?}");
    }
    for large in [Size::new(513, 1), Size::new(1, 513), Size::new(257, 256), Size::new(u32::MAX, 9)]
    {
        let refused = Images::default().take(&of(PixelFormat::Argb8888, large, 4));
        assert_eq!(refused, Err(NotTaken::TooLarge(large)));
    }
    let none = Drawing { pixels: None, ..drawing(1, b"a") };
    assert_eq!(Images::default().take(&none), Err(NotTaken::Unreadable));
}
