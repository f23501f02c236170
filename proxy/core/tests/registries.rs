//! Several registries, globals that come and go, and who says so to whom.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use stratus_protocols::{InterfaceId, wl_fixes, wl_registry};
use stratus_proxy_core::{Problem, Session, Side};
use support::*;

const SCREENCOPY: &str = "zwlr_screencopy_manager_v1";

fn global_remove(registry: u32, name: u32) -> Vec<u8> {
    message(registry, wl_registry::EVT_GLOBAL_REMOVE_OPCODE, &[name])
}

fn destroy_registry(fixes: u32, registry: u32) -> Vec<u8> {
    message(fixes, wl_fixes::REQ_DESTROY_REGISTRY_OPCODE, &[registry])
}

fn acknowledge(fixes: u32, registry: u32, name: u32) -> Vec<u8> {
    message(fixes, wl_fixes::REQ_ACK_GLOBAL_REMOVE_OPCODE, &[registry, name])
}

/// A client with registries 2 and 3 that were told of `globals`, and with nothing waiting.
fn with_two_registries(globals: &[(u32, &str, u32)]) -> Session {
    let mut s = session();
    pass(&mut s, Side::Client, &[get_registry(2), get_registry(3)].concat());
    for registry in [2, 3] {
        for &(name, interface, version) in globals {
            pass(&mut s, Side::Compositor, &global(registry, name, interface, version));
        }
    }
    s.take(Side::Client);
    s.take(Side::Compositor);
    s
}

/// The same, and a `wl_fixes` of `version` as object 4.
fn with_fixes(version: u32) -> Session {
    let globals = [(1, "wl_fixes", version), (7, SCREENCOPY, 3), (8, "wl_output", 4)];
    let mut s = with_two_registries(&globals);
    pass(&mut s, Side::Client, &bind(3, 1, "wl_fixes", version, 4));
    s.take(Side::Compositor);
    s
}

#[test]
fn both_registries_offer_bind_and_hear_of_ends() {
    let mut s = with_two_registries(&[(1, "wl_seat", 7), (7, SCREENCOPY, 3)]);
    pass(&mut s, Side::Client, &bind(2, 1, "wl_seat", 7, 4));
    pass(&mut s, Side::Client, &bind(3, 1, "wl_seat", 5, 5));
    let ends = [global_remove(2, 7), global_remove(3, 7), global_remove(2, 1), global_remove(3, 1)];
    pass(&mut s, Side::Compositor, &ends.concat());
    assert_eq!(s.take(Side::Client).0, ends[2..].concat());
    // A bind that was under way when the global went.
    pass(&mut s, Side::Client, &bind(3, 1, "wl_seat", 7, 6));
}

#[test]
fn two_globals_of_one_interface_are_two() {
    let mut s = with_two_registries(&[(5, "wl_output", 4), (6, "wl_output", 3)]);
    pass(&mut s, Side::Client, &bind(2, 5, "wl_output", 4, 4));
    pass(&mut s, Side::Compositor, &global_remove(2, 5));
    pass(&mut s, Side::Client, &bind(2, 6, "wl_output", 3, 5));
    let problem = breach(&mut s, Side::Client, &bind(2, 6, "wl_output", 4, 6)).problem;
    let interface = InterfaceId::WlOutput;
    assert_eq!(problem, Problem::GlobalVersion { interface, offered: 3, wanted: 4 });
}

#[test]
fn a_name_that_is_given_anew_is_the_new_global() {
    let mut s = with_two_registries(&[(7, SCREENCOPY, 3)]);
    let known = InterfaceId::WlSeat.version();
    let again = [global_remove(2, 7), global(2, 7, "wl_seat", known + 1), global_remove(2, 7)];
    pass(&mut s, Side::Compositor, &again.concat());
    // The end of the hidden one is not heard of, that of the shown one is.
    let heard = [global(2, 7, "wl_seat", known), global_remove(2, 7)];
    assert_eq!(s.take(Side::Client).0, heard.concat());
    pass(&mut s, Side::Client, &bind(2, 7, "wl_seat", known, 4));
    pass(&mut s, Side::Compositor, &global(2, 7, SCREENCOPY, 3));
    assert_eq!(s.take(Side::Client).0, []);
    let problem = breach(&mut s, Side::Client, &bind(2, 7, SCREENCOPY, 1, 5)).problem;
    assert_eq!(problem, Problem::UnknownGlobal { name: 7, interface: SCREENCOPY.to_owned() });
}

