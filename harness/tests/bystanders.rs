//! What ends one client, or slows one down, is nobody else's business.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod stage;

use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::time::Duration;

use stratus_capture::CaptureConfig;
use stratus_frame::Size;
use stratus_harness::client::{self, Client, Counts, End, Pace, Trick};
use stratus_harness::compositor::{Compositor, Config, Global, Pace as Callbacks, Record, Seen};
use stratus_harness::raw::{RawClient, RawEvent, Wire};
use stratus_harness::watchdog::Watchdog;

use stage::{LIMIT, Stage};

fn watchdog(name: &str) -> Watchdog {
    Watchdog::start(name, Duration::from_secs(120))
}

/// A client that goes on until it is told to stop.
fn steady(socket: &Path) -> Client {
    let config = client::Config { frames: u64::MAX, pace: Pace::Rate(100.0), ..Default::default() };
    Client::start(socket, config).unwrap()
}

fn more_frames(compositor: &Compositor) {
    let before = compositor.with_seen(|seen| seen.frames);
    compositor.wait("more frames", LIMIT, |seen| seen.frames > before + 5).unwrap();
}

/// The steady client was never disturbed.
fn undisturbed(client: Client) -> Counts {
    let counts = client.stop().unwrap();
    assert_eq!((&counts.end, counts.stray_releases), (&End::Finished, 0), "{counts:?}");
    counts
}

#[test]
fn a_client_that_vanishes_takes_nobody_along() {
    let _watchdog = watchdog("a vanishing client");
    let stage = Stage::new(Config::default());
    let (proxied, slot, _stats) = stage.capturing(CaptureConfig::new(Size::new(640, 480)));
    let staying = steady(proxied.socket());
    more_frames(&stage.compositor);
    let tricks = vec![Trick::Vanish { after: 3 }];
    let config = client::Config { tricks, ..Default::default() };
    assert_eq!(client::play(proxied.socket(), &config).unwrap().end, End::Trick);
    stage.compositor.wait("its end", LIMIT, |seen| seen.disconnected == 1).unwrap();
    more_frames(&stage.compositor);
    drop(slot);
    undisturbed(staying);
}

#[test]
fn a_client_that_the_compositor_drops_ends_alone() {
    let _watchdog = watchdog("a dropped client");
    let stage = Stage::new(Config::default());
    let proxied = stage.passing();
    let dropped = steady(proxied.socket());
    stage.compositor.wait("the first client", LIMIT, |seen| seen.frames > 0).unwrap();
    let staying = steady(proxied.socket());
    stage.compositor.wait("the second client", LIMIT, |seen| seen.connected == 2).unwrap();
    more_frames(&stage.compositor);
    stage.compositor.disconnect(Some(0));
    let counts = dropped.join().unwrap();
    assert!(matches!(counts.end, End::Disconnected(_)), "{counts:?}");
    more_frames(&stage.compositor);
    undisturbed(staying);
}

#[test]
fn a_protocol_error_reaches_its_client_as_it_was_said() {
    let _watchdog = watchdog("a protocol error");
    let stage = Stage::new(Config::default());
    let proxied = stage.passing();
    // A client on libwayland would not hear the text.
    let mut guilty = RawClient::connect(proxied.socket()).unwrap();
    stage.compositor.wait("the first client", LIMIT, |seen| seen.connected == 1).unwrap();
    let staying = steady(proxied.socket());
    stage.compositor.wait("the second client", LIMIT, |seen| seen.frames > 0).unwrap();
    stage.compositor.protocol_error(0);
    let said = guilty.events_until_closed(LIMIT).unwrap();
    let error = said.last().expect("wl_display.error");
    assert_eq!((error.sender, error.opcode), (1, 0));
    assert_eq!(error.body[4..8], 3_u32.to_ne_bytes());
    assert!(String::from_utf8_lossy(&error.body).contains("asked for by the test"), "{error:?}");
    more_frames(&stage.compositor);
    undisturbed(staying);
}

