//! Tests of the encoder's thread.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use stratus_frame::{Codec, Damage, FrameId, Rect, Replaced, Size};

use super::test_bench::{Bench, Event, Flaky, LONG, SIZE, quiet};
use super::{Encoder, PipelineConfig, PipelineError};
use crate::encoder::{Coding, EncodeError};
use crate::test_scene::Scene;
use crate::x264::X264;
#[test]
fn every_frame_arrives_in_order_with_its_stamps() {
    let mut bench = Bench::new(quiet());
    for marker in 1..=30 {
        bench.commit(marker);
        let (frame, seen) = bench.receive();
        assert_eq!(seen, marker);
        assert_eq!(frame.is_keyframe(), marker == 1);
        assert!(!frame.is_repeat() && !frame.torn);
        assert_eq!(frame.newest_input, u64::from(marker) * 10);
        assert_eq!((frame.size, frame.codec), (SIZE, Codec::H264));
        let s = frame.stamps;
        let order = [s.read, s.handed, s.convert_start, s.convert_end, s.encoded];
        assert!(s.read.is_set() && order.is_sorted(), "{s:?}");
    }
    let stats = bench.handle.stats();
    assert_eq!((stats.taken, stats.delivered, stats.keyframes, stats.opened), (30, 30, 1, 1));
}

#[test]
fn the_buffer_is_let_go_before_the_encoder_starts() {
    let mut bench = Bench::new(quiet());
    bench.commit(1);
    bench.receive();
    bench.commit(2);
    bench.receive();
    let order = |n, coding| {
        vec![Event::Read(n), Event::Released, Event::Encode(coding), Event::Delivered(n)]
    };
    let expected = [order(1, Coding::Keyframe), order(2, Coding::Delta)].concat();
    assert_eq!(bench.events(), expected);
}

#[test]
fn the_newest_frame_wins_while_the_encoder_is_slow() {
    let slow = Some(Duration::from_millis(40));
    let mut bench = Bench::new(PipelineConfig { slow, ..quiet() });
    bench.commit(1);
    bench.wait_for("the first is taken", |s| s.taken == 1);
    let mut replaced = 0;
    for marker in 2..=50 {
        replaced += u32::from(matches!(bench.commit(marker), Replaced::Waiting(_)));
    }
    let mut seen = vec![bench.receive().1];
    while seen.last() != Some(&50) {
        seen.push(bench.receive().1);
    }
    assert!(seen.is_sorted() && seen[0] == 1, "{seen:?}");
    assert_eq!(seen.len() as u32 + replaced, 50, "each is shown or comes back");
    assert!(replaced > 0);
    bench.nothing_comes();
}

#[test]
fn frames_stay_replaceable_while_the_sink_is_busy() {
    let mut bench = Bench::new(quiet());
    bench.sink.room.store(1, Ordering::SeqCst);
    bench.commit(1);
    bench.receive();
    bench.commit(2);
    assert!(matches!(bench.commit(3), Replaced::Waiting(f) if f.id == FrameId(2)));
    // Only the replaced frame is given back.
    bench.handle.wake();
    bench.nothing_comes();
    assert!(!bench.events().contains(&Event::Read(3)));
    bench.sink.ready.store(true, Ordering::SeqCst);
    bench.handle.wake();
    assert_eq!(bench.receive().1, 3);
}

#[test]
fn without_damage_nothing_is_read_or_encoded_and_the_buffer_returns() {
    let mut bench = Bench::new(quiet());
    bench.commit(1);
    bench.receive();
    let frame = bench.frame(Scene::marker(SIZE, 9), Damage::none(SIZE), false);
    bench.put(frame);
    bench.wait_for("the empty frame is taken", |s| s.empty == 1);
    bench.nothing_comes();
    let events = bench.events();
    assert_eq!(events.last(), Some(&Event::Released));
    assert!(!events.contains(&Event::Read(2)));
}

#[test]
fn only_damaged_rows_change() {
    let mut bench = Bench::new(quiet());
    bench.commit(0);
    bench.receive();
    // All bits change, but only the first row of squares (bits 0 to 9) is damaged.
    let mut damage = Damage::none(SIZE);
    damage.add(Rect { x: 4, y: 3, width: 1, height: 29 });
    let frame = bench.frame(Scene::marker(SIZE, u32::MAX), damage, false);
    bench.put(frame);
    assert_eq!(bench.receive().1, (1 << 10) - 1);
    assert_eq!(bench.handle.stats().rows, u64::from(SIZE.height) + 30);
}

