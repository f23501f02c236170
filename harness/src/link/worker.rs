//! The thread of an emulator: datagrams in, each held until its time, datagrams out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, ErrorKind, PipeReader};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex};

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

use super::emulator::{State, lock};
use super::{Fate, OVERHEAD};

/// Room for bursts: a keyframe comes in one. The kernel cuts this to its `net.core.rmem_max`.
const BUFFER: usize = 4 << 20;
/// Datagrams read from one socket before what is due is sent.
const BATCH: usize = 64;
/// Clients of a server, beyond which new ones are not heard.
const MOST_GUESTS: usize = 64;
/// The longest datagram that UDP has.
const LONGEST: usize = 65_535;

/// Nanoseconds of the monotonic clock, which cannot fail with the arguments given.
pub(super) fn now() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |t| t.tv_sec() as u64 * 1_000_000_000 + t.tv_nsec() as u64)
}

/// A server behind the link.
struct Flow {
    /// Where clients send.
    door: UdpSocket,
    server: SocketAddr,
    guests: Vec<Guest>,
}

/// A client, and the socket by which its server knows it.
struct Guest {
    address: SocketAddr,
    upstream: UdpSocket,
}

/// Where a datagram goes: a guest of a flow, or its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    flow: usize,
    guest: usize,
    up: bool,
}

/// A datagram on its way. The order of fields is that of leaving: by time, then as they came.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Parcel {
    at: u64,
    number: u64,
    way: Way,
    data: Vec<u8>,
}

pub(super) struct Worker {
    flows: Vec<Flow>,
    waiting: BinaryHeap<Reverse<Parcel>>,
    state: Arc<Mutex<State>>,
    /// Ends when the emulator does.
    end: PipeReader,
    number: u64,
    buffer: Vec<u8>,
}

impl Worker {
    pub(super) fn new(
        servers: &[SocketAddr],
        state: Arc<Mutex<State>>,
        end: PipeReader,
    ) -> io::Result<Self> {
        let flow = |server: &SocketAddr| {
            let door = socket(&state)?;
            Ok(Flow { door, server: *server, guests: Vec::new() })
        };
        let flows = servers.iter().map(flow).collect::<io::Result<_>>()?;
        let buffer = vec![0; LONGEST];
        Ok(Self { flows, waiting: BinaryHeap::new(), state, end, number: 0, buffer })
    }

    pub(super) fn doors(&self) -> io::Result<Vec<SocketAddr>> {
        self.flows.iter().map(|flow| flow.door.local_addr()).collect()
    }

    pub(super) fn run(mut self) -> io::Result<()> {
        // The usual slack of 50 µs would be the link's own jitter. Without this it is late, no more.
        let _ = nix::sys::prctl::set_timerslack(1);
        while !self.sleep()? {
            self.send_due();
            self.receive()?;
            self.send_due();
        }
        Ok(())
    }

    /// Waits for a datagram or the next one's time. Gives whether the emulator has ended.
    fn sleep(&self) -> io::Result<bool> {
        let mut fds = vec![PollFd::new(self.end.as_fd(), PollFlags::POLLIN)];
        for flow in &self.flows {
            fds.push(PollFd::new(flow.door.as_fd(), PollFlags::POLLIN));
            let guests = flow.guests.iter();
            fds.extend(guests.map(|g| PollFd::new(g.upstream.as_fd(), PollFlags::POLLIN)));
        }
        let timeout = self.waiting.peek().map(|Reverse(next)| {
            let left = next.at.saturating_sub(now());
            TimeSpec::new((left / 1_000_000_000) as i64, (left % 1_000_000_000) as i64)
        });
        match ppoll(&mut fds, timeout, None) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(e) => return Err(e.into()),
        }
        Ok(fds.first().is_some_and(|end| end.any() == Some(true)))
    }

    /// Reads a batch from each socket and gives each datagram its fate.
    fn receive(&mut self) -> io::Result<()> {
        for flow in 0..self.flows.len() {
            for _ in 0..BATCH {
                let Some((bytes, from)) = read(&self.flows[flow].door, &mut self.buffer) else {
                    break;
                };
                if let Some(guest) = self.guest(flow, from)? {
                    self.accept(bytes, Way { flow, guest, up: true });
                }
            }
            for guest in 0..self.flows[flow].guests.len() {
                for _ in 0..BATCH {
                    let upstream = &self.flows[flow].guests[guest].upstream;
                    let Some((bytes, _)) = read(upstream, &mut self.buffer) else { break };
                    self.accept(bytes, Way { flow, guest, up: false });
                }
            }
        }
        Ok(())
    }

    /// The number of the client at this address, which gets a socket if it is new.
    fn guest(&mut self, flow: usize, address: SocketAddr) -> io::Result<Option<usize>> {
        let Flow { server, guests, .. } = &mut self.flows[flow];
        if let Some(known) = guests.iter().position(|guest| guest.address == address) {
            return Ok(Some(known));
        }
        if guests.len() == MOST_GUESTS {
            return Ok(None);
        }
        let upstream = socket(&self.state)?;
        upstream.connect(*server)?;
        guests.push(Guest { address, upstream });
        Ok(Some(guests.len() - 1))
    }

    /// The first `bytes` of the buffer go this way, if they do.
    fn accept(&mut self, bytes: usize, way: Way) {
        let mut state = lock(&self.state);
        let channel = if way.up { &mut state.up } else { &mut state.down };
        let Fate::Arrives { at, .. } = channel.handle_packet(bytes + OVERHEAD, now()) else {
            return;
        };
        let data = self.buffer[..bytes].to_vec();
        self.waiting.push(Reverse(Parcel { at, number: self.number, way, data }));
        self.number += 1;
    }

    fn send_due(&mut self) {
        while let Some((parcel, late)) = self.pop_due() {
            let sent = self.send(&parcel);
            let mut state = lock(&self.state);
            if !sent {
                state.refused += 1;
                continue;
            }
            state.late.note(late);
            let Way { flow, up, .. } = parcel.way;
            let there = if up { &mut state.to_servers } else { &mut state.to_clients };
            there[flow].packets += 1;
            there[flow].bytes += (parcel.data.len() + OVERHEAD) as u64;
        }
    }

    /// The next datagram if its time has come, and for how many nanoseconds it has.
    fn pop_due(&mut self) -> Option<(Parcel, u64)> {
        let Reverse(next) = self.waiting.peek()?;
        let late = now().checked_sub(next.at)?;
        self.waiting.pop().map(|Reverse(parcel)| (parcel, late))
    }

    /// Whether the kernel took it. A peer that is gone, or has no room, loses it as on any link.
    fn send(&self, parcel: &Parcel) -> bool {
        let flow = &self.flows[parcel.way.flow];
        let guest = &flow.guests[parcel.way.guest];
        let sent = match parcel.way.up {
            true => guest.upstream.send(&parcel.data),
            false => flow.door.send_to(&parcel.data, guest.address),
        };
        sent.is_ok()
    }
}

/// A socket on loopback whose reads do not wait.
fn socket(state: &Mutex<State>) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_nonblocking(true)?;
    rustix::net::sockopt::set_socket_recv_buffer_size(&socket, BUFFER)?;
    rustix::net::sockopt::set_socket_send_buffer_size(&socket, BUFFER)?;
    lock(state).ports.push(socket.local_addr()?.port());
    Ok(socket)
}

/// A datagram, if there is one. An error is a peer's that is gone (ICMP), and the next read's luck.
fn read(socket: &UdpSocket, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
    loop {
        match socket.recv_from(buffer) {
            Ok(read) => return Some(read),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return None,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}