#[test]
fn without_a_compositor_clients_are_told_so_and_with_a_new_one_they_are_served() {
    let _watchdog = watchdog("a dying compositor");
    let Stage { compositor, folder } = Stage::new(Config::default());
    let path = compositor.socket().to_owned();
    let proxied = stage::Proxied::passing(folder.path(), &path);
    let clients = [steady(proxied.socket()), steady(proxied.socket())];
    compositor.wait("both clients", LIMIT, |seen| seen.connected == 2 && seen.frames > 9).unwrap();
    compositor.die();
    for client in clients {
        let counts = client.join().unwrap();
        assert!(matches!(counts.end, End::Disconnected(_)), "{counts:?}");
    }
    let mut refused = RawClient::connect(proxied.socket()).unwrap();
    // It hears why in answer to its first request.
    refused.message(&Wire::new(1, 0).word(2)).unwrap();
    let events = refused.events_until_closed(LIMIT).unwrap();
    let error = events.iter().find_map(RawEvent::display_error);
    let (object, _, text) = error.unwrap_or_else(|| panic!("no wl_display.error in {events:?}"));
    assert_eq!(object, 1);
    assert!(text.contains(path.to_str().unwrap()), "{text}");

    std::fs::remove_file(&path).unwrap();
    let _compositor = Compositor::start(&path, Config::default()).unwrap();
    let config = client::Config { frames: 5, ..Default::default() };
    let counts = client::play(proxied.socket(), &config).unwrap();
    assert_eq!((counts.commits, counts.end), (5, End::Finished));
}

#[test]
fn many_clients_at_once_all_keep_their_frames() {
    let _watchdog = watchdog("many clients");
    const CLIENTS: u32 = 20;
    const FRAMES: u32 = 50;
    let stage = Stage::new(Config {
        read_markers: true,
        pace: Callbacks::Hertz(200.0),
        ..Config::default()
    });
    let (proxied, slot, stats) = stage.capturing(CaptureConfig::new(Size::new(320, 240)));
    let clients: Vec<Client> = (0..CLIENTS)
        .map(|number| {
            let config = client::Config {
                size: (320, 240),
                frames: u64::from(FRAMES),
                first_number: number * 1000,
                ..Default::default()
            };
            Client::start(proxied.socket(), config).unwrap()
        })
        .collect();
    for client in clients {
        let counts = client.join().unwrap();
        assert_eq!((&counts.end, counts.commits), (&End::Finished, u64::from(FRAMES)));
        assert_eq!((counts.unreleased, counts.stray_releases), (0, 0), "{counts:?}");
    }
    let seen = stage.compositor.seen();
    let mut numbers: Vec<u32> = seen.markers.iter().map(|m| m.unwrap()).collect();
    numbers.sort_unstable();
    let expected: Vec<u32> = (0..CLIENTS).flat_map(|n| n * 1000..n * 1000 + FRAMES).collect();
    assert_eq!(numbers, expected);
    assert_eq!(seen.reused_too_early, 0);
    drop(slot);
    proxied.stop();
    assert_eq!(stats.held.value(), 0);
}

/// Bytes of one `wl_shm.format` event.
const FORMAT_EVENT: u32 = 12;

/// Connects, binds `wl_shm` as object 4 and hears of its formats.
fn listener_of_floods(socket: &Path) -> RawClient {
    let mut client = RawClient::connect(socket).unwrap();
    client.message(&Wire::new(1, 1).word(2)).unwrap();
    let events = client.sync(3, LIMIT).unwrap();
    let shm = events.iter().find(|e| e.string(1).as_deref() == Some("wl_shm")).unwrap();
    let name = shm.word(0).unwrap();
    client.message(&Wire::new(2, 0).word(name).string("wl_shm").word(1).word(4)).unwrap();
    client.sync(5, LIMIT).unwrap();
    client
}

#[test]
fn a_game_that_hangs_keeps_its_events_and_others_play_on() {
    let _watchdog = watchdog("a hanging game");
    let stage = Stage::new(Config::default());
    let proxied = stage.passing();
    let mut hanging = listener_of_floods(proxied.socket());
    let staying = steady(proxied.socket());
    stage.compositor.wait("the other client", LIMIT, |seen| seen.frames > 0).unwrap();
    // Far more than a socket holds and half of what the proxy keeps; in parts, as the
    // compositor's own buffer towards the proxy is small.
    let parts = 80;
    let part = 100 * 1024 / FORMAT_EVENT;
    for _ in 0..parts {
        stage.compositor.flood(part);
        more_frames(&stage.compositor);
    }
    undisturbed(staying);
    let events = hanging.sync(6, LIMIT).unwrap();
    let formats = events.iter().filter(|e| (e.sender, e.opcode) == (4, 0)).count();
    assert_eq!(formats, (parts * part) as usize);
}

