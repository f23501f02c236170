//! The scripted client against the scripted compositor.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use super::*;
use crate::compositor::{self, Compositor, Global, Release};
use crate::scene::Motion;
use crate::watchdog::Watchdog;

const LIMIT: Duration = Duration::from_secs(60);

struct Stage {
    compositor: Compositor,
    _folder: tempfile::TempDir,
    _watchdog: Watchdog,
}

fn stage(config: compositor::Config) -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let compositor = Compositor::start(&folder.path().join("wayland"), config).unwrap();
    Stage { compositor, _folder: folder, _watchdog: Watchdog::start("a scripted pair", LIMIT) }
}

fn reading() -> compositor::Config {
    let pace = compositor::Pace::Hertz(500.0);
    compositor::Config { read_markers: true, pace, ..compositor::Config::default() }
}

fn numbers(seen: &compositor::Seen) -> Vec<u32> {
    seen.markers.iter().map(|marker| marker.unwrap()).collect()
}

#[test]
fn every_kind_of_buffer_and_layout_shows_its_frames_in_order() {
    let kinds = [Buffers::OnePool, Buffers::PoolEach, Buffers::FreshEachFrame];
    let releases =
        [Release::AtOnce, Release::AtNextCommit, Release::After(Duration::from_millis(3))];
    for kind in kinds {
        for release in releases {
            for pace in [Pace::FrameCallbacks, Pace::Rate(400.0), Pace::Releases] {
                let stage = stage(compositor::Config { release, ..reading() });
                let config = Config {
                    size: (320, 240),
                    frames: 20,
                    kind,
                    pace,
                    row_gap: 52,
                    offset: 4096,
                    buffers: 2,
                    wait_for_releases: Duration::from_millis(100),
                    ..Config::default()
                };
                let counts = play(stage.compositor.socket(), &config).unwrap();
                let seen = stage.compositor.seen();
                let what = format!("{kind:?} {release:?} {pace:?}: {counts:?}");
                assert_eq!(numbers(&seen), (1..=20).collect::<Vec<u32>>(), "{what}");
                assert_eq!((counts.commits, counts.last_number), (20, 20), "{what}");
                assert_eq!(counts.releases, seen.releases, "{what}");
                assert_eq!(counts.releases + counts.unreleased, 20, "{what}");
                let held = u64::from(release == Release::AtNextCommit);
                assert_eq!((counts.unreleased, counts.stray_releases), (held, 0), "{what}");
                assert_eq!((seen.reused_too_early, &counts.end), (0, &End::Finished), "{what}");
            }
        }
    }
}

#[test]
fn it_draws_at_the_size_that_it_is_told() {
    let stage = stage(compositor::Config { size: (800, 600), ..reading() });
    let config = Config { frames: u64::MAX, pace: Pace::Rate(200.0), ..Config::default() };
    let client = Client::start(stage.compositor.socket(), config).unwrap();
    stage.compositor.wait("frames", LIMIT, |seen| seen.frames > 5).unwrap();
    stage.compositor.configure(333, 241);
    let count = stage.compositor.seen().frames;
    stage.compositor.wait("more frames", LIMIT, |seen| seen.frames > count + 5).unwrap();
    let counts = client.stop().unwrap();
    assert_eq!(counts.configures, [(800, 600), (333, 241)]);
    assert_eq!((counts.size, counts.end), ((333, 241), End::Finished));
    assert_eq!(counts.modes, [(1024, 768, 60_000)]);
    assert_eq!(counts.logical_sizes, [(1024, 768)]);
    assert!(counts.globals.contains(&("wl_seat".to_owned(), 7)), "{:?}", counts.globals);
    assert!(stage.compositor.seen().markers.iter().all(Result::is_ok));
}

#[test]
fn each_commit_is_noted_with_its_moment() {
    let stage = stage(reading());
    let folder = tempfile::tempdir().unwrap();
    let commits = folder.path().join("commits");
    let config = Config {
        frames: 5,
        pace: Pace::Rate(100.0),
        first_number: 8,
        commits: Some(commits.clone()),
        ..Config::default()
    };
    let before = moments::now();
    play(stage.compositor.socket(), &config).unwrap();
    let text = std::fs::read_to_string(commits).unwrap();
    let pair = |line: &str| {
        let (number, at) = line.split_once(',').unwrap();
        (number.parse::<u32>().unwrap(), at.parse::<u64>().unwrap())
    };
    let (numbers, times): (Vec<_>, Vec<_>) = text.lines().map(pair).unzip();
    assert_eq!(numbers, [8, 9, 10, 11, 12]);
    assert!(times.is_sorted() && before < times[0] && times[4] < moments::now(), "{times:?}");
    // Five moments at 100 Hz lie 40 ms apart, however late any of them was.
    assert!(times[4] - times[0] > 20_000_000, "{times:?}");
}

