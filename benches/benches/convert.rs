//! Colour conversion: the game's pixels to I420, whole pictures and damaged rows.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stratus_encode::Converter;
use stratus_frame::{Damage, PixelFormat, PixelView, Rect, Size};

fn pixels(size: Size) -> Vec<u8> {
    (0..size.width * size.height).flat_map(|i| (i ^ (i >> 7)).to_le_bytes()).collect()
}

fn convert(c: &mut Criterion) {
    for (name, size) in [("720p", Size::new(1280, 720)), ("1080p", Size::new(1920, 1080))] {
        let data = pixels(size);
        let stride = size.width as usize * 4;
        let view = PixelView { data: &data, stride, size, format: PixelFormat::Xrgb8888 };
        let mut converter = Converter::new();
        converter.convert(view, &Damage::full(size)).unwrap();
        let mut line = Damage::none(size);
        // A line of text, as a terminal damages it.
        line.add(Rect { x: 40, y: 301, width: 600, height: 16 });
        let mut group = c.benchmark_group(format!("convert/{name}"));
        for (what, damage) in [("full", Damage::full(size)), ("a line of text", line)] {
            group.throughput(Throughput::Elements(1));
            group.bench_function(what, |b| {
                b.iter(|| converter.convert(black_box(view), black_box(&damage)).unwrap());
            });
        }
        let mut copy = vec![0; data.len()];
        group.bench_function("memcpy of the same pixels", |b| {
            b.iter(|| black_box(&mut copy).copy_from_slice(black_box(&data)));
        });
        group.finish();
    }
}

criterion_group!(benches, convert);
criterion_main!(benches);
