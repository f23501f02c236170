//! What one session may cost at most, and what is left of it when it is over.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::os::fd::OwnedFd;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use stratus_proxy_core::{
    EVENT_FD_CAP, PassThrough, Problem, REQUEST_FD_LIMIT, REQUEST_QUEUE_LIMIT, Session, Side,
};
use support::*;

/// Whether the writer's end says that nobody holds the reader any more.
struct Watched {
    writer: std::io::PipeWriter,
}

impl Watched {
    fn new() -> (Self, OwnedFd) {
        let (reader, writer) = std::io::pipe().unwrap();
        (Self { writer }, reader.into())
    }

    fn is_closed(&mut self) -> bool {
        std::io::Write::write_all(&mut self.writer, &[1]).is_err()
    }
}

/// Closes what the session gave up.
fn close_unwanted(s: &mut Session) {
    s.take_unwanted_fds(&mut Vec::new());
}

fn create_pool(id: u32) -> Vec<u8> {
    message(5, 0, &[id, 4096])
}

/// Gives `count` pools, each with its fd, as far as the session takes them; says how many.
fn pools(s: &mut Session, count: u32) -> u32 {
    for n in 0..count {
        if !s.wants_read(Side::Client) {
            return n;
        }
        let fds = vec![marked_fd(1)];
        s.feed(Side::Client, &create_pool(7 + n), fds, 0, &mut PassThrough).unwrap();
    }
    count
}

#[test]
fn fds_on_their_way_to_a_compositor_that_does_not_read_push_back() {
    let mut s = session_with_surface();
    let taken = pools(&mut s, 5000);
    assert_eq!(taken as usize, REQUEST_FD_LIMIT, "a client may pile up fds");
    assert!(s.waiting(Side::Compositor) < REQUEST_QUEUE_LIMIT, "and the bytes are few");
    let (bytes, fds) = s.take(Side::Compositor);
    assert_eq!((bytes.len() / 16, fds.len()), (REQUEST_FD_LIMIT, REQUEST_FD_LIMIT));
    assert!(s.wants_read(Side::Client), "it is read again when they have left");
}

#[test]
fn fds_that_a_client_leaves_unread_end_it_before_they_are_all_there_are() {
    // As Stratus does; an ordinary user begins with room for fewer.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let mut s = session_with_surface();
    pass(&mut s, Side::Client, &message(6, 1, &[7]));
    let mut sent = 0;
    let (mut first, fd) = Watched::new();
    let mut fd = Some(fd);
    let violation = loop {
        // wl_keyboard.keymap(format, fd, size).
        let fds = vec![fd.take().unwrap_or_else(|| marked_fd(1))];
        let keymap = message(7, 0, &[1, 1]);
        match s.feed(Side::Compositor, &keymap, fds, 0, &mut PassThrough) {
            Ok(_) => sent += 1,
            Err(violation) => break violation,
        }
        assert!(sent <= EVENT_FD_CAP, "{sent} fds wait");
    };
    assert_eq!(violation.problem, Problem::TooManyFdsUnread(EVENT_FD_CAP + 1));
    assert_eq!(violation.fault, Side::Client);
    close_unwanted(&mut s);
    assert!(first.is_closed());
}

#[test]
fn fds_of_a_client_that_breaks_the_protocol_are_closed_at_once() {
    let mut s = session_with_surface();
    let (mut unclaimed, fd) = Watched::new();
    s.feed(Side::Client, &damage(1), vec![fd], 0, &mut PassThrough).unwrap();
    assert!(!unclaimed.is_closed());
    breach(&mut s, Side::Client, &message(4242, 0, &[]));
    // The client may leave the error unread for as long as it likes.
    assert!(s.waiting(Side::Client) > 0 && !s.is_finished());
    close_unwanted(&mut s);
    assert!(unclaimed.is_closed());
}

#[test]
fn a_session_says_when_no_message_will_pass_any_more() {
    let mut s = session_with_surface();
    assert!(!s.is_closing() && !s.is_over());
    breach(&mut s, Side::Client, &message(4242, 0, &[]));
    assert!(s.is_closing() && s.is_over());

    let mut s = session_with_surface();
    pass(&mut s, Side::Client, &commit());
    s.handle_end(Side::Client);
    // What the client said last still goes on.
    assert!(s.is_closing() && !s.is_over() && !s.is_finished());

    let mut s = session_with_surface();
    pass(&mut s, Side::Compositor, &delete_id(4));
    s.handle_end(Side::Compositor);
    assert!(s.is_closing() && s.is_over() && !s.is_finished());

    let mut s = session_with_surface();
    pass(&mut s, Side::Compositor, &message(1, 0, &[vec![4, 2], text("bad buffer")].concat()));
    assert!(s.is_closing() && s.is_over());
}

#[test]
fn what_a_client_sends_after_its_end_is_thrown_away_so_that_it_comes_to_read() {
    let mut s = session_with_surface();
    breach(&mut s, Side::Client, &message(4242, 0, &[]));
    assert!(s.wants_read(Side::Client) && !s.wants_read(Side::Compositor));
    let (mut thrown, fd) = Watched::new();
    let more = damage(1).repeat(1000);
    s.feed(Side::Client, &more, vec![fd], 0, &mut PassThrough).unwrap();
    close_unwanted(&mut s);
    assert!(thrown.is_closed());
    assert!(s.take(Side::Compositor).0.is_empty());
    let (error, _) = s.take(Side::Client);
    assert_eq!(error[..4], 1u32.to_ne_bytes(), "it hears why after all");
    assert!(s.is_finished());

    // One that writes and writes never will.
    let mut s = session_with_surface();
    pass(&mut s, Side::Compositor, &delete_id(4));
    s.handle_end(Side::Compositor);
    let mut sent = 0;
    while !s.is_finished() {
        sent += s.feed(Side::Client, &more, Vec::new(), 0, &mut PassThrough).unwrap();
        assert!(sent < 16 << 20, "it is read without end");
    }
    assert!(sent > 1 << 20, "it is given up after {sent} bytes");
}
