//! Sound and picture together: a game that shows a picture and plays a sound at one moment is seen
//! and heard at one moment.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use pulseaudio::protocol::write_memblock;
use stratus_audio::{SoundDecoder, receiver};
use stratus_frame::MonoTime;
use support::raw::Raw;
use support::*;

/// What is at most between a sound and its picture.
const TOGETHER: Duration = Duration::from_millis(40);

/// A burst that is written at the moment of a commit, and the stamp under which it left the
/// server, which counts from the same clock as the commit's.
#[test]
fn a_sound_has_the_stamp_of_the_moment_it_was_played_at() {
    let place = tempfile::tempdir().unwrap();
    let (server, ear) = server(place.path());
    let mut raw = Raw::greet(place.path());
    let stream = raw.play_at_once();
    let burst = s16le(&[0.6f32, -0.6].repeat(960));
    let mut off = Vec::new();
    for _ in 0..15 {
        // The burst before is over, and its tail.
        std::thread::sleep(Duration::from_millis(100));
        let heard = ear.packets().len();
        // At the place that is read next, as games do that mix for themselves.
        let commit = MonoTime::now();
        write_at_once(&mut raw, stream.channel, &burst);
        eventually("the burst", || ear.packets().len() > heard + 4);
        let first = ear.packets()[heard].captured;
        off.push(first.since(commit).max(commit.since(first)));
    }
    off.sort();
    // A busy machine may run this thread late, between the look at the clock and the write.
    let middle = off[off.len() / 2];
    assert!(middle < TOGETHER / 2, "{middle:?} of {off:?}");
    drop(server);
}

/// Writes at the place that is read next (`PA_SEEK_RELATIVE_ON_READ`).
fn write_at_once(raw: &mut Raw, channel: u32, bytes: &[u8]) {
    let mut message = Vec::new();
    write_memblock(&mut message, channel, bytes, 0).unwrap();
    message[19] = 2;
    std::io::Write::write_all(raw.0.get_mut(), &message).unwrap();
}

/// What a player does with a sound and a picture of one stamp, whatever their ways are like.
#[test]
fn a_player_shows_and_plays_one_stamp_together() {
    let place = tempfile::tempdir().unwrap();
    let (server, ear) = server(place.path());
    let mut raw = Raw::greet(place.path());
    let stream = raw.play_at_once();
    let burst = s16le(&[0.6f32, 0.6].repeat(4800));
    write_at_once(&mut raw, stream.channel, &burst);
    eventually("the burst", || ear.packets().len() >= 20);
    drop(server);
    let packets = ear.packets();
    let stamp = packets[0].captured;
    let after = |ms: u64| stamp.after(Duration::from_millis(ms));
    for (way, picture) in [(2, 10), (2, 60), (20, 30), (20, 120)] {
        let (mut receiver, mut playout) = receiver(48_000).unwrap();
        // The commits before took as long to be seen.
        receiver.note_picture(stamp, after(picture));
        let mut heard = None;
        for ms in 0..300 {
            for packet in
                packets.iter().filter(|p| p.captured.since(stamp).as_millis() as u64 + way == ms)
            {
                receiver.handle(packet, after(ms));
            }
            if ms % 10 == 0 && heard.is_none() {
                let mut out = [0.0; 960];
                playout.fill_at(&mut out, after(ms));
                let first = out.iter().position(|x| x.abs() > 0.05);
                heard = first.map(|at| ms + at as u64 / 96);
            }
        }
        let heard = heard.expect("the burst is played");
        let apart = heard.abs_diff(picture);
        assert!(apart <= 40, "heard after {heard} ms, seen after {picture}");
    }
    // All that was sent can be decoded, first to last.
    let mut decoder = SoundDecoder::new().unwrap();
    let mut frames = 0;
    packets.into_iter().for_each(|p| decoder.handle(p, |_, samples| frames += samples.len() / 2));
    assert!(frames >= 4800);
}