#[test]
fn a_destroyed_registry_hears_until_its_id_is_freed() {
    let mut s = with_fixes(1);
    pass(&mut s, Side::Client, &destroy_registry(4, 2));
    assert_eq!(s.take(Side::Compositor).0, destroy_registry(4, 2));
    // What the compositor sent before it read the request.
    let late = [global(2, 9, "wl_seat", 5), global(2, 10, SCREENCOPY, 3), global_remove(2, 8)];
    pass(&mut s, Side::Compositor, &late.concat());
    assert_eq!(s.take(Side::Client).0, [&late[0][..], &late[2]].concat());
    pass(&mut s, Side::Compositor, &delete_id(2));
    s.take(Side::Client);
    // The id is free, and the other registry lives on.
    pass(&mut s, Side::Client, &sync(2));
    pass(&mut s, Side::Client, &bind(3, 8, "wl_output", 4, 5));
}

#[test]
fn a_destroyed_registry_takes_no_requests() {
    let mut s = with_fixes(1);
    pass(&mut s, Side::Client, &destroy_registry(4, 2));
    let violation = breach(&mut s, Side::Client, &bind(2, 8, "wl_output", 4, 5));
    assert_eq!(violation.fault, Side::Client);
}

#[test]
fn what_is_no_registry_stays_what_it_is() {
    let mut s = with_fixes(2);
    pass(&mut s, Side::Client, &bind(3, 8, "wl_output", 4, 5));
    // The compositor will say that this is an error; until then nothing is destroyed.
    pass(&mut s, Side::Client, &[destroy_registry(4, 5), message(5, 0, &[])].concat());
}

/// The client would have to acknowledge an end that it does not hear of: the proxy does it.
#[test]
fn the_end_of_a_hidden_global_is_acknowledged_in_the_client_s_place() {
    let mut s = with_fixes(2);
    let ends =
        [global_remove(2, 7), global_remove(3, 7), global_remove(2, 8), global_remove(2, 99)];
    pass(&mut s, Side::Compositor, &ends.concat());
    // The output's end is the client's own to acknowledge, and name 99 was never offered.
    assert_eq!(s.take(Side::Client).0, global_remove(2, 8));
    let acknowledged = [acknowledge(4, 2, 7), acknowledge(4, 3, 7)];
    assert_eq!(s.take(Side::Compositor).0, acknowledged.concat());
    pass(&mut s, Side::Client, &acknowledge(4, 2, 8));
    assert_eq!(s.take(Side::Compositor).0, acknowledge(4, 2, 8));
}

#[test]
fn whichever_wl_fixes_is_left_acknowledges() {
    for (destroyed, left) in [(5, 4), (4, 5)] {
        let mut s = with_fixes(2);
        pass(&mut s, Side::Client, &bind(2, 1, "wl_fixes", 2, 5));
        pass(&mut s, Side::Client, &message(destroyed, wl_fixes::REQ_DESTROY_OPCODE, &[]));
        s.take(Side::Compositor);
        pass(&mut s, Side::Compositor, &global_remove(2, 7));
        assert_eq!(s.take(Side::Compositor).0, acknowledge(left, 2, 7));
    }
}

#[test]
fn nothing_is_acknowledged_by_what_cannot() {
    let silent = |mut s: Session, before: &[u8]| {
        pass(&mut s, Side::Client, before);
        s.take(Side::Compositor);
        pass(&mut s, Side::Compositor, &global_remove(2, 7));
        assert_eq!(s.take(Side::Compositor).0, []);
    };
    // A wl_fixes that is too old, one that was destroyed, and a registry that was.
    silent(with_fixes(1), &[]);
    silent(with_fixes(2), &message(4, wl_fixes::REQ_DESTROY_OPCODE, &[]));
    silent(with_fixes(2), &destroy_registry(4, 2));
    silent(with_two_registries(&[(1, "wl_fixes", 2), (7, SCREENCOPY, 3)]), &[]);
}
