//! Tests of streams.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pulseaudio::protocol::{ChannelPosition, SampleFormat};

use super::*;
use crate::TICK_FRAMES;

const NEXT: Seek = Seek::Relative(0);

fn spec(sample_rate: u32) -> SampleSpec {
    SampleSpec { format: SampleFormat::S16Le, channels: 1, sample_rate }
}

fn mono(sample_rate: u32, target: usize) -> Stream {
    let sizes = Sizes { max: 100_000, target, prebuf: target, minreq: 2 };
    Stream::new(0, (spec(sample_rate), ChannelMap::mono()), sizes, Props::new())
}

fn tick(stream: &mut Stream) -> (Tick, [Option<Event>; 2]) {
    let mut out = [0.0; TICK_FRAMES * 2];
    let events = stream.mix(&mut Scratch::default(), &mut out);
    (out, events)
}

#[test]
fn it_starts_when_filled_runs_dry_once_and_starts_again() {
    let mut stream = mono(48_000, 960);
    assert!(!stream.is_active());
    assert_eq!(tick(&mut stream).1, [None, None]);
    stream.write(NEXT, &[0, 0x40].repeat(480));
    let (out, events) = tick(&mut stream);
    assert_eq!(events, [Some(Event::Started), None]);
    assert!(out.iter().all(|x| *x == 0.5));
    assert_eq!(tick(&mut stream).1, [None, None]);
    let (out, events) = tick(&mut stream);
    assert_eq!(events, [None, Some(Event::Underflow)]);
    assert_eq!(out, [0.0; TICK_FRAMES * 2]);
    assert!(!stream.is_active(), "it waits, and nobody needs to wake for it");
    stream.write(NEXT, &[0, 0x40].repeat(480));
    assert_eq!(tick(&mut stream).1, [Some(Event::Started), None]);
}

#[test]
fn time_goes_on_in_a_stream_that_waits_for_nothing() {
    let sizes = Sizes { max: 100_000, target: 960, prebuf: 0, minreq: 2 };
    let mut stream = Stream::new(0, (spec(48_000), ChannelMap::mono()), sizes, Props::new());
    stream.write(NEXT, &[0, 0x40].repeat(240));
    assert_eq!(tick(&mut stream).1, [Some(Event::Started), None]);
    assert_eq!(tick(&mut stream).1, [None, Some(Event::Underflow)]);
    tick(&mut stream);
    // A player whose clock is the place of reading would otherwise wait for its end for ever.
    assert!(stream.is_running() && stream.is_active());
    assert_eq!((stream.queue.places().0, stream.playing_for), (3 * 480, 3 * 480));
    stream.cork(true);
    assert!(!stream.is_running());
}

#[test]
fn all_is_played_before_a_drain_is_answered() {
    let mut stream = mono(48_000, 9600);
    assert_eq!(stream.drain(7), Some(Event::Drained(7)), "there is nothing");
    stream.write(NEXT, &[0, 0x40].repeat(300));
    assert!(!stream.is_active(), "too little to start");
    assert_eq!(stream.drain(8), None);
    assert_eq!(tick(&mut stream).1, [Some(Event::Started), None]);
    let (out, events) = tick(&mut stream);
    assert_eq!(events, [None, Some(Event::Drained(8))]);
    assert_eq!((out[119], out[120]), (0.5, 0.0), "sixty frames of it");
}

#[test]
fn corked_streams_are_silent_and_keep_what_they_have() {
    let mut stream = mono(48_000, 960);
    stream.write(NEXT, &[0, 0x40].repeat(480));
    stream.cork(true);
    assert!(!stream.is_active());
    assert_eq!(tick(&mut stream).0, [0.0; TICK_FRAMES * 2]);
    stream.cork(false);
    assert_eq!(tick(&mut stream).0, [0.5; TICK_FRAMES * 2]);
}

#[test]
fn any_rate_takes_its_own_time() {
    for rate in [8_000, 11_025, 44_100, 96_000, 192_000] {
        let mut stream = mono(rate, 2);
        let frames = rate as usize / 10;
        stream.write(NEXT, &[0, 0x40].repeat(frames));
        let mut ticks = 0;
        let mut level = 0.0;
        while stream.is_active() {
            let (out, _) = tick(&mut stream);
            ticks += 1;
            if ticks == 10 {
                level = out[TICK_FRAMES];
            }
        }
        // 100 ms are 20 ticks; the filter takes some more at the end.
        assert!((20..=22).contains(&ticks), "{rate} Hz: {ticks}");
        assert!((level - 0.5).abs() < 1e-3, "{rate} Hz: {level}");
    }
}

#[test]
fn wishes_for_a_queue_become_possible_ones() {
    let spec = SampleSpec { channels: 2, ..spec(48_000) };
    let whatever = BufferAttr::default();
    let usual = sizes(&whatever, &spec, 4);
    // 100 ms in advance, asked for by 10 ms; read once it can be kept full.
    let expected = Sizes { max: 1 << 20, target: 19_200, prebuf: 17_284, minreq: 1920 };
    assert_eq!(usual, expected);
    // A game that wants 5 ms gets what can be held without gaps: two requests and a tick.
    let little = BufferAttr { target_length: 960, ..whatever };
    let got = sizes(&little, &spec, 4);
    assert_eq!((got.target, got.minreq), (960 + 2 * 240, 240));
    for n in [0, 1, 2, 3, 1000, 1 << 31, u32::MAX] {
        for m in [0, 1, 5, 1 << 31, u32::MAX] {
            let attr = BufferAttr {
                max_length: n,
                target_length: m,
                pre_buffering: n,
                minimum_request_length: m,
                fragment_size: n,
            };
            for frame in [1, 4, 128] {
                let s = sizes(&attr, &spec, frame);
                assert!(
                    s.max <= 1 << 20
                        && s.max.is_multiple_of(frame)
                        && s.target.is_multiple_of(frame)
                );
                assert!(frame <= s.minreq && s.minreq <= s.target && s.target <= s.max, "{s:?}");
                assert!(s.prebuf <= s.target && s.prebuf.is_multiple_of(frame), "{s:?}");
            }
        }
    }
}

#[test]
fn what_cannot_be_played_has_no_frames() {
    let stereo = ChannelMap::stereo();
    let good = SampleSpec { channels: 2, ..spec(48_000) };
    assert_eq!(frame_size(&good, &stereo), Some(4));
    assert_eq!(frame_size(&SampleSpec { channels: 0, ..good }, &ChannelMap::empty()), None);
    assert_eq!(frame_size(&SampleSpec { channels: 1, ..good }, &stereo), None);
    assert_eq!(frame_size(&SampleSpec { sample_rate: 0, ..good }, &stereo), None);
    let many = ChannelMap::new([ChannelPosition::Aux0; 32]);
    assert_eq!(frame_size(&SampleSpec { channels: 33, ..good }, &many), None);
    assert_eq!(frame_size(&SampleSpec { format: SampleFormat::Invalid, ..good }, &stereo), None);
}
