//! A link between sockets: started, watched, cut off for a while, ended.

use std::io::{self, PipeWriter};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::worker::{Worker, now};
use super::{Channel, Counters, Lateness, Shape};

/// Both directions of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Link {
    /// From clients to servers.
    pub up: Shape,
    /// From servers to clients.
    pub down: Shape,
    /// Of all that is left to luck.
    pub seed: u64,
}

/// What arrived at one server's clients, or at the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Datagrams.
    pub packets: u64,
    /// Their bytes, headers of IP and UDP included.
    pub bytes: u64,
}

/// What an emulator has seen so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// From clients to servers.
    pub up: Counters,
    /// From servers to clients.
    pub down: Counters,
    /// What arrived at each server, in their order.
    pub to_servers: Vec<Traffic>,
    /// What arrived at the clients of each server.
    pub to_clients: Vec<Traffic>,
    /// How much later than they should packets were sent.
    pub late: Lateness,
    /// Datagrams that the kernel would not take from the emulator.
    pub refused: u64,
    /// Datagrams that the kernel dropped before the emulator had read them: they are no part of
    /// what the link does, and there should be none.
    pub overrun: u64,
}

/// What the thread and its owner share.
pub(super) struct State {
    pub(super) up: Channel,
    pub(super) down: Channel,
    pub(super) to_servers: Vec<Traffic>,
    pub(super) to_clients: Vec<Traffic>,
    pub(super) late: Lateness,
    pub(super) refused: u64,
    /// Of all sockets of the emulator.
    pub(super) ports: Vec<u16>,
}

/// Locks the state, which each change leaves whole.
pub(super) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A link on loopback, until it is dropped.
pub struct Emulator {
    doors: Vec<SocketAddr>,
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<io::Result<()>>>,
    /// The thread ends when it is closed.
    life: Option<PipeWriter>,
}

impl Emulator {
    /// Starts a link in front of these servers.
    ///
    /// # Errors
    /// If there are no sockets or no thread for it.
    pub fn start(link: &Link, servers: &[SocketAddr]) -> io::Result<Self> {
        // Each direction has luck of its own.
        let state = Arc::new(Mutex::new(State {
            up: Channel::new(link.up, link.seed.wrapping_mul(2)),
            down: Channel::new(link.down, link.seed.wrapping_mul(2).wrapping_add(1)),
            to_servers: vec![Traffic::default(); servers.len()],
            to_clients: vec![Traffic::default(); servers.len()],
            late: Lateness::default(),
            refused: 0,
            ports: Vec::new(),
        }));
        let (end, life) = io::pipe()?;
        let worker = Worker::new(servers, Arc::clone(&state), end)?;
        let doors = worker.doors()?;
        let thread =
            std::thread::Builder::new().name("link".to_owned()).spawn(move || worker.run())?;
        Ok(Self { doors, state, thread: Some(thread), life: Some(life) })
    }

    /// Where clients find server number `server` behind the link.
    #[must_use]
    pub fn door(&self, server: usize) -> Option<SocketAddr> {
        self.doors.get(server).copied()
    }

    /// Lets nothing through that is sent from now on until `length` has passed, either way.
    pub fn cut(&self, length: Duration) {
        let mut state = lock(&self.state);
        let from = now();
        let until = from.saturating_add(u64::try_from(length.as_nanos()).unwrap_or(u64::MAX));
        state.up.handle_outage(from, until);
        state.down.handle_outage(from, until);
    }

    /// What it has seen so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        let state = lock(&self.state);
        let State { up, down, to_servers, to_clients, late, refused, ports } = &*state;
        Seen {
            up: *up.counters(),
            down: *down.counters(),
            to_servers: to_servers.clone(),
            to_clients: to_clients.clone(),
            late: late.clone(),
            refused: *refused,
            overrun: overrun(ports),
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.life.take());
        if let Some(Ok(Err(e))) = self.thread.take().map(JoinHandle::join) {
            tracing::warn!("the link ended before its time: {e}");
        }
    }
}

/// What the kernel dropped at sockets of these ports, for lack of room.
fn overrun(ports: &[u16]) -> u64 {
    let table = std::fs::read_to_string("/proc/net/udp").unwrap_or_default();
    table.lines().skip(1).filter_map(|line| drops(line, ports)).sum()
}

/// The last number of a line that begins with its place and `ADDRESS:PORT` in hexadecimal.
fn drops(line: &str, ports: &[u16]) -> Option<u64> {
    let port = line.split_whitespace().nth(1)?.rsplit_once(':')?.1;
    let port = u16::from_str_radix(port, 16).ok()?;
    if !ports.contains(&port) {
        return None;
    }
    line.split_whitespace().last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_datagrams_of_our_ports_are_found() {
        let line = "  511: 0100007F:1F90 00000000:0000 07 00000000:00000000 00:00000000 00000000 \
                    1000        0 22543 2 0000000000000000 17";
        assert_eq!(drops(line, &[8080]), Some(17));
        assert_eq!(drops(line, &[8081]), None);
        assert_eq!(drops("nonsense", &[8080]), None);
    }
}
