//! Tests of the decoder on what no encoder of ours makes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::convert::Converter;
use crate::encoder::{Coding, Encoder as _, EncoderConfig};
use crate::test_scene::Scene;
use crate::x264::X264;

const SIZE: Size = Size::new(160, 96);

fn stream(size: Size, frames: u32) -> Vec<Vec<u8>> {
    let config = EncoderConfig { size, fps: 60, bitrate: 4_000_000, threads: 1 };
    let mut encoder = X264::open(config).unwrap();
    let mut converter = Converter::new();
    (0..frames)
        .map(|i| {
            Scene::moving(size, i).draw(&mut converter);
            encoder.encode(converter.picture_mut().unwrap(), Coding::Delta).unwrap().data.to_vec()
        })
        .collect()
}

#[test]
fn garbage_is_an_error_and_the_decoder_lives_on() {
    let good = stream(SIZE, 2);
    let mut decoder = Decoder::new(SIZE).unwrap();
    assert_eq!(decoder.decode(&[]).err(), Some(DecodeError::Length(0)));
    let mut seed = 9_u32;
    for len in [1, 2, 3, 4, 5, 64, 1000, 50_000] {
        let mut garbage: Vec<u8> = (0..len)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            })
            .collect();
        assert!(decoder.decode(&garbage).is_err());
        let head = [0, 0, 0, 1, 0x65];
        let n = garbage.len().min(head.len());
        garbage[..n].copy_from_slice(&head[..n]);
        match decoder.decode(&garbage).err() {
            // Words for people, without addresses.
            Some(DecodeError::Damaged { reason, .. }) => {
                assert!(!reason.is_empty() && !reason.contains("0x"), "{reason}");
            }
            other => assert!(matches!(other, Some(DecodeError::NoPicture(_))), "{other:?}"),
        }
    }
    decoder.decode(&good[0]).unwrap();
    decoder.decode(&good[1]).unwrap();
}

#[test]
fn every_single_damaged_byte_leaves_the_decoder_usable() {
    let good = stream(SIZE, 1).remove(0);
    let mut decoder = Decoder::new(SIZE).unwrap();
    for at in (0..good.len()).step_by(1 + good.len() / 400) {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        // Some damage only changes pixels, so this may succeed; it must not do worse than fail.
        let _ = decoder.decode(&bad);
        let cut = decoder.decode(&good[..at]);
        assert!(at > good.len() / 2 || cut.is_err(), "cut at {at}");
    }
    assert_eq!(decoder.decode(&good).map(|d| d.planes.size()), Ok(SIZE));
}

#[test]
fn a_delta_without_its_keyframe_is_an_error() {
    let good = stream(SIZE, 2);
    let mut decoder = Decoder::new(SIZE).unwrap();
    assert!(decoder.decode(&good[1]).is_err());
}

#[test]
fn larger_pictures_than_allowed_are_refused() {
    let large = stream(Size::new(320, 192), 1);
    let mut decoder = Decoder::new(SIZE).unwrap();
    assert!(decoder.decode(&large[0]).is_err());
    // Within the same macroblocks, but not within the same pixels.
    let slightly = stream(Size::new(160, 96), 1);
    let max = Size::new(150, 90);
    let refused = Decoder::new(max).unwrap().decode(&slightly[0]).map(|_| ());
    assert_eq!(refused, Err(DecodeError::TooLarge { size: Size::new(160, 96), max }));
}

#[test]
fn the_size_may_change_at_a_keyframe() {
    let mut decoder = Decoder::new(Size::new(320, 192)).unwrap();
    for size in [SIZE, Size::new(320, 192), Size::new(64, 64)] {
        for unit in stream(size, 3) {
            assert_eq!(decoder.decode(&unit).unwrap().planes.size(), size);
        }
    }
}

#[test]
fn headers_alone_are_an_error() {
    let good = stream(SIZE, 2);
    let mut decoder = Decoder::new(SIZE).unwrap();
    let sets = crate::annexb::parameter_sets(&good[0]);
    assert!(decoder.decode(&sets).is_err());
    decoder.decode(&good[0]).unwrap();
}

#[test]
fn a_picture_that_was_taken_stays_as_it_was() {
    let units = stream(SIZE, 8);
    let mut decoder = Decoder::new(SIZE).unwrap();
    let mut kept = Vec::new();
    for unit in &units {
        let shown = decoder.decode(unit).unwrap().planes.to_rgb(SIZE);
        kept.push((decoder.take(), shown));
    }
    assert_eq!(decoder.take().planes().map(|p| p.size()), None, "it was given away");
    for (picture, shown) in &kept {
        assert_eq!(picture.planes().unwrap().to_rgb(SIZE), *shown);
    }
    assert_ne!(kept[0].1, kept[7].1);
}
