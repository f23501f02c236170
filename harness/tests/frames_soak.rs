//! 100,000 frames through proxy and capture, as fast as buffers come back, each of them read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod stage;

use std::thread::JoinHandle;
use std::time::Duration;

use stratus_capture::CaptureConfig;
use stratus_frame::{Arrival, Frame, PixelView, Size, Slot};
use stratus_harness::client::{self, Buffers, End, Pace};
use stratus_harness::compositor::{Config, Pace as Callbacks, Record, Release};
use stratus_harness::scene::Motion;
use stratus_harness::watchdog::{Watchdog, wait_for};
use stratus_harness::{fds, marker, memory};

use stage::{LIMIT, Stage};

const FRAMES: u64 = 100_000;
const WARM_UP: u64 = 20_000;
const KINDS: [Buffers; 2] = [Buffers::OnePool, Buffers::FreshEachFrame];
const SIZE: (u32, u32) = (160, 120);
/// KiB by which the allocator may still grow: less than 3 bytes a frame.
const TOLERANCE_KIB: u64 = 256;

/// What the reading thread found.
#[derive(Debug, Default)]
struct Read {
    frames: u64,
    torn: u64,
    last_id: u64,
    last_number: u32,
}

impl Read {
    /// Reads one frame as an encoder does: all of its pixels, then its hold goes.
    fn take(&mut self, frame: Frame) {
        assert!(frame.id.0 > self.last_id, "frame {:?} after {}", frame.id, self.last_id);
        assert_eq!(frame.size, Size::new(SIZE.0, SIZE.1));
        self.last_id = frame.id.0;
        let mut number = None;
        let mut look = |view: PixelView<'_>| {
            number = Some(marker::read_bgrx(view.data, view.stride, SIZE));
        };
        frame.pixels.read(&mut look).unwrap();
        self.torn += u64::from(frame.torn.load(std::sync::atomic::Ordering::Relaxed));
        drop(frame);
        let number = number.expect("the pixels were shown").expect("the marker is whole");
        assert!(number > self.last_number, "number {number} after {}", self.last_number);
        self.last_number = number;
        self.frames += 1;
    }
}

fn reader(slot: Slot) -> JoinHandle<Read> {
    std::thread::spawn(move || {
        let mut read = Read::default();
        loop {
            match slot.wait(true, Some(LIMIT)) {
                Arrival::Frame(frame) => read.take(frame),
                Arrival::Closed => return read,
                other => panic!("after {read:?}: {other:?}"),
            }
        }
    })
}

fn script(frames: u64, kind: Buffers) -> client::Config {
    client::Config {
        size: SIZE,
        frames,
        kind,
        buffers: 3,
        pace: Pace::Releases,
        motion: Motion::MarkerOnly,
        ..Default::default()
    }
}

fn play(socket: &std::path::Path, config: &client::Config) {
    let counts = client::play(socket, config).unwrap();
    assert_eq!(counts.end, End::Finished, "{counts:?}");
    assert_eq!((counts.commits, counts.releases), (config.frames, config.frames), "{counts:?}");
    assert_eq!((counts.stray_releases, counts.unreleased), (0, 0), "{counts:?}");
}

// One test and not several: it counts the fds and the memory of the whole process.
#[test]
fn a_hundred_thousand_frames_leave_fds_and_memory_where_they_were() {
    let _watchdog = Watchdog::start("100,000 frames", Duration::from_secs(400));
    let stage = Stage::new(Config {
        record: Record::Nothing,
        release: Release::AtOnce,
        pace: Callbacks::Never,
        size: (SIZE.0 as i32, SIZE.1 as i32),
        ..Config::default()
    });
    let config = CaptureConfig::new(Size::new(SIZE.0, SIZE.1));
    let (proxied, slot, stats) = stage.capturing(config);
    let reader = reader(slot);

    // Numbers go on where the last client's ended, so that the reader sees them rise.
    let mut next = 1;
    let mut play_on = |frames: u64, kind: Buffers| {
        play(proxied.socket(), &client::Config { first_number: next, ..script(frames, kind) });
        next += frames as u32;
    };
    // Grows everything to its working size.
    for kind in KINDS {
        play_on(WARM_UP / 2, kind);
    }
    let first_gone = |seen: &stratus_harness::compositor::Seen| seen.disconnected == 2;
    stage.compositor.wait("the first clients' ends", LIMIT, first_gone).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let fds_before = fds::own_fds().unwrap();
    let before = memory::own_usage().unwrap();

    for kind in KINDS {
        play_on(FRAMES / 2, kind);
    }

    let total = FRAMES + WARM_UP;
    let all_gone = |seen: &stratus_harness::compositor::Seen| seen.disconnected == 4;
    stage.compositor.wait("the clients' ends", LIMIT, all_gone).unwrap();
    wait_for("the end of all holds", LIMIT, || (stats.held.value() == 0).then_some(())).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let after = memory::own_usage().unwrap();
    let changes = fds::difference(&fds_before, &fds::own_fds().unwrap());
    assert!(changes.is_empty(), "fds changed:\n{}", changes.join("\n"));
    let grown = after.anonymous_kib.saturating_sub(before.anonymous_kib);
    assert!(grown <= TOLERANCE_KIB, "memory grew by {grown} KiB: {before:?} to {after:?}");
    assert_eq!(after.threads, before.threads);
    assert_eq!(stage.compositor.with_seen(|seen| seen.frames), total);

    // No commit was overlooked: each became a frame, and each frame was read or replaced.
    let (handed, replaced) = (stats.handed.value(), stats.replaced.value());
    assert_eq!(handed, total, "{stats:?}");
    proxied.stop();
    let read = reader.join().unwrap();
    println!("{read:?}, {replaced} replaced, memory {before:?} to {after:?}; {stats:?}");
    assert_eq!(read.frames + replaced + stats.retracted.value(), total, "{read:?} {stats:?}");
    assert_eq!(read.last_id, total, "{read:?}");
    assert_eq!((read.torn, stats.forced.value()), (0, 0), "{stats:?}");
    assert_eq!((stats.truncated.value(), stats.unreadable.value()), (0, 0), "{stats:?}");
}
