//! What a session does not let pass, whose fault it is, and what the client hears of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use stratus_proxy_core::{MAX_UNCLAIMED_FDS, ObjectId, PassThrough, Problem, Session, Side};
use support::*;

/// The client's `wl_display.error`: object, code, text.
fn heard(s: &mut Session) -> (u32, u32, String) {
    let (bytes, _) = s.take(Side::Client);
    let words: Vec<u32> =
        bytes.chunks(4).map(|c| u32::from_ne_bytes(c.try_into().unwrap())).collect();
    assert_eq!(words[0], 1, "it comes from wl_display");
    assert_eq!(words[1] & 0xffff, 0, "it is the error event");
    assert_eq!((words[1] >> 16) as usize, bytes.len());
    let len = words[4] as usize;
    let text = String::from_utf8(bytes[20..20 + len - 1].to_vec()).unwrap();
    (words[2], words[3], text)
}

fn ends(mut s: Session, from: Side, bytes: &[u8]) -> Problem {
    let violation = breach(&mut s, from, bytes);
    assert_eq!(violation.fault, from);
    assert!(s.is_over() && !s.wants_read(Side::Compositor));
    assert!(!s.is_finished(), "the client must hear of it first");
    let (_, code, said) = heard(&mut s);
    assert_eq!(said, violation.to_string());
    if from == Side::Compositor {
        assert_eq!(code, 3, "wl_display.error implementation: not the client's fault");
    }
    assert!(s.is_finished());
    violation.problem
}

#[test]
fn headers_with_impossible_sizes_end_the_client() {
    for size in [0, 4, 7, 9, 10, 11, 13, 65_533, 65_534, 65_535] {
        let mut bytes = 1u32.to_ne_bytes().to_vec();
        bytes.extend((u32::from(size) << 16).to_ne_bytes());
        bytes.resize(70_000, 0);
        assert_eq!(ends(session(), Side::Client, &bytes), Problem::Size(size));
        assert_eq!(ends(session(), Side::Compositor, &bytes), Problem::Size(size));
    }
}

#[test]
fn the_largest_message_passes() {
    let mut s = session_with_surface();
    let words = vec![9; (65_532 - 8) / 4];
    let bytes = message(4, 2, &words);
    for _ in 0..5 {
        pass(&mut s, Side::Client, &bytes);
        assert_eq!(s.take(Side::Compositor).0, bytes);
    }
}

#[test]
fn objects_that_are_not_there() {
    let unknown = message(9, 0, &[]);
    assert_eq!(ends(session(), Side::Client, &unknown), Problem::UnknownObject);
    assert_eq!(ends(session(), Side::Compositor, &unknown), Problem::UnknownObject);
    for id in [0, 0xfeff_ffff, 0xff00_0000, u32::MAX] {
        let bytes = message(id, 0, &[]);
        assert_eq!(ends(session(), Side::Client, &bytes), Problem::UnknownObject);
    }
    let mut s = session_with_surface();
    pass(&mut s, Side::Client, &message(4, 0, &[]));
    s.take(Side::Compositor);
    assert_eq!(ends(s, Side::Client, &message(4, 6, &[])), Problem::DeadObject);
}

#[test]
fn events_reach_a_zombie_until_delete_id() {
    let mut s = session_with_surface();
    pass(&mut s, Side::Client, &message(4, 0, &[]));
    pass(&mut s, Side::Compositor, &message(4, 0, &[77]));
    pass(&mut s, Side::Compositor, &delete_id(4));
    assert_eq!(s.take(Side::Client).0, [message(4, 0, &[77]), delete_id(4)].concat());
    assert_eq!(ends(s, Side::Compositor, &message(4, 0, &[77])), Problem::UnknownObject);
}

#[test]
fn an_id_is_used_anew_only_after_delete_id() {
    let mut s = session_with_surface();
    pass(&mut s, Side::Client, &message(4, 0, &[]));
    let anew = message(3, 0, &[4]);
    let mut early = session_with_surface();
    pass(&mut early, Side::Client, &message(4, 0, &[]));
    early.take(Side::Compositor);
    assert_eq!(ends(early, Side::Client, &anew), Problem::NewIdTaken(ObjectId(4)));
    pass(&mut s, Side::Compositor, &delete_id(4));
    pass(&mut s, Side::Client, &anew);
    pass(&mut s, Side::Client, &message(4, 6, &[]));
}