#[test]
fn past_the_limit_the_hanging_game_ends_alone() {
    let _watchdog = watchdog("a hopeless game");
    let stage = Stage::new(Config { record: Record::Nothing, ..Config::default() });
    let proxied = stage.passing();
    let _hanging = listener_of_floods(proxied.socket());
    let staying = steady(proxied.socket());
    stage.compositor.wait("the other client", LIMIT, |seen| seen.frames > 0).unwrap();
    let part = 100 * 1024 / FORMAT_EVENT;
    let mut sent = 0;
    while stage.compositor.with_seen(|seen| seen.disconnected == 0) {
        stage.compositor.flood(part);
        sent += part * FORMAT_EVENT;
        assert!(sent < 64 << 20, "the proxy keeps {sent} bytes of events");
        let before = stage.compositor.with_seen(|seen| seen.frames);
        let goes_on = |seen: &Seen| seen.frames > before || seen.disconnected > 0;
        stage.compositor.wait("frames or the end", LIMIT, goes_on).unwrap();
    }
    assert!(sent > 15 << 20, "the game was ended after {sent} bytes");
    more_frames(&stage.compositor);
    undisturbed(staying);
}

/// wayland-rs ends a client whose socket is full, so a proxy that a busy machine leaves asleep
/// while the compositor answers loses its connection, through no fault of its own.
const ATTEMPTS: usize = 6;

#[test]
fn a_compositor_that_hangs_pushes_back_and_loses_nothing() {
    let _watchdog = watchdog("a hanging compositor");
    let answered = (0..ATTEMPTS).any(|_| hang_and_answer());
    assert!(answered, "of {ATTEMPTS} connections none heard all answers");
}

/// Whether the client heard all answers, and not the end of its connection before them.
fn hang_and_answer() -> bool {
    let stage = Stage::new(Config::default());
    let proxied = stage.passing();
    let mut client = listener_of_floods(proxied.socket());
    stage.compositor.freeze(true);
    // The order may meet one more round of the compositor's loop.
    std::thread::sleep(Duration::from_millis(100));
    client.stream().set_nonblocking(true).unwrap();
    // wl_shm.create_pool needs an fd, so surfaces of a compositor that was never bound are out;
    // syncs cost nothing and each is answered.
    let mut id = 6;
    let mut refusals = 0;
    while refusals < 50 {
        let bytes = Wire::new(1, 0).word(id).bytes();
        match client.stream().write(&bytes) {
            Ok(sent) => {
                assert_eq!(sent, bytes.len());
                id += 1;
                refusals = 0;
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                refusals += 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(e) => panic!("after {id} requests: {e}"),
        }
        assert!(id < 4 << 20, "the proxy takes requests without end");
    }
    client.stream().set_nonblocking(false).unwrap();
    stage.compositor.freeze(false);
    let mut next = 6;
    while next < id {
        let Some(event) = client.event(LIMIT).unwrap() else { return false };
        if event.sender != 1 {
            assert_eq!((event.sender, event.opcode), (next, 0));
            next += 1;
        }
    }
    true
}

#[test]
fn globals_that_are_no_game_s_business_are_hidden() {
    let _watchdog = watchdog("hidden globals");
    let globals = [vec![Global::unknown()], Global::usual(), vec![Global::screencopy()]].concat();
    let stage = Stage::new(Config { globals, ..Config::default() });
    let proxied = stage.passing();
    let direct = client::play(stage.compositor.socket(), &client::Config::default()).unwrap();
    let through = client::play(proxied.socket(), &client::Config::default()).unwrap();
    let hidden: Vec<_> =
        direct.globals.iter().filter(|g| !through.globals.contains(g)).cloned().collect();
    let expected = [("zharness_unheard_of_v7", 7), ("zwlr_screencopy_manager_v1", 3)];
    assert_eq!(hidden, expected.map(|(name, version)| (name.to_owned(), version)));

    // Names 1 and 11 exist upstream; through the proxy they are unknown, and so is their end.
    let mut curious = RawClient::connect(proxied.socket()).unwrap();
    curious.message(&Wire::new(1, 1).word(2)).unwrap();
    let offered = curious.sync(3, LIMIT).unwrap();
    stage.compositor.withdraw("zharness_unheard_of_v7");
    stage.compositor.withdraw("wl_seat");
    stage.compositor.advertise(Global::unknown());
    let removed = loop {
        let event = curious.event(LIMIT).unwrap().expect("the connection stays");
        if (event.sender, event.opcode) == (2, 1) {
            break event.word(0);
        }
    };
    let name_of = |wanted: &str| {
        offered.iter().find(|e| e.string(1).as_deref() == Some(wanted)).and_then(|e| e.word(0))
    };
    assert_eq!(removed, name_of("wl_seat"));
    let names: Vec<_> = offered.iter().filter_map(|e| e.word(0)).collect();
    let unseen = (1..=11).find(|name| !names.contains(name)).expect("a hidden name");
    let bind = Wire::new(2, 0).word(unseen).string("zharness_unheard_of_v7").word(1).word(4);
    curious.message(&bind).unwrap();
    let events = curious.events_until_closed(LIMIT).unwrap();
    assert!(events.iter().any(|e| e.display_error().is_some()), "{events:?}");
}
