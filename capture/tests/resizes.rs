//! The screen changes while games play.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod driver;

use std::time::Duration;

use driver::{Said, Window, World, word};
use stratus_capture::Screen;
use stratus_frame::Size;
use stratus_protocols::{
    InterfaceId, wl_callback, wl_output, wl_surface, xdg_surface, xdg_toplevel,
    zxdg_output_manager_v1, zxdg_output_v1,
};
use stratus_proxy_core::ObjectId;

/// Longer than the capture waits for a client.
const TOO_LONG: Duration = Duration::from_secs(1);

fn resize(w: &mut World, width: u32, height: u32) {
    let size = Size::new(width, height);
    w.control.resize(Screen { size, refresh_mhz: 60_000 }).unwrap();
    w.settle();
}

fn words(said: &Said) -> Vec<i32> {
    (0..said.body.len() / 4).map(|i| word(said, i)).collect()
}

/// What the game hears, in order, since the last look.
fn heard(w: &mut World, c: usize) -> Vec<(ObjectId, u16, Vec<i32>)> {
    let events = std::mem::take(&mut w.clients[c].events);
    events.iter().map(|s| (s.sender, s.opcode, words(s))).collect()
}

/// The serials that a window was told, in order.
fn serials(w: &World, window: Window) -> Vec<u32> {
    let events = w.clients[window.client].events.iter();
    let of_window = events.filter(|s| s.sender == window.xdg);
    of_window.map(|s| word(s, 0).cast_unsigned()).collect()
}

/// The sizes that a window was told, in order.
fn sizes(w: &World, window: Window) -> Vec<(i32, i32)> {
    let events = w.clients[window.client].events.iter();
    let configures = events
        .filter(|s| (s.sender, s.opcode) == (window.toplevel, xdg_toplevel::EVT_CONFIGURE_OPCODE));
    configures.map(|s| (word(s, 0), word(s, 1))).collect()
}

fn acknowledge(w: &mut World, window: Window, serial: u32) {
    let opcode = xdg_surface::REQ_ACK_CONFIGURE_OPCODE;
    w.request(window.client, window.xdg, opcode, |m| {
        m.uint(serial);
    });
}

/// The serials that the compositor heard of since the last look.
fn acknowledged(w: &mut World, window: Window) -> Vec<u32> {
    let all = std::mem::take(&mut w.clients[window.client].requests);
    all.iter()
        .filter(|s| (s.sender, s.opcode) == (window.xdg, xdg_surface::REQ_ACK_CONFIGURE_OPCODE))
        .map(|s| word(s, 0).cast_unsigned())
        .collect()
}

/// A window that shows something, with all that it heard so far forgotten.
fn shown(w: &mut World, c: usize) -> Window {
    let window = w.window(c);
    let buffer = w.buffer(c, 1);
    acknowledge(w, window, 7);
    w.show(window, buffer);
    w.clients[c].forget();
    window
}

#[test]
fn a_client_hears_of_another_size_in_all_ways_at_once() {
    let mut w = World::new();
    let c = w.connect();
    let output = w.clients[c].global(InterfaceId::WlOutput);
    let opcode = zxdg_output_manager_v1::REQ_GET_XDG_OUTPUT_OPCODE;
    let xdg_output = w.make(c, InterfaceId::ZxdgOutputManagerV1, opcode, &[output]);
    w.event(c, output, wl_output::EVT_SCALE_OPCODE, |m| {
        m.int(1);
    });
    w.event(c, xdg_output, zxdg_output_v1::EVT_LOGICAL_POSITION_OPCODE, |m| {
        m.int(0).int(0);
    });
    let window = shown(&mut w, c);
    w.event(c, window.surface, wl_surface::EVT_ENTER_OPCODE, |m| {
        m.object(output);
    });
    w.clients[c].forget();
    resize(&mut w, 320, 200);
    let heard = heard(&mut w, c);
    let serial = heard.last().unwrap().2[0];
    let id = |id: ObjectId| id.0.cast_signed();
    assert_eq!(
        heard,
        [
            (output, wl_output::EVT_MODE_OPCODE, vec![3, 320, 200, 60_000]),
            (xdg_output, zxdg_output_v1::EVT_LOGICAL_SIZE_OPCODE, vec![320, 200]),
            (output, wl_output::EVT_DONE_OPCODE, vec![]),
            (window.surface, wl_surface::EVT_LEAVE_OPCODE, vec![id(output)]),
            (window.surface, wl_surface::EVT_ENTER_OPCODE, vec![id(output)]),
            (window.toplevel, xdg_toplevel::EVT_CONFIGURE_BOUNDS_OPCODE, vec![320, 200]),
            (window.toplevel, xdg_toplevel::EVT_CONFIGURE_OPCODE, vec![320, 200, 8, 2, 4]),
            (window.xdg, xdg_surface::EVT_CONFIGURE_OPCODE, vec![serial]),
        ]
    );
    // What the compositor says of size afterwards is told as the new one.
    w.configure(window, 64, 48, &[2, 4]);
    assert_eq!(sizes(&w, window), [(320, 200)]);
}

