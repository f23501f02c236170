//! Real clients of PulseAudio play, and what they play is what comes out of the packets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::process::{Child, Command};

use stratus_audio::SoundServer;
use support::*;

/// pacat with enough waiting that a busy machine makes no gap.
fn pacat(server: &SoundServer, spec: &[&str]) -> Command {
    let mut command = client(server, "pacat");
    command.args(["--playback", "--raw", "--latency-msec=500"]).args(spec);
    command
}

fn assert_tone(samples: &[f32], hertz: f64, expected: f64) {
    let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
    let heard = level(middle, hertz);
    assert!((heard / expected - 1.0).abs() < 0.1, "{hertz} Hz at {heard}, not {expected}");
    // A tone has 1/sqrt(2) of its peak; the rest is what should not be there.
    let rest = (rms(middle).powi(2) - heard.powi(2) / 2.0).max(0.0).sqrt();
    assert!(rest < 0.1 * expected, "{rest} beside {hertz} Hz");
    let weakest = weakest(samples, hertz);
    assert!(weakest > 0.8 * expected, "a gap: {weakest} of {hertz} Hz");
}

#[test]
fn mono_of_another_rate_is_heard_on_both_sides() {
    let place = tempfile::tempdir().unwrap();
    let (server, ear) = server(place.path());
    let sound = s16le(&tone(44_100, 660.0, 0.4, 1.5));
    let spec = ["--format=s16le", "--rate=44100", "--channels=1"];
    finish(feed(pacat(&server, &spec), sound));
    let [left, right] = ear.sound();
    let seconds = left.len() as f64 / 48_000.0;
    assert!((1.45..1.7).contains(&seconds), "{seconds} s; all of it was played, and no more");
    assert_tone(&left, 660.0, 0.4);
    assert_tone(&right, 660.0, 0.4);
}

#[test]
fn two_streams_are_mixed_and_each_has_its_own_volume() {
    let place = tempfile::tempdir().unwrap();
    let (server, ear) = server(place.path());
    let float: Vec<u8> = tone(96_000, 440.0, 0.3, 2.0)
        .iter()
        .flat_map(|x| [x.to_le_bytes(), 0f32.to_le_bytes()].concat())
        .collect();
    let spec = ["--format=float32le", "--rate=96000", "--channels=2"];
    let one = feed(pacat(&server, &spec), float);
    // Half of PulseAudio's scale is an eighth of the level.
    let spec = ["--format=s16le", "--rate=48000", "--channels=1", "--volume=32768"];
    let two = feed(pacat(&server, &spec), s16le(&tone(48_000, 1500.0, 0.8, 2.0)));
    finish(one);
    finish(two);
    let [left, right] = ear.sound();
    // Where both play.
    let (left, right) = (&left[24_000..72_000], &right[24_000..72_000]);
    let about = |heard: f64, expected: f64| (heard - expected).abs() < 0.02;
    assert!(about(level(left, 440.0), 0.3), "{}", level(left, 440.0));
    assert!(about(level(right, 440.0), 0.0), "{}", level(right, 440.0));
    assert!(about(level(left, 1500.0), 0.1) && about(level(right, 1500.0), 0.1));
}

#[test]
fn all_formats_are_understood() {
    let place = tempfile::tempdir().unwrap();
    let tone = tone(32_000, 1000.0, 0.5, 0.4);
    let int = |x: f32| (f64::from(x) * f64::from(i32::MAX)) as i32;
    let formats: [(&str, Vec<u8>); 5] = [
        ("u8", tone.iter().map(|x| (x * 127.0 + 128.0) as u8).collect()),
        ("s16be", tone.iter().flat_map(|x| ((x * 32767.0) as i16).to_be_bytes()).collect()),
        ("s24le", tone.iter().flat_map(|x| int(*x).to_le_bytes()[1..].to_vec()).collect()),
        ("s32be", tone.iter().flat_map(|x| int(*x).to_be_bytes()).collect()),
        ("s24-32le", tone.iter().flat_map(|x| (int(*x) >> 8).to_le_bytes()).collect()),
    ];
    for (format, bytes) in formats {
        let (server, ear) = server(place.path());
        let spec = [&format!("--format={format}")[..], "--rate=32000", "--channels=1"];
        finish(feed(pacat(&server, &spec), bytes));
        let [left, _] = ear.sound();
        let heard = level(&left[4800..14_400], 1000.0);
        assert!((heard - 0.5).abs() < 0.03, "{format}: {heard}");
    }
}

