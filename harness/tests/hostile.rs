//! Memory that a client takes away, moves or lies about costs, at most, its own frames.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod stage;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use stratus_capture::CaptureConfig;
use stratus_frame::{Arrival, ReadError, Size, Slot};
use stratus_harness::client::{self, Buffers, End, Pace, Trick};
use stratus_harness::compositor::{Config, Pace as Callbacks, Record};
use stratus_harness::marker;
use stratus_harness::watchdog::{Watchdog, wait_for};

use stage::{LIMIT, Stage};

const SIZE: (u32, u32) = (320, 240);

fn stage() -> (Stage, CaptureConfig) {
    let stage = Stage::new(Config {
        record: Record::Nothing,
        pace: Callbacks::Hertz(250.0),
        ..Config::default()
    });
    let mut capture = CaptureConfig::new(Size::new(SIZE.0, SIZE.1));
    // What is claimed here is not how fast a busy machine reads.
    capture.hold_deadline = LIMIT;
    (stage, capture)
}

fn script() -> client::Config {
    client::Config { size: SIZE, pace: Pace::Rate(200.0), ..Default::default() }
}

/// What a reader of frames met so far.
#[derive(Debug, Default)]
struct Met {
    whole: AtomicU64,
    truncated: AtomicU64,
    unreadable: AtomicU64,
    last_number: AtomicU64,
}

