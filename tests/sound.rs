//! A game's sound, from its PulseAudio client through `stratus run` to a player's file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;

use support::{Session, place, say, stratus};

/// Plays a tone for as long as it is let, and shows a terminal.
fn game(tone: &Path) -> Vec<String> {
    let play = "pacat --playback --raw --format=s16le --rate=48000 --channels=1 \
                --latency-msec=300";
    let script = format!(
        "while {play} < {}; do :; done & exec foot sh -c 'while date +%s.%N; do sleep 0.05; done'",
        tone.display()
    );
    ["sh", "-c", &script].map(str::to_owned).to_vec()
}

/// 30 s of 440 Hz at half of full scale.
fn write_tone(path: &Path) {
    let samples = (0..30 * 48_000).map(|i| 0.5 * (TAU * 440.0 * f64::from(i) / 48_000.0).sin());
    let bytes: Vec<u8> = samples.flat_map(|x| ((x * 32_767.0) as i16).to_le_bytes()).collect();
    fs::write(path, bytes).unwrap();
}

/// How often the left channel of a WAVE file crosses zero upwards in a second, and its peak.
fn wave(path: &Path) -> (f64, i16) {
    let bytes = fs::read(path).unwrap();
    assert_eq!(&bytes[8..16], b"WAVEfmt ");
    let left: Vec<i16> =
        bytes[44..].chunks_exact(4).map(|f| i16::from_le_bytes([f[0], f[1]])).collect();
    let middle = &left[left.len() / 4..left.len() * 3 / 4];
    let up = middle.windows(2).filter(|w| w[0] < 0 && w[1] >= 0).count();
    (up as f64 * 48_000.0 / middle.len() as f64, *middle.iter().max().unwrap())
}

#[test]
fn a_game_is_heard_by_who_plays() {
    let files = place();
    let tone = files.path().join("tone.raw");
    write_tone(&tone);
    let game = game(&tone);
    let game: Vec<&str> = game.iter().map(String::as_str).collect();
    let mut session = Session::run(&["--size", "640x480"], &game);
    session.find("pacat");
    let recorded = files.path().join("out.wav");
    let mut player = stratus(files.path());
    player.args(["play", "--headless", &session.link, "--seconds", "3", "--json"]);
    player.arg("--record-sound").arg(&recorded);
    let said = say(player);
    assert_eq!(said.code, Some(0), "{}\n{}", said.err, session.log());
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let sound = &report["sound"];
    assert!(sound["seconds"].as_f64().unwrap() > 1.0, "{report}");
    assert!((sound["peak"].as_f64().unwrap() - 0.5).abs() < 0.05, "{sound}");
    let (hertz, peak) = wave(&recorded);
    assert!((hertz - 440.0).abs() < 9.0, "{hertz} Hz");
    assert!((14_000..19_000).contains(&peak), "{peak}");
    session.signal(nix::sys::signal::Signal::SIGTERM);
    session.wait();
    session.assert_gone();
}

#[test]
fn without_sound_the_game_finds_none() {
    let session = Session::run(
        &["--size", "640x480", "--sound", "off"],
        &["sh", "-c", "echo server=$PULSE_SERVER.; pactl info || echo none; sleep 60"],
    );
    support::eventually("the game has looked", || session.log().contains("none").then_some(()));
    assert!(session.log().contains("server=."), "{}", session.log());
}
