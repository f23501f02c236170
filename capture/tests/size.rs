//! Every way in which a game learns its size tells the stream's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod driver;

use driver::{SCREEN, Said, Window, World, word};
use stratus_protocols::{
    InterfaceId, wl_compositor, wl_output, wl_surface, wp_fractional_scale_manager_v1,
    wp_fractional_scale_v1, xdg_toplevel, zxdg_output_manager_v1, zxdg_output_v1,
};
use stratus_proxy_core::ObjectId;

const WIDTH: i32 = SCREEN.width as i32;
const HEIGHT: i32 = SCREEN.height as i32;

fn words(said: &Said) -> Vec<i32> {
    (0..said.body.len() / 4).map(|i| word(said, i)).collect()
}

/// The arguments of each event `opcode` of `sender`.
fn heard(w: &mut World, c: usize, sender: ObjectId, opcode: u16) -> Vec<Vec<i32>> {
    let all = std::mem::take(&mut w.clients[c].events);
    all.iter().filter(|s| (s.sender, s.opcode) == (sender, opcode)).map(words).collect()
}

fn mode(w: &mut World, c: usize, output: ObjectId, flags: u32, size: [i32; 3]) {
    w.event(c, output, wl_output::EVT_MODE_OPCODE, |m| {
        m.uint(flags).int(size[0]).int(size[1]).int(size[2]);
    });
}

#[test]
fn an_output_has_one_mode() {
    let mut w = World::new();
    let c = w.connect();
    let output = w.clients[c].global(InterfaceId::WlOutput);
    mode(&mut w, c, output, 2, [1920, 1080, 60_000]);
    mode(&mut w, c, output, 1, [1280, 720, 50_000]);
    mode(&mut w, c, output, 0, [800, 600, 60_000]);
    w.event(c, output, wl_output::EVT_DONE_OPCODE, |_| {});
    let modes = heard(&mut w, c, output, wl_output::EVT_MODE_OPCODE);
    assert_eq!(modes, [[3, WIDTH, HEIGHT, 60_000]]);
}

#[test]
fn an_output_without_a_current_mode_gets_one_before_it_is_done() {
    let mut w = World::new();
    let c = w.connect();
    let output = w.clients[c].global(InterfaceId::WlOutput);
    mode(&mut w, c, output, 2, [1920, 1080, 60_000]);
    for _ in 0..2 {
        w.event(c, output, wl_output::EVT_DONE_OPCODE, |_| {});
    }
    let opcodes: Vec<u16> = w.clients[c].events.iter().map(|s| s.opcode).collect();
    let done = wl_output::EVT_DONE_OPCODE;
    assert_eq!(opcodes, [wl_output::EVT_MODE_OPCODE, done, done]);
    assert_eq!(words(&w.clients[c].events[0]), [3, WIDTH, HEIGHT, 60_000]);
}

#[test]
fn an_output_lies_upright_at_the_origin_in_scale_one() {
    let mut w = World::new();
    let c = w.connect();
    let output = w.clients[c].global(InterfaceId::WlOutput);
    for (make, model) in [("", "a"), ("abc", "abcd"), ("maker of screens", "")] {
        w.event(c, output, wl_output::EVT_GEOMETRY_OPCODE, |m| {
            m.int(1920).int(-5).int(300).int(200).int(2).string(make).string(model).int(7);
        });
        let said = w.clients[c].events.pop().unwrap();
        let all = words(&said);
        assert_eq!((&all[..5], all.last()), (&[0, 0, 300, 200, 2][..], Some(&0)));
        let text = String::from_utf8_lossy(&said.body).into_owned();
        assert!(text.contains(make) && text.contains(model));
    }
    w.event(c, output, wl_output::EVT_SCALE_OPCODE, |m| {
        m.int(2);
    });
    assert_eq!(heard(&mut w, c, output, wl_output::EVT_SCALE_OPCODE), [[1]]);
}