/// Reads every frame's marker until the capture is gone.
fn reader(slot: Slot) -> (Arc<Met>, JoinHandle<()>) {
    let met = Arc::new(Met::default());
    let shared = Arc::clone(&met);
    let thread = std::thread::spawn(move || {
        while let Arrival::Frame(frame) = slot.wait(true, None) {
            let size = (frame.size.width, frame.size.height);
            let mut marker = None;
            let result = frame.pixels.read(&mut |view| {
                marker = Some(marker::read_bgrx(view.data, view.stride, size));
            });
            match (result, marker) {
                (Ok(()), Some(Ok(number))) => {
                    shared.whole.fetch_add(1, Ordering::Relaxed);
                    shared.last_number.store(u64::from(number), Ordering::Relaxed);
                }
                (Err(ReadError::Truncated), _) => {
                    shared.truncated.fetch_add(1, Ordering::Relaxed);
                }
                _ => {
                    shared.unreadable.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    });
    (met, thread)
}

#[test]
fn memory_that_vanishes_while_it_is_read_costs_its_frames_alone() {
    let _watchdog = Watchdog::start("truncated pools", Duration::from_secs(120));
    let (stage, config) = stage();
    let (proxied, slot, stats) = stage.capturing(config);
    let (met, reader) = reader(slot);
    let (from, frames) = (10, 400);
    let tricks = vec![Trick::TruncateAfterCommit { from, frames }];
    let kind = Buffers::OnePool;
    let config = client::Config { frames: 450, tricks, kind, ..script() };
    let counts = client::play(proxied.socket(), &config).unwrap();
    assert_eq!((&counts.end, counts.commits), (&End::Finished, 450), "{counts:?}");
    assert_eq!((counts.unreleased, counts.stray_releases), (0, 0), "{counts:?}");
    let last = || (met.last_number.load(Ordering::Relaxed) == 450).then_some(());
    wait_for("the last frame, whole again", LIMIT, last).unwrap();
    // Another session goes on, too.
    let config = client::Config { frames: 20, first_number: 1000, ..script() };
    client::play(proxied.socket(), &config).unwrap();
    let last = || (met.last_number.load(Ordering::Relaxed) == 1019).then_some(());
    wait_for("the other client's last frame", LIMIT, last).unwrap();
    println!("{met:?}, {stats:?}");
    assert!(met.truncated.load(Ordering::Relaxed) > 0, "no read met the hole: {met:?}");
    // Counted when the graph next looks, so only bounded from above here.
    assert!(stats.truncated.value() <= met.truncated.load(Ordering::Relaxed), "{met:?} {stats:?}");
    proxied.stop();
    reader.join().unwrap();
}

#[test]
fn memory_gone_for_good_leaves_the_session_alive() {
    let _watchdog = Watchdog::start("a pool truncated for good", Duration::from_secs(120));
    let (stage, config) = stage();
    let (proxied, slot, _stats) = stage.capturing(config);
    let (met, reader) = reader(slot);
    let tricks = vec![Trick::TruncateForGood { after: 5, stay: Duration::from_millis(200) }];
    let counts = client::play(proxied.socket(), &client::Config { tricks, ..script() }).unwrap();
    assert_eq!(counts.end, End::Trick);
    let config = client::Config { frames: 20, first_number: 1000, ..script() };
    assert_eq!(client::play(proxied.socket(), &config).unwrap().commits, 20);
    let last = || (met.last_number.load(Ordering::Relaxed) == 1019).then_some(());
    wait_for("the next client's last frame", LIMIT, last).unwrap();
    proxied.stop();
    reader.join().unwrap();
}

#[test]
fn odd_but_legal_habits_lose_no_frame() {
    let _watchdog = Watchdog::start("odd habits", Duration::from_secs(120));
    let habits: [(&str, Buffers, Vec<Trick>); 7] = [
        ("plain", Buffers::OnePool, vec![]),
        ("a pool for each", Buffers::PoolEach, vec![]),
        ("a buffer for each frame", Buffers::FreshEachFrame, vec![]),
        (
            "a pool that grows",
            Buffers::OnePool,
            vec![Trick::ResizePool { at: 10 }, Trick::ResizePool { at: 20 }],
        ),
        ("empty commits", Buffers::OnePool, vec![Trick::EmptyCommits]),
        ("unmapping", Buffers::OnePool, vec![Trick::Unmap { at: 15 }]),
        ("destroying early", Buffers::OnePool, vec![Trick::DestroyBuffersEarly]),
    ];
    for (name, kind, tricks) in habits {
        let (stage, config) = stage();
        let (proxied, slot, stats) = stage.capturing(config);
        let (met, reader) = reader(slot);
        let early = tricks.contains(&Trick::DestroyBuffersEarly);
        let config =
            client::Config { frames: 30, kind, tricks, row_gap: 60, offset: 4096, ..script() };
        let counts = client::play(proxied.socket(), &config).unwrap();
        assert_eq!((&counts.end, counts.stray_releases), (&End::Finished, 0), "{name}");
        if !early {
            // A buffer destroyed early gets no release.
            assert_eq!(counts.releases, 30, "{name}: {counts:?}");
        }
        wait_for("the last frame", LIMIT, || {
            (met.last_number.load(Ordering::Relaxed) == 30).then_some(())
        })
        .unwrap_or_else(|error| panic!("{name}: {error}, {met:?} {stats:?}"));
        assert_eq!(stats.handed.value(), 30, "{name}: {stats:?}");
        assert_eq!((stats.forced.value(), stats.unreadable.value()), (0, 0), "{name}");
        if !early {
            // Who destroys a buffer before its release and draws in its memory again, as this
            // script does, makes its content undefined (wl_buffer.destroy).
            assert_eq!(met.unreadable.load(Ordering::Relaxed), 0, "{name}: {met:?}");
        }
        proxied.stop();
        reader.join().unwrap();
        assert_eq!(stats.held.value(), 0, "{name}");
    }
}

#[test]
fn a_buffer_larger_than_its_pool_is_never_read() {
    let _watchdog = Watchdog::start("a lying buffer", Duration::from_secs(120));
    let (stage, config) = stage();
    let (proxied, slot, stats) = stage.capturing(config);
    let (met, reader) = reader(slot);
    let tricks = vec![Trick::OversizedBuffer { at: 5 }];
    let config = client::Config { frames: 20, tricks, ..script() };
    let counts = client::play(proxied.socket(), &config).unwrap();
    // The scripted compositor does not mind; a real one ends the client.
    assert_eq!(counts.end, End::Finished);
    let last = || (met.last_number.load(Ordering::Relaxed) == 20).then_some(());
    wait_for("the last frame", LIMIT, last).unwrap();
    assert_eq!(stats.handed.value(), 20, "{stats:?}");
    assert_eq!(met.unreadable.load(Ordering::Relaxed), 0, "{met:?}");
    proxied.stop();
    reader.join().unwrap();
}
