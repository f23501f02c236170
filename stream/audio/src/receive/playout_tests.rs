//! Tests of playing, in made-up time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::{Receiver, receiver};
use super::*;
use crate::encode::Packets;

const MS: u64 = 1_000_000;

fn at(ms: u64) -> MonoTime {
    MonoTime::from_nanos((1000 + ms) * MS)
}

/// A tone that begins with the tick of each of these times, ms, and lasts for 100 ms; with the
/// packets that are on the way, each with the time at which it was sent.
fn bursts(times: &[u64], until: u64) -> Vec<(u64, stratus_frame::sound::SoundPacket)> {
    let mut packets = Packets::new().unwrap();
    let mut out = Vec::new();
    for ms in (0..until).step_by(5) {
        let mut tick = [0.0; 480];
        if times.iter().any(|t| (*t..t + 100).contains(&ms)) {
            for (i, frame) in tick.chunks_exact_mut(2).enumerate() {
                let phase = (ms * 48 + i as u64) as f32 * std::f32::consts::TAU / 48.0;
                frame.fill(0.5 * phase.sin());
            }
        }
        out.extend(packets.encode(&tick, at(ms)).map(|p| (ms, p)));
    }
    out
}

/// What a card of 48 kHz plays that asks every 10 ms, if packet `n` arrives `way(n)` ms after it
/// was sent, or never.
fn play(
    packets: &[(u64, stratus_frame::sound::SoundPacket)],
    until: u64,
    way: impl Fn(u32) -> Option<u64>,
) -> (Vec<f32>, Receiver) {
    let (mut receiver, mut playout) = receiver(48_000).unwrap();
    let mut heard = Vec::new();
    for ms in 0..until {
        for (sent, packet) in packets {
            if way(packet.sequence).is_some_and(|way| sent + way == ms) {
                receiver.handle(packet, at(ms));
            }
        }
        if ms % 10 == 0 {
            let mut out = [0.0; 960];
            playout.fill_at(&mut out, at(ms));
            heard.extend(out.iter().step_by(2));
        }
    }
    (heard, receiver)
}

/// The times at which something is heard after silence, ms, and those at which it ends.
fn edges(heard: &[f32]) -> Vec<(u64, u64)> {
    let loud: Vec<bool> = heard.chunks(48).map(|ms| ms.iter().any(|x| x.abs() > 0.1)).collect();
    let mut out: Vec<(u64, u64)> = Vec::new();
    for (ms, loud) in loud.iter().enumerate() {
        let ms = ms as u64;
        match out.last_mut() {
            Some((_, end)) if *loud && *end + 3 >= ms => *end = ms,
            _ if *loud => out.push((ms, ms)),
            _ => {}
        }
    }
    out
}

#[test]
fn sound_is_played_once_all_that_a_card_takes_can_have_come() {
    let packets = bursts(&[100, 400], 600);
    let (heard, receiver) = play(&packets, 700, |_| Some(20));
    // 20 ms of way, 10 ms in advance, 10 ms for the card, and 2.5 ms of the codec's own.
    let edges = edges(&heard);
    assert_eq!(edges.len(), 2, "{edges:?}");
    for ((start, end), sent) in edges.iter().zip([100, 400]) {
        assert!((sent + 40..=sent + 46).contains(start), "{edges:?}");
        assert!((95..=110).contains(&(end - start)), "{edges:?}");
    }
    assert_eq!(receiver.stats().starved, 0);
}

#[test]
fn a_lost_packet_is_not_heard() {
    let packets = bursts(&[100], 300);
    let whole = play(&packets, 400, |_| Some(20)).0;
    let (heard, receiver) = play(&packets, 400, |n| (n % 4 != 1).then_some(20));
    assert!(receiver.stats().received.recovered >= 4);
    assert_eq!(receiver.stats().received.lost, 0);
    let off = heard.iter().zip(&whole).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off < 1e-3, "each was found in the one behind it: {off}");
    let (heard, receiver) = play(&packets, 400, |n| (n / 3 != 2).then_some(20));
    assert_eq!(receiver.stats().received.lost, 2);
    assert_eq!(edges(&heard).len(), 1, "two are made up: {:?}", edges(&heard));
}

#[test]
fn pictures_that_take_long_are_waited_for() {
    let packets = bursts(&[200], 400);
    let (mut receiver, mut playout) = receiver(48_000).unwrap();
    receiver.note_picture(at(0), at(100));
    let mut heard = Vec::new();
    for ms in 0..500 {
        for (_, packet) in packets.iter().filter(|(sent, _)| sent + 20 == ms) {
            receiver.handle(packet, at(ms));
        }
        if ms % 10 == 0 {
            let mut out = [0.0; 960];
            playout.fill_at(&mut out, at(ms));
            heard.extend(out.iter().step_by(2));
        }
    }
    // 20 ms before a picture that takes 100.
    let edges = edges(&heard);
    assert!((278..=288).contains(&edges[0].0), "{edges:?}");
}

#[test]
fn a_card_of_another_rate_and_clock_hears_the_same_tone() {
    let packets = bursts(&[0, 100, 200, 300, 400, 500, 600, 700, 800, 900], 1000);
    let (mut receiver, mut playout) = receiver(44_100).unwrap();
    let mut heard: Vec<f32> = Vec::new();
    let mut next = 0.0;
    for ms in 0..1000u64 {
        for (_, packet) in packets.iter().filter(|(sent, _)| sent + 20 == ms) {
            receiver.handle(packet, at(ms));
        }
        // Its clock is 0.1 % slow.
        if ms as f64 >= next {
            next += 10.01;
            let mut out = [0.0; 882];
            playout.fill_at(&mut out, at(ms));
            heard.extend(out.iter().step_by(2));
        }
    }
    assert_eq!(receiver.stats().starved, 0);
    let middle = &heard[8820..35_280];
    let crossings = middle.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count();
    assert!((594..=606).contains(&crossings), "{crossings} periods of 1 kHz in 0.6 s");
    assert!(middle.chunks(100).all(|c| c.iter().any(|x| x.abs() > 0.45)), "no gap");
}

#[test]
fn nobody_who_plays_costs_no_memory() {
    let packets = bursts(&[0, 100, 200, 300, 400, 500], 600);
    let (mut receiver, _playout) = receiver(48_000).unwrap();
    for (ms, packet) in &packets {
        receiver.handle(packet, at(*ms));
    }
    assert_eq!(receiver.stats().dropped, packets.len() as u64 - 64);
}
