//! No dmabuf is read once its client has it back.
//!
//! The client paints each buffer over the moment that it is released, and draws as fast as it gets
//! them back. A frame that shows the paint was read too late. Real dmabufs come from
//! `/dev/udmabuf`; where there is none, files stand in, and what is shown is the protocol's part.
//!
//! `STRATUS_POISON_FRAMES` sets how many frames are read, and `STRATUS_POISON_COMPOSITOR` names the
//! socket of a running compositor, which then takes the place of the scripted ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod stage;

use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Duration;

use stratus_capture::CaptureConfig;
use stratus_frame::{Arrival, Frame, PixelView, Size};
use stratus_harness::client::{self, Buffers, Client, End, Pace};
use stratus_harness::compositor::{Compositor, Config, Global, Pace as Callbacks, Record, Release};
use stratus_harness::dmabuf::Dmabuf;
use stratus_harness::marker;
use stratus_harness::scene::Motion;
use stratus_harness::watchdog::Watchdog;

use stage::{LIMIT, Proxied};

const SIZE: (u32, u32) = (320, 180);
const USUAL_FRAMES: u64 = 100;

fn frames() -> u64 {
    let wanted = std::env::var("STRATUS_POISON_FRAMES").ok();
    wanted.map_or(USUAL_FRAMES, |n| n.parse().expect("STRATUS_POISON_FRAMES is a number"))
}

/// Whether all of a picture is what the client drew, and its number.
fn look(frame: &Frame) -> (bool, u32) {
    let mut seen = None;
    let mut look = |view: PixelView<'_>| {
        let mut rows = view.data.chunks(view.stride).take(SIZE.1 as usize);
        // Paint differs from all that is drawn in its last byte.
        let clean = |row: &[u8]| row[..SIZE.0 as usize * 4].chunks_exact(4).all(|p| p[3] == 0xff);
        let clean = rows.all(clean);
        seen = Some((clean, marker::read_bgrx(view.data, view.stride, SIZE).unwrap_or(0)));
    };
    frame.pixels.read(&mut look).expect("the memory can be read");
    seen.expect("the pixels were shown")
}

/// Reads so many frames of a client in front of a compositor, each twice.
fn read_frames(folder: &Path, compositor: &Path, what: &str) {
    let mut config = CaptureConfig::new(Size::new(SIZE.0, SIZE.1));
    // No deadline may pass here because the machine is slow.
    config.hold_deadline = Duration::from_secs(20);
    let (proxied, slot, stats) = Proxied::capturing(folder, compositor, config);
    let script = client::Config {
        size: SIZE,
        buffers: 3,
        kind: Buffers::Dmabufs,
        frames: u64::MAX,
        pace: Pace::Releases,
        motion: Motion::MarkerOnly,
        poison: true,
        ..Default::default()
    };
    let client = Client::start(proxied.socket(), script).unwrap();
    let mut last = 0;
    for read in 0..frames() {
        let frame = match slot.wait(true, Some(LIMIT)) {
            Arrival::Frame(frame) => frame,
            other => panic!("{what}: after {read} frames: {other:?}; {stats:?}"),
        };
        let (clean, number) = look(&frame);
        sleep(Duration::from_micros(500));
        assert_eq!(
            (clean, look(&frame)),
            (true, (true, number)),
            "{what}: frame {read} is painted"
        );
        assert!(number > last, "{what}: {number} after {last}");
        assert!(!frame.torn.load(Ordering::Relaxed), "{what}: {stats:?}");
        last = number;
    }
    // One that reads too late does see it: the client has its buffer back by then.
    let Arrival::Frame(frame) = slot.wait(true, Some(LIMIT)) else { panic!("{what}: no frame") };
    let Frame { pixels, hold, .. } = frame;
    drop(hold);
    let mut painted = false;
    for _ in 0..1000 {
        pixels.read(&mut |view| painted |= view.data[3] != 0xff).expect("the memory is there");
        if painted {
            break;
        }
        sleep(Duration::from_millis(1));
    }
    assert!(painted, "{what}: the paint does not show");
    drop((pixels, slot));
    let counts = client.stop().unwrap();
    proxied.stop();
    println!(
        "{what}: {} frames read, none painted; {} commits, {} releases, {} withheld, {} copied out",
        frames(),
        counts.commits,
        counts.releases,
        stats.withheld.value(),
        stats.copied_out.value(),
    );
    assert_eq!((&counts.end, counts.stray_releases), (&End::Finished, 0), "{what}: {counts:?}");
    assert_eq!((stats.lost(), stats.unreadable.value()), (0, 0), "{what}: {stats:?}");
}

#[test]
fn released_dmabufs_are_not_read() {
    let _watchdog = Watchdog::start("poisoned dmabufs", Duration::from_secs(3600));
    if !Dmabuf::are_real() {
        println!("skipped in part: no /dev/udmabuf, files stand in for dmabufs");
    }
    let folder = tempfile::Builder::new().prefix("stratus-test-").tempdir_in("/tmp").unwrap();
    if let Some(socket) = std::env::var_os("STRATUS_POISON_COMPOSITOR") {
        return read_frames(folder.path(), Path::new(&socket), "running");
    }
    for release in [Release::AtOnce, Release::AtNextCommit] {
        let mut globals = Global::usual();
        globals.push(Global::dmabuf());
        let config = Config {
            globals,
            record: Record::Nothing,
            release,
            pace: Callbacks::Never,
            ..Config::default()
        };
        let compositor = Compositor::start(&folder.path().join("compositor"), config).unwrap();
        read_frames(folder.path(), compositor.socket(), &format!("{release:?}"));
    }
}
