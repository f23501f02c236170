//! Random pictures, against a compositor that takes one pixel after the other and no short cut.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use stratus_compose::{Canvas, Content, Layer, Source, Transform};
use stratus_frame::{Damage, PixelFormat, PixelView, Pixels, ReadError, Rect, Size};

/// One texel or pixel: blue, green, red, alpha.
type Bgra = [u8; 4];

#[derive(Debug)]
struct Buffer {
    size: Size,
    padding: usize,
    format: PixelFormat,
    data: Vec<u8>,
}

impl Buffer {
    fn stride(&self) -> usize {
        self.size.width as usize * 4 + self.padding
    }

    fn texel(&self, x: i64, y: i64) -> Bgra {
        // Beyond its edge a buffer goes on as its last pixel.
        let x = x.clamp(0, i64::from(self.size.width) - 1) as usize;
        let y = y.clamp(0, i64::from(self.size.height) - 1) as usize;
        let at = y * self.stride() + x * 4;
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| self.data[at + i]);
        match self.format {
            PixelFormat::Argb8888 => [a, b, c, d],
            PixelFormat::Xrgb8888 => [a, b, c, 255],
            PixelFormat::Abgr8888 => [c, b, a, d],
            other => panic!("no such buffer is made here: {other:?}"),
        }
    }
}

impl Pixels for Buffer {
    fn read(&self, read: &mut dyn FnMut(PixelView<'_>)) -> Result<(), ReadError> {
        let (data, stride, size, format) = (&self.data, self.stride(), self.size, self.format);
        read(PixelView { data, stride, size, format });
        Ok(())
    }
}

/// A layer with its buffer, and how many pixels of the buffer one of the picture steps by.
#[derive(Clone, Debug)]
struct Scene {
    layer: Layer,
    buffer: Arc<Buffer>,
}

impl Scene {
    fn is_scaled(&self) -> bool {
        let source = self.layer.source.expect("each layer here has one");
        let shown = self.layer.shown;
        i64::from(source.width) != i64::from(shown.width) * 256
            || i64::from(source.height) != i64::from(shown.height) * 256
    }

