//! Bad bytes end the client that sends them, with a word about why, and nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod stage;

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use stratus_capture::CaptureConfig;
use stratus_frame::{Arrival, Size};
use stratus_harness::client::{self, Client, End, Pace};
use stratus_harness::compositor::{Config, Record, Seen};
use stratus_harness::fds;
use stratus_harness::raw::{RawClient, RawEvent, Wire};
use stratus_harness::watchdog::{Watchdog, wait_for};

use stage::{LIMIT, Stage};

const ROUNDS: u32 = 20;

/// What a hostile client sends, by name.
fn attacks() -> Vec<(&'static str, Vec<u8>, usize)> {
    let registry = Wire::new(1, 1).word(2).bytes();
    let behind = |bytes: Vec<u8>| [registry.clone(), bytes].concat();
    let sized = |len: u16| Wire::new(1, 0).word(9).claim(len).bytes();
    vec![
        ("a size of 0", sized(0), 0),
        ("a size below the header", sized(4), 0),
        ("a size that is no multiple of 4", sized(13), 0),
        ("an unknown object", Wire::new(4242, 0).bytes(), 0),
        ("object 0", Wire::new(0, 0).bytes(), 0),
        ("an object of the compositor's", Wire::new(0xff00_0001, 0).bytes(), 0),
        ("an unknown request", behind(Wire::new(2, 77).bytes()), 0),
        ("a new id that is taken", behind(Wire::new(1, 0).word(2).bytes()), 0),
        ("a new id of 0", Wire::new(1, 0).word(0).bytes(), 0),
        ("a new id of the compositor's", Wire::new(1, 0).word(0xff00_0000).bytes(), 0),
        ("a message without its arguments", Wire::new(1, 0).bytes(), 0),
        (
            "a bind of nothing",
            behind(Wire::new(2, 0).word(999).string("x").word(1).word(3).bytes()),
            0,
        ),
        ("a string without end", behind(Wire::new(2, 0).word(1).word(0xffff_fff0).bytes()), 0),
        ("fds that belong to nothing", Wire::new(1, 0).word(2).bytes(), 28),
        ("noise", (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect(), 3),
    ]
}

fn attack(socket: &Path, bytes: &[u8], fds: usize) -> Vec<RawEvent> {
    let mut client = RawClient::connect(socket).unwrap();
    let file = tempfile::tempfile().unwrap();
    let fds: Vec<BorrowedFd<'_>> = (0..fds).map(|_| file.as_fd()).collect();
    // The proxy may hang up before everything is said.
    let _ = client.send(bytes, &fds);
    let _ = client.stream().shutdown(std::net::Shutdown::Write);
    client.events_until_closed(LIMIT).expect("the connection ends")
}

// One test and not several: it counts the fds of the whole process.
#[test]
fn bad_bytes_end_their_sender_and_leak_nothing() {
    let _watchdog = Watchdog::start("bad bytes", Duration::from_secs(120));
    let stage = Stage::new(Config { record: Record::Nothing, ..Config::default() });
    let (proxied, slot, stats) = stage.capturing(CaptureConfig::new(Size::new(640, 480)));
    let reader = std::thread::spawn(move || while let Arrival::Frame(_) = slot.wait(true, None) {});
    let config = client::Config { frames: u64::MAX, pace: Pace::Rate(200.0), ..Default::default() };
    let steady = Client::start(proxied.socket(), config).unwrap();
    // Every buffer was mapped once, so that no fd is opened later.
    let warm = |seen: &Seen| seen.frames > 20;
    stage.compositor.wait("the steady client", LIMIT, warm).unwrap();
    let before = fds::own_fds().unwrap();
    for round in 0..ROUNDS {
        for (name, bytes, fds) in attacks() {
            let frames = stats.handed.value();
            let events = attack(proxied.socket(), &bytes, fds);
            let told = events.iter().any(|event| event.display_error().is_some());
            let harmless = name == "fds that belong to nothing";
            assert!(told || harmless, "{name}: ended without a word, {events:?}");
            let goes_on = || (stats.handed.value() > frames).then_some(());
            wait_for(&format!("a frame after {name}, round {round}"), LIMIT, goes_on).unwrap();
        }
    }
    for cut in 1..20 {
        // Half a message and the end.
        let bytes = Wire::new(1, 1).word(2).string("a message that is longer").bytes();
        attack(proxied.socket(), &bytes[..cut], 0);
    }
    let alone = || (stats.clients.value() == 1).then_some(());
    wait_for("the attackers' ends", LIMIT, alone).unwrap();
    let others = |seen: &Seen| seen.disconnected + 1 == seen.connected;
    stage.compositor.wait("the attackers' ends upstream", LIMIT, others).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let changes = fds::difference(&before, &fds::own_fds().unwrap());
    assert!(changes.is_empty(), "fds changed:\n{}", changes.join("\n"));
    let counts = steady.stop().unwrap();
    assert_eq!((counts.end, counts.stray_releases), (End::Finished, 0));
    proxied.stop();
    reader.join().unwrap();
}