#[test]
fn surround_is_mixed_down_by_its_channel_map() {
    let place = tempfile::tempdir().unwrap();
    let (server, ear) = server(place.path());
    let tone = tone(48_000, 800.0, 0.5, 0.5);
    // The tone is in the left surround channel alone.
    let bytes = tone.iter().flat_map(|x| s16le(&[0.0, 0.0, 0.0, 0.0, *x, 0.0])).collect();
    let map = "--channel-map=front-left,front-right,front-center,lfe,rear-left,rear-right";
    let spec = ["--format=s16le", "--rate=48000", "--channels=6", map];
    finish(feed(pacat(&server, &spec), bytes));
    let [left, right] = ear.sound();
    let level = |side: &[f32]| level(&side[4800..19_200], 800.0);
    assert!((level(&left) - 0.354).abs() < 0.02, "3 dB below: {}", level(&left));
    assert!(level(&right) < 0.01);
}

#[test]
fn players_hear_how_far_they_are() {
    let place = tempfile::tempdir().unwrap();
    let (server, ear) = server(place.path());
    let wav = place.path().join("tone.wav");
    write_wav(&wav, &tone(48_000, 500.0, 0.5, 1.2));
    let mut mpv = client(&server, "mpv");
    mpv.args(["--no-config", "--no-video", "--ao=pulse", "--volume=100"]).arg(&wav);
    finish(mpv.spawn().expect("mpv is installed"));
    let [left, _] = ear.sound();
    assert!((57_000..70_000).contains(&left.len()), "{} frames", left.len());
    assert_tone(&left, 500.0, 0.5);
}

fn write_wav(path: &std::path::Path, samples: &[f32]) {
    let data = s16le(samples);
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + data.len() as u32).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(48_000u32.to_le_bytes());
    wav.extend(96_000u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend((data.len() as u32).to_le_bytes());
    wav.extend(data);
    std::fs::write(path, wav).unwrap();
}

#[test]
fn pactl_sees_and_moves_everything() {
    let place = tempfile::tempdir().unwrap();
    let (server, ear) = server(place.path());
    let pactl = |args: &[&str]| {
        let child: Child = client(&server, "pactl").args(args).spawn().expect("pactl is installed");
        finish(child)
    };
    assert!(pactl(&["info"]).contains("Default Sink: stratus\n"));
    let spec = ["--format=s16le", "--rate=48000", "--channels=2", "--stream-name=Song"];
    let mut player = feed(pacat(&server, &spec), vec![0x20; 4_000_000]);
    eventually("the stream plays", || !ear.packets().is_empty());
    let lists = pactl(&["list"]);
    for line in ["Name: stratus\n", "Name: stratus.monitor\n", "media.name = \"Song\"", "pacat"] {
        assert!(lists.contains(line), "{line} in {lists}");
    }
    for kind in ["sinks", "sources", "sink-inputs", "clients", "modules", "cards"] {
        pactl(&["list", "short", kind]);
    }
    let input = pactl(&["list", "short", "sink-inputs"]);
    let input = input.split('\t').next().unwrap();
    pactl(&["set-sink-input-mute", input, "1"]);
    // What was mixed before is still on its way.
    let before = ear.packets().len();
    eventually("the mute", || server.counts().ticks > 100 + before as u64);
    let after = ear.packets().len();
    eventually("a while", || server.counts().ticks > 200 + before as u64);
    assert_eq!(ear.packets().len(), after, "a muted stream sends nothing");
    pactl(&["set-sink-input-mute", input, "0"]);
    pactl(&["set-sink-volume", "stratus", "50%"]);
    assert!(pactl(&["list", "sinks"]).contains("50%"));
    player.kill().unwrap();
    player.wait().unwrap();
    eventually("its stream is gone", || !pactl(&["list", "sink-inputs"]).contains("Song"));
}