    /// The pixel that the layer shows at a pixel of the picture, if it lies there.
    fn sample(&self, x: u32, y: u32) -> Option<Bgra> {
        let Layer { at, shown, size, transform, .. } = self.layer;
        let source = self.layer.source.expect("each layer here has one");
        let (dx, dy) = (i64::from(x) - i64::from(at.0), i64::from(y) - i64::from(at.1));
        if !(0..i64::from(shown.width)).contains(&dx) || !(0..i64::from(shown.height)).contains(&dy)
        {
            return None;
        }
        // The centre of the pixel, in pixels of the upright buffer.
        let along = |from: i32, len: i32, d: i64, shown: u32| {
            (f64::from(from) + f64::from(len) * (d as f64 + 0.5) / f64::from(shown)) / 256.0
        };
        let u = along(source.x, source.width, dx, shown.width);
        let v = along(source.y, source.height, dy, shown.height);
        // The stored place of an upright point: what a client that turned its content by so much
        // counter-clockwise, after flipping it, has put there.
        let (w, h) = (f64::from(size.width), f64::from(size.height));
        let (x, y) = match transform {
            Transform::Normal => (u, v),
            Transform::Rotated90 => (v, h - u),
            Transform::Rotated180 => (w - u, h - v),
            Transform::Rotated270 => (w - v, u),
            Transform::Flipped => (w - u, v),
            Transform::Flipped90 => (v, u),
            Transform::Flipped180 => (u, h - v),
            Transform::Flipped270 => (w - v, h - u),
        };
        // The four texels around, weighted by how near their centres are.
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (right, down) = (x - left, y - top);
        let mut mixed = [0.0; 4];
        for (i, wx) in [1.0 - right, right].into_iter().enumerate() {
            for (j, wy) in [1.0 - down, down].into_iter().enumerate() {
                let texel = self.buffer.texel(left as i64 + i as i64, top as i64 + j as i64);
                for (sum, n) in mixed.iter_mut().zip(texel) {
                    *sum += wx * wy * f64::from(n);
                }
            }
        }
        Some(mixed.map(|n| n.round() as u8))
    }
}

fn times(a: u8, b: u8) -> u8 {
    ((u32::from(a) * u32::from(b) * 2 + 255) / 510) as u8
}

/// The pixel of the picture, and how many layers were scaled in making it.
fn expected(scenes: &[Scene], x: u32, y: u32) -> (Bgra, u8) {
    let (mut below, mut scaled) = ([0, 0, 0, 255], 0);
    for scene in scenes {
        let Some(texel) = scene.sample(x, y) else { continue };
        scaled += u8::from(scene.is_scaled());
        let alpha = (scene.layer.alpha >> 24) as u8;
        if scene.layer.opaque && scene.layer.alpha == u32::MAX {
            below = texel;
            continue;
        }
        let texel = texel.map(|n| times(n, alpha));
        for (below, over) in below.iter_mut().zip(texel) {
            *below = over.saturating_add(times(*below, 255 - texel[3]));
        }
    }
    (below, scaled)
}

fn buffers() -> impl Strategy<Value = Buffer> {
    let format = prop_oneof![
        4 => Just(PixelFormat::Argb8888),
        2 => Just(PixelFormat::Xrgb8888),
        1 => Just(PixelFormat::Abgr8888),
    ];
    (1u32..12, 1u32..12, 0usize..9, format).prop_flat_map(|(width, height, padding, format)| {
        let size = Size::new(width, height);
        let len = (width as usize * 4 + padding) * height as usize;
        let alpha = prop_oneof![Just(0u8), Just(255), any::<u8>()];
        let pixels = prop::collection::vec((any::<[u8; 3]>(), alpha), len.div_ceil(4));
        pixels.prop_map(move |pixels| {
            // The bytes of rows need not begin with a pixel, so what is premultiplied for one
            // padding is not for another: the padding is put in afterwards.
            let mut data = Vec::new();
            let mut pixels = pixels.into_iter();
            for _ in 0..height {
                for ([a, b, c], alpha) in pixels.by_ref().take(width as usize) {
                    data.extend([times(a, alpha), times(b, alpha), times(c, alpha), alpha]);
                }
                data.extend(vec![0x55; padding]);
            }
            Buffer { size, padding, format, data }
        })
    })
}

/// Crops lie at whole pixels, and scales are those by which positions come out even, so that no
/// rounding of positions is in question.
fn scenes() -> impl Strategy<Value = Scene> {
    let scale =
        || prop_oneof![4 => Just((1, 1)), 1 => Just((2, 1)), 1 => Just((4, 1)), 1 => Just((1, 2))];
    let place = (-8i32..24, -8i32..24);
    let alpha =
        prop_oneof![3 => Just(u32::MAX), 1 => any::<u8>().prop_map(|n| u32::from(n) * 0x0101_0101)];
    let crop = any::<[u16; 4]>();
    (buffers(), 0u32..8, scale(), scale(), place, any::<bool>(), alpha, crop).prop_map(
        |(buffer, transform, across, down, at, opaque, alpha, crop)| {
            let transform = Transform::from_wire(transform).expect("below 8");
            let upright = transform.undone(buffer.size);
            let side = |len: u32, from: u16, to: u16, (up, by): (u32, u32)| {
                let from = u32::from(from) % len;
                let len = 1 + u32::from(to) % (len - from);
                // A side that does not divide is not scaled.
                let (up, by) = if len.is_multiple_of(by) { (up, by) } else { (1, 1) };
                (from as i32 * 256, len as i32 * 256, len * up / by)
            };
            let (x, width, shown_width) = side(upright.width, crop[0], crop[1], across);
            let (y, height, shown_height) = side(upright.height, crop[2], crop[3], down);
            let buffer = Arc::new(buffer);
            let layer = Layer {
                content: Content::Pixels(Arc::<Buffer>::clone(&buffer)),
                size: buffer.size,
                transform,
                source: Some(Source { x, y, width, height }),
                at,
                shown: Size::new(shown_width, shown_height),
                opaque: opaque || !buffer.format.has_alpha(),
                alpha,
            };
            Scene { layer, buffer }
        },
    )
}

fn rects(size: Size) -> impl Strategy<Value = Vec<Rect>> {
    let rect = (0..size.width, 0..size.height, 1u32..12, 1u32..12).prop_map(move |(x, y, w, h)| {
        Rect { x, y, width: w.min(size.width - x), height: h.min(size.height - y) }
    });
    prop::collection::vec(rect, 0..6)
}

fn layers(scenes: &[Scene]) -> Vec<Layer> {
    scenes.iter().map(|s| s.layer.clone()).collect()
}

fn pixel(canvas: &Canvas, x: u32, y: u32) -> Bgra {
    let view = canvas.view().expect("a picture");
    let at = y as usize * view.stride + x as usize * 4;
    [0, 1, 2, 3].map(|i| view.data[at + i])
}

fn apart(a: Bgra, b: Bgra) -> u8 {
    (0..3).map(|i| a[i].abs_diff(b[i])).max().unwrap_or(0)
}

const SIZE: Size = Size::new(29, 23);

fn all_pixels() -> impl Iterator<Item = (u32, u32)> {
    (0..SIZE.height).flat_map(|y| (0..SIZE.width).map(move |x| (x, y)))
}

fn composed(scenes: &[Scene]) -> Result<Canvas, TestCaseError> {
    let mut canvas = Canvas::new();
    let done = canvas.compose(SIZE, &layers(scenes), &Damage::full(SIZE));
    done.map_err(|e| TestCaseError::fail(e.to_string()))?;
    Ok(canvas)
}

proptest! {
    #[test]
    fn pictures_are_those_of_the_plain_compositor(scenes in prop::collection::vec(scenes(), 0..5)) {
        let canvas = composed(&scenes)?;
        for (x, y) in all_pixels() {
            let (want, scaled) = expected(&scenes, x, y);
            let got = pixel(&canvas, x, y);
            prop_assert!(apart(got, want) <= scaled.max(1), "({x}, {y}): {got:?} for {want:?}");
        }
    }

    #[test]
    fn damage_composes_what_everything_does(
        before in prop::collection::vec(scenes(), 0..4),
        after in prop::collection::vec(scenes(), 0..4),
        rects in rects(SIZE),
    ) {
        let (old, new) = (composed(&before)?, composed(&after)?);
        let mut canvas = composed(&before)?;
        let mut damage = Damage::none(SIZE);
        rects.iter().for_each(|&r| damage.add(r));
        let done = canvas.compose(SIZE, &layers(&after), &damage);
        done.map_err(|e| TestCaseError::fail(e.to_string()))?;
        for (x, y) in all_pixels() {
            let at = Rect { x, y, width: 1, height: 1 };
            let changed = rects.iter().any(|r| r.contains(at));
            let want = pixel(if changed { &new } else { &old }, x, y);
            // pixman's ways of mixing scaled pixels round differently.
            let scaled = if changed { expected(&after, x, y).1 } else { 0 };
            let got = pixel(&canvas, x, y);
            prop_assert!(apart(got, want) <= scaled, "({x}, {y}): {got:?} for {want:?}");
        }
    }

    #[test]
    fn no_number_of_a_client_does_harm(
        buffer in buffers(),
        numbers in prop::collection::vec(hostile(), 10),
        transform in 0u32..8,
        has_source: bool,
        opaque: bool,
        copies in 1usize..5,
    ) {
        let [x, y, sx, sy, sw, sh, w, h, alpha, dx] = numbers[..] else { unreachable!() };
        let layer = Layer {
            size: buffer.size,
            content: Content::Pixels(Arc::new(buffer)),
            transform: Transform::from_wire(transform).expect("below 8"),
            source: has_source.then_some(Source { x: sx, y: sy, width: sw, height: sh }),
            at: (x, y),
            shown: Size::new(w as u32, h as u32),
            opaque,
            alpha: alpha as u32,
        };
        let mut layers = vec![layer; copies];
        layers[0].at = (x.wrapping_add(dx), y.wrapping_sub(dx));
        let mut canvas = Canvas::new();
        let done = canvas.compose(SIZE, &layers, &Damage::full(SIZE));
        prop_assert!(done.is_ok(), "{done:?}");
    }
}

/// Numbers at the ends of what can be said, and usual ones.
fn hostile() -> impl Strategy<Value = i32> {
    prop_oneof![
        any::<i32>(),
        -40i32..40,
        Just(i32::MIN),
        Just(i32::MAX),
        (0i32..4).prop_map(|n| n - 2 + (1 << 16)),
        (0i32..4).prop_map(|n| n - 2 + (1 << 15)),
    ]
}