#[test]
fn without_releases_it_stalls_and_says_so() {
    let stage = stage(compositor::Config { release: Release::Never, ..reading() });
    let config = Config { frames: 10, buffers: 2, pace: Pace::Releases, ..Config::default() };
    let client = Client::start(stage.compositor.socket(), config).unwrap();
    stage.compositor.wait("both buffers", LIMIT, |seen| seen.frames == 2).unwrap();
    let counts = client.stop().unwrap();
    assert_eq!((counts.commits, counts.releases, counts.unreleased), (2, 0, 2));

    let late = Release::After(Duration::from_millis(30));
    let stage = self::stage(compositor::Config { release: late, ..reading() });
    let config = Config { frames: 10, buffers: 1, pace: Pace::Releases, ..Config::default() };
    let counts = play(stage.compositor.socket(), &config).unwrap();
    assert_eq!((counts.commits, counts.stalls), (10, 9));
    assert!(counts.longest_stall >= Duration::from_millis(15), "{:?}", counts.longest_stall);
}

#[test]
fn harmless_tricks_lose_no_frame() {
    let tricks = [
        vec![Trick::ResizePool { at: 5 }, Trick::ResizePool { at: 9 }],
        vec![Trick::EmptyCommits],
        vec![Trick::Unmap { at: 7 }],
        vec![Trick::DestroyBuffersEarly],
    ];
    for tricks in tricks {
        let stage = stage(reading());
        let what = format!("{tricks:?}");
        let config = Config { frames: 15, tricks, motion: Motion::MarkerOnly, ..Config::default() };
        let counts = play(stage.compositor.socket(), &config).unwrap();
        assert_eq!(counts.end, End::Finished, "{what}");
        assert_eq!(numbers(&stage.compositor.seen()), (1..=15).collect::<Vec<u32>>(), "{what}");
    }
}

#[test]
fn a_picture_that_never_changes_is_committed_without_damage() {
    let stage = stage(reading());
    let config =
        Config { frames: 9, motion: Motion::Nothing, first_number: 5, ..Config::default() };
    let counts = play(stage.compositor.socket(), &config).unwrap();
    let seen = stage.compositor.seen();
    assert_eq!((counts.commits, seen.frames), (9, 9));
    assert_eq!(numbers(&seen), [5; 9]);
    assert_eq!(seen.count("wl_surface", "damage") + seen.count("wl_surface", "damage_buffer"), 0);
}

#[test]
fn a_client_that_took_its_memory_away_stays_connected() {
    let stage = stage(compositor::Config { release: Release::AtNextCommit, ..reading() });
    let stay = Duration::from_secs(30);
    let tricks = vec![Trick::TruncateForGood { after: 3, stay }];
    let client =
        Client::start(stage.compositor.socket(), Config { tricks, ..Config::default() }).unwrap();
    stage.compositor.wait("three frames", LIMIT, |seen| seen.frames == 3).unwrap();
    assert!(!client.is_finished());
    let counts = client.stop().unwrap();
    assert_eq!((counts.commits, counts.end), (3, End::Finished));
}

#[test]
fn ends_are_told_apart() {
    let run = |tricks: Vec<Trick>, act: &dyn Fn(&Compositor)| {
        let stage = stage(reading());
        let config = Config { frames: u64::MAX, tricks, ..Config::default() };
        let client = Client::start(stage.compositor.socket(), config).unwrap();
        stage.compositor.wait("a frame", LIMIT, |seen| seen.frames > 0).unwrap();
        act(&stage.compositor);
        client.join().unwrap().end
    };
    let nothing = |_: &Compositor| {};
    assert_eq!(run(vec![Trick::Vanish { after: 4 }], &nothing), End::Trick);
    let garbage = run(vec![Trick::Garbage { after: 4 }], &nothing);
    assert!(matches!(garbage, End::ProtocolError(..) | End::Disconnected(_)), "{garbage:?}");
    let cut = run(Vec::new(), &|compositor| compositor.disconnect(None));
    assert!(matches!(cut, End::Disconnected(_)), "{cut:?}");
    // The kernel tells a client of the reset of its connection before what was sent in front of
    // it, if the compositor left something unread; so one time in many it does not hear the error.
    let is_error = |end: &End| matches!(end, End::ProtocolError(_, 3, _));
    let mut ends = Vec::new();
    while ends.len() < 5 && !ends.last().is_some_and(is_error) {
        ends.push(run(Vec::new(), &|compositor| compositor.protocol_error(0)));
    }
    assert!(ends.last().is_some_and(is_error), "{ends:?}");
}

#[test]
fn a_missing_global_or_socket_is_an_error_that_names_it() {
    let config = compositor::Config {
        globals: Global::usual()[..3].to_vec(),
        ..compositor::Config::default()
    };
    let stage = stage(config);
    let error = play(stage.compositor.socket(), &Config::default()).unwrap_err();
    assert!(format!("{error:#}").contains("offers no xdg_wm_base"), "{error:#}");
    let error = play(Path::new("/nowhere/wayland-9"), &Config::default()).unwrap_err();
    assert!(format!("{error:#}").contains("/nowhere/wayland-9"), "{error:#}");
}
