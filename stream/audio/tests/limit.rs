//! A process without a free descriptor: alone in its program, because the limit is the process's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect, socket};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::*;

#[test]
fn who_cannot_be_taken_waits_and_nobody_spins() {
    let place = tempfile::tempdir().unwrap();
    let (server, _) = server(place.path());
    let guest = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    let usual = getrlimit(Resource::Nofile);
    // The lowest number that is free is the first that cannot be had.
    let free = guest.try_clone().unwrap().as_raw_fd();
    let current = Some(u64::try_from(free).unwrap());
    setrlimit(Resource::Nofile, Rlimit { current, ..usual }).unwrap();
    let before = server.counts().wakes;
    let start = Instant::now();
    let path = place.path().join("pulse/native");
    connect(&guest, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let woke = u128::from(server.counts().wakes - before);
    let asked = start.elapsed().as_millis() / 50;
    setrlimit(Resource::Nofile, usual).unwrap();
    assert!((1..=asked + 2).contains(&woke), "it woke up {woke} times");
    // It is served as soon as it can be.
    raw::Raw::over(UnixStream::from(guest)).say_hello();
}
