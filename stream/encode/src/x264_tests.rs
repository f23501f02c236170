//! Tests of libx264: what it makes comes back through the decoder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::annexb;
use crate::convert::Converter;
use crate::decode::Decoder;
use crate::test_scene::{Scene, read_marker};

const SIZE: Size = Size::new(320, 192);

fn config(size: Size) -> EncoderConfig {
    EncoderConfig { size, fps: 60, bitrate: 8_000_000, threads: 2 }
}

/// Encoder, decoder and what lies between.
struct Chain {
    converter: Converter,
    encoder: X264,
    decoder: Decoder,
}

impl Chain {
    fn new(config: EncoderConfig) -> Self {
        Self {
            converter: Converter::new(),
            encoder: X264::open(config).unwrap(),
            decoder: Decoder::new(config.size).unwrap(),
        }
    }

    fn encode(&mut self, scene: &Scene, coding: Coding) -> AccessUnit {
        scene.draw(&mut self.converter);
        self.encoder.encode(self.converter.picture_mut().unwrap(), coding).unwrap()
    }

    /// Encodes and decodes; returns the unit and how near the picture came.
    fn pass(&mut self, scene: &Scene, coding: Coding) -> (AccessUnit, f64) {
        let unit = self.encode(scene, coding);
        let decoded = self.decoder.decode(&unit.data).unwrap();
        assert_eq!(decoded.planes.size(), scene.size.rounded_up_to_even());
        assert_eq!(decoded.keyframe, unit.keyframe);
        (unit, scene.psnr(&decoded.planes))
    }
}

#[test]
fn pictures_come_back() {
    for (size, threads) in [(SIZE, 1), (SIZE, 2), (Size::new(321, 193), 2), (Size::new(64, 64), 4)]
    {
        let mut chain = Chain::new(EncoderConfig { threads, ..config(size) });
        for step in 0..20 {
            let (_, psnr) = chain.pass(&Scene::moving(size, step), Coding::Delta);
            assert!(psnr > 25.0, "{size}, {threads} threads, step {step}: {psnr:.1} dB");
        }
    }
}

#[test]
fn markers_are_readable_in_every_frame() {
    let mut chain = Chain::new(config(SIZE));
    for number in (0..90_u32).map(|i| i.wrapping_mul(2_654_435_761)) {
        let unit = chain.encode(&Scene::marker(SIZE, number), Coding::Delta);
        let decoded = chain.decoder.decode(&unit.data).unwrap();
        assert_eq!(read_marker(&decoded.planes), number);
    }
}

#[test]
fn the_smallest_pictures_work() {
    for size in [Size::new(1, 1), Size::new(2, 2), Size::new(17, 1), Size::new(1, 33)] {
        let mut chain = Chain::new(config(size));
        for step in 0..3 {
            chain.pass(&Scene::moving(size, step), Coding::Delta);
        }
    }
}

#[test]
fn keyframes_come_first_and_where_asked_and_nowhere_else() {
    let mut chain = Chain::new(config(SIZE));
    for step in 0..700 {
        let asked = step == 100 || step == 101 || step == 650;
        let coding = if asked { Coding::Keyframe } else { Coding::Delta };
        // A cut every 50 frames: scene detection would answer with a keyframe.
        let scene =
            if step / 50 % 2 == 0 { Scene::moving(SIZE, step) } else { Scene::noise(SIZE, step) };
        let unit = chain.encode(&scene, coding);
        assert_eq!(unit.keyframe, step == 0 || asked, "frame {step}");
        let kinds: Vec<u8> = annexb::units(&unit.data).map(annexb::kind).collect();
        let count = |kind| kinds.iter().filter(|k| **k == kind).count();
        let headers = usize::from(unit.keyframe);
        assert_eq!((count(annexb::SPS), count(annexb::PPS)), (headers, headers), "frame {step}");
        assert_eq!(count(annexb::IDR_SLICE) > 0, unit.keyframe);
        assert_eq!(count(annexb::SLICE) > 0, !unit.keyframe);
    }
}

#[test]
fn a_keyframe_alone_starts_a_decoder() {
    let mut chain = Chain::new(config(SIZE));
    for step in 0..10 {
        chain.encode(&Scene::moving(SIZE, step), Coding::Delta);
    }
    let scene = Scene::moving(SIZE, 10);
    let unit = chain.encode(&scene, Coding::Keyframe);
    let mut fresh = Decoder::new(SIZE).unwrap();
    let psnr = scene.psnr(&fresh.decode(&unit.data).unwrap().planes);
    assert!(psnr > 27.0, "{psnr:.1} dB");
}

#[test]
fn the_stream_states_its_colours() {
    let mut chain = Chain::new(config(SIZE));
    let unit = chain.encode(&Scene::moving(SIZE, 0), Coding::Delta);
    assert!(chain.decoder.decode(&unit.data).unwrap().color.is_bt709_limited);
}

