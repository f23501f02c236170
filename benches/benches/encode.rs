//! Encoding a moving scene with libx264, by picture size and threads.
#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use stratus_encode::{Coding, Converter, Decoder, Encoder, EncoderConfig, Picture, X264};
use stratus_frame::{Damage, PixelFormat, PixelView, Size};

/// Pictures of the scene; it runs forth and back so that no frame is a cut.
const STEPS: u32 = 24;

/// A patterned ground that scrolls, with boxes that cross it at other speeds.
fn pixels(size: Size, step: u32) -> Vec<u8> {
    let boxes: Vec<[u32; 3]> = (0..12)
        .map(|i| {
            let x = (i * 157 + step * (2 + i % 5)) % size.width;
            [x, (i * 97 + step * (1 + i % 3)) % size.height, 0x20_30_40 * (i + 1)]
        })
        .collect();
    let mut data = Vec::with_capacity((size.width * size.height * 4) as usize);
    for y in 0..size.height {
        for x in 0..size.width {
            let hit = boxes
                .iter()
                .find(|[bx, by, _]| x.wrapping_sub(*bx) < 90 && y.wrapping_sub(*by) < 60);
            let (gx, gy) = (x + step * 3, y + step);
            let tile = (gx / 24).wrapping_mul(2_654_435_761) ^ (gy / 24).wrapping_mul(40_503);
            let grain = (gx.wrapping_mul(31) ^ gy.wrapping_mul(17)) & 0x07_07_07;
            let pixel = hit.map_or((tile >> 6 & 0x7f_7f_7f) + grain, |b| b[2]);
            data.extend_from_slice(&pixel.to_le_bytes());
        }
    }
    data
}

fn scene(size: Size) -> Vec<Picture> {
    (0..STEPS)
        .map(|step| {
            let data = pixels(size, step);
            let stride = size.width as usize * 4;
            let view = PixelView { data: &data, stride, size, format: PixelFormat::Xrgb8888 };
            let mut converter = Converter::new();
            converter.convert(view, &Damage::full(size)).unwrap();
            converter.into_picture().unwrap()
        })
        .collect()
}

fn encode(c: &mut Criterion) {
    for (name, size, bitrate) in
        [("720p", Size::new(1280, 720), 12_000_000), ("1080p", Size::new(1920, 1080), 20_000_000)]
    {
        let mut pictures = scene(size);
        let mut group = c.benchmark_group(format!("encode/{name} moving"));
        for threads in [1, 2] {
            let config = EncoderConfig { size, fps: 60, bitrate, threads };
            let mut encoder = X264::open(config).unwrap();
            let mut order = (0..STEPS).chain((1..STEPS - 1).rev()).cycle();
            group.bench_function(format!("{threads} threads"), |b| {
                b.iter(|| {
                    let step = order.next().unwrap() as usize;
                    encoder.encode(&mut pictures[step], Coding::Delta).unwrap()
                });
            });
        }
        group.finish();
        decode(c, name, size, bitrate, &mut pictures);
    }
}

fn decode(c: &mut Criterion, name: &str, size: Size, bitrate: u64, pictures: &mut [Picture]) {
    let mut encoder = X264::open(EncoderConfig { size, fps: 60, bitrate, threads: 2 }).unwrap();
    // Each round begins with the keyframe, so that every difference has what it refers to.
    let units: Vec<_> =
        pictures.iter_mut().map(|p| encoder.encode(p, Coding::Delta).unwrap().data).collect();
    let mut decoder = Decoder::new(size).unwrap();
    let mut order = units.iter().cycle();
    c.bench_function(&format!("decode/{name} moving"), |b| {
        b.iter(|| decoder.decode(order.next().unwrap()).map(|d| d.planes.size()).unwrap());
    });
}

criterion_group!(benches, encode);
criterion_main!(benches);
