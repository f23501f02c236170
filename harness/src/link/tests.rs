//! What a channel promises, whatever is sent; and that an emulator carries datagrams.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const MS: u64 = 1_000_000;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A packet's bytes, and how long after the one before it is sent, ns.
type Sent = (usize, u64);

fn packets() -> impl Strategy<Value = Vec<Sent>> {
    vec((28..1500usize, prop_oneof![Just(0), 0..100_000u64, 0..20 * MS]), 1..300)
}

fn queue() -> impl Strategy<Value = Queue> {
    prop_oneof![
        Just(Queue::Endless),
        (1000..100_000u64).prop_map(Queue::Bytes),
        (1..200u64).prop_map(|n| Queue::Time(ms(n))),
    ]
}

fn loss() -> impl Strategy<Value = Loss> {
    let part = 0.0..1.0;
    prop_oneof![
        Just(Loss::Never),
        part.clone().prop_map(Loss::Each),
        (part.clone(), part.clone(), part.clone(), part).prop_map(
            |(begin, end, outside, within)| {
                Loss::Bursts(Bursts { begin, end, outside, within })
            }
        ),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    let rate = proptest::option::of(100_000..1_000_000_000u64);
    let reorder = (prop_oneof![Just(0.0), 0.0..1.0], 0..50u64);
    (rate, queue(), 0..100u64, 0..50u64, any::<bool>(), loss(), reorder).prop_map(
        |(rate, queue, delay, jitter, jitter_reorders, loss, (probability, by))| Shape {
            rate,
            queue,
            delay: ms(delay),
            jitter: ms(jitter),
            jitter_reorders,
            loss,
            reorder: Reorder { probability, by: ms(by) },
        },
    )
}

/// Sends all and gives when each was sent, and its fate.
fn send(channel: &mut Channel, packets: &[Sent]) -> Vec<(u64, usize, Fate)> {
    let mut now = 0;
    let one = |&(bytes, gap): &Sent| {
        now += gap;
        (now, bytes, channel.handle_packet(bytes, now))
    };
    packets.iter().map(one).collect()
}

proptest! {
    #[test]
    fn each_packet_has_one_fate_and_is_counted_once(
        shape in shape(), seed: u64, packets in packets(), outage in (0..50 * MS, 0..50 * MS)
    ) {
        let mut channel = Channel::new(shape, seed);
        channel.handle_outage(outage.0, outage.0 + outage.1);
        let fates = send(&mut channel, &packets);
        let c = *channel.counters();
        prop_assert_eq!(c.packets, packets.len() as u64);
        prop_assert_eq!(c.bytes, packets.iter().map(|(bytes, _)| *bytes as u64).sum::<u64>());
        prop_assert_eq!(c.packets, c.arrived + c.overflowed + c.lost + c.dark);
        for (now, _, fate) in fates {
            let dark = now >= outage.0 && now < outage.0 + outage.1;
            prop_assert_eq!(fate == Fate::Dark, dark);
            if let Fate::Arrives { leaves, at } = fate {
                let most = leaves + nanos(shape.delay + shape.jitter + shape.reorder.by);
                prop_assert!(now <= leaves && leaves + nanos(shape.delay) <= at);
                // One that is late may hold up others.
                prop_assert!(at <= most, "{} after {}", at, most);
            }
        }
    }

    #[test]
    fn order_is_kept_unless_it_is_to_be_broken(
        shape in shape(), seed: u64, packets in packets()
    ) {
        let shape = Shape { jitter_reorders: false, reorder: Reorder::default(), ..shape };
        let mut channel = Channel::new(shape, seed);
        let mut before = 0;
        for (_, _, fate) in send(&mut channel, &packets) {
            if let Fate::Arrives { at, .. } = fate {
                prop_assert!(at >= before);
                before = at;
            }
        }
        prop_assert_eq!(channel.counters().reordered, 0);
    }

    #[test]
    fn no_stretch_of_time_carries_more_than_the_rate(
        shape in shape(), rate in 100_000..1_000_000_000u64, seed: u64, packets in packets()
    ) {
        let mut channel = Channel::new(Shape { rate: Some(rate), ..shape }, seed);
        let passed: Vec<_> = send(&mut channel, &packets)
            .into_iter()
            .filter_map(|(_, bytes, fate)| match fate {
                Fate::Arrives { leaves, .. } => Some((leaves, bytes as u64)),
                _ => None,
            })
            .collect();
        for (i, (from, _)) in passed.iter().enumerate() {
            let mut bits = 0;
            for (until, bytes) in &passed[i + 1..] {
                bits += u128::from(*bytes) * 8;
                let room = u128::from(until - from) * u128::from(rate) / 1_000_000_000;
                prop_assert!(bits <= room, "{} bits where {} fit", bits, room);
            }
        }
    }

    #[test]
    fn the_queue_never_holds_more_than_it_may(
        most in 2000..50_000u64, seed: u64, packets in packets()
    ) {
        let shape =
            Shape { rate: Some(5_000_000), queue: Queue::Bytes(most), ..Shape::default() };
        let mut channel = Channel::new(shape, seed);
        send(&mut channel, &packets);
        prop_assert!(channel.counters().deepest_bytes <= most);
        // A byte takes 1.6 µs.
        prop_assert!(channel.counters().longest_wait <= most * 1600 + 1600);
    }

    #[test]
    fn the_same_seed_decides_the_same(shape in shape(), seed: u64, packets in packets()) {
        let run = || send(&mut Channel::new(shape, seed), &packets);
        prop_assert_eq!(run(), run());
    }
}

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}

