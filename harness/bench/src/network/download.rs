//! A download beside the stream: packets as fast as TCP Reno lets them go, from a server of the
//! bench to a client of the bench.

use std::io::{ErrorKind, PipeWriter};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::thread::JoinHandle;

use anyhow::Context as _;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use stratus_frame::MonoTime;

use super::reno::Reno;

/// Bytes of a packet beside the headers of IP and UDP.
const PACKET: usize = 1200;
/// How often the server looks whether nothing came back, and the client says that it is there, ms.
const TICK: u8 = 20;

/// The server, which sends nothing until a client is there.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    socket: UdpSocket,
}

impl Server {
    pub(super) fn new() -> anyhow::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("a socket")?;
        socket.set_nonblocking(true)?;
        Ok(Self { address: socket.local_addr()?, socket })
    }

    /// Lets a client download by way of `door` until the download is dropped.
    pub(super) fn start(self, door: SocketAddr) -> anyhow::Result<Download> {
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("a socket")?;
        client.connect(door)?;
        client.set_nonblocking(true)?;
        let (end, life) = std::io::pipe()?;
        let other_end = end.try_clone()?;
        let threads = vec![
            std::thread::spawn(move || serve(&self.socket, &end)),
            std::thread::spawn(move || receive(&client, &other_end)),
        ];
        Ok(Download { threads, life: Some(life) })
    }
}

/// A running download.
pub(super) struct Download {
    threads: Vec<JoinHandle<()>>,
    /// The threads end when it is closed.
    life: Option<PipeWriter>,
}

impl Drop for Download {
    fn drop(&mut self) {
        drop(self.life.take());
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Waits for a datagram, a tick at most. Gives whether this goes on.
fn sleep(socket: &UdpSocket, end: &impl AsFd) -> bool {
    let mut fds = [
        PollFd::new(end.as_fd(), PollFlags::POLLIN),
        PollFd::new(socket.as_fd(), PollFlags::POLLIN),
    ];
    // A signal is no news.
    let _ = poll(&mut fds, PollTimeout::from(TICK));
    fds[0].any() != Some(true)
}

/// A datagram that is there already. Errors are of packets before (ICMP).
fn read(socket: &UdpSocket, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
    loop {
        match socket.recv_from(buffer) {
            Ok(read) => return Some(read),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

fn serve(socket: &UdpSocket, end: &impl AsFd) {
    let mut reno = Reno::new(MonoTime::now().as_nanos());
    let mut client = None;
    let mut buffer = [0; PACKET];
    while sleep(socket, end) {
        while let Some((bytes, from)) = read(socket, &mut buffer) {
            client = Some(from);
            if let Some(number) = number(&buffer[..bytes]) {
                reno.handle_ack(number, MonoTime::now().as_nanos());
            }
        }
        let Some(client) = client else { continue };
        let now = MonoTime::now().as_nanos();
        reno.handle_time(now);
        while let Some(number) = reno.poll_send(now) {
            buffer[..8].copy_from_slice(&number.to_le_bytes());
            // What the kernel does not take is lost, as it would be on the way.
            let _ = socket.send_to(&buffer, client);
        }
    }
}

/// Says hello until something comes, and acknowledges each packet.
fn receive(socket: &UdpSocket, end: &impl AsFd) {
    let mut buffer = [0; PACKET];
    let mut heard = false;
    loop {
        if !heard {
            let _ = socket.send(b"hello");
        }
        if !sleep(socket, end) {
            return;
        }
        while let Some((bytes, _)) = read(socket, &mut buffer) {
            heard = true;
            if number(&buffer[..bytes]).is_some() {
                let _ = socket.send(&buffer[..8]);
            }
        }
    }
}

/// What a packet, or an acknowledgement, begins with.
fn number(datagram: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(*datagram.first_chunk()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::{Duration, Instant};

    use stratus_harness::link::{Emulator, Link, Queue, Shape};

    use super::*;

    /// Counts only: how much of the link it fills is a matter of the machine.
    #[test]
    fn a_download_fills_a_queue_and_goes_on_after_losses() {
        let shape = Shape {
            rate: Some(10_000_000),
            queue: Queue::Time(Duration::from_millis(20)),
            delay: Duration::from_millis(2),
            ..Shape::default()
        };
        let server = Server::new().unwrap();
        let link = Link { up: shape, down: shape, seed: 1 };
        let emulator = Emulator::start(&link, &[server.address]).unwrap();
        let download = server.start(emulator.door(0).unwrap()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let more_after = |lost: u64| {
            let seen = emulator.seen();
            seen.down.overflowed > lost && seen.to_clients[0].packets > 500
        };
        while !more_after(5) {
            assert!(Instant::now() < deadline, "{:?}", emulator.seen().down);
            std::thread::sleep(Duration::from_millis(10));
        }
        drop(download);
    }
}
