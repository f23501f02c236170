//! Clients that come and go leave nothing behind: no fd, no thread, no memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod stage;

use std::time::Duration;

use stratus_capture::CaptureConfig;
use stratus_frame::{Size, Slot};
use stratus_harness::compositor::{Config, Record};
use stratus_harness::raw::{RawClient, Wire};
use stratus_harness::watchdog::{Watchdog, wait_for};
use stratus_harness::{client, fds, memory};

use stage::{LIMIT, Stage};

const CYCLES: u32 = 10_000;
/// Memory grows once, to the allocator's and the backend's working size, and then no more.
const WARM_UP: u32 = 500;
/// KiB by which the allocator may still grow: less than 26 bytes a cycle.
const TOLERANCE_KIB: u64 = 256;

fn quiet() -> Config {
    Config { record: Record::Nothing, ..Config::default() }
}

/// Connects, is served, asks for something with an fd in every third cycle, and goes; every
/// second time without waiting for an answer.
fn cycle(socket: &std::path::Path, number: u32) {
    let mut client = RawClient::connect(socket).unwrap();
    client.message(&Wire::new(1, 1).word(2)).unwrap();
    if number.is_multiple_of(2) {
        return;
    }
    let events = client.sync(3, LIMIT).unwrap();
    if !number.is_multiple_of(3) {
        return;
    }
    let global = |wanted: &str| {
        let found = events.iter().find(|e| e.string(1).as_deref() == Some(wanted)).unwrap();
        found.word(0).unwrap()
    };
    let bind = Wire::new(2, 0).word(global("wl_shm")).string("wl_shm").word(1).word(4);
    let memory = tempfile::tempfile().unwrap();
    client.message(&bind).unwrap();
    let pool = Wire::new(4, 0).word(5).word(4096);
    client.send(&pool.bytes(), &[std::os::fd::AsFd::as_fd(&memory)]).unwrap();
    // The fd is on its way when this end closes.
}

fn settled(stage: &Stage) {
    let all_gone = |seen: &stratus_harness::compositor::Seen| seen.connected == seen.disconnected;
    stage.compositor.wait("the last client's end", LIMIT, all_gone).unwrap();
    // The proxy closes its side after the compositor has seen the end.
    std::thread::sleep(Duration::from_millis(100));
}

fn run(stage: &Stage, socket: &std::path::Path) {
    for number in 0..WARM_UP {
        cycle(socket, number);
    }
    settled(stage);
    let fds_before = fds::own_fds().unwrap();
    let before = memory::own_usage().unwrap();
    for number in 0..CYCLES {
        cycle(socket, number);
    }
    settled(stage);
    let after = memory::own_usage().unwrap();
    let changes = fds::difference(&fds_before, &fds::own_fds().unwrap());
    println!("{CYCLES} cycles: before {before:?}, after {after:?}, fds {}", fds_before.len());
    assert!(changes.is_empty(), "fds changed:\n{}", changes.join("\n"));
    assert_eq!(after.threads, before.threads);
    let grown = after.anonymous_kib.saturating_sub(before.anonymous_kib);
    assert!(grown <= TOLERANCE_KIB, "memory grew by {grown} KiB: {before:?} to {after:?}");
    let connected = stage.compositor.seen().connected;
    assert_eq!(connected, u64::from(WARM_UP + CYCLES));
    // It still serves.
    let counts = client::play(socket, &client::Config { frames: 3, ..Default::default() }).unwrap();
    assert_eq!(counts.commits, 3);
}

// One test and not two: both count the fds of the whole process.
#[test]
fn ten_thousand_clients_leave_nothing_behind() {
    let _watchdog = Watchdog::start("10,000 connections", Duration::from_secs(180));
    let stage = Stage::new(quiet());
    {
        let proxied = stage.passing();
        run(&stage, proxied.socket());
        proxied.stop();
    }
    let stage = Stage::new(quiet());
    let (proxied, slot, stats) = stage.capturing(CaptureConfig::new(Size::new(640, 480)));
    run(&stage, proxied.socket());
    let all_gone = || (stats.clients.value() == 0 && stats.held.value() == 0).then_some(());
    wait_for("the end of all clients and holds", LIMIT, all_gone).unwrap();
    proxied.stop();
    drop::<Slot>(slot);
}