#[test]
fn acknowledgements_of_ours_are_the_proxys_and_those_of_the_compositor_reach_it() {
    let mut w = World::new();
    let c = w.connect();
    let window = shown(&mut w, c);
    resize(&mut w, 320, 200);
    let ours = serials(&w, window)[0];
    acknowledge(&mut w, window, ours);
    assert_eq!(acknowledged(&mut w, window), [], "the compositor never said this serial");
    w.commit(c, window.surface);
    // The compositor comes to use the serial of ours that is on its way to the client.
    resize(&mut w, 400, 300);
    let ours = *serials(&w, window).last().unwrap();
    w.event(c, window.xdg, xdg_surface::EVT_CONFIGURE_OPCODE, |m| {
        m.uint(ours);
    });
    let told = *serials(&w, window).last().unwrap();
    assert_ne!(told, ours);
    acknowledge(&mut w, window, ours);
    acknowledge(&mut w, window, told);
    assert_eq!(acknowledged(&mut w, window), [ours]);
    // The client answers only the newest, ours; the compositor's before it counts as answered.
    w.commit(c, window.surface);
    w.configure(window, 1, 1, &[]);
    resize(&mut w, 500, 300);
    let ours = *serials(&w, window).last().unwrap();
    acknowledge(&mut w, window, ours);
    assert_eq!(acknowledged(&mut w, window), [7]);
}

#[test]
fn a_storm_leaves_its_last_to_a_client_that_draws_slowly() {
    let mut w = World::new();
    let c = w.connect();
    let window = shown(&mut w, c);
    for width in 100..200 {
        resize(&mut w, width, 200);
    }
    assert_eq!(sizes(&w, window), [(100, 200)]);
    let serial = serials(&w, window)[0];
    acknowledge(&mut w, window, serial);
    assert_eq!(sizes(&w, window).len(), 1, "it has not drawn yet");
    w.commit(c, window.surface);
    assert_eq!(sizes(&w, window), [(100, 200), (199, 200)]);
    // Back to what it knows: there is nothing to say.
    let serial = serials(&w, window)[1];
    resize(&mut w, 300, 200);
    resize(&mut w, 199, 200);
    acknowledge(&mut w, window, serial);
    w.commit(c, window.surface);
    w.pass(TOO_LONG);
    assert_eq!(sizes(&w, window).len(), 2);
}

#[test]
fn a_client_that_never_answers_hears_of_the_newest_in_time() {
    let mut w = World::new();
    let c = w.connect();
    let window = shown(&mut w, c);
    for width in [100, 200, 300] {
        resize(&mut w, width, 200);
    }
    assert_eq!(sizes(&w, window), [(100, 200)]);
    w.pass(TOO_LONG);
    assert_eq!(sizes(&w, window), [(100, 200), (300, 200)]);
    assert_eq!(w.stats.resizes.value(), 3);
}

#[test]
fn one_that_hangs_keeps_no_other_from_its_size() {
    let mut w = World::new();
    let (hangs, plays) = (w.connect(), w.connect());
    let (first, second) = (shown(&mut w, hangs), shown(&mut w, plays));
    resize(&mut w, 100, 200);
    let serial = serials(&w, second)[0];
    acknowledge(&mut w, second, serial);
    w.commit(plays, second.surface);
    resize(&mut w, 300, 200);
    assert_eq!(sizes(&w, second), [(100, 200), (300, 200)]);
    assert_eq!(sizes(&w, first), [(100, 200)]);
    // Who comes later knows nothing else.
    let late = w.connect();
    let window = w.new_window(late);
    w.configure(window, 9, 9, &[]);
    assert_eq!(sizes(&w, window), [(300, 200)]);
    w.disconnect(hangs);
    w.pass(TOO_LONG);
}

#[test]
fn ours_never_comes_into_the_midst_of_one_of_the_compositor() {
    let mut w = World::new();
    let c = w.connect();
    let window = shown(&mut w, c);
    let opcode = xdg_toplevel::EVT_CONFIGURE_OPCODE;
    w.event(c, window.toplevel, opcode, |m| {
        m.int(5).int(5).array(&[]);
    });
    resize(&mut w, 320, 200);
    assert_eq!(sizes(&w, window).len(), 1);
    w.event(c, window.xdg, xdg_surface::EVT_CONFIGURE_OPCODE, |m| {
        m.uint(8);
    });
    assert_eq!(sizes(&w, window)[1..], [(320, 200)]);
    let serials = serials(&w, window);
    assert_eq!((serials.len(), serials[0]), (2, 8));
}

