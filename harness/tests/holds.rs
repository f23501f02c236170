//! A buffer stays with the reader for as long as it reads, and no longer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod stage;

use std::sync::atomic::Ordering;
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use stratus_capture::CaptureConfig;
use stratus_frame::{Arrival, Frame, Size, Slot};
use stratus_harness::client::{self, Buffers, Client, Counts, End, Pace};
use stratus_harness::compositor::{Config, Pace as Callbacks, Record, Release};
use stratus_harness::marker;
use stratus_harness::watchdog::{Watchdog, wait_for};

use stage::{LIMIT, Stage};

const SIZE: (u32, u32) = (320, 240);
const HOLD: Duration = Duration::from_millis(20);

fn capture() -> CaptureConfig {
    let mut config = CaptureConfig::new(Size::new(SIZE.0, SIZE.1));
    // No deadline may pass here because the machine is busy elsewhere.
    config.hold_deadline = Duration::from_secs(20);
    config
}

fn stage(release: Release) -> Stage {
    let pace = Callbacks::AtOnce;
    Stage::new(Config { record: Record::Nothing, release, pace, ..Config::default() })
}

fn number(frame: &Frame) -> u32 {
    let mut number = None;
    let mut look = |view: stratus_frame::PixelView<'_>| {
        number = Some(marker::read_bgrx(view.data, view.stride, SIZE));
    };
    frame.pixels.read(&mut look).unwrap();
    number.expect("the pixels were shown").expect("the frame is whole")
}

/// What a slow reader saw.
#[derive(Debug, Default)]
struct Slow {
    numbers: Vec<u32>,
    longest_hold: Duration,
}

/// Reads each frame twice, with a pause between, and takes only the newest.
fn slow_reader(slot: Slot) -> JoinHandle<Slow> {
    std::thread::spawn(move || {
        let mut slow = Slow::default();
        while let Arrival::Frame(frame) = slot.wait(true, Some(LIMIT)) {
            let taken = Instant::now();
            let before = number(&frame);
            sleep(HOLD);
            assert_eq!(number(&frame), before, "the client drew into a buffer that was held");
            assert!(!frame.torn.load(Ordering::Relaxed));
            drop(frame);
            slow.numbers.push(before);
            slow.longest_hold = slow.longest_hold.max(taken.elapsed());
        }
        slow
    })
}

fn run(release: Release, config: &client::Config) -> (Counts, Slow) {
    let stage = stage(release);
    let (proxied, slot, stats) = stage.capturing(capture());
    let reader = slow_reader(slot);
    let counts = client::play(proxied.socket(), config).unwrap();
    let gone = || (stats.clients.value() == 0 && stats.held.value() == 0).then_some(());
    wait_for("the end of all holds", LIMIT, gone).unwrap();
    proxied.stop();
    let slow = reader.join().unwrap();
    assert_eq!(stats.forced.value(), 0, "{stats:?}");
    (counts, slow)
}

#[test]
fn what_is_read_does_not_change_and_the_client_goes_on() {
    let _watchdog = Watchdog::start("slow reading", Duration::from_secs(180));
    let kinds = [Buffers::OnePool, Buffers::FreshEachFrame];
    for release in [Release::AtOnce, Release::After(Duration::from_millis(5))] {
        for (buffers, kind) in [1, 2, 3, 4].into_iter().flat_map(|n| kinds.map(|k| (n, k))) {
            let config = client::Config {
                size: SIZE,
                buffers,
                kind,
                frames: 60,
                pace: Pace::Releases,
                wait_for_releases: LIMIT,
                ..Default::default()
            };
            let (counts, slow) = run(release, &config);
            let what = format!("{buffers} {kind:?} {release:?}: {counts:?}, {slow:?}");
            assert_eq!((&counts.end, counts.commits), (&End::Finished, 60), "{what}");
            assert_eq!((counts.releases, counts.stray_releases), (60, 0), "{what}");
            assert!(slow.numbers.is_sorted_by(|a, b| a < b), "{what}");
            assert_eq!(slow.numbers.last(), Some(&60), "{what}");
            // One hold may keep the client waiting, never two in a row.
            assert!(counts.longest_stall < slow.longest_hold * 2, "{what}");
        }
    }
}

#[test]
fn a_compositor_that_keeps_the_shown_buffer_leaves_enough_for_the_reader() {
    let _watchdog = Watchdog::start("slow reading beside scan-out", Duration::from_secs(120));
    for buffers in [2, 3] {
        let config = client::Config {
            size: SIZE,
            buffers,
            frames: 40,
            pace: Pace::Releases,
            wait_for_releases: HOLD * 4,
            ..Default::default()
        };
        let (counts, slow) = run(Release::AtNextCommit, &config);
        let what = format!("{buffers}: {counts:?}, {slow:?}");
        assert_eq!((&counts.end, counts.commits, counts.releases), (&End::Finished, 40, 39));
        assert_eq!((counts.stray_releases, slow.numbers.last()), (0, Some(&40)), "{what}");
        assert!(counts.longest_stall < slow.longest_hold * 2, "{what}");
    }
}

#[test]
fn a_reader_that_never_lets_go_is_overruled() {
    let _watchdog = Watchdog::start("a stuck reader", Duration::from_secs(120));
    let stage = stage(Release::AtOnce);
    let mut config = capture();
    config.hold_deadline = Duration::from_millis(50);
    let (proxied, slot, stats) = stage.capturing(config);
    let script = client::Config {
        size: SIZE,
        buffers: 2,
        frames: 30,
        pace: Pace::Releases,
        wait_for_releases: LIMIT,
        ..Default::default()
    };
    let client = Client::start(proxied.socket(), script).unwrap();
    let Arrival::Frame(stuck) = slot.wait(true, Some(LIMIT)) else { panic!("no frame") };
    let counts = client.join().unwrap();
    assert_eq!((counts.end, counts.commits, counts.releases), (End::Finished, 30, 30));
    assert_eq!(counts.stray_releases, 0);
    assert!(stuck.torn.load(Ordering::Relaxed), "the frame is not marked torn");
    assert!(stats.forced.value() >= 1, "{stats:?}");
    // Its end is no second release.
    drop(stuck);
    proxied.stop();
}

#[test]
fn a_reader_that_is_gone_holds_nothing() {
    let _watchdog = Watchdog::start("no reader", Duration::from_secs(120));
    let stage = stage(Release::AtOnce);
    let (proxied, slot, stats) = stage.capturing(capture());
    let script = client::Config {
        size: SIZE,
        buffers: 2,
        frames: u64::MAX,
        pace: Pace::Releases,
        ..Default::default()
    };
    let client = Client::start(proxied.socket(), script).unwrap();
    let Arrival::Frame(frame) = slot.wait(true, Some(LIMIT)) else { panic!("no frame") };
    drop((frame, slot));
    let before = stats.commits.value();
    let goes_on = || (stats.commits.value() > before + 50).then_some(());
    wait_for("commits without a reader", LIMIT, goes_on).unwrap();
    let counts = client.stop().unwrap();
    assert_eq!((counts.end, counts.stray_releases), (End::Finished, 0));
}
