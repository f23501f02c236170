//! Clients that say nothing, half of something, or everything byte by byte: nothing times out,
//! and nobody wakes up for them.

use std::io::Write as _;
use std::os::fd::AsFd;
use std::time::Duration;

use stratus_harness::raw::{RawClient, Wire};

use crate::stage::{LIMIT, Stage, bind, globals};

/// How long the silence lasts: seconds, or as many as this variable says.
const SECONDS: &str = "STRATUS_SILENCE_SECONDS";

fn silence() -> Duration {
    let seconds = std::env::var(SECONDS).ok().and_then(|s| s.parse().ok());
    Duration::from_secs(seconds.unwrap_or(2))
}

/// Times that the proxy may wake up although nobody speaks: what was said before the count may
/// not be over.
const SOME: u64 = 5;

#[test]
fn half_a_message_waits_for_its_other_half_without_costing_anything() {
    let stage = Stage::new("halves of messages");
    let whole = Wire::new(1, 0).word(2).bytes();
    let mut clients: Vec<(RawClient, usize)> =
        (1..whole.len()).cycle().take(100).map(|cut| (stage.connect(), cut)).collect();
    for (client, cut) in &clients {
        client.send(&whole[..*cut], &[]).unwrap();
    }
    // One claims the largest size there is and has sent a part of it.
    let mut boaster = stage.connect();
    boaster.message(&Wire::new(1, 0).word(2).claim(65_532)).unwrap();
    let all = |seen: &stratus_harness::compositor::Seen| seen.connected == stage.ours + 101;
    stage.compositor.wait("all of them", LIMIT, all).unwrap();
    let woken = stage.wakeups(silence());
    assert!(woken <= SOME, "the proxy woke up {woken} times");
    for (client, cut) in &mut clients {
        client.send(&whole[*cut..], &[]).unwrap();
        let answer = client.event(LIMIT).unwrap().expect("it is served");
        assert_eq!((answer.sender, answer.opcode), (2, 0));
    }
    boaster.send(&vec![0; 65_532 - 12], &[]).unwrap();
    // Too long a message for the compositor: that it is whole is all we want to see.
    let _ = boaster.events_until_closed(Duration::from_millis(500));
    assert_eq!(stage.warnings(), Vec::<String>::new());
}

#[test]
fn five_hundred_connections_that_say_nothing_cost_nothing_and_leave_nothing() {
    let stage = Stage::new("silent connections");
    let bystander = stage.bystander();
    bystander.ends_well();
    let (before, connected) =
        (stage.settled_fds(0), stage.compositor.with_seen(|seen| seen.connected));
    let silent: Vec<RawClient> = (0..500).map(|_| stage.connect()).collect();
    let all = |seen: &stratus_harness::compositor::Seen| seen.connected == connected + 500;
    stage.compositor.wait("all of them", LIMIT, all).unwrap();
    let woken = stage.wakeups(silence());
    assert!(woken <= SOME, "the proxy woke up {woken} times");
    let bystander = stage.bystander();
    bystander.ends_well();
    drop(silent);
    stage.assert_fds(&before);
    assert_eq!(stage.warnings(), Vec::<String>::new());
}

#[test]
fn a_client_that_sends_byte_by_byte_is_served_beside_others() {
    let stage = Stage::new("byte by byte");
    let bystander = stage.bystander();
    let mut client = stage.connect();
    let offered = globals(&mut client);
    let shm = bind(offered["wl_shm"].0, "wl_shm", 1, 4).bytes();
    let pool = Wire::new(4, 0).word(5).word(4096).bytes();
    let sync = Wire::new(1, 0).word(3).bytes();
    for byte in &shm {
        client.stream().write_all(&[*byte]).unwrap();
    }
    // The fd comes with the last byte, which is the latest that it may.
    let memory = tempfile::tempfile().unwrap();
    memory.set_len(4096).unwrap();
    for byte in &pool[..pool.len() - 1] {
        client.stream().write_all(&[*byte]).unwrap();
    }
    client.send(&pool[pool.len() - 1..], &[memory.as_fd()]).unwrap();
    for byte in &sync {
        client.stream().write_all(&[*byte]).unwrap();
        bystander.goes_on("a byte");
    }
    while client.event(LIMIT).unwrap().expect("it is served").sender != 3 {}
    bystander.ends_well();
    assert_eq!(stage.warnings(), Vec::<String>::new());
}
