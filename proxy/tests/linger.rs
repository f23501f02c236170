//! A socket whose closing waits for its peer, sent as an fd that belongs to no message.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use stratus_proxy::core::GlobalPolicy;
use support::Running;

/// A connection with unsent bytes whose last owner waits for a minute when it closes it, and the
/// peer that does not read.
fn lingering() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (peer, _) = listener.accept().unwrap();
    stream.set_nonblocking(true).unwrap();
    while stream.write(&[0; 1 << 16]).is_ok() {}
    stream.set_nonblocking(false).unwrap();
    set_socket_linger(&stream, Some(Duration::from_secs(60))).unwrap();
    (stream, peer)
}

#[test]
fn closing_a_socket_that_lingers_keeps_nobody_waiting() {
    let running = Running::start(GlobalPolicy::default());
    let _compositor = running.compositor();
    let mut bystander = running.client();
    bystander.roundtrip().unwrap();
    let (stream, _peer) = lingering();
    let mut hostile = running.connect();
    let fds = [stream.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
    let sync = [1u32, 12 << 16, 2].map(u32::to_ne_bytes).concat();
    sendmsg(&hostile, &[IoSlice::new(&sync)], &mut control, SendFlags::NOSIGNAL).unwrap();
    let mut answer = [0; 24];
    hostile.read_exact(&mut answer).unwrap();
    // From here on only the proxy has it, which closes it with its client.
    drop(stream);
    drop(hostile);
    std::thread::sleep(Duration::from_millis(100));
    let (told, served) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        bystander.roundtrip().unwrap();
        told.send(()).unwrap();
    });
    served.recv_timeout(Duration::from_secs(20)).expect("the bystander is served meanwhile");
}
