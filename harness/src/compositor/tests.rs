//! The scripted compositor against the scripted client.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::client::{self, Client, End, Pace as ClientPace};
use crate::watchdog::Watchdog;

const LIMIT: Duration = Duration::from_secs(60);

fn start(config: Config) -> (Compositor, tempfile::TempDir, Watchdog) {
    let folder = tempfile::tempdir().unwrap();
    let compositor = Compositor::start(&folder.path().join("wayland"), config).unwrap();
    (compositor, folder, Watchdog::start("a scripted compositor", LIMIT))
}

#[test]
fn it_records_what_it_was_asked() {
    let (compositor, _folder, _watchdog) = start(Config::default());
    let config = client::Config { frames: 3, title: "a game".to_owned(), ..Default::default() };
    client::play(compositor.socket(), &config).unwrap();
    compositor.wait("the end", LIMIT, |seen| seen.disconnected == 1).unwrap();
    let seen = compositor.seen();
    assert_eq!((seen.connected, seen.frames), (1, 3));
    assert_eq!(seen.count("wl_surface", "frame"), 3);
    let title = seen.requests.iter().find(|r| r.name == "set_title").unwrap();
    assert_eq!((title.interface, title.args.as_str()), ("xdg_toplevel", "\"a game\""));
    let pool = seen.requests.iter().find(|r| r.name == "create_pool").unwrap();
    assert!(pool.args.ends_with(", fd, 3686400"), "{}", pool.args);
    assert!(seen.bound.contains(&("wl_compositor".to_owned(), 5)), "{:?}", seen.bound);
}

#[test]
fn frozen_it_serves_nobody_and_thawed_it_goes_on() {
    let (compositor, _folder, _watchdog) = start(Config::default());
    let config = client::Config { frames: u64::MAX, ..Default::default() };
    let client = Client::start(compositor.socket(), config).unwrap();
    compositor.wait("frames", LIMIT, |seen| seen.frames > 2).unwrap();
    compositor.freeze(true);
    // The order may meet one more round of the loop.
    std::thread::sleep(Duration::from_millis(100));
    let frozen = compositor.seen().frames;
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(compositor.seen().frames, frozen);
    compositor.freeze(false);
    compositor.wait("frames again", LIMIT, |seen| seen.frames > frozen + 2).unwrap();
    assert_eq!(client.stop().unwrap().end, End::Finished);
}

#[test]
fn globals_come_and_go_and_may_be_unheard_of() {
    let globals = [Global::usual(), vec![Global::unknown(), Global::screencopy()]].concat();
    let (compositor, _folder, _watchdog) = start(Config { globals, ..Config::default() });
    let counts = client::play(compositor.socket(), &client::Config::default()).unwrap();
    for (name, version) in [("zharness_unheard_of_v7", 7), ("zwlr_screencopy_manager_v1", 3)] {
        assert!(counts.globals.contains(&(name.to_owned(), version)), "{:?}", counts.globals);
    }
    compositor.withdraw("zharness_unheard_of_v7");
    compositor.advertise(Global::unknown());
    compositor.withdraw("wl_seat");
    let counts = client::play(compositor.socket(), &client::Config::default()).unwrap();
    let has = |name: &str| counts.globals.iter().filter(|(n, _)| n == name).count();
    assert_eq!((has("zharness_unheard_of_v7"), has("wl_seat")), (1, 0), "{:?}", counts.globals);
}

#[test]
fn a_flood_reaches_a_client_that_reads() {
    let (compositor, _folder, _watchdog) = start(Config::default());
    let config =
        client::Config { frames: u64::MAX, pace: ClientPace::Rate(100.0), ..Default::default() };
    let client = Client::start(compositor.socket(), config).unwrap();
    compositor.wait("a frame", LIMIT, |seen| seen.frames > 0).unwrap();
    compositor.flood(1000);
    let count = compositor.seen().frames;
    compositor.wait("frames after the flood", LIMIT, |seen| seen.frames > count + 3).unwrap();
    assert_eq!(client.stop().unwrap().end, End::Finished);
}

#[test]
fn death_closes_connections_and_leaves_the_socket_file() {
    let (compositor, folder, _watchdog) = start(Config::default());
    let config = client::Config { frames: u64::MAX, ..Default::default() };
    let client = Client::start(compositor.socket(), config.clone()).unwrap();
    compositor.wait("a frame", LIMIT, |seen| seen.frames > 0).unwrap();
    compositor.die();
    assert!(matches!(client.join().unwrap().end, End::Disconnected(_)));
    assert!(folder.path().join("wayland").exists());
    let (compositor, folder, _watchdog) = start(Config::default());
    drop(compositor);
    assert!(!folder.path().join("wayland").exists());
}
