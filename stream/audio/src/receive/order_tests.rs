//! Tests of the order of packets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const MS: u64 = 1_000_000;

/// Packet `n` of a sound without silence; its bytes are its number.
fn packet(n: u32) -> SoundPacket {
    SoundPacket {
        sequence: n,
        captured: MonoTime::from_nanos((1000 + 5 * u64::from(n)) * MS),
        samples: 240,
        opus: Bytes::copy_from_slice(&[n as u8]),
        previous: if n == 0 { Bytes::new() } else { Bytes::copy_from_slice(&[n as u8 - 1]) },
    }
}

/// What is made of packets: the number of each that is decoded, and -1 for each made up.
fn play(order: &mut Order, packets: impl IntoIterator<Item = SoundPacket>) -> Vec<i32> {
    let mut steps = Vec::new();
    for packet in packets {
        order.handle(packet, &mut steps);
    }
    let mut stamp = None;
    let number = |step: &Step| {
        let (at, number) = match step {
            Step::Decode(at, _, bytes) => (*at, i32::from(bytes[0])),
            Step::Conceal(at, _) => (*at, -1),
        };
        assert!(stamp.is_none_or(|stamp| at >= stamp), "time does not go back");
        stamp = Some(at.after(duration(240)));
        number
    };
    steps.iter().map(number).collect()
}

fn of(numbers: &[u32]) -> Vec<SoundPacket> {
    numbers.iter().map(|n| packet(*n)).collect()
}

#[test]
fn one_that_is_missing_is_found_in_the_next() {
    let mut order = Order::default();
    assert_eq!(play(&mut order, of(&[0, 1, 3, 2, 4])), [0, 1, 2, 3, 4]);
    let counts = SoundReceived { packets: 5, recovered: 1, lost: 0, late: 1 };
    assert_eq!(order.counts, counts);
}

#[test]
fn several_that_are_missing_are_waited_for_and_then_made_up() {
    let mut order = Order::default();
    // 2 and 3 were overtaken by 4, and come.
    assert_eq!(play(&mut order, of(&[1, 4, 2, 3])), [1, 2, 3, 4]);
    // 5 to 7 never come.
    assert_eq!(play(&mut order, of(&[8])), [0i32; 0]);
    assert_eq!(play(&mut order, of(&[9, 10])), [-1, -1, 7, 8, 9, 10]);
    assert_eq!(order.counts.lost, 2);
    assert_eq!(play(&mut order, of(&[6, 8, 10])), [0i32; 0], "too late");
}

#[test]
fn silence_is_no_loss_and_is_not_made_up() {
    let mut order = Order::default();
    let later = |n: u32, ms: u64| SoundPacket {
        captured: packet(n).captured.after(Duration::from_millis(ms)),
        ..packet(n)
    };
    let first = SoundPacket { previous: Bytes::new(), ..later(2, 60_000) };
    assert_eq!(play(&mut order, [packet(0), packet(1), first]), [0, 1, 2]);
    assert_eq!(order.counts, SoundReceived { packets: 3, ..SoundReceived::default() });
    // Four were lost around a silence: no more is made up than fits.
    let far: Vec<_> = (7..9).map(|n| later(n, 120_000)).collect();
    let mut steps = Vec::new();
    for packet in far {
        order.handle(packet, &mut steps);
    }
    let concealed = steps.iter().filter(|s| matches!(s, Step::Conceal(..))).count();
    assert_eq!((concealed, order.counts.lost, order.counts.recovered), (3, 3, 1));
}

#[test]
fn numbers_begin_again() {
    let mut order = Order::default();
    let wrapped = |n: u32| SoundPacket { sequence: n.wrapping_sub(2), ..packet(n) };
    assert_eq!(play(&mut order, [0, 1, 2, 4].map(wrapped)), [0, 1, 2, 3, 4]);
    assert_eq!(order.counts.lost, 0);
}
