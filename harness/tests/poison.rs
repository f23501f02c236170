//! No buffer is read once its client has it back, and no client waits for one because of us.
//!
//! The client paints each buffer over the moment that it is released, and commits 240 times a
//! second whatever the compositor's tick is; the reader is as slow as an encoder. A frame that
//! shows the paint was read too late. How often the client found no buffer free at its tick is
//! compared with the same client in front of the same compositor, without the proxy.
//!
//! `STRATUS_POISON_FRAMES` sets the number of frames of each run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod stage;

use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use stratus_capture::CaptureConfig;
use stratus_frame::{Arrival, Frame, PixelView, Size, Slot};
use stratus_harness::client::{self, Counts, End, Pace};
use stratus_harness::compositor::{Compositor, Config, Pace as Callbacks, Record, Release};
use stratus_harness::marker;
use stratus_harness::scene::Motion;
use stratus_harness::sway::{Options, Sway};
use stratus_harness::watchdog::{Watchdog, wait_for};

use stage::{LIMIT, Proxied};

const SIZE: (u32, u32) = (640, 360);
const RATE: f64 = 240.0;
const USUAL_FRAMES: u64 = 170;

fn frames() -> u64 {
    let wanted = std::env::var("STRATUS_POISON_FRAMES").ok();
    wanted.map_or(USUAL_FRAMES, |n| n.parse().expect("STRATUS_POISON_FRAMES is a number"))
}

fn script(buffers: usize, frames: u64) -> client::Config {
    client::Config {
        size: SIZE,
        buffers,
        frames,
        pace: Pace::Rate(RATE),
        motion: Motion::MarkerOnly,
        fullscreen: true,
        wait_for_releases: Duration::from_millis(50),
        poison: true,
        ..Default::default()
    }
}

/// How long a frame keeps the reader.
#[derive(Clone, Copy, Debug)]
struct Pauses {
    /// Between the first and the second look at the pixels, which are held meanwhile.
    holding: Duration,
    /// After that, at the least and at the most, as an encode takes.
    encoding: [Duration; 2],
}

/// Conversion and x264 at 720p to 1080p: the hold ends with the conversion.
const ENCODER: Pauses = Pauses {
    holding: Duration::from_micros(500),
    encoding: [Duration::from_millis(3), Duration::from_millis(8)],
};

/// What the reader found.
#[derive(Debug, Default)]
struct Read {
    frames: u64,
    poisoned: u64,
    torn: u64,
    last_number: u32,
    longest_hold: Duration,
}

/// Whether all of a picture is the client's, and its number.
fn look(frame: &Frame) -> (bool, Option<u32>) {
    let mut seen = (false, None);
    let mut look = |view: PixelView<'_>| {
        let row = view.size.width as usize * 4;
        let rows = view.data.chunks(view.stride).take(view.size.height as usize);
        let clean = |row: &[u8]| row.chunks_exact(4).all(|pixel| pixel[3] == 0xff);
        let clean = rows.map(|r| &r[..row.min(r.len())]).all(clean);
        seen = (clean, marker::read_bgrx(view.data, view.stride, SIZE).ok());
    };
    frame.pixels.read(&mut look).unwrap();
    seen
}

fn reader(slot: Slot, pauses: Pauses) -> JoinHandle<Read> {
    std::thread::spawn(move || {
        let mut read = Read::default();
        loop {
            let frame = match slot.wait(true, Some(LIMIT)) {
                Arrival::Frame(frame) => frame,
                Arrival::Closed => return read,
                other => panic!("after {read:?}: {other:?}"),
            };
            let taken = Instant::now();
            let (first, number) = look(&frame);
            sleep(pauses.holding);
            let (second, same) = look(&frame);
            let torn = frame.torn.load(Ordering::Relaxed);
            drop(frame);
            read.longest_hold = read.longest_hold.max(taken.elapsed());
            read.frames += 1;
            read.torn += u64::from(torn);
            let clean = first && second && number.is_some() && number == same;
            read.poisoned += u64::from(!clean && !torn);
            let number = number.unwrap_or(read.last_number + 1);
            assert!(number > read.last_number, "{number} after {read:?}");
            read.last_number = number;
            let [least, most] = pauses.encoding;
            // Any number will do that differs from frame to frame.
            sleep(least + (most - least) * (number * 37 % 64) / 64);
        }
    })
}