#[test]
fn messages_that_an_interface_does_not_have() {
    let bytes = message(1, 2, &[]);
    assert_eq!(ends(session(), Side::Client, &bytes), Problem::UnknownOpcode(2));
    assert_eq!(ends(session(), Side::Compositor, &bytes), Problem::UnknownOpcode(2));
    let mut s = session();
    let violation = breach(&mut s, Side::Client, &bytes);
    assert_eq!(
        violation.to_string(),
        "client 7: the client broke the protocol at wl_display@1, message 2: there is no message number 2"
    );
    assert_eq!(heard(&mut s).1, 1, "wl_display.error invalid_method");
}

#[test]
fn new_ids_from_the_wrong_range_twice_or_with_a_gap() {
    let of = |id| ends(session(), Side::Client, &sync(id));
    assert_eq!(of(0), Problem::NewIdRange(ObjectId(0)));
    assert_eq!(of(0xff00_0000), Problem::NewIdRange(ObjectId(0xff00_0000)));
    assert_eq!(of(1), Problem::NewIdTaken(ObjectId(1)));
    assert_eq!(of(3), Problem::NewIdGap(ObjectId(3)));
    let twice = [sync(2), sync(2)].concat();
    let mut s = session();
    let violation = breach(&mut s, Side::Client, &twice);
    assert_eq!(violation.problem, Problem::NewIdTaken(ObjectId(2)));
    assert_eq!(s.take(Side::Compositor).0, sync(2), "what came before still goes on");
    let (object, code, _) = heard(&mut s);
    assert_eq!((object, code), (1, 1), "wl_display.error invalid_method, as libwayland says");
}

#[test]
fn arguments_too_short_for_their_new_id() {
    assert_eq!(ends(session(), Side::Client, &message(1, 0, &[])), Problem::Malformed);
    let mut s = session_with_surface();
    pass(&mut s, Side::Compositor, &global(2, 9, "wl_output", 1));
    s.take(Side::Client);
    let whole = bind(2, 9, "wl_output", 1, 7);
    let cut = message(2, 0, &[9, 10]);
    assert_eq!(ends(s, Side::Client, &cut), Problem::Malformed);
    let mut s = session_with_surface();
    pass(&mut s, Side::Compositor, &global(2, 9, "wl_output", 1));
    pass(&mut s, Side::Client, &whole);
}

#[test]
fn server_ids_are_made_by_events_only_and_replaced() {
    let mut s = session_with_surface();
    pass(&mut s, Side::Compositor, &global(2, 9, "wl_data_device_manager", 3));
    pass(&mut s, Side::Client, &bind(2, 9, "wl_data_device_manager", 3, 7));
    pass(&mut s, Side::Client, &message(7, 1, &[8, 6]));
    let offer = |id| message(8, 0, &[id]);
    let first = 0xff00_0000;
    pass(&mut s, Side::Compositor, &offer(first));
    pass(&mut s, Side::Compositor, &message(first, 0, &text("text/plain")));
    pass(&mut s, Side::Client, &message(first, 2, &[]));
    pass(&mut s, Side::Compositor, &message(first, 0, &text("late")));
    pass(&mut s, Side::Compositor, &offer(first));
    pass(&mut s, Side::Client, &message(first, 3, &[]));
    s.take(Side::Client);
    assert_eq!(ends(s, Side::Compositor, &offer(9)), Problem::NewIdRange(ObjectId(9)));
}

#[test]
fn a_message_without_its_fd() {
    let s = session_with_surface();
    let create_pool = message(5, 0, &[7, 4096]);
    let problem = ends(s, Side::Client, &create_pool);
    assert_eq!(problem, Problem::MissingFds { wanted: 1, found: 0 });
}

