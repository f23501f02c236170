//! Pictures of several bands, worked out pixel by pixel, and how buffers are laid open for them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stratus_frame::{Damage, PixelFormat, Pixels, Size};

use super::*;
use crate::{Canvas, Layer, Transform};

/// Eight bands.
const PICTURE: Size = Size::new(1500, 160);

/// How many buffers are open now, and were at most.
#[derive(Default)]
struct Desk {
    open: AtomicUsize,
    most: AtomicUsize,
    reads: AtomicUsize,
}

struct Sheet {
    size: Size,
    format: PixelFormat,
    bytes: Vec<u8>,
    desk: Arc<Desk>,
    reads_at_once: bool,
    failing: bool,
}

impl Pixels for Sheet {
    fn read(&self, read: &mut dyn FnMut(PixelView<'_>)) -> Result<(), ReadError> {
        let open = self.desk.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.desk.most.fetch_max(open, Ordering::Relaxed);
        self.desk.reads.fetch_add(1, Ordering::Relaxed);
        assert!(self.reads_at_once || open == 1, "waits with {open} open");
        if !self.failing {
            let stride = self.size.width as usize * 4;
            read(PixelView { data: &self.bytes, stride, size: self.size, format: self.format });
        }
        self.desk.open.fetch_sub(1, Ordering::Relaxed);
        if self.failing { Err(ReadError::Unreadable) } else { Ok(()) }
    }

    fn reads_at_once(&self) -> bool {
        self.reads_at_once
    }
}

/// Pixels of blue, green, red and alpha that differ from row to row and from `seed` to `seed`.
fn sheet(desk: &Arc<Desk>, size: Size, format: PixelFormat, seed: u32) -> Sheet {
    let word = |i: u32| (i.wrapping_mul(2_654_435_761) ^ (i / 700)).wrapping_add(seed * 77_777_777);
    let bytes = (0..size.width * size.height).flat_map(|i| word(i).to_le_bytes()).collect();
    Sheet { size, format, bytes, desk: Arc::clone(desk), reads_at_once: true, failing: false }
}

fn layer(content: Content, size: Size, at: (i32, i32), opaque: bool) -> Layer {
    let (transform, source, alpha) = (Transform::Normal, None, u32::MAX);
    Layer { content, size, transform, source, at, shown: size, opaque, alpha }
}

fn full(sheet: Sheet) -> Layer {
    let (size, opaque) = (sheet.size, !sheet.format.has_alpha());
    layer(Content::Pixels(Arc::new(sheet)), size, (0, 0), opaque)
}

/// What one pixel over another comes to: premultiplied, rounded, and at most 255.
fn over(below: [u8; 4], above: [u8; 4]) -> [u8; 4] {
    std::array::from_fn(|i| {
        let kept = f64::from(below[i]) * f64::from(255 - above[3]) / 255.0;
        above[i].saturating_add(kept.round() as u8)
    })
}

#[test]
fn layers_in_bands_make_the_picture_that_whole_ones_would() {
    let desk = Arc::default();
    let sheets = [
        (sheet(&desk, PICTURE, PixelFormat::Xrgb8888, 1), (0, 0)),
        (sheet(&desk, PICTURE, PixelFormat::Argb8888, 2), (0, 0)),
        (sheet(&desk, Size::new(1490, 120), PixelFormat::Abgr8888, 3), (3, 17)),
        (sheet(&desk, Size::new(701, 300), PixelFormat::Argb8888, 4), (-13, -9)),
        (sheet(&desk, PICTURE, PixelFormat::Argb8888, 5), (1, 2)),
        (sheet(&desk, Size::new(5, 150), PixelFormat::Argb8888, 6), (700, 4)),
    ];
    let mut expected = vec![[0, 0, 0, 255]; (PICTURE.width * PICTURE.height) as usize];
    for (sheet, (left, top)) in &sheets {
        for (i, pixel) in sheet.bytes.chunks_exact(4).enumerate() {
            let i = i as u32;
            let (x, y) = (i % sheet.size.width, i / sheet.size.width);
            let (Some(x), Some(y)) = (x.checked_add_signed(*left), y.checked_add_signed(*top))
            else {
                continue;
            };
            if x >= PICTURE.width || y >= PICTURE.height {
                continue;
            }
            let below = &mut expected[(y * PICTURE.width + x) as usize];
            let [b, g, r, a] = [0, 1, 2, 3].map(|i| pixel[i]);
            *below = match sheet.format {
                PixelFormat::Xrgb8888 => [b, g, r, 255],
                PixelFormat::Abgr8888 => over(*below, [r, g, b, a]),
                _ => over(*below, [b, g, r, a]),
            };
        }
    }
    let sheets = sheets.into_iter().map(|(sheet, at)| Layer { at, ..full(sheet) });
    let mut layers: Vec<Layer> = sheets.collect();
    let colour = Content::Colour([0, u32::MAX, 0, u32::MAX]);
    layers.insert(3, layer(colour, Size::new(1, 1), (1499, 159), false));
    expected[PICTURE.width as usize * 160 - 1] = over([0, 255, 0, 255], {
        let Content::Pixels(top) = &layers[5].content else { panic!("a sheet") };
        let mut pixel = [0; 4];
        let at = (157 * PICTURE.width as usize + 1498) * 4;
        top.read(&mut |view| pixel.copy_from_slice(&view.data[at..at + 4])).unwrap();
        pixel
    });
    desk.reads.store(0, Ordering::Relaxed);

    let mut canvas = Canvas::new();
    canvas.compose(PICTURE, &layers, &Damage::full(PICTURE)).unwrap();
    let view = canvas.view().unwrap();
    for (i, (got, want)) in view.data.chunks_exact(4).zip(&expected).enumerate() {
        let (x, y) = (i % view.size.width as usize, i / view.size.width as usize);
        assert_eq!(got[..3], want[..3], "({x}, {y})");
    }
    assert_eq!(desk.reads.load(Ordering::Relaxed), 6, "each buffer is laid open once");
    assert!((2..=MOST_OPEN).contains(&desk.most.load(Ordering::Relaxed)));
}

#[test]
fn a_buffer_that_must_be_waited_for_is_open_alone() {
    let desk = Arc::default();
    let waits = |seed| {
        let sheet = sheet(&desk, PICTURE, PixelFormat::Argb8888, seed);
        full(Sheet { reads_at_once: false, ..sheet })
    };
    let ready = |seed| full(sheet(&desk, PICTURE, PixelFormat::Argb8888, seed));
    let layers = [waits(1), ready(2), ready(3), waits(4), waits(5), ready(6)];
    Canvas::new().compose(PICTURE, &layers, &Damage::full(PICTURE)).unwrap();
    assert_eq!(desk.most.load(Ordering::Relaxed), 2);
    assert_eq!(desk.reads.load(Ordering::Relaxed), 6);
}

#[test]
fn what_cannot_be_laid_open_is_named_and_the_others_are_drawn() {
    let desk = Arc::default();
    let fails = |seed| {
        let sheet = sheet(&desk, PICTURE, PixelFormat::Argb8888, seed);
        full(Sheet { failing: true, ..sheet })
    };
    let below = full(sheet(&desk, PICTURE, PixelFormat::Xrgb8888, 1));
    let above = full(sheet(&desk, PICTURE, PixelFormat::Argb8888, 2));
    let (mut whole, mut part) = (Canvas::new(), Canvas::new());
    whole.compose(PICTURE, &[below.clone(), above.clone()], &Damage::full(PICTURE)).unwrap();
    let layers = [below, fails(3), above, fails(4)];
    let failed = part.compose(PICTURE, &layers, &Damage::full(PICTURE));
    let source = LayerError::Read(ReadError::Unreadable);
    assert_eq!(failed, Err(ComposeError::Layer { index: 1, source }));
    assert!(part.view().unwrap().data == whole.view().unwrap().data);
}