#[test]
fn xdg_output_and_preferred_scales_agree() {
    let mut w = World::new();
    let c = w.connect();
    let output = w.clients[c].global(InterfaceId::WlOutput);
    let opcode = zxdg_output_manager_v1::REQ_GET_XDG_OUTPUT_OPCODE;
    let xdg = w.make(c, InterfaceId::ZxdgOutputManagerV1, opcode, &[output]);
    for (opcode, told) in [
        (zxdg_output_v1::EVT_LOGICAL_SIZE_OPCODE, [WIDTH, HEIGHT]),
        (zxdg_output_v1::EVT_LOGICAL_POSITION_OPCODE, [0, 0]),
    ] {
        w.event(c, xdg, opcode, |m| {
            m.int(1920).int(1080);
        });
        assert_eq!(heard(&mut w, c, xdg, opcode), [told]);
    }
    let opcode = wl_compositor::REQ_CREATE_SURFACE_OPCODE;
    let surface = w.make(c, InterfaceId::WlCompositor, opcode, &[]);
    let opcode = wp_fractional_scale_manager_v1::REQ_GET_FRACTIONAL_SCALE_OPCODE;
    let scale = w.make(c, InterfaceId::WpFractionalScaleManagerV1, opcode, &[surface]);
    for (sender, opcode, is, told) in [
        (scale, wp_fractional_scale_v1::EVT_PREFERRED_SCALE_OPCODE, 180, 120),
        (surface, wl_surface::EVT_PREFERRED_BUFFER_SCALE_OPCODE, 2, 1),
        (surface, wl_surface::EVT_PREFERRED_BUFFER_TRANSFORM_OPCODE, 3, 0),
    ] {
        w.event(c, sender, opcode, |m| {
            m.int(is);
        });
        assert_eq!(heard(&mut w, c, sender, opcode), [[told]]);
    }
}

const CONFIGURE: u16 = xdg_toplevel::EVT_CONFIGURE_OPCODE;
/// Width, height, the bytes of the states, fullscreen, activated.
const OURS: [i32; 5] = [WIDTH, HEIGHT, 8, 2, 4];

fn configured(w: &mut World, window: Window, size: [i32; 2], states: &[u32]) -> Vec<i32> {
    w.clients[window.client].forget();
    w.configure(window, size[0], size[1], states);
    // The configure of the toplevel comes first, that of the xdg_surface with the serial after it.
    let senders: Vec<ObjectId> = w.clients[window.client].events.iter().map(|s| s.sender).collect();
    assert_eq!(senders, [window.toplevel, window.xdg]);
    heard(w, window.client, window.toplevel, CONFIGURE).remove(0)
}

#[test]
fn a_root_window_is_configured_to_the_screen() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.new_window(c);
    w.commit(c, window.surface);
    assert_eq!(configured(&mut w, window, [0, 0], &[]), [0, 0, 0], "choose yourself, at first");
    assert_eq!(configured(&mut w, window, [0, 0], &[]), OURS);
    assert_eq!(configured(&mut w, window, [1280, 720], &[1, 3, 5, 6, 9, 77]), OURS);
    assert_eq!(configured(&mut w, window, [1280, 720], &[2, 4]), OURS);
    // What agrees stays as the compositor wrote it, here in its order of states.
    let agrees = configured(&mut w, window, [WIDTH, HEIGHT], &[4, 2]);
    assert_eq!(agrees, [WIDTH, HEIGHT, 8, 4, 2]);
    w.event(c, window.toplevel, xdg_toplevel::EVT_CONFIGURE_BOUNDS_OPCODE, |m| {
        m.int(0).int(0);
    });
    let bounds = heard(&mut w, c, window.toplevel, xdg_toplevel::EVT_CONFIGURE_BOUNDS_OPCODE);
    assert_eq!(bounds, [[WIDTH, HEIGHT]]);
}

#[test]
fn a_first_configure_with_a_size_becomes_the_screens() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.new_window(c);
    assert_eq!(configured(&mut w, window, [640, 480], &[]), OURS);
}

