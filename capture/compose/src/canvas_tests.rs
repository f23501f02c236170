//! Tests of each rule by itself, with pictures worked out by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use stratus_frame::{Pixels, ReadError, Rect};

use super::*;
use crate::{Content, LayerError, Source, Transform};

const WHITE: u32 = 0xff_ff_ff;

/// A buffer whose rows are `padding` bytes further apart than they need be, behind `ahead` bytes.
struct Buffer {
    size: Size,
    format: PixelFormat,
    data: Vec<u8>,
    padding: usize,
    ahead: usize,
}

impl Buffer {
    fn new(width: u32, height: u32, words: &[u32]) -> Self {
        assert_eq!(words.len(), (width * height) as usize);
        let data = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let (size, format) = (Size::new(width, height), PixelFormat::Argb8888);
        Self { size, format, data, padding: 0, ahead: 0 }
    }

    fn spread(mut self, padding: usize, ahead: usize) -> Self {
        let row = self.size.width as usize * 4;
        let mut data = vec![0xee; ahead];
        for bytes in self.data.chunks(row) {
            data.extend_from_slice(bytes);
            data.extend(vec![0xee; padding]);
        }
        // The last row has no padding behind it.
        data.truncate(data.len() - padding);
        (self.data, self.padding, self.ahead) = (data, padding, ahead);
        self
    }
}

