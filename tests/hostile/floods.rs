//! Clients that ask without end: with reading, without, for what makes the most of it.

use std::io::{ErrorKind, Write as _};

use stratus_harness::compositor::Record;
use stratus_harness::raw::{RawClient, Wire};

use crate::attacks::prepared;
use crate::stage::{LIMIT, Stage, globals};

/// Asks `count` times, as fast as the answers are read; `ask` makes a request out of a new id.
/// `window` are under way at once: the answers to more would overrun the buffer that a compositor
/// has for a client, with the proxy or without. Gives the number of events.
fn ask_and_read(
    client: &mut RawClient,
    (count, window): (u32, u32),
    ask: impl Fn(u32) -> Wire,
) -> usize {
    let (mut id, mut events) = (8, 0);
    for _ in 0..count / window {
        let requests: Vec<u8> = (0..window).flat_map(|n| ask(id + n).bytes()).collect();
        id += window;
        client.send(&requests, &[]).unwrap();
        events += client.sync(id, LIMIT).expect("it is served").len();
        id += 1;
    }
    events
}

#[test]
fn who_asks_at_full_speed_and_reads_is_served_beside_others() {
    const SYNCS: u32 = 200_000;
    let stage = Stage::new("a flood of syncs with reading");
    let bystander = stage.bystander();
    let mut client = prepared(&stage.socket());
    let asking = std::thread::spawn(move || {
        ask_and_read(&mut client, (SYNCS, 1000), |id| Wire::new(1, 0).word(id))
    });
    while !asking.is_finished() {
        bystander.goes_on("a part of the flood");
    }
    // wl_callback.done and wl_display.delete_id for each; those of our own last syncs are late.
    assert!(asking.join().unwrap() >= 2 * SYNCS as usize);
    bystander.ends_well();
    assert_eq!(stage.warnings(), Vec::<String>::new());
}

#[test]
fn who_asks_without_end_and_never_reads_ends_alone() {
    const PART: u32 = 100;
    let stage = Stage::new("a flood of registries without reading");
    let bystander = stage.bystander();
    let memory = stage.memory();
    let client = prepared(&stage.socket());
    let mut pace = stage.connect();
    let mut asked = 0;
    let ended = loop {
        let part: Vec<u8> =
            (0..PART).flat_map(|n| Wire::new(1, 1).word(8 + asked + n).bytes()).collect();
        match client.stream().write_all(&part) {
            Ok(()) => asked += PART,
            Err(e) => break e.kind(),
        }
        assert!(asked < 500_000, "the proxy keeps the answers to {asked} requests");
        // The compositor must keep up, or it would be it that ends the client.
        pace.sync(2, LIMIT).unwrap();
    };
    assert!(matches!(ended, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{ended}");
    // 16 MiB of answers of some 330 bytes each.
    assert!(asked > 30_000, "it was ended after {asked} requests");
    let said = stage.one_warning("the flood", 0);
    assert!(said.contains("bytes wait unread"), "{said}");
    bystander.goes_on("the flood");
    bystander.ends_well();
    let grown = stage.memory().saturating_sub(memory);
    assert!(grown < 8 << 10, "{grown} KiB more than before the flood");
}

#[test]
fn ten_thousand_registries_are_all_told_of_all_globals() {
    const REGISTRIES: u32 = 10_000;
    const WINDOW: u32 = 50;
    let stage = Stage::new("registries");
    let bystander = stage.bystander();
    let mut client = prepared(&stage.socket());
    let asking = std::thread::spawn(move || {
        ask_and_read(&mut client, (REGISTRIES, WINDOW), |id| Wire::new(1, 1).word(id))
    });
    while !asking.is_finished() {
        bystander.goes_on("a part of the registries");
    }
    let (events, syncs) = (asking.join().unwrap(), (REGISTRIES / WINDOW) as usize);
    // Nine globals each, and what came of the syncs before.
    let globals = 9 * REGISTRIES as usize;
    assert!((globals..=globals + syncs).contains(&events), "{events} events");
    bystander.ends_well();
}

#[test]
fn a_game_with_very_many_surfaces_leaves_nothing_of_them() {
    // The end of the table, at 1,048,576 objects, is for the core's tests.
    const SURFACES: u32 = 20_000;
    let stage = Stage::new("many objects");
    let bystander = stage.bystander();
    let memory = stage.memory();
    let mut client = prepared(&stage.socket());
    let made: Vec<u8> = (0..SURFACES).flat_map(|n| Wire::new(4, 0).word(8 + n).bytes()).collect();
    client.send(&made, &[]).unwrap();
    client.sync(8 + SURFACES, LIMIT).unwrap();
    bystander.goes_on("many surfaces");
    drop(client);
    bystander.goes_on("the end of many surfaces");
    bystander.ends_well();
    let grown = stage.memory().saturating_sub(memory);
    println!("{SURFACES} surfaces left {grown} KiB");
    assert!(grown < 32 << 10, "{grown} KiB are left of {SURFACES} surfaces");
}

#[test]
fn long_strings_arrive_as_long_as_they_are() {
    // libwayland's servers take messages of up to 4,096 bytes.
    const LONG: usize = 4000;
    let stage = Stage::with("long strings", Record::All, |command| command);
    let bystander = stage.bystander();
    let mut client = stage.connect();
    let offered = globals(&mut client);
    let id = |interface: &str| offered[interface].0;
    let bind = crate::stage::bind;
    client.message(&bind(id("wl_compositor"), "wl_compositor", 4, 4)).unwrap();
    client.message(&bind(id("xdg_wm_base"), "xdg_wm_base", 1, 5)).unwrap();
    client.message(&Wire::new(4, 0).word(6)).unwrap();
    client.message(&Wire::new(5, 2).word(7).word(6)).unwrap();
    client.message(&Wire::new(7, 1).word(8)).unwrap();
    for len in [0, 1, 2, 3, LONG] {
        client.message(&Wire::new(8, 2).string(&"x".repeat(len))).unwrap();
    }
    client.sync(3, LIMIT).unwrap();
    let titles: Vec<usize> = stage.compositor.with_seen(|seen| {
        // The bystander came first after the connections of the proxy itself.
        let client = stage.ours + 1;
        let titles = seen.requests.iter().filter(|r| r.name == "set_title" && r.client == client);
        // Quoted as a log shows them.
        titles.map(|r| r.args.len() - 2).collect()
    });
    assert_eq!(titles, [0, 1, 2, 3, LONG]);
    bystander.ends_well();
    assert_eq!(stage.warnings(), Vec::<String>::new());
}
