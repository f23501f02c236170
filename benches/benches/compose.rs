//! Composing windows of several surfaces: whole pictures, small changes, scaling.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use stratus_compose::{Canvas, Content, Layer, Transform};
use stratus_frame::{Damage, PixelFormat, PixelView, Pixels, ReadError, Rect, Size};

const PICTURE: Size = Size::new(1920, 1080);

struct Buffer {
    data: Vec<u8>,
    size: Size,
    format: PixelFormat,
}

impl Pixels for Buffer {
    fn read(&self, read: &mut dyn FnMut(PixelView<'_>)) -> Result<(), ReadError> {
        let stride = self.size.width as usize * 4;
        read(PixelView { data: &self.data, stride, size: self.size, format: self.format });
        Ok(())
    }
}

/// A layer whose pixels have the alpha that `alpha` says for each.
fn layer(size: Size, at: (i32, i32), format: PixelFormat, alpha: impl Fn(u32) -> u8) -> Layer {
    let pixel = |i: u32| {
        let a = alpha(i);
        let colour = |shift: u32| ((i >> shift) as u8).min(a);
        [colour(0), colour(5), colour(9), a]
    };
    let data = (0..size.width * size.height).flat_map(pixel).collect();
    Layer {
        content: Content::Pixels(Arc::new(Buffer { data, size, format })),
        size,
        transform: Transform::Normal,
        source: None,
        at,
        shown: size,
        opaque: !format.has_alpha(),
        alpha: u32::MAX,
    }
}

fn bench(c: &mut Criterion, name: &str, layers: &[Layer], damage: &Damage) {
    let mut canvas = Canvas::new();
    canvas.compose(PICTURE, layers, damage).unwrap();
    c.bench_function(&format!("compose/{name}"), |b| {
        b.iter(|| canvas.compose(PICTURE, black_box(layers), black_box(damage)).unwrap());
    });
}

fn compose(c: &mut Criterion) {
    use PixelFormat::{Abgr8888, Argb8888, Xbgr2101010, Xrgb8888};
    let full = Damage::full(PICTURE);
    let mut dot = Damage::none(PICTURE);
    dot.add(Rect { x: 700, y: 500, width: 64, height: 64 });
    let solid = || layer(PICTURE, (0, 0), Xrgb8888, |_| 0);
    let smooth = |size, at| layer(size, at, Argb8888, |i| (i >> 3) as u8);
    // A frame of shadow around an opaque middle, as toolkits draw their windows.
    let window = |size: Size, at| {
        let edge = move |i: u32| {
            let (x, y) = (i % size.width, i / size.width);
            x.min(size.width - 1 - x).min(y).min(size.height - 1 - y) < 24
        };
        layer(size, at, Argb8888, move |i| if edge(i) { 100 } else { 255 })
    };
    let small = Size::new(640, 360);
    let tree = [solid(), smooth(small, (100, 80)), smooth(small, (900, 500))];
    bench(c, "1080p tree of three", &tree, &full);
    bench(c, "1080p tree of three, 64x64 changed", &tree, &dot);
    let menus = [solid(), window(small, (100, 80)), window(small, (900, 500))];
    bench(c, "1080p tree of windows with shadows", &menus, &full);
    let worst = [solid(), smooth(PICTURE, (0, 0)), smooth(PICTURE, (0, 0))];
    bench(c, "1080p tree of three full ones", &worst, &full);
    bench(c, "1080p tree of three full ones, 64x64 changed", &worst, &dot);
    let shadows = [solid(), window(PICTURE, (0, 0)), window(PICTURE, (0, 0))];
    bench(c, "1080p tree of three full ones, opaque but for shadows", &shadows, &full);
    let hidden = [smooth(PICTURE, (0, 0)), solid(), solid()];
    bench(c, "1080p tree of three full opaque ones", &hidden, &full);
    let enlarged = Layer { shown: PICTURE, ..layer(Size::new(1280, 720), (0, 0), Xrgb8888, |_| 0) };
    bench(c, "720p enlarged to 1080p", &[enlarged], &full);
    bench(
        c,
        "1080p of abgr8888",
        &[Layer { opaque: true, ..layer(PICTURE, (0, 0), Abgr8888, |_| 9) }],
        &full,
    );
    bench(c, "1080p of xbgr2101010", &[layer(PICTURE, (0, 0), Xbgr2101010, |_| 0)], &full);
    let turned = Layer { transform: Transform::Rotated180, ..solid() };
    bench(c, "1080p turned by 180 degrees", &[turned], &full);
    let data = vec![7_u8; 1920 * 1080 * 4];
    let mut copy = data.clone();
    c.bench_function("compose/memcpy of 1080p", |b| {
        b.iter(|| black_box(&mut copy).copy_from_slice(black_box(&data)));
    });
}

criterion_group!(benches, compose);
criterion_main!(benches);