/// One client in front of a compositor, once without and once with the proxy.
fn compare(folder: &Path, compositor: &Path, buffers: usize, what: &str) -> [Counts; 2] {
    let direct = client::play(compositor, &script(buffers, frames() / 2)).unwrap();
    assert_eq!((&direct.end, direct.stray_releases), (&End::Finished, 0), "{what}: {direct:?}");

    let config = CaptureConfig::new(Size::new(SIZE.0, SIZE.1));
    let (proxied, slot, stats) = Proxied::capturing(folder, compositor, config);
    let reader = reader(slot, ENCODER);
    let through = client::play(proxied.socket(), &script(buffers, frames())).unwrap();
    let gone = || (stats.clients.value() == 0 && stats.held.value() == 0).then_some(());
    wait_for("the end of all holds", LIMIT, gone).unwrap();
    proxied.stop();
    let read = reader.join().unwrap();

    println!(
        "{what}, {buffers} buffers: {read:?}; {} commits, {} waits ({:?}, longest {:?}), {} copied \
         out, {} withheld, {} starved, {} forced; directly {} commits, {} waits ({:?}, longest {:?})",
        through.commits,
        through.stalls,
        through.stalled,
        through.longest_stall,
        stats.copied_out.value(),
        stats.withheld.value(),
        stats.starved.value(),
        stats.forced.value(),
        direct.commits,
        direct.stalls,
        direct.stalled,
        direct.longest_stall,
    );
    assert_eq!((&through.end, through.commits), (&End::Finished, frames()), "{what}");
    assert_eq!(through.stray_releases, 0, "{what}: {through:?}");
    assert_eq!(read.poisoned, 0, "{what}: a buffer was read after its release: {read:?}");
    assert_eq!(stats.truncated.value() + stats.unreadable.value(), 0, "{what}: {stats:?}");
    assert!(read.frames * 8 >= frames(), "{what}: hardly anything was read: {read:?}");
    // Of two, one may be read while the compositor shows the other. Of those that it gives back at
    // once, or of three, one is the client's, unless the compositor lags.
    let scarce = buffers < 3 && what != "AtOnce";
    assert!(scarce || stats.starved.value() * 10 <= frames(), "{what}: {stats:?}");
    [direct, through]
}

/// The part of all commits that had to wait for a buffer.
fn waits<'a>(counts: impl Iterator<Item = &'a Counts>) -> f64 {
    let (waits, commits) = counts.fold((0, 0), |(w, c), n| (w + n.stalls, c + n.commits));
    waits as f64 / commits as f64
}

/// Whoever else uses the processors makes clients wait as well: so many are allowed for.
fn assert_nobody_waits(pairs: &[[Counts; 2]]) {
    let directly = waits(pairs.iter().map(|pair| &pair[0]));
    let through = waits(pairs.iter().map(|pair| &pair[1]));
    println!("waits a commit: {directly:.3} directly, {through:.3} through the proxy");
    assert!(through <= directly * 2.0 + 0.1, "{through} waits a commit, directly {directly}");
}

#[test]
fn released_buffers_are_not_read_beside_a_scripted_compositor() {
    let _watchdog = Watchdog::start("poison", Duration::from_secs(600));
    let mut pairs = Vec::new();
    for release in [Release::AtOnce, Release::AtNextCommit] {
        let folder = tempfile::Builder::new().prefix("stratus-test-").tempdir_in("/tmp").unwrap();
        let config = Config {
            record: Record::Nothing,
            release,
            pace: Callbacks::Never,
            size: (SIZE.0 as i32, SIZE.1 as i32),
            mode: (SIZE.0 as i32, SIZE.1 as i32, 60_000),
            ..Config::default()
        };
        let compositor = Compositor::start(&folder.path().join("compositor"), config).unwrap();
        for buffers in [2, 3, 4] {
            let what = format!("{release:?}");
            pairs.push(compare(folder.path(), compositor.socket(), buffers, &what));
        }
    }
    assert_nobody_waits(&pairs);
}

#[test]
fn released_buffers_are_not_read_beside_sway() {
    let _watchdog = Watchdog::start("poison under Sway", Duration::from_secs(600));
    let sway = Sway::start(&Options { size: SIZE, ..Options::default() }).unwrap();
    let compare = |buffers| compare(sway.runtime_dir(), sway.socket(), buffers, "Sway");
    assert_nobody_waits(&[2, 3, 4].map(compare));
}
