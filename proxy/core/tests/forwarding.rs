//! What goes through comes out the same, apart from what the policy for globals changes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use stratus_protocols::InterfaceId;
use stratus_proxy_core::{
    EVENT_QUEUE_CAP, GlobalPolicy, MAX_FDS_OUT, PassThrough, Problem, REQUEST_QUEUE_LIMIT, Side,
};
use support::*;

#[test]
fn hidden_and_unknown_globals_do_not_exist_and_new_versions_are_clamped() {
    let mut s = session();
    pass(&mut s, Side::Client, &get_registry(2));
    let known = InterfaceId::WlCompositor.version();
    let events = [
        global(2, 1, "wl_compositor", known + 5),
        global(2, 2, "zwlr_screencopy_manager_v1", 3),
        global(2, 3, "vendor_secret_v1", 1),
        global(2, 4, "wl_seat", 7),
        message(2, 1, &[2]),
        message(2, 1, &[3]),
        message(2, 1, &[99]),
        message(2, 1, &[4]),
    ];
    pass(&mut s, Side::Compositor, &events.concat());
    let expected =
        [global(2, 1, "wl_compositor", known), global(2, 4, "wl_seat", 7), message(2, 1, &[4])];
    assert_eq!(s.take(Side::Client).0, expected.concat());
    // A client that did not read global_remove yet may still bind.
    pass(&mut s, Side::Client, &bind(2, 4, "wl_seat", 7, 3));
}

#[test]
fn a_global_opened_by_name_is_offered() {
    let mut policy = GlobalPolicy::default();
    policy.allow("zwlr_screencopy_manager_v1").unwrap();
    policy.hide("wl_seat").unwrap();
    let mut s = session_with(&PassThrough, policy);
    pass(&mut s, Side::Client, &get_registry(2));
    let screencopy = global(2, 2, "zwlr_screencopy_manager_v1", 3);
    pass(&mut s, Side::Compositor, &[screencopy.clone(), global(2, 1, "wl_seat", 5)].concat());
    assert_eq!(s.take(Side::Client).0, screencopy);
}

#[test]
fn at_most_28_fds_leave_at_once_and_none_after_its_message() {
    let mut s = session_with_surface();
    let pools = 70u32;
    for n in 0..pools {
        let bytes = message(5, 0, &[7 + n, 4096]);
        s.feed(Side::Client, &bytes, vec![marked_fd(n as u8)], 0, &mut PassThrough).unwrap();
    }
    let size = 16;
    let (mut sent_bytes, mut sent_fds) = (0, 0);
    // An odd step cuts messages, as a full socket does.
    while let Some(transmit) = s.poll_transmit(Side::Compositor) {
        let (len, fds) = (transmit.len(), transmit.fds().len());
        assert!(fds <= MAX_FDS_OUT);
        sent_fds += fds;
        let begun = (sent_bytes + len).div_ceil(size);
        assert!(sent_fds >= begun, "{sent_fds} fds for {begun} messages");
        let step = len.min(77);
        s.handle_transmitted(Side::Compositor, step);
        sent_bytes += step;
    }
    assert_eq!((sent_bytes, sent_fds), (pools as usize * size, pools as usize));
}

#[test]
fn a_full_socket_changes_nothing() {
    let mut s = session_with_surface();
    s.feed(Side::Client, &message(5, 0, &[7, 4096]), vec![marked_fd(1)], 0, &mut PassThrough)
        .unwrap();
    for _ in 0..3 {
        assert_eq!(s.poll_transmit(Side::Compositor).unwrap().fds().len(), 1);
        s.handle_transmitted(Side::Compositor, 0);
    }
    assert_eq!(s.take(Side::Compositor).1.len(), 1);
}

