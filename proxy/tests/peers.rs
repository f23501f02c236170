//! The proxy between a client on wayland-client and a compositor on wayland-server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use stratus_proxy::core::GlobalPolicy;
use support::{Running, Seen, TestClient};

fn proxied() -> (Running, support::Compositor) {
    let running = Running::start(GlobalPolicy::default());
    let compositor = running.compositor();
    (running, compositor)
}

/// A `wl_display.sync` or `get_registry` for raw clients.
fn display_request(opcode: u16, id: u32) -> Vec<u8> {
    [1, 12 << 16 | u32::from(opcode), id].iter().flat_map(|w| w.to_ne_bytes()).collect()
}

/// What `wl_display.error` says at the end of a connection: object, code and text. A client on
/// libwayland would not hear the text.
fn last_words(mut stream: UnixStream) -> (u32, u32, String) {
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    let mut last = Vec::new();
    let mut rest = said.as_slice();
    while let Some((head, _)) = rest.split_first_chunk::<8>() {
        let size = u32::from_ne_bytes(head[4..].try_into().unwrap()) >> 16;
        let (message, behind) = rest.split_at(size as usize);
        (last, rest) = (message.to_vec(), behind);
    }
    let word = |at: usize| u32::from_ne_bytes(last[at..at + 4].try_into().unwrap());
    assert_eq!((word(0), word(4) & 0xffff), (1, 0), "wl_display.error");
    (word(8), word(12), String::from_utf8_lossy(&last[20..]).into_owned())
}

#[test]
fn globals_binds_and_events_pass() {
    let (running, compositor) = proxied();
    let mut client = running.client();
    client.roundtrip().unwrap();
    let mut offered: Vec<_> =
        client.heard.globals.iter().map(|(_, i, v)| (i.as_str(), *v)).collect();
    offered.sort_unstable();
    assert_eq!(offered, [("wl_compositor", 5), ("wl_output", 3), ("wl_shm", 1)]);
    let surface = client.surface();
    surface.commit();
    client.roundtrip().unwrap();
    assert_eq!(compositor.sees(), Seen::Commit);
}

#[test]
fn a_hidden_global_is_not_offered() {
    let mut policy = GlobalPolicy::default();
    policy.hide("wl_output").unwrap();
    let running = Running::start(policy);
    let _compositor = running.compositor();
    let mut client = running.client();
    client.roundtrip().unwrap();
    assert!(client.heard.globals.iter().all(|(_, i, _)| i != "wl_output"));
    let name = client.heard.globals.iter().map(|(name, _, _)| *name).max().unwrap() + 1;
    let mut asks = running.connect();
    asks.write_all(&display_request(1, 2)).unwrap();
    let words = [2, 36 << 16, name, 10, 0, 0, 0, 1, 3].map(u32::to_ne_bytes);
    let mut bind = words.concat();
    bind[16..25].copy_from_slice(b"wl_output");
    asks.write_all(&bind).unwrap();
    let (object, code, text) = last_words(asks);
    assert_eq!((object, code), (2, 0));
    assert!(text.contains("wl_output"), "{text}");
}

#[test]
fn a_pool_arrives_with_its_fd() {
    let (running, compositor) = proxied();
    let mut client = running.client();
    client.roundtrip().unwrap();
    for mark in [b"first", b"other"] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(mark).unwrap();
        let pool = client.pool(file.into());
        client.roundtrip().unwrap();
        assert_eq!(compositor.sees(), Seen::Pool(mark.to_vec()));
        pool.destroy();
    }
    assert_eq!(client.heard.formats, 4);
}

#[test]
fn a_killed_compositor_ends_its_clients_and_a_new_one_serves_new_clients() {
    let (running, mut compositor) = proxied();
    let mut client = running.client();
    client.roundtrip().unwrap();
    compositor.kill();
    assert!(client.roundtrip().is_err());
    std::fs::remove_file(running.upstream()).unwrap();

    assert!(running.client().roundtrip().is_err());
    let mut refused = running.connect();
    refused.write_all(&display_request(1, 2)).unwrap();
    let (object, code, text) = last_words(refused);
    assert_eq!((object, code), (1, 3));
    assert!(text.contains("cannot reach the compositor"), "{text}");

    let _compositor = running.compositor();
    running.client().roundtrip().unwrap();
}