#[test]
fn what_is_asked_for_in_vain_is_answered_all_the_same() {
    let mut w = World::new();
    let c = w.connect();
    let window = shown(&mut w, c);
    for opcode in [
        xdg_toplevel::REQ_SET_MAXIMIZED_OPCODE,
        xdg_toplevel::REQ_UNSET_MAXIMIZED_OPCODE,
        xdg_toplevel::REQ_UNSET_FULLSCREEN_OPCODE,
    ] {
        w.clients[c].forget();
        w.request(c, window.toplevel, opcode, |_| {});
        let (width, height) = (driver::SCREEN.width as i32, driver::SCREEN.height as i32);
        assert_eq!(sizes(&w, window), [(width, height)]);
        let serial = serials(&w, window)[0];
        acknowledge(&mut w, window, serial);
        assert_eq!(w.clients[c].requests, [], "neither the request nor its answer's answer");
    }
    // One that floods hears no more than it can answer.
    w.clients[c].forget();
    for _ in 0..1000 {
        w.request(c, window.toplevel, xdg_toplevel::REQ_UNSET_FULLSCREEN_OPCODE, |_| {});
    }
    let answers = sizes(&w, window).len();
    assert!((1..100).contains(&answers), "{answers}");
    // Before the first configure there is nothing to answer with: that one is the answer.
    let early = w.new_window(c);
    w.request(c, early.toplevel, xdg_toplevel::REQ_UNSET_FULLSCREEN_OPCODE, |_| {});
    assert_eq!(sizes(&w, early), []);
}

#[test]
fn a_window_that_was_unmapped_answers_for_nothing_of_before() {
    let mut w = World::new();
    let c = w.connect();
    let window = shown(&mut w, c);
    w.configure(window, 1, 1, &[]);
    resize(&mut w, 320, 200);
    let ours = *serials(&w, window).last().unwrap();
    w.attach(c, window.surface, ObjectId::NULL);
    w.commit(c, window.surface);
    w.clients[c].forget();
    acknowledge(&mut w, window, ours);
    assert_eq!(acknowledged(&mut w, window), [], "the compositor has forgotten its own too");
    resize(&mut w, 400, 200);
    assert_eq!(sizes(&w, window), [], "it is not configured before its next first commit");
}

#[test]
fn destroyed_objects_hear_nothing() {
    let mut w = World::new();
    let c = w.connect();
    let output = w.clients[c].global(InterfaceId::WlOutput);
    w.event(c, output, wl_output::EVT_SCALE_OPCODE, |m| {
        m.int(1);
    });
    let window = shown(&mut w, c);
    w.event(c, window.surface, wl_surface::EVT_ENTER_OPCODE, |m| {
        m.object(output);
    });
    w.destroy(c, output, wl_output::REQ_RELEASE_OPCODE);
    w.destroy(c, window.toplevel, xdg_toplevel::REQ_DESTROY_OPCODE);
    w.destroy(c, window.xdg, xdg_surface::REQ_DESTROY_OPCODE);
    w.destroy(c, window.surface, wl_surface::REQ_DESTROY_OPCODE);
    w.clients[c].forget();
    resize(&mut w, 320, 200);
    assert_eq!(heard(&mut w, c), []);
    // Nor do others that come to use their ids.
    w.delete_id(c, window.surface);
    assert_eq!(w.surface(c), window.surface);
    w.clients[c].forget();
    resize(&mut w, 400, 200);
    assert_eq!(heard(&mut w, c), []);
}

#[test]
fn callbacks_that_wait_are_over_once() {
    let mut w = World::new();
    let c = w.connect();
    let window = shown(&mut w, c);
    let mut callback = || {
        let id = w.clients[c].new_id();
        w.request(c, window.surface, wl_surface::REQ_FRAME_OPCODE, |m| {
            m.object(id);
        });
        id
    };
    let (first, second) = (callback(), callback());
    w.commit(c, window.surface);
    let later = w.clients[c].new_id();
    w.request(c, window.surface, wl_surface::REQ_FRAME_OPCODE, |m| {
        m.object(later);
    });
    w.clients[c].forget();
    resize(&mut w, 320, 200);
    let done = wl_callback::EVT_DONE_OPCODE;
    let ended: Vec<ObjectId> = w.clients[c]
        .events
        .iter()
        .filter(|s| [first, second, later].contains(&s.sender))
        .map(|s| s.sender)
        .collect();
    assert_eq!(ended, [first, second], "in order, and none that was not committed");
    // What the compositor says of them goes no further, but for the end of the ids.
    w.clients[c].forget();
    for id in [first, second] {
        w.event(c, id, done, |m| {
            m.uint(9);
        });
        assert_eq!(heard(&mut w, c), []);
        w.delete_id(c, id);
        assert_eq!(heard(&mut w, c).len(), 1);
    }
    w.commit(c, window.surface);
    w.event(c, later, done, |m| {
        m.uint(10);
    });
    assert_eq!(heard(&mut w, c), [(later, done, vec![10])]);
}