fn share_lost(loss: Loss, seed: u64) -> (f64, f64) {
    let mut channel = Channel::new(Shape { loss, ..Shape::default() }, seed);
    let fates = send(&mut channel, &[(100, 1000); 100_000]);
    let lost: Vec<bool> = fates.iter().map(|(_, _, fate)| *fate == Fate::Lost).collect();
    let all = lost.iter().filter(|lost| **lost).count() as f64;
    let runs = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count() as f64;
    (all / lost.len() as f64, all / runs)
}

#[test]
fn losses_are_as_many_and_as_long_as_said() {
    let (share, run) = share_lost(Loss::Each(0.02), 1);
    assert!((0.018..0.022).contains(&share) && (1.0..1.1).contains(&run), "{share} {run}");
    // Bad a tenth of the time, ten packets each time.
    let bursts = Bursts { begin: 1.0 / 90.0, end: 0.1, outside: 0.0, within: 1.0 };
    let (share, run) = share_lost(Loss::Bursts(bursts), 1);
    assert!((0.09..0.11).contains(&share) && (9.0..11.0).contains(&run), "{share} {run}");
    let other = share_lost(Loss::Each(0.02), 2);
    assert!((share, run) != other, "seeds differ");
}

#[test]
fn a_full_queue_drops_and_its_depth_is_time() {
    let shape = Shape {
        rate: Some(8_000_000),
        queue: Queue::Time(ms(10)),
        delay: ms(5),
        ..Shape::default()
    };
    let mut channel = Channel::new(shape, 1);
    // A kilobyte takes a millisecond: ten fit, and the first one's place is free after that.
    let fates = send(&mut channel, &[(1000, 0); 12]);
    for (i, (_, _, fate)) in fates.iter().take(10).enumerate() {
        let leaves = (i as u64 + 1) * MS;
        assert_eq!(*fate, Fate::Arrives { leaves, at: leaves + 5 * MS });
    }
    assert_eq!((fates[10].2, fates[11].2), (Fate::Overflowed, Fate::Overflowed));
    let next = Fate::Arrives { leaves: 11 * MS, at: 16 * MS };
    assert_eq!(channel.handle_packet(1000, MS), next);
    let counters = channel.counters();
    assert_eq!((counters.overflowed, counters.longest_wait), (2, 10 * MS));
}

#[test]
fn held_packets_are_overtaken() {
    let reorder = Reorder { probability: 0.1, by: ms(3) };
    let mut channel = Channel::new(Shape { reorder, ..Shape::default() }, 1);
    send(&mut channel, &[(100, MS); 1000]);
    let counters = channel.counters();
    assert!((150..350).contains(&counters.reordered), "{counters:?}");
    assert_eq!(counters.arrived, 1000);
}

/// Two clients of a server that answers each with what it said.
#[test]
fn an_emulator_carries_both_ways_and_tells_clients_apart() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let shape = Shape { delay: ms(10), ..Shape::default() };
    let link = Link { up: shape, down: shape, seed: 1 };
    let emulator = Emulator::start(&link, &[server.local_addr().unwrap()]).unwrap();
    let clients: Vec<_> = (0..2).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    for socket in clients.iter().chain([&server]) {
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    }
    let begun = Instant::now();
    for (i, client) in clients.iter().enumerate() {
        client.send_to(&[i as u8; 72], emulator.door(0).unwrap()).unwrap();
    }
    let mut buffer = [0; 100];
    for _ in 0..2 {
        let (read, from) = server.recv_from(&mut buffer).unwrap();
        server.send_to(&buffer[..read], from).unwrap();
    }
    for (i, client) in clients.iter().enumerate() {
        assert_eq!(client.recv_from(&mut buffer).unwrap().0, 72);
        assert_eq!(buffer[..72], [i as u8; 72]);
    }
    assert!(begun.elapsed() >= ms(20), "{:?}", begun.elapsed());
    let seen = emulator.seen();
    assert_eq!((seen.up.arrived, seen.down.arrived, seen.up.bytes), (2, 2, 200));
    assert_eq!(seen.to_servers, [Traffic { packets: 2, bytes: 200 }]);
    assert_eq!((seen.refused, seen.overrun), (0, 0));
}

#[test]
fn a_cut_link_carries_nothing() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let emulator = Emulator::start(&Link::default(), &[server.local_addr().unwrap()]).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    emulator.cut(Duration::from_secs(3600));
    client.send_to(b"lost", emulator.door(0).unwrap()).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while emulator.seen().up.dark == 0 {
        assert!(Instant::now() < deadline, "it was not seen");
        std::thread::sleep(ms(1));
    }
    emulator.cut(Duration::ZERO);
    client.send_to(b"there", emulator.door(0).unwrap()).unwrap();
    let mut buffer = [0; 100];
    let read = server.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..read], b"there");
}
