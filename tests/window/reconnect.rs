//! A player whose connection breaks, and how it goes on.

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use stratus_harness::keyboard::Keyboard;
use stratus_harness::watchdog::Watchdog;

use crate::relay::Relay;
use crate::stage::{GAME, SCREEN, Stage, draw, markers, number, session_beside};
use crate::support::{eventually, place};
use crate::{ALT, CTRL, Q, SHIFT};

const MIDDLE: (u32, u32) = ((SCREEN.0 - GAME.0) / 2, (SCREEN.1 - GAME.1) / 2);

/// The frames that a player's log says it kept, as often as it says so.
fn kept(log: &str) -> Vec<u64> {
    let lines = log.lines().filter_map(|line| line.split_once("kept ")?.1.split_once(" frames"));
    lines.map(|(frames, _)| frames.parse().unwrap()).collect()
}

/// How long a WAVE file's sound is, by its head.
fn seconds(wave: &[u8]) -> f64 {
    let data = u32::from_le_bytes(wave[40..44].try_into().unwrap());
    assert_eq!(data as usize, wave.len() - 44, "its head is right");
    f64::from(data) / 4.0 / 48_000.0
}

/// A minute of 440 Hz at half of full scale.
fn write_tone(path: &Path) {
    let samples = (0..60 * 48_000).map(|i| 0.5 * (TAU * 440.0 * f64::from(i) / 48_000.0).sin());
    let bytes: Vec<u8> = samples.flat_map(|x| ((x * 32_767.0) as i16).to_le_bytes()).collect();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_lost_connection_is_made_anew_and_recordings_go_on() {
    let _watchdog = Watchdog::start("connecting anew", Duration::from_secs(180));
    let files = place();
    let (stream, sound) = (files.path().join("out.mkv"), files.path().join("out.wav"));
    let tone = files.path().join("tone.raw");
    write_tone(&tone);
    let play = "while pacat --playback --raw --format=s16le --rate=48000 --channels=1";
    let play = format!("{play} < {}; do :; done", tone.display());
    let (session, socket) = session_beside(GAME, &["sh", "-c", &play]);
    let game = draw(&socket, GAME, 30.0);
    session.find("pacat");
    let relay = Relay::new(&session.link);
    let mut arguments = vec!["--resize", "keep", "--scale", "integer", "--json", "--no-sound"];
    arguments.extend(["--record", stream.to_str().unwrap()]);
    arguments.extend(["--record-sound", sound.to_str().unwrap()]);
    let stage = Stage::new(&relay.link, &arguments);
    stage.number_at(MIDDLE, GAME);
    // Some of it is to be in the files.
    std::thread::sleep(Duration::from_secs(2));

    let last = stage.number_at(MIDDLE, GAME);
    relay.tear();
    eventually("the loss is noticed", || {
        stage.log().contains("the connection is lost").then_some(())
    });
    relay.mend();
    eventually(&format!("the game is seen again\n{}", stage.log()), || {
        number(&stage.look(), MIDDLE, GAME).filter(|&number| number > last + 100)
    });
    assert!(kept(&stage.log()).is_empty(), "the recording is not over");
    std::thread::sleep(Duration::from_secs(2));

    let mut keyboard = Keyboard::new(stage.display.socket()).unwrap();
    let log = stage.log.clone();
    let mut stage = stage;
    let ended = eventually("the player ends", || {
        // The window may not have the keyboard yet.
        let _ = keyboard.chord(&[CTRL, ALT, SHIFT, Q]);
        std::thread::sleep(Duration::from_millis(100));
        stage.player.try_wait().unwrap()
    });
    let log = fs::read_to_string(log).unwrap();
    let (_, said) = stage.end();
    assert_eq!(ended.code(), Some(0), "{log}");
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    let [kept] = kept(&log)[..] else { panic!("{log}") };
    let after = report["frames_decoded"].as_u64().unwrap();
    assert!(after > 30 && kept > after + 30, "{kept} frames are kept, {after} of them came last");
    assert_eq!(fs::read(&stream).unwrap()[..4], [0x1a, 0x45, 0xdf, 0xa3], "EBML (RFC 8794)");
    // Both parts and the silence between them, which alone is ten seconds.
    let wave = fs::read(&sound).unwrap();
    let heard = report["sound"]["seconds"].as_f64().unwrap();
    assert!(heard > 1.0, "{report}");
    assert!(seconds(&wave) > heard + 10.0, "{} s, {heard} s of them last", seconds(&wave));
    let loud = |part: &[u8]| {
        part.chunks_exact(2).any(|s| i16::from_le_bytes([s[0], s[1]]).unsigned_abs() > 8_000)
    };
    let (first, rest) = wave[44..].split_at(2 * 48_000 * 4);
    assert!(loud(first) && loud(&rest[rest.len() - 48_000 * 4..]), "sound at both ends");
    game.stop().unwrap();
}

#[test]
fn who_plays_for_some_seconds_does_not_wait_longer_for_a_server_that_is_gone() {
    let _watchdog = Watchdog::start("waiting for a dead server", Duration::from_secs(120));
    let (session, _game) = markers(GAME, 30.0);
    let options = ["--resize", "keep", "--scale", "integer", "--seconds", "20", "--json"];
    let stage = Stage::new(&session.link, &options);
    stage.number_at(MIDDLE, GAME);
    session.signal(Signal::SIGKILL);
    let log = stage.log.clone();
    eventually("the loss is noticed", || {
        stage.log().contains("the connection is lost").then_some(())
    });
    let mut stage = stage;
    eventually("the player ends", || stage.player.try_wait().unwrap());
    let log = fs::read_to_string(log).unwrap();
    let (code, _) = stage.end();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("the connection is gone"), "{log}");
}
