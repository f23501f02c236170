//! Messages written by hand, and a session to put them through.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use stratus_protocols::wl_surface;
use stratus_proxy_core::{
    ClientId, GlobalPolicy, Hook, PassThrough, Rules, Session, Side, Violation,
};

/// A message of 32-bit arguments.
pub fn message(object: u32, opcode: u16, words: &[u32]) -> Vec<u8> {
    let size = 8 + 4 * words.len() as u32;
    let mut bytes = object.to_ne_bytes().to_vec();
    bytes.extend((size << 16 | u32::from(opcode)).to_ne_bytes());
    bytes.extend(words.iter().flat_map(|w| w.to_ne_bytes()));
    bytes
}

/// The words of a string argument.
pub fn text(text: &str) -> Vec<u32> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    let mut words = vec![bytes.len() as u32];
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    words.extend(bytes.chunks(4).map(|c| u32::from_ne_bytes([c[0], c[1], c[2], c[3]])));
    words
}

pub fn get_registry(id: u32) -> Vec<u8> {
    message(1, 1, &[id])
}

pub fn sync(id: u32) -> Vec<u8> {
    message(1, 0, &[id])
}

pub fn delete_id(id: u32) -> Vec<u8> {
    message(1, 1, &[id])
}

pub fn global(registry: u32, name: u32, interface: &str, version: u32) -> Vec<u8> {
    message(registry, 0, &[vec![name], text(interface), vec![version]].concat())
}

pub fn bind(registry: u32, name: u32, interface: &str, version: u32, id: u32) -> Vec<u8> {
    message(registry, 0, &[vec![name], text(interface), vec![version, id]].concat())
}

/// A file that holds `mark`, to be known again at the other end.
pub fn marked_fd(mark: u8) -> OwnedFd {
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    std::io::Write::write_all(&mut writer, &[mark]).unwrap();
    let _ = &mut reader;
    reader.into()
}

pub fn mark_of(fd: OwnedFd) -> u8 {
    let mut mark = [0];
    File::from(fd).read_exact(&mut mark).unwrap();
    mark[0]
}

pub fn session_with(hook: &impl Hook, policy: GlobalPolicy) -> Session {
    Session::new(ClientId(7), Arc::new(Rules::new(&hook.interests(), policy)))
}

pub fn session() -> Session {
    session_with(&PassThrough, GlobalPolicy::default())
}

/// Feeds bytes that must pass.
pub fn pass(session: &mut Session, from: Side, bytes: &[u8]) {
    let taken = session.feed(from, bytes, Vec::new(), 0, &mut PassThrough).unwrap();
    assert_eq!(taken, bytes.len());
}

/// Feeds bytes that must end the session.
pub fn breach(session: &mut Session, from: Side, bytes: &[u8]) -> Violation {
    session.feed(from, bytes, Vec::new(), 0, &mut PassThrough).unwrap_err()
}

/// A session in which the client made a registry (2), a compositor (3), a surface (4), a shm (5)
/// and a seat (6), with nothing waiting.
pub fn session_with_surface() -> Session {
    let mut s = session();
    set_up(&mut s, &mut PassThrough);
    s
}

pub fn set_up(s: &mut Session, hook: &mut impl Hook) {
    let globals = [(1, "wl_compositor", 4), (2, "wl_shm", 1), (3, "wl_seat", 5)];
    s.feed(Side::Client, &get_registry(2), Vec::new(), 0, hook).unwrap();
    for (name, interface, version) in globals {
        s.feed(Side::Compositor, &global(2, name, interface, version), Vec::new(), 0, hook)
            .unwrap();
    }
    let requests = [
        bind(2, 1, "wl_compositor", 4, 3),
        message(3, 0, &[4]),
        bind(2, 2, "wl_shm", 1, 5),
        bind(2, 3, "wl_seat", 5, 6),
    ];
    s.feed(Side::Client, &requests.concat(), Vec::new(), 0, hook).unwrap();
    s.take(Side::Client);
    s.take(Side::Compositor);
}

/// `wl_surface.damage` of surface 4.
pub fn damage(n: u32) -> Vec<u8> {
    message(4, wl_surface::REQ_DAMAGE_OPCODE, &[n, n, n, n])
}

/// `wl_surface.commit` of surface 4.
pub fn commit() -> Vec<u8> {
    message(4, wl_surface::REQ_COMMIT_OPCODE, &[])
}
