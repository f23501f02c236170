//! Clients that come while no file descriptors are left: the proxy sleeps, and serves them later.
//! Alone in its process, whose limit it changes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect, socket};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use stratus_proxy::core::GlobalPolicy;
use support::Running;

fn cpu_time() -> Duration {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec.try_into().unwrap(), spent.tv_nsec.try_into().unwrap())
}

/// Leaves no number for a new fd below the limit.
fn forbid_new_fds() -> Rlimit {
    let before = getrlimit(Resource::Nofile);
    let used = std::fs::read_dir("/proc/self/fd").unwrap();
    let numbers = used.map(|e| e.unwrap().file_name().to_str().unwrap().parse::<u64>().unwrap());
    let highest = numbers.max().unwrap();
    setrlimit(Resource::Nofile, Rlimit { current: Some(highest), ..before }).unwrap();
    // Gaps below the highest would still be given out.
    let mut fillers = Vec::new();
    while let Ok(filler) = std::fs::File::open("/dev/null") {
        fillers.push(filler);
    }
    std::mem::forget(fillers);
    before
}

#[test]
fn without_fds_the_proxy_sleeps_and_then_serves() {
    let running = Running::start(GlobalPolicy::default());
    let address = SocketAddrUnix::new(&running.socket).unwrap();
    let sockets: Vec<_> =
        (0..4).map(|_| socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap()).collect();
    let before = forbid_new_fds();
    for socket in &sockets {
        connect(socket, &address).unwrap();
    }
    let (wall, cpu) = (Instant::now(), cpu_time());
    std::thread::sleep(Duration::from_millis(700));
    let (wall, cpu) = (wall.elapsed(), cpu_time() - cpu);
    assert!(cpu < wall / 4, "{cpu:?} of {wall:?} were spent computing");

    setrlimit(Resource::Nofile, before).unwrap();
    for socket in sockets {
        let mut client = UnixStream::from(socket);
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        client.write_all(&[1u32, 12 << 16, 2].map(u32::to_ne_bytes).concat()).unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        let text = String::from_utf8_lossy(&answer);
        assert!(text.contains("cannot reach the compositor"), "{text}");
    }
}
