//! A thousand clients at once, and storms of clients that come and go.

use stratus_harness::compositor::Seen;
use stratus_harness::raw::{RawClient, Wire};

use crate::stage::{LIMIT, Stage};

const CROWD: usize = 1000;

/// KiB that a third crowd may leave beyond what the second one left: the allocator keeps what it
/// has for the next one, and has its working size by then.
const TOLERANCE_KIB: u64 = 4096;
/// KiB that a client may cost on average while it is there.
const CLIENT_KIB: u64 = 48;

fn empty(stage: &Stage) {
    let gone = |seen: &Seen| seen.connected == seen.disconnected;
    stage.compositor.wait("an empty stage", LIMIT, gone).unwrap();
}

/// All ask at once and each reads its own answers; all are there at the same time.
fn crowd(stage: &Stage) -> Vec<RawClient> {
    let mut clients: Vec<RawClient> = (0..CROWD)
        .map(|_| {
            let client = stage.connect();
            client.message(&Wire::new(1, 1).word(2)).unwrap();
            client.message(&Wire::new(1, 0).word(3)).unwrap();
            client
        })
        .collect();
    for round in 0..2 {
        for client in &mut clients {
            let mut globals = 0;
            loop {
                let event = client.event(LIMIT).unwrap().expect("each is served");
                match event.sender {
                    2 => globals += 1,
                    3 => break,
                    _ => {}
                }
            }
            assert_eq!(globals, if round == 0 { 9 } else { 0 }, "each hears of all globals");
            // wl_display.delete_id comes before or after the answer.
            client.message(&Wire::new(1, 0).word(4 + round)).unwrap();
            while client.event(LIMIT).unwrap().expect("each is served").sender != 4 + round {}
            client.message(&Wire::new(1, 0).word(3)).unwrap();
        }
    }
    clients
}

#[test]
fn a_thousand_clients_at_once_are_all_served_and_leave_nothing() {
    let stage = Stage::new("a thousand clients");
    stage.bystander().ends_well();
    let (before, memory) = (stage.settled_fds(0), stage.memory());
    let clients = crowd(&stage);
    let (during, used) = (stage.fds().len(), stage.memory());
    assert_eq!(during, before.len() + 2 * CROWD, "each has its two sockets");
    let bystander = stage.bystander();
    bystander.goes_on("the crowd came");
    drop(clients);
    bystander.goes_on("the crowd left");
    bystander.ends_well();
    empty(&stage);
    stage.assert_fds(&before);
    let [second, third] = [(); 2].map(|()| {
        drop(crowd(&stage));
        empty(&stage);
        stage.assert_fds(&before);
        stage.memory()
    });
    println!(
        "KiB: {memory} before, {used} with {CROWD} clients, {second} after two crowds, {third} after three"
    );
    assert!(used.max(third) <= memory + CLIENT_KIB * CROWD as u64, "{memory}, {used}, {third} KiB");
    assert!(third <= second + TOLERANCE_KIB, "{second} KiB after two crowds, {third} after three");
    assert_eq!(stage.warnings(), Vec::<String>::new());
}

#[test]
fn storms_of_connections_leave_the_bystander_its_frames() {
    let stage = Stage::new("storms of connections");
    let bystander = stage.bystander();
    let before = stage.settled_fds(1);
    let storms: Vec<_> = (0..3)
        .map(|kind| {
            let socket = stage.socket();
            std::thread::spawn(move || {
                for n in 0..1000u32 {
                    let client = RawClient::connect(&socket).unwrap();
                    // Some say nothing, some a half, some a whole and do not wait for the answer.
                    let hello = Wire::new(1, 1).word(2).bytes();
                    let _ = client.send(&hello[..kind * 6 * (n as usize % 2)], &[]);
                }
            })
        })
        .collect();
    while storms.iter().any(|storm| !storm.is_finished()) {
        bystander.goes_on("a part of the storm");
    }
    storms.into_iter().for_each(|storm| storm.join().unwrap());
    bystander.goes_on("the storm");
    stage.assert_fds(&before);
    bystander.ends_well();
    assert_eq!(stage.warnings(), Vec::<String>::new());
}