#[test]
fn fds_that_belong_to_nothing_pile_up_only_so_far() {
    let mut s = session();
    let mut fed = 0;
    let violation = loop {
        let fds = (0..28).map(|_| marked_fd(0)).collect();
        fed += 28;
        // Half a header is no message.
        let bytes = if fed == 28 { &[1][..] } else { &[0][..] };
        let mut fds: Vec<_> = fds;
        s.spare(Side::Client)[..bytes.len()].copy_from_slice(bytes);
        let len = if fed == 28 { 1 } else { 0 };
        match s.handle_received(Side::Client, len, &mut fds, 0, &mut PassThrough) {
            Ok(()) => assert!(fed <= MAX_UNCLAIMED_FDS),
            Err(violation) => break violation,
        }
    };
    assert_eq!(violation.problem, Problem::TooManyFds(fed));
    assert_eq!(violation.fault, Side::Client);
}

#[test]
fn bind_only_what_was_offered() {
    let offered = || {
        let mut s = session();
        pass(&mut s, Side::Client, &get_registry(2));
        pass(&mut s, Side::Compositor, &global(2, 1, "wl_compositor", 4));
        pass(&mut s, Side::Compositor, &global(2, 2, "zwlr_screencopy_manager_v1", 3));
        s.take(Side::Client);
        s
    };
    let unknown =
        |name, interface: &str| Problem::UnknownGlobal { name, interface: interface.into() };
    let of = |bytes: Vec<u8>| ends(offered(), Side::Client, &bytes);
    assert_eq!(of(bind(2, 3, "wl_compositor", 1, 3)), unknown(3, "wl_compositor"));
    assert_eq!(of(bind(2, 1, "wl_shm", 1, 3)), unknown(1, "wl_shm"));
    let hidden = "zwlr_screencopy_manager_v1";
    assert_eq!(of(bind(2, 2, hidden, 1, 3)), unknown(2, hidden));
    let interface = stratus_protocols::InterfaceId::WlCompositor;
    for wanted in [0, 5, u32::MAX] {
        let problem = Problem::GlobalVersion { interface, offered: 4, wanted };
        assert_eq!(of(bind(2, 1, "wl_compositor", wanted, 3)), problem);
    }
    pass(&mut offered(), Side::Client, &bind(2, 1, "wl_compositor", 4, 3));
}

/// libwayland's answers, read off libwayland-server 1.21: all codes are those of `wl_display`, so
/// the error is about that object, except for a bind, which is about its registry.
#[test]
fn errors_have_the_object_and_the_code_that_libwayland_gives() {
    let shm_offered = || {
        let mut s = session_with_surface();
        pass(&mut s, Side::Compositor, &global(2, 9, "wl_shm", 1));
        s.take(Side::Client);
        s
    };
    let of = |bytes: &[u8]| {
        let mut s = shm_offered();
        breach(&mut s, Side::Client, bytes);
        heard(&mut s)
    };
    let (object, code, said) = of(&message(4, 99, &[]));
    assert_eq!((object, code), (1, 1));
    assert!(said.contains("wl_surface@4"), "{said}");
    let (object, code, said) = of(&[message(4, 0, &[]), message(4, 6, &[])].concat());
    assert_eq!((object, code), (1, 0));
    assert!(said.contains("wl_surface@4.commit"), "{said}");
    let (object, code, said) = of(&message(4242, 0, &[]));
    assert_eq!((object, code), (1, 0));
    assert!(said.contains("4242"), "{said}");
    let (object, code, said) = of(&message(3, 0, &[4]));
    assert_eq!((object, code), (1, 1));
    assert!(said.contains("wl_compositor@3.create_surface"), "{said}");
    for bind in [bind(2, 9, "wl_seat", 1, 7), bind(2, 9, "wl_shm", 2, 7)] {
        let (object, code, said) = of(&bind);
        assert_eq!((object, code), (2, 0));
        assert!(said.contains("wl_registry@2.bind"), "{said}");
    }
}

#[test]
fn wl_display_error_passes_and_nothing_after_it() {
    let mut s = session_with_surface();
    let error = message(1, 0, &[vec![4, 2], text("bad buffer")].concat());
    pass(&mut s, Side::Compositor, &[error.clone(), message(4, 0, &[1])].concat());
    assert!(!s.is_finished());
    assert_eq!(s.take(Side::Client).0, error);
    assert!(s.is_finished());
}