#[test]
fn dialogs_keep_their_size_and_their_requests() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let dialog = w.new_window(c);
    w.request(c, dialog.toplevel, xdg_toplevel::REQ_SET_MIN_SIZE_OPCODE, |m| {
        m.int(10).int(11);
    });
    w.set_parent(dialog, window.toplevel);
    w.commit(c, dialog.surface);
    assert_eq!(configured(&mut w, dialog, [200, 100], &[3]), [200, 100, 4, 3]);
    w.request(c, dialog.toplevel, xdg_toplevel::REQ_SET_MINIMIZED_OPCODE, |_| {});
    let asked = w.clients[c].asked(dialog.toplevel);
    assert_eq!(asked, [xdg_toplevel::REQ_SET_MINIMIZED_OPCODE]);
}

#[test]
fn fullscreen_is_asked_for_once_before_the_first_commit() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.new_window(c);
    w.clients[c].forget();
    for opcode in [
        xdg_toplevel::REQ_SET_MAXIMIZED_OPCODE,
        xdg_toplevel::REQ_UNSET_MAXIMIZED_OPCODE,
        xdg_toplevel::REQ_UNSET_FULLSCREEN_OPCODE,
        xdg_toplevel::REQ_SET_MINIMIZED_OPCODE,
    ] {
        w.request(c, window.toplevel, opcode, |_| {});
    }
    for opcode in [xdg_toplevel::REQ_SET_MIN_SIZE_OPCODE, xdg_toplevel::REQ_SET_MAX_SIZE_OPCODE] {
        w.request(c, window.toplevel, opcode, |m| {
            m.int(1).int(2);
        });
    }
    w.request(c, window.toplevel, xdg_toplevel::REQ_SET_FULLSCREEN_OPCODE, |m| {
        m.object(ObjectId::NULL);
    });
    assert_eq!(w.clients[c].requests, [], "all of these are swallowed");
    w.commit(c, window.surface);
    w.commit(c, window.surface);
    let asked: Vec<(ObjectId, u16)> =
        w.clients[c].requests.iter().map(|s| (s.sender, s.opcode)).collect();
    let commit = (window.surface, wl_surface::REQ_COMMIT_OPCODE);
    let fullscreen = (window.toplevel, xdg_toplevel::REQ_SET_FULLSCREEN_OPCODE);
    assert_eq!(asked, [fullscreen, commit, commit]);
    assert_eq!(words(&w.clients[c].requests[0]), [0], "the compositor chooses the output");
}

#[test]
fn a_window_that_becomes_a_dialog_leaves_fullscreen() {
    let mut w = World::new();
    let c = w.connect();
    let (window, late) = (w.window(c), w.window(c));
    w.request(c, late.toplevel, xdg_toplevel::REQ_SET_MAX_SIZE_OPCODE, |m| {
        m.int(30).int(40);
    });
    w.clients[c].forget();
    w.set_parent(late, window.toplevel);
    let asked = w.clients[c].asked(late.toplevel);
    assert_eq!(
        asked,
        [
            xdg_toplevel::REQ_UNSET_FULLSCREEN_OPCODE,
            xdg_toplevel::REQ_SET_MAX_SIZE_OPCODE,
            xdg_toplevel::REQ_SET_PARENT_OPCODE,
        ]
    );
    assert_eq!(words(&w.clients[c].requests[1]), [30, 40]);
    // And back: it is a root window again, from its next commit on.
    w.clients[c].forget();
    w.set_parent(late, ObjectId::NULL);
    w.commit(c, late.surface);
    assert!(w.clients[c].asked(late.toplevel).contains(&xdg_toplevel::REQ_SET_FULLSCREEN_OPCODE));
    assert_eq!(configured(&mut w, late, [5, 5], &[]), OURS);
}

#[test]
fn a_window_mapped_anew_asks_anew() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let buffer = w.buffer(c, 1);
    w.show(window, buffer);
    w.attach(c, window.surface, ObjectId::NULL);
    w.commit(c, window.surface);
    w.clients[c].forget();
    w.commit(c, window.surface);
    let asked = w.clients[c].asked(window.toplevel);
    assert_eq!(asked, [xdg_toplevel::REQ_SET_FULLSCREEN_OPCODE]);
    assert_eq!(configured(&mut w, window, [0, 0], &[]), [0, 0, 0], "it is the first once more");
}