/// Mean bytes a frame of noise, which takes all the bits it is given.
fn mean_bytes(chain: &mut Chain, frames: u32) -> u64 {
    let total: usize =
        (0..frames).map(|i| chain.encode(&Scene::noise(SIZE, i), Coding::Delta).data.len()).sum();
    total as u64 / u64::from(frames)
}

#[test]
fn the_bitrate_changes_while_open_without_a_keyframe() {
    let mut chain = Chain::new(EncoderConfig { bitrate: 12_000_000, ..config(SIZE) });
    mean_bytes(&mut chain, 30);
    for bitrate in [12_000_000, 6_000_000, 24_000_000, 3_000_000_u64] {
        chain.encoder.set_bitrate(bitrate);
        assert_eq!(chain.encoder.bitrate(), bitrate);
        // The rate control takes some frames to settle.
        mean_bytes(&mut chain, 40);
        let share = bitrate / 8 / 60;
        let mean = mean_bytes(&mut chain, 60);
        assert!(mean > share / 2 && mean < share * 3 / 2, "{mean} bytes a frame for {share}");
    }
}

#[test]
fn bitrates_are_held_to_their_range() {
    let mut chain = Chain::new(EncoderConfig { bitrate: 0, ..config(SIZE) });
    assert_eq!(chain.encoder.bitrate(), *BITRATES.start());
    chain.pass(&Scene::moving(SIZE, 0), Coding::Delta);
    chain.encoder.set_bitrate(u64::MAX);
    assert_eq!(chain.encoder.bitrate(), *BITRATES.end());
    chain.pass(&Scene::moving(SIZE, 1), Coding::Delta);
    chain.pass(&Scene::moving(SIZE, 1), Coding::Refinement);
}

#[test]
fn refinements_are_sharper_than_plain_repeats_and_bounded() {
    let size = Size::new(640, 360);
    let bitrate = 2_000_000;
    let share = bitrate as usize / 8 / 60;
    let after = |coding: Coding| {
        let mut chain = Chain::new(EncoderConfig { bitrate, ..config(size) });
        for step in 0..30 {
            chain.pass(&Scene::moving(size, step), Coding::Delta);
        }
        let text = Scene::text(size);
        chain.pass(&text, Coding::Delta);
        let mut quality = 0.0;
        for _ in 0..4 {
            let (unit, psnr) = chain.pass(&text, coding);
            assert!(!unit.keyframe && psnr >= quality, "{psnr:.1} dB after {quality:.1}");
            assert!(unit.data.len() < share * 8, "{} bytes, share {share}", unit.data.len());
            quality = psnr;
        }
        // The bits lent for the still moment are not taken from what follows.
        let (unit, _) = chain.pass(&Scene::moving(size, 31), Coding::Delta);
        assert!(unit.data.len() < share * 3, "{} bytes, share {share}", unit.data.len());
        quality
    };
    let (plain, refined) = (after(Coding::Delta), after(Coding::Refinement));
    assert!(refined > plain + 2.0, "{refined:.1} dB, plain {plain:.1}");
}

#[test]
fn sizes_that_h264_cannot_hold_are_refused_before_anything_is_allocated() {
    for (width, height) in [(0, 0), (0, 10), (10, 0)] {
        let size = Size::new(width, height);
        let error = X264::open(config(size)).err();
        assert_eq!(error, Some(EncodeError::EmptySize { size }));
    }
    for (width, height) in [(16_385, 16), (16, 16_385), (u32::MAX, u32::MAX)] {
        let size = Size::new(width, height);
        let limit = SizeLimit::Side(MAX_SIDE);
        assert_eq!(X264::open(config(size)).err(), Some(EncodeError::TooLarge { size, limit }));
    }
    let size = Size::new(16_384, 16_384);
    let limit = SizeLimit::Macroblocks(MAX_MACROBLOCKS);
    assert_eq!(check_x264_size(size), Err(EncodeError::TooLarge { size, limit }));
    assert_eq!(check_x264_size(Size::new(8192, 4320)), Ok(()));
}

#[test]
fn a_picture_of_another_size_is_refused() {
    let mut encoder = X264::open(config(SIZE)).unwrap();
    let size = Size::new(64, 64);
    let refused = encoder.encode(&mut Picture::new(size).unwrap(), Coding::Delta).err();
    assert_eq!(refused, Some(EncodeError::WrongSize { encoder: NAME, expected: SIZE, size }));
}

#[test]
fn encoding_leaves_the_picture_to_us_alone() {
    let mut chain = Chain::new(config(SIZE));
    for step in 0..5 {
        chain.encode(&Scene::moving(SIZE, step), Coding::Delta);
        let picture = chain.converter.picture_mut().unwrap();
        // Otherwise the next conversion would have to copy it.
        assert_eq!(ffi::frame::unshare(picture.frame_mut()), Some(false));
    }
}

#[test]
fn access_units_outlive_the_encoder() {
    let mut chain = Chain::new(config(SIZE));
    let scene = Scene::moving(SIZE, 3);
    let unit = chain.encode(&scene, Coding::Delta);
    let copy = unit.data.to_vec();
    drop(chain);
    assert_eq!(unit.data, copy);
}