#[test]
fn without_viewers_buffers_return_and_whoever_joins_gets_the_last_picture() {
    let mut bench = Bench::new(quiet());
    bench.sink.viewers.store(false, Ordering::SeqCst);
    // As the stream's server has it: nobody to send to, hence not ready.
    bench.sink.ready.store(false, Ordering::SeqCst);
    for marker in 1..=3 {
        bench.commit(marker);
        bench.wait_for("converted", |s| s.rows == u64::from(marker * SIZE.height));
    }
    bench.nothing_comes();
    assert_eq!(bench.events().iter().filter(|e| **e == Event::Released).count(), 3);
    bench.sink.viewers.store(true, Ordering::SeqCst);
    bench.sink.ready.store(true, Ordering::SeqCst);
    bench.handle.request_keyframe();
    let (frame, marker) = bench.receive();
    assert_eq!(marker, 3);
    assert!(frame.is_keyframe() && frame.is_repeat() && frame.stamps.read.is_set());
    assert_eq!(frame.newest_input, 30, "what the commit it shows may show");
    bench.nothing_comes();
    bench.commit(4);
    let (frame, marker) = bench.receive();
    assert_eq!((marker, frame.is_keyframe(), frame.is_repeat()), (4, false, false));
    assert_eq!(bench.handle.stats().opened, 1);
}

#[test]
fn keyframe_requests_are_answered_at_once_and_are_one_while_they_wait() {
    let mut bench = Bench::new(quiet());
    bench.handle.request_keyframe();
    bench.nothing_comes();
    bench.sink.room.store(1, Ordering::SeqCst);
    bench.commit(1);
    assert!(bench.receive().0.is_keyframe());
    for _ in 0..10 {
        bench.handle.request_keyframe();
    }
    bench.nothing_comes();
    bench.sink.ready.store(true, Ordering::SeqCst);
    bench.handle.wake();
    let (frame, marker) = bench.receive();
    assert_eq!((frame.is_keyframe(), frame.is_repeat(), marker), (true, true, 1));
    bench.nothing_comes();
    bench.commit(2);
    assert!(!bench.receive().0.is_keyframe());
}

#[test]
fn a_frame_that_waits_is_the_keyframe_that_was_asked_for() {
    let mut bench = Bench::new(quiet());
    bench.sink.room.store(1, Ordering::SeqCst);
    bench.commit(1);
    bench.receive();
    bench.commit(2);
    bench.handle.request_keyframe();
    bench.sink.ready.store(true, Ordering::SeqCst);
    bench.handle.wake();
    let (frame, marker) = bench.receive();
    assert_eq!((frame.is_keyframe(), frame.is_repeat(), marker), (true, false, 2));
    bench.nothing_comes();
}

#[test]
fn a_still_picture_is_refined_once() {
    let still_after = Duration::from_millis(20);
    let config = PipelineConfig { still_after, refinements: 3, bitrate: 1_500_000, ..quiet() };
    let mut bench = Bench::new(PipelineConfig { fps: 60, ..config });
    for round in 0..2 {
        let scene = if round == 0 { Scene::text(SIZE) } else { Scene::moving(SIZE, 5) };
        let frame = bench.frame(scene.clone(), Damage::full(SIZE), false);
        bench.put(frame);
        let mut quality = Vec::new();
        for i in 0..4 {
            let frame = bench.frames.recv_timeout(LONG).expect("an access unit");
            assert_eq!(frame.is_repeat(), i > 0);
            assert_eq!(frame.is_keyframe(), round == 0 && i == 0);
            quality.push(scene.psnr(&bench.decoder.decode(&frame.data).unwrap().planes));
        }
        assert!(quality.is_sorted() && quality[3] > quality[0] + 0.3, "{quality:?}");
        bench.nothing_comes();
    }
    assert_eq!(bench.handle.stats().refinements, 6);
    // Nobody watches: nothing to refine for.
    bench.sink.viewers.store(false, Ordering::SeqCst);
    bench.commit(1);
    bench.nothing_comes();
}

#[test]
fn another_rate_opens_another_encoder_and_the_stream_goes_on() {
    let mut bench = Bench::new(quiet());
    bench.commit(1);
    bench.receive();
    for fps in [30, 144, 120] {
        bench.handle.set_fps(fps);
    }
    bench.commit(2);
    let (frame, marker) = bench.receive();
    assert_eq!((frame.is_keyframe(), marker), (true, 2));
    bench.commit(3);
    let (frame, marker) = bench.receive();
    assert_eq!((frame.is_keyframe(), marker), (false, 3));
}

#[test]
fn the_encoder_follows_the_size_and_unusable_sizes_cost_only_their_frames() {
    let config = PipelineConfig { max_size: Size::new(640, 400), ..quiet() };
    let mut bench = Bench::new(config);
    bench.commit(1);
    bench.receive();
    for (width, height) in [(640, 400), (64, 64), (641, 100), (0, 5), (33, 51), (320, 192)] {
        let size = Size::new(width, height);
        let frame = bench.frame(Scene::moving(size, 1), Damage::full(size), false);
        bench.put(frame);
        if width > 640 || width == 0 {
            bench.wait_for("refused", |s| {
                let about = matches!(&s.last_error, Some(PipelineError::Refused(_)));
                s.refused > u64::from(width == 0) && about
            });
            continue;
        }
        let frame = bench.frames.recv_timeout(LONG).expect("an access unit");
        assert!(frame.is_keyframe() && frame.size == size);
        let coded = bench.decoder.decode(&frame.data).unwrap().planes.size();
        assert_eq!(coded, size.rounded_up_to_even());
    }
    let told = bench.events().into_iter().filter(|e| matches!(e, Event::Failed { .. }));
    assert_eq!(told.collect::<Vec<_>>(), vec![Event::Failed { fatal: false }; 2]);
}