#[test]
fn a_compositor_that_does_not_read_stops_the_reading_of_the_client() {
    let mut s = session_with_surface();
    let many = damage(1).repeat(20_000);
    let taken = s.feed(Side::Client, &many, Vec::new(), 0, &mut PassThrough).unwrap();
    assert!(taken as u64 >= REQUEST_QUEUE_LIMIT && taken < 200 << 10, "{taken}");
    assert!(!s.wants_read(Side::Client) && s.wants_read(Side::Compositor));
    let mut out = s.take(Side::Compositor).0;
    let mut rest = &many[taken..];
    while !rest.is_empty() {
        rest = &rest[s.feed(Side::Client, rest, Vec::new(), 0, &mut PassThrough).unwrap()..];
        out.extend(s.take(Side::Compositor).0);
    }
    assert!(out == many);
}

#[test]
fn a_client_that_does_not_read_is_kept_for_long_and_then_ended() {
    let mut s = session_with_surface();
    let event = message(4, 2, &[1]);
    let chunk = event.repeat(4096);
    let mut fed = 0;
    while fed + chunk.len() as u64 <= EVENT_QUEUE_CAP {
        pass(&mut s, Side::Compositor, &chunk);
        fed += chunk.len() as u64;
    }
    assert_eq!(s.waiting(Side::Client), fed);
    // It wakes up: nothing is lost, and the queue is small again.
    let (bytes, _) = s.take(Side::Client);
    assert!(bytes.len() as u64 == fed && bytes.chunks(event.len()).all(|e| e == event));
    assert!(s.spare(Side::Compositor).len() <= 256 << 10);

    let violation = loop {
        match s.feed(Side::Compositor, &chunk, Vec::new(), 0, &mut PassThrough) {
            Ok(_) => assert!(s.waiting(Side::Client) <= EVENT_QUEUE_CAP),
            Err(violation) => break violation,
        }
    };
    assert!(matches!(violation.problem, Problem::TooMuchUnread(n) if n > EVENT_QUEUE_CAP));
    assert_eq!(violation.fault, Side::Client);
    assert!(s.is_finished());
}

#[test]
fn a_slow_client_gets_every_byte_while_the_queue_grows_and_moves() {
    let mut s = session_with_surface();
    let (mut sent, mut got) = (Vec::new(), Vec::new());
    for n in 0..60_000u32 {
        let event = message(4, 2, &[n]);
        pass(&mut s, Side::Compositor, &event);
        sent.extend(event);
        if n % 7 == 0
            && let Some(transmit) = s.poll_transmit(Side::Client)
        {
            let all: Vec<u8> = transmit.slices().iter().flat_map(|b| b.iter().copied()).collect();
            let step = all.len().min(61);
            got.extend_from_slice(&all[..step]);
            s.handle_transmitted(Side::Client, step);
        }
    }
    got.extend(s.take(Side::Client).0);
    assert!(got == sent);
}

#[test]
fn the_end_of_one_side_lets_the_rest_reach_the_other() {
    let mut s = session_with_surface();
    pass(&mut s, Side::Client, &damage(1));
    s.handle_end(Side::Client);
    assert!(!s.is_finished() && !s.wants_read(Side::Client) && !s.wants_read(Side::Compositor));
    assert_eq!(s.take(Side::Compositor).0, damage(1));
    assert!(s.is_finished());

    let mut s = session_with_surface();
    pass(&mut s, Side::Compositor, &message(4, 2, &[1]));
    s.handle_end(Side::Compositor);
    assert!(!s.is_finished());
    assert_eq!(s.take(Side::Client).0, message(4, 2, &[1]));
    assert!(s.is_finished());
}

#[test]
fn a_side_that_hears_nothing_may_still_be_read() {
    let mut s = session_with_surface();
    pass(&mut s, Side::Client, &damage(1));
    s.handle_deaf(Side::Compositor);
    assert!(s.poll_transmit(Side::Compositor).is_none());
    assert!(s.wants_read(Side::Compositor) && !s.wants_read(Side::Client));
    s.handle_deaf(Side::Client);
    assert!(s.is_finished());
}

#[test]
fn a_refused_client_hears_why() {
    let mut s = session();
    s.refuse("no compositor", 0, &mut PassThrough);
    let error = message(1, 0, &[vec![1, 3], text("no compositor")].concat());
    assert_eq!(s.take(Side::Client).0, error);
    assert!(s.is_finished());
}