#[test]
fn a_killed_client_is_gone_at_the_compositor_and_others_go_on() {
    let (running, compositor) = proxied();
    let mut stays = running.client();
    stays.roundtrip().unwrap();
    let mut goes = running.client();
    goes.roundtrip().unwrap();
    goes.surface().commit();
    goes.connection.flush().unwrap();
    drop(goes);
    // What it said last arrives, then it is gone.
    assert_eq!(compositor.sees(), Seen::Commit);
    assert_eq!(compositor.sees(), Seen::Gone);
    stays.roundtrip().unwrap();
}

#[test]
fn garbage_ends_one_client_only() {
    let (running, _compositor) = proxied();
    let mut good = running.client();
    good.roundtrip().unwrap();
    for garbage in [vec![0u8; 64], vec![0xff; 64], display_request(9, 2), display_request(0, 7)] {
        let mut bad = running.connect();
        bad.write_all(&garbage).unwrap();
        let mut answer = Vec::new();
        bad.read_to_end(&mut answer).unwrap();
        assert_eq!(answer[..4], 1u32.to_ne_bytes(), "wl_display.error");
        assert_eq!(answer[4..6], 0u16.to_ne_bytes());
        good.roundtrip().unwrap();
    }
}

#[test]
fn a_client_that_does_not_read_keeps_its_events_while_others_go_on() {
    let (running, _compositor) = proxied();
    let mut sleeper = running.connect();
    let mut other = running.client();
    // Far more answers than the two socket buffers hold: 60,000 of 24 bytes.
    let (count, batch) = (60_000u32, 1000);
    let mut id = 2;
    for _ in 0..count / batch {
        let requests: Vec<u8> = (0..batch).flat_map(|n| display_request(0, id + n)).collect();
        sleeper.write_all(&requests).unwrap();
        id += batch;
        other.roundtrip().unwrap();
    }
    let mut answers = vec![0; count as usize * 24];
    sleeper.read_exact(&mut answers).unwrap();
    let mut deleted: Vec<u32> = answers
        .chunks(12)
        .filter(|m| m[..4] == 1u32.to_ne_bytes())
        .map(|m| u32::from_ne_bytes(m[8..12].try_into().unwrap()))
        .collect();
    deleted.sort_unstable();
    assert_eq!(deleted, (2..2 + count).collect::<Vec<_>>());
}

fn send_fds(stream: &UnixStream, bytes: &[u8], count: usize) -> rustix::io::Result<usize> {
    let file = tempfile::tempfile().unwrap();
    let fds = vec![file.as_fd(); count];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
    sendmsg(stream, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)
}

#[test]
fn a_thousand_fds_that_nobody_wants_end_their_client() {
    let (running, _compositor) = proxied();
    let mut good = running.client();
    good.roundtrip().unwrap();
    let mut bad = running.connect();
    // One byte each of a message that never becomes whole.
    for byte in [1u8, 0, 0, 0, 0].iter().cycle().take(8) {
        if send_fds(&bad, &[*byte], 125).is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    // The bytes end with ECONNRESET, since the proxy closes with fds of ours unread.
    let _ = bad.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    assert!(text.contains("fds came that belong to no message"), "{text}");
    good.roundtrip().unwrap();
}

#[test]
fn the_socket_and_its_lock_go_with_the_proxy() {
    let (mut running, compositor) = proxied();
    let mut client = running.client();
    client.roundtrip().unwrap();
    assert!(running.folder.path().join("stratus-0.lock").exists());
    running.stop();
    assert!(client.roundtrip().is_err());
    assert!(!running.socket.exists());
    assert!(!running.folder.path().join("stratus-0.lock").exists());
    drop(compositor);
}

#[test]
fn two_registries_of_one_client() {
    let (running, _compositor) = proxied();
    let mut client: TestClient = running.client();
    client.roundtrip().unwrap();
    let queue = client.queue.handle();
    let _second = client.connection.display().get_registry(&queue, ());
    client.roundtrip().unwrap();
    assert_eq!(client.heard.globals.len(), 6);
}