#[test]
fn a_truncated_frame_is_dropped_and_the_next_is_converted_whole() {
    let mut bench = Bench::new(quiet());
    bench.commit(1);
    bench.receive();
    let frame = bench.frame(Scene::marker(SIZE, 77), Damage::full(SIZE), true);
    bench.put(frame);
    bench.wait_for("dropped", |s| s.truncated == 1);
    bench.nothing_comes();
    assert_eq!(bench.events().last(), Some(&Event::Released));
    let mut damage = Damage::none(SIZE);
    damage.add(Rect { x: 0, y: 0, width: 1, height: 1 });
    let frame = bench.frame(Scene::marker(SIZE, 3), damage, false);
    bench.put(frame);
    let (frame, marker) = bench.receive();
    assert_eq!((marker, frame.is_keyframe()), (3, false));
}

#[test]
fn pixels_that_do_not_match_their_frame_are_dropped() {
    let mut bench = Bench::new(quiet());
    let mut frame = bench.frame(Scene::marker(SIZE, 1), Damage::full(SIZE), false);
    frame.size = Size::new(10, 10);
    bench.put(frame);
    bench.wait_for("refused", |s| s.refused == 1);
    bench.commit(2);
    assert_eq!(bench.receive().1, 2);
}

#[test]
fn a_torn_frame_says_so() {
    let mut bench = Bench::new(quiet());
    let frame = bench.frame(Scene::marker(SIZE, 1), Damage::full(SIZE), false);
    frame.torn.store(true, Ordering::Release);
    bench.put(frame);
    assert!(bench.receive().0.torn);
    bench.commit(2);
    assert!(!bench.receive().0.torn);
}

#[test]
fn the_bitrate_changes_on_the_way() {
    let mut bench = Bench::new(PipelineConfig { bitrate: 24_000_000, fps: 60, ..quiet() });
    let mean = |bench: &mut Bench, seed: u32| {
        let total: usize = (0..40)
            .map(|i| {
                let frame = bench.frame(Scene::noise(SIZE, seed + i), Damage::full(SIZE), false);
                bench.put(frame);
                bench.frames.recv_timeout(LONG).expect("an access unit").data.len()
            })
            .sum();
        total / 40
    };
    mean(&mut bench, 1);
    let before = mean(&mut bench, 100);
    bench.handle.set_bitrate(4_000_000);
    mean(&mut bench, 200);
    let after = mean(&mut bench, 300);
    assert!(after * 3 < before, "{before} bytes a frame, then {after}");
    assert_eq!(bench.handle.stats().keyframes, 1);
}

#[test]
fn a_failing_encoder_is_opened_anew_once_and_then_the_owner_hears_of_it() {
    let failures = Arc::new(AtomicUsize::new(0));
    let f = Arc::clone(&failures);
    let open =
        move |config| Ok(Box::new(Flaky(X264::open(config)?, Arc::clone(&f))) as Box<dyn Encoder>);
    let mut bench = Bench::with(quiet(), Arc::default(), Box::new(open));
    bench.commit(1);
    bench.receive();
    failures.store(1, Ordering::SeqCst);
    bench.commit(2);
    let (frame, marker) = bench.receive();
    assert_eq!((frame.is_keyframe(), marker), (true, 2));
    assert_eq!((bench.handle.stats().opened, bench.handle.stats().failures), (2, 1));
    failures.store(2, Ordering::SeqCst);
    bench.commit(3);
    let ended = bench.thread.take().unwrap().join().unwrap();
    let error = PipelineError::Encoder(EncodeError::NotOneForOne { encoder: "flaky", units: 0 });
    assert_eq!(ended, Err(error.clone()));
    assert_eq!(bench.handle.stats().last_error, Some(error));
    assert_eq!(bench.events().last(), Some(&Event::Failed { fatal: true }));
    assert!(matches!(bench.commit(4), Replaced::Closed(_)), "buffers go straight back");
}

#[test]
fn an_encoder_that_does_not_open_ends_the_pipeline_with_its_words() {
    let open = |_| Err(EncodeError::Missing { encoder: "libx264" });
    let mut bench = Bench::with(quiet(), Arc::default(), Box::new(open));
    bench.commit(1);
    let ended = bench.thread.take().unwrap().join().unwrap();
    let missing = EncodeError::Missing { encoder: "libx264" };
    assert_eq!(ended, Err(PipelineError::Encoder(missing)));
}

#[test]
fn it_ends_when_the_game_is_gone_or_when_told() {
    let mut bench = Bench::new(quiet());
    bench.commit(1);
    bench.receive();
    bench.post = None;
    assert_eq!(bench.thread.take().unwrap().join().unwrap(), Ok(()));
    let mut bench = Bench::new(quiet());
    bench.handle.stop();
    assert_eq!(bench.thread.take().unwrap().join().unwrap(), Ok(()));
    assert!(matches!(bench.commit(1), Replaced::Closed(_)));
}
