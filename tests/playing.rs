//! `stratus run`, `stratus proxy` and `stratus play` together, with a real Sway and a real foot.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use stratus_harness::client;
use stratus_harness::hand::Hand;
use support::{Said, Session, place, say, script, stratus};

/// Foot with text that scrolls, so that every part of the picture changes.
const SCROLLING: [&str; 4] = ["foot", "sh", "-c", "while date +%s.%N; do sleep 0.02; done"];

fn play(link: &str, arguments: &[&str]) -> Said {
    let place = place();
    let mut command = stratus(place.path());
    command.args(["play", "--headless", link]).args(arguments);
    say(command)
}

fn json(said: &Said) -> serde_json::Value {
    serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}\n{}", said.out, said.err))
}

#[test]
fn frames_of_the_game_arrive_whole_and_measured() {
    let session = Session::run(&["--size", "640x480"], &SCROLLING);
    let files = place();
    let recorded = files.path().join("out.mkv");
    let picture = files.path().join("out.ppm");
    let said = play(
        &session.link,
        &[
            "--frames",
            "60",
            "--json",
            "--record",
            recorded.to_str().unwrap(),
            "--dump-ppm",
            picture.to_str().unwrap(),
        ],
    );
    assert_eq!(said.code, Some(0), "{}\n{}", said.err, session.log());
    let report = json(&said);
    assert_eq!(report["frames_decoded"], 60);
    assert!(report["different_pictures"].as_u64().unwrap() > 20, "{report}");
    for fault in ["missing", "damaged", "out_of_order", "not_sent"] {
        assert_eq!(report[fault], 0, "{fault}: {report}");
    }
    assert_eq!(report["same_machine"], true);
    let stages = report["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 9);
    for stage in stages {
        assert!(stage["p50_us"].as_f64() <= stage["p95_us"].as_f64(), "{stage}");
        assert!(stage["p95_us"].as_f64() <= stage["p99_us"].as_f64(), "{stage}");
        assert!(stage["samples"].as_u64().unwrap() > 40, "{stage}");
    }
    assert_eq!(fs::read(&recorded).unwrap()[..4], [0x1a, 0x45, 0xdf, 0xa3], "EBML (RFC 8794)");
    let (size, lit) = ppm(&picture);
    assert_eq!(size, (640, 480));
    assert!(lit > 100, "a terminal full of text has light pixels; there are {lit}");
}

#[test]
fn players_hear_of_the_cursor_whenever_they_join() {
    let session = Session::run(&["--size", "640x480"], &SCROLLING);
    let mut hand = Hand::new(&session.compositor(), (640, 480)).unwrap();
    // Newer foots name a shape, where the compositor takes that.
    let report = support::eventually("the cursor of foot", || {
        hand.wave((320, 240)).unwrap();
        let said = play(&session.link, &["--frames", "10", "--json"]);
        let report = json(&said);
        ["image", "shape"].iter().any(|look| report["cursor"]["look"] == *look).then_some(report)
    });
    let cursor = &report["cursor"];
    if cursor["look"] == "image" {
        assert!(cursor["image"]["size"]["width"].as_u64() >= Some(8), "{report}");
        assert!(cursor["image"]["hotspot"][0].as_i64() >= Some(0), "{report}");
    } else {
        assert_eq!(cursor["shape"], "text", "{report}");
    }
    assert_eq!(cursor["pointer"], "free");
    // Nothing changes any more: who joins now is told what holds.
    let said = play(&session.link, &["--frames", "10"]);
    let told = ["cursor: image of ", "cursor: shape text"];
    assert!(told.iter().any(|told| said.out.contains(told)), "{}", said.out);
}

/// Size of a picture, and how many of its samples are light.
fn ppm(path: &Path) -> ((usize, usize), usize) {
    let bytes = fs::read(path).unwrap();
    let mut parts = bytes.splitn(4, u8::is_ascii_whitespace);
    assert_eq!(parts.next().unwrap(), b"P6");
    let mut number = || std::str::from_utf8(parts.next().unwrap()).unwrap().parse().unwrap();
    let (width, height): (usize, usize) = (number(), number());
    let rest = parts.next().unwrap().strip_prefix(b"255\n").unwrap();
    assert_eq!(rest.len(), width * height * 3);
    ((width, height), rest.iter().filter(|&&s| s > 150).count())
}

/// A session whose link comes long before Sway is there, so that the player joins first.
fn late_session(options: &[&str], game: &[&str]) -> (Session, tempfile::TempDir) {
    let programs = place();
    let late = "PATH=${PATH#*:}; sleep 2; exec sway \"$@\"";
    script(&programs.path().join("sway"), late);
    let place = place();
    let mut command = stratus(place.path());
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", programs.path().display()));
    command.arg("run").args(options).arg("--").args(game);
    (Session::start(place, command), programs)
}

#[test]
fn who_joins_before_the_game_has_the_screen_that_it_asked_for() {
    let (session, _programs) = late_session(&["--size", "640x480"], &SCROLLING);
    let files = place();
    let picture = files.path().join("out.ppm");
    let path = picture.to_str().unwrap();
    let wish = ["--resize", "800x600", "--seconds", "20", "--frames", "20", "--dump-ppm", path];
    let said = play(&session.link, &wish);
    assert_eq!(said.code, Some(0), "{}\n{}", said.err, session.log());
    let log = session.log();
    assert_eq!(ppm(&picture).0, (800, 600), "{log}");
    // The game was never told of another: foot begins with a size of its own.
    assert!(!log.contains("size=640x480"), "{log}");
    assert!(log.contains("plays in Sway, 800x600 at 60"), "{log}");
}

#[test]
fn who_joins_before_the_game_has_it_at_its_own_rate() {
    // Where nobody watches there would be a picture in a second.
    let (session, _programs) = late_session(&["--size", "640x480", "--idle-fps", "1"], &SCROLLING);
    let said = play(&session.link, &["--frames", "200", "--seconds", "20", "--json"]);
    assert_eq!(said.code, Some(0), "{}\n{}", said.err, session.log());
    let report = json(&said);
    // Slowed down, foot draws some six in a second.
    assert_eq!(report["frames_decoded"], 200, "{report}\n{}", session.log());
}

#[test]
fn players_may_leave_and_others_come() {
    let session = Session::run(&[], &SCROLLING);
    for frames in ["5", "1", "30"] {
        let said = play(&session.link, &["--frames", frames, "--seconds", "30"]);
        assert_eq!(said.code, Some(0), "{}\n{}", said.err, session.log());
        assert!(said.out.contains(&format!("frames decoded: {frames}\n")), "{}", said.out);
    }
}

/// The player hears why it ends, and says it.
#[test]
fn the_end_of_a_session_has_its_reason() {
    type Ending = fn(&mut Session);
    let endings: [(Ending, &str); 3] = [
        (|s| s.signal(Signal::SIGTERM), "the host stopped the session"),
        (|s| kill(s.find("sway"), Signal::SIGKILL).unwrap(), "the compositor ended"),
        (|s| kill(s.find("foot"), Signal::SIGKILL).unwrap(), "the game ended with signal 9"),
    ];
    for (end, reason) in endings {
        let mut session = Session::run(&[], &SCROLLING);
        let link = session.link.clone();
        let player = std::thread::spawn(move || play(&link, &["--json"]));
        support::eventually("the player is in", || session.log().contains("joined").then_some(()));
        // It needs a frame, or it would rightly complain.
        std::thread::sleep(std::time::Duration::from_secs(1));
        end(&mut session);
        let said = player.join().unwrap();
        let report = json(&said);
        assert!(report["end"].as_str().unwrap().contains(reason), "{report}");
        assert_eq!(said.code, Some(0), "{reason}: {}", said.err);
        session.wait();
        session.assert_gone();
    }
}

#[test]
fn fewer_frames_than_asked_for_are_a_failure() {
    let session = Session::run(&[], &["foot", "sleep", "1000"]);
    let said = play(&session.link, &["--frames", "100000", "--seconds", "2"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("of 100000 frames came; the time was over"), "{}", said.err);
}

#[test]
fn a_wrong_token_and_a_session_that_is_over_are_told_apart() {
    let mut session = Session::run(&[], &SCROLLING);
    let (before, secret) = session.link.split_once('#').unwrap();
    let other = if secret.starts_with('A') { 'B' } else { 'A' };
    let wrong = format!("{before}#{other}{}", &secret[1..]);
    let said = play(&wrong, &["--frames", "1"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("token"), "{}", said.err);
    // It cost the session nothing.
    let said = play(&session.link, &["--frames", "1", "--seconds", "30"]);
    assert_eq!(said.code, Some(0), "{}", said.err);

    session.signal(Signal::SIGTERM);
    session.wait();
    let said = play(&session.link, &["--frames", "1"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("session is over"), "{}", said.err);
}

/// `stratus proxy` in front of the compositor of another session, which gives it a Sway.
#[test]
fn the_proxy_serves_games_that_others_start() {
    let host = Session::run(&["--capture", "on"], &["sleep", "1000"]);
    let inner = support::inhabitants(host.place.path());
    assert!(!inner.is_empty());
    host.find("sway");
    let sway = support::eventually("Sway's socket is there", || {
        let session = support::files(host.place.path()).into_iter().next()?;
        let path = host.place.path().join(session).join("wayland-1");
        path.exists().then_some(path)
    });

    let place = place();
    let mut command = stratus(place.path());
    command.args(["proxy", "--socket", "mine"]).env("WAYLAND_DISPLAY", &sway);
    let mut proxy = Session::start(place, command);
    let mut game = Command::new("foot")
        .args(&SCROLLING[1..])
        .env("XDG_RUNTIME_DIR", proxy.place.path())
        .env("WAYLAND_DISPLAY", "mine")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = play(&proxy.link, &["--frames", "20", "--seconds", "30"]);
    assert_eq!(said.code, Some(0), "{}\n{}", said.err, proxy.log());
    proxy.signal(Signal::SIGINT);
    assert_eq!(proxy.wait().code(), Some(0), "{}", proxy.log());
    game.wait().unwrap();
    proxy.assert_gone();
}

/// The stream follows a game that keeps a size of its own, so the player must too.
#[test]
fn a_window_larger_than_the_session_is_played() {
    let host = Session::run(&["--size", "640x480"], &["sleep", "1000"]);
    let socket = support::eventually("the games' socket is there", || {
        let session = support::files(host.place.path()).into_iter().next()?;
        let path = host.place.path().join(session).join("stratus-0");
        path.exists().then_some(path)
    });
    let config = client::Config {
        size: (1000, 702),
        obey_configure: false,
        frames: u64::MAX,
        ..client::Config::default()
    };
    let game = client::Client::start(&socket, config).unwrap();
    let files = place();
    let picture = files.path().join("out.ppm");
    let path = picture.to_str().unwrap();
    let said = play(&host.link, &["--frames", "20", "--seconds", "30", "--dump-ppm", path]);
    assert_eq!(said.code, Some(0), "{}\n{}", said.err, host.log());
    assert_eq!(ppm(&picture).0, (1000, 702));
    game.stop().unwrap();
}

#[test]
fn without_capture_games_run_and_nothing_is_served() {
    let place = place();
    let mut command = stratus(place.path());
    command.args(["run", "--capture", "off", "--", "foot", "true"]);
    let said = say(command);
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.err);
    assert!(support::inhabitants(place.path()).is_empty());
    assert!(support::files(place.path()).is_empty());
}