impl Pixels for Buffer {
    fn read(&self, read: &mut dyn FnMut(PixelView<'_>)) -> Result<(), ReadError> {
        let stride = self.size.width as usize * 4 + self.padding;
        let (data, size, format) = (&self.data[self.ahead..], self.size, self.format);
        read(PixelView { data, stride, size, format });
        Ok(())
    }
}

struct Unreadable;

impl Pixels for Unreadable {
    fn read(&self, _: &mut dyn FnMut(PixelView<'_>)) -> Result<(), ReadError> {
        Err(ReadError::Truncated)
    }
}

fn layer(buffer: Buffer, at: (i32, i32)) -> Layer {
    Layer {
        size: buffer.size,
        shown: buffer.size,
        content: Content::Pixels(Arc::new(buffer)),
        transform: Transform::Normal,
        source: None,
        at,
        opaque: true,
        alpha: u32::MAX,
    }
}

fn solid(width: u32, height: u32, word: u32, at: (i32, i32)) -> Layer {
    layer(Buffer::new(width, height, &vec![word; (width * height) as usize]), at)
}

fn colours(canvas: &Canvas) -> Vec<u32> {
    let view = canvas.view().expect("a picture");
    assert_eq!(view.stride, view.size.width as usize * 4);
    assert_eq!(view.format, PixelFormat::Xrgb8888);
    let words = view.data.chunks_exact(4);
    words.map(|w| u32::from_le_bytes([w[0], w[1], w[2], 0])).collect()
}

fn compose(size: Size, layers: &[Layer]) -> Vec<u32> {
    let mut canvas = Canvas::new();
    canvas.compose(size, layers, &Damage::none(size)).expect("composes");
    colours(&canvas)
}

#[test]
fn nothing_is_black() {
    assert!(Canvas::new().view().is_none());
    assert_eq!(compose(Size::new(2, 2), &[]), [0; 4]);
}

#[test]
fn layers_lie_where_they_say_and_the_later_ones_on_top() {
    let layers = [solid(2, 1, 1, (-1, 0)), solid(2, 2, 2, (1, 0)), solid(1, 1, 3, (2, 1))];
    assert_eq!(compose(Size::new(3, 2), &layers), [1, 2, 2, 0, 2, 3]);
}

#[test]
fn see_through_pixels_are_premultiplied() {
    let below = solid(1, 1, 0xff_40_80_c0, (0, 0));
    let mut above = solid(1, 1, 0x80_10_20_30, (0, 0));
    above.opaque = false;
    // 0x10 + 0x40 * (255 - 128) / 255 and so on, rounded.
    assert_eq!(compose(Size::new(1, 1), &[below.clone(), above.clone()]), [0x30_60_90]);
    // The client may say that alpha means nothing.
    above.opaque = true;
    assert_eq!(compose(Size::new(1, 1), &[below, above]), [0x10_20_30]);
}

#[test]
fn alpha_multiplies_all_of_a_layer() {
    let below = solid(1, 1, WHITE, (0, 0));
    let mut above = solid(1, 1, 0xff_00_00_ff, (0, 0));
    above.alpha = u32::MAX / 5;
    assert_eq!(compose(Size::new(1, 1), &[below.clone(), above.clone()]), [0xcc_cc_ff]);
    above.alpha = 0;
    assert_eq!(compose(Size::new(1, 1), &[below, above]), [WHITE]);
}

#[test]
fn one_pixel_buffers_fill() {
    let mut fill = solid(1, 1, 0, (0, 0));
    fill.shown = Size::new(2, 1);
    fill.opaque = false;
    fill.content = Content::Colour([u32::MAX, u32::MAX / 2, 0, u32::MAX]);
    assert_eq!(compose(Size::new(2, 1), std::slice::from_ref(&fill)), [0xff_7f_00; 2]);
    // Half a white over white is white.
    let half = u32::MAX / 2;
    fill.content = Content::Colour([half, half, half, half]);
    let below = solid(2, 1, WHITE, (0, 0));
    assert_eq!(compose(Size::new(2, 1), &[below, fill]), [WHITE; 2]);
}

#[test]
fn all_formats_become_xrgb() {
    // Red 0x11, green 0x22 and blue 0x33, with the lower two bits of ten set or not; alpha, or
    // what is none, is 0 in the first four.
    let cases = [
        (PixelFormat::Xrgb8888, 0x00_11_22_33_u32),
        (PixelFormat::Xbgr8888, 0x00_33_22_11),
        (PixelFormat::Xrgb2101010, 0x047 << 20 | 0x088 << 10 | 0x0cf),
        (PixelFormat::Xbgr2101010, 0x0cd << 20 | 0x08b << 10 | 0x044),
        (PixelFormat::Argb8888, 0xff_11_22_33),
        (PixelFormat::Abgr8888, 0xff_33_22_11),
        (PixelFormat::Argb2101010, 3 << 30 | 0x047 << 20 | 0x088 << 10 | 0x0cf),
        (PixelFormat::Abgr2101010, 3 << 30 | 0x0cd << 20 | 0x08b << 10 | 0x044),
    ];
    for (format, word) in cases {
        let mut buffer = Buffer::new(3, 1, &[word; 3]);
        buffer.format = format;
        let mut layer = layer(buffer, (0, 0));
        layer.opaque = false;
        let below = solid(3, 1, WHITE, (0, 0));
        assert_eq!(compose(Size::new(3, 1), &[below, layer]), [0x11_22_33; 3], "{format:?}");
    }
}

#[test]
fn thirds_of_alpha_count() {
    // A third of white over black is a third of white.
    let mut buffer = Buffer::new(1, 1, &[1 << 30 | 0x155 << 20 | 0x155 << 10 | 0x155]);
    buffer.format = PixelFormat::Argb2101010;
    let mut layer = layer(buffer, (0, 0));
    layer.opaque = false;
    assert_eq!(compose(Size::new(1, 1), &[solid(1, 1, WHITE, (0, 0)), layer]), [WHITE]);
}

#[test]
fn a_buffer_of_each_transform_is_turned_upright() {
    // Upright: 1 2 3
    //          4 5 6
    // Stored as wl_output.transform describes it: counter-clockwise, flipped before.
    let cases: [(u32, Size, [u32; 6]); 8] = [
        (0, Size::new(3, 2), [1, 2, 3, 4, 5, 6]),
        (1, Size::new(2, 3), [3, 6, 2, 5, 1, 4]),
        (2, Size::new(3, 2), [6, 5, 4, 3, 2, 1]),
        (3, Size::new(2, 3), [4, 1, 5, 2, 6, 3]),
        (4, Size::new(3, 2), [3, 2, 1, 6, 5, 4]),
        (5, Size::new(2, 3), [1, 4, 2, 5, 3, 6]),
        (6, Size::new(3, 2), [4, 5, 6, 1, 2, 3]),
        (7, Size::new(2, 3), [6, 3, 5, 2, 4, 1]),
    ];
    for (wire, stored, words) in cases {
        let mut layer = layer(Buffer::new(stored.width, stored.height, &words), (1, 0));
        layer.transform = Transform::from_wire(wire).unwrap();
        layer.shown = Size::new(3, 2);
        assert_eq!(layer.transform.swaps_sides(), stored.width == 2);
        let upright = [0, 1, 2, 3, 0, 4, 5, 6];
        assert_eq!(compose(Size::new(4, 2), std::slice::from_ref(&layer)), upright, "{wire}");
        // The same one pixel at a time, and cropped to the four on the right.
        let mut canvas = Canvas::new();
        let size = Size::new(4, 2);
        canvas.compose(size, &[], &Damage::full(size)).unwrap();
        for (x, y) in (0..8).map(|i| (i % 4, i / 4)) {
            let mut dot = Damage::none(size);
            dot.add(Rect { x, y, width: 1, height: 1 });
            canvas.compose(size, std::slice::from_ref(&layer), &dot).unwrap();
        }
        assert_eq!(colours(&canvas), upright, "{wire} by pixels");
        layer.source = Some(Source { x: 256, y: 0, width: 512, height: 512 });
        (layer.shown, layer.at) = (Size::new(2, 2), (0, 0));
        assert_eq!(compose(Size::new(2, 2), &[layer]), [2, 3, 5, 6], "{wire} cropped");
    }
    assert_eq!(Transform::from_wire(8), None);
}

#[test]
fn scaled_pixels_are_mixed_and_edges_go_on() {
    let mut wide = layer(Buffer::new(2, 1, &[0, 0xff_80_40_00]), (0, 0));
    wide.shown = Size::new(8, 2);
    // Centres lie at 1/8, 3/8, and so on of a pixel; mixed between 0.5 and 1.5, else the edge.
    let row = [0, 0, 0x10, 0x30, 0x50, 0x70, 0x80, 0x80].map(|n: u32| n << 16 | (n / 2) << 8);
    let near = |got: Vec<u32>, want: Vec<u32>| {
        let apart = |a: u32, b: u32| {
            (0..3).all(|i| ((a >> (8 * i)) & 0xff).abs_diff((b >> (8 * i)) & 0xff) <= 1)
        };
        assert!(got.iter().zip(&want).all(|(a, b)| apart(*a, *b)), "{got:x?} {want:x?}");
    };
    near(compose(Size::new(8, 2), std::slice::from_ref(&wide)), [row, row].concat());
    // Half the width takes the mean of two.
    let mut narrow = layer(Buffer::new(4, 1, &[0, 2, 4, 6]), (0, 0));
    narrow.shown = Size::new(2, 1);
    near(compose(Size::new(2, 1), &[narrow]), vec![1, 5]);
    // What lies left of the picture is counted in.
    wide.at = (-4, 0);
    near(compose(Size::new(4, 1), &[wide]), row[4..].to_vec());
}

#[test]
fn rows_anywhere_in_memory_are_read() {
    let words: Vec<u32> = (1..=12).collect();
    for (padding, ahead) in [(0, 0), (4, 0), (1, 0), (3, 4), (0, 1), (8, 2), (2, 3)] {
        let buffer = Buffer::new(4, 3, &words).spread(padding, ahead);
        let got = compose(Size::new(4, 3), &[layer(buffer, (0, 0))]);
        assert_eq!(got, words, "{padding} {ahead}");
        let buffer = Buffer::new(4, 3, &words).spread(padding, ahead);
        let got = compose(Size::new(2, 2), &[layer(buffer, (-2, -1))]);
        assert_eq!(got, [7, 8, 11, 12], "{padding} {ahead} in part");
    }
}

#[test]
fn only_what_changed_is_touched() {
    let size = Size::new(100, 80);
    let mut canvas = Canvas::new();
    canvas.compose(size, &[solid(100, 80, 1, (0, 0))], &Damage::none(size)).unwrap();
    assert_eq!(canvas.composed_pixels(), 8000);
    let mut changed = Damage::none(size);
    changed.add(Rect { x: 10, y: 20, width: 3, height: 2 });
    changed.add(Rect { x: 12, y: 21, width: 5, height: 5 });
    let other = [solid(100, 80, 2, (0, 0))];
    canvas.compose(size, &other, &changed).unwrap();
    // The pixel that is in both rectangles is drawn once.
    assert_eq!(canvas.composed_pixels(), 6 + 25 - 1);
    let twos = colours(&canvas).iter().filter(|&&c| c == 2).count();
    assert_eq!(twos, 30);
    assert_eq!(colours(&canvas)[21 * 100 + 12], 2);
    canvas.compose(size, &other, &Damage::none(size)).unwrap();
    assert_eq!(canvas.composed_pixels(), 0);
}

#[test]
fn what_an_opaque_layer_hides_is_not_drawn() {
    let size = Size::new(10, 10);
    let all = Damage::full(size);
    let mut canvas = Canvas::new();
    let count = |canvas: &mut Canvas, layers: &[Layer]| {
        canvas.compose(size, layers, &all).unwrap();
        canvas.composed_pixels()
    };
    let hidden =
        Layer { content: Content::Pixels(Arc::new(Unreadable)), ..solid(10, 10, 0, (0, 0)) };
    assert_eq!(count(&mut canvas, &[hidden.clone(), solid(10, 10, 1, (0, 0))]), 100);
    assert_eq!(count(&mut canvas, &[solid(10, 10, 1, (0, 0)), solid(4, 4, 2, (3, 3))]), 100);
    // One that is faded hides nothing.
    let faded = Layer { alpha: u32::MAX / 2, ..solid(4, 4, 2, (3, 3)) };
    assert_eq!(count(&mut canvas, &[solid(10, 10, 1, (0, 0)), faded]), 116);
    // Nor does one that shows nothing.
    let empty = Source { x: 0, y: 0, width: 0, height: 256 };
    let nothing = Layer { source: Some(empty), ..solid(10, 10, 2, (0, 0)) };
    assert_eq!(count(&mut canvas, &[nothing, solid(4, 4, 2, (0, 0))]), 100);
}

#[test]
fn a_new_size_or_distrust_composes_everything() {
    let (small, large) = (Size::new(4, 4), Size::new(6, 5));
    let mut canvas = Canvas::new();
    let layers = [solid(9, 9, 7, (0, 0))];
    for (size, drawn) in [(small, 16), (small, 0), (large, 30), (small, 16), (small, 0)] {
        canvas.compose(size, &layers, &Damage::none(size)).unwrap();
        assert_eq!(canvas.composed_pixels(), drawn);
        assert_eq!(colours(&canvas), vec![7; (size.width * size.height) as usize]);
    }
    canvas.distrust();
    canvas.compose(small, &layers, &Damage::none(small)).unwrap();
    assert_eq!(canvas.composed_pixels(), 16);
    // Damage of another picture says nothing about this one.
    canvas.compose(small, &layers, &Damage::none(large)).unwrap();
    assert_eq!(canvas.composed_pixels(), 16);
}

#[test]
fn a_layer_that_cannot_be_read_spoils_the_picture_but_not_the_others() {
    let size = Size::new(3, 1);
    let none = Damage::none(size);
    let broken = Layer { content: Content::Pixels(Arc::new(Unreadable)), ..solid(1, 1, 0, (1, 0)) };
    let layers = [solid(1, 1, 1, (0, 0)), broken, solid(1, 1, 3, (2, 0))];
    let mut canvas = Canvas::new();
    let error = ComposeError::Layer { index: 1, source: LayerError::Read(ReadError::Truncated) };
    assert_eq!(canvas.compose(size, &layers, &none), Err(error));
    let seen = colours(&canvas);
    assert_eq!([seen[0], seen[2]], [1, 3]);
    canvas.compose(size, &layers[..1], &none).unwrap();
    assert_eq!(colours(&canvas), [1, 0, 0]);
    assert_eq!(canvas.composed_pixels(), 3);
}

#[test]
fn views_that_are_not_the_layer_are_refused() {
    let size = Size::new(2, 2);
    let mut short = Buffer::new(2, 2, &[0; 4]);
    short.data.pop();
    let overlapping = Buffer { padding: 0, ..Buffer::new(2, 2, &[0; 4]) };
    let mut other = layer(overlapping, (0, 0));
    other.size = Size::new(3, 2);
    for layer in [layer(short, (0, 0)), other] {
        let mut canvas = Canvas::new();
        let refused = canvas.compose(size, &[layer], &Damage::full(size));
        let expected = matches!(
            refused,
            Err(ComposeError::Layer { index: 0, source: LayerError::View { .. } })
        );
        assert!(expected, "{refused:?}");
    }
}

#[test]
fn pictures_beyond_any_screen_are_refused() {
    let mut canvas = Canvas::new();
    let sizes = [(0, 0), (5, 0), (16_385, 1), (1, 16_385), (16_384, 4097), (u32::MAX, u32::MAX)];
    for (width, height) in sizes {
        let size = Size::new(width, height);
        let refused = canvas.compose(size, &[], &Damage::none(size));
        assert_eq!(refused, Err(ComposeError::Size(size)));
    }
    assert!(canvas.view().is_none());
    let longest = Size::new(16_384, 1);
    let mut far = solid(1, 1, 5, (16_383, 0));
    far.shown = Size::new(u32::MAX, u32::MAX);
    canvas.compose(longest, &[far], &Damage::full(longest)).unwrap();
    assert_eq!(colours(&canvas)[16_382..], [0, 5]);
}

#[test]
fn long_buffers_are_copied_but_not_scaled() {
    // pixman by itself would draw nothing of any side from 32767 on.
    let words: Vec<u32> = (0..40_000).collect();
    let mut long = layer(Buffer::new(40_000, 1, &words), (-39_990, 0));
    assert_eq!(
        compose(Size::new(4, 1), std::slice::from_ref(&long)),
        [39_990, 39_991, 39_992, 39_993]
    );
    long.transform = Transform::Rotated180;
    assert_eq!(compose(Size::new(4, 1), std::slice::from_ref(&long)), [9, 8, 7, 6]);
    (long.at, long.shown) = ((0, 0), Size::new(4, 1));
    let size = Size::new(4, 1);
    let refused = Canvas::new().compose(size, std::slice::from_ref(&long), &Damage::full(size));
    let scaled = LayerError::Scaled(Size::new(40_000, 1));
    assert_eq!(refused, Err(ComposeError::Layer { index: 0, source: scaled }));
    // Enlarged, only a part of it is looked at, however far in: at 4.25, 3.75 and so on.
    (long.at, long.shown) = ((-79_990, 0), Size::new(80_000, 1));
    assert_eq!(compose(size, &[long]), [4, 3, 3, 2]);
}

#[test]
fn splinters_cost_bounded_work() {
    // A chequered pattern of opaque dots over a full layer: cutting all of them out of what is
    // left would take a region of as many pieces.
    let size = Size::new(256, 256);
    let mut layers = vec![solid(256, 256, 1, (0, 0))];
    layers.extend((0..2000).map(|i| solid(1, 1, 2, (2 * (i % 128), 2 * (i / 128)))));
    let mut canvas = Canvas::new();
    canvas.compose(size, &layers, &Damage::full(size)).unwrap();
    assert!(canvas.composed_pixels() <= 256 * 256 + 2000);
    assert_eq!(colours(&canvas).iter().filter(|&&c| c == 2).count(), 2000);
}
