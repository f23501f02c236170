//! Which commits become frames, of which window, with which damage.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod driver;

use std::time::Duration;

use driver::{SCREEN, World, damage, first_pixel, pixel};
use stratus_capture::Path;
use stratus_frame::{FrameId, MonoTime, Size};
use stratus_protocols::{
    InterfaceId, wl_data_device, wl_data_device_manager, wl_pointer, wl_seat, wl_subcompositor,
    wl_surface, xdg_surface, xdg_toplevel,
};
use stratus_proxy_core::ObjectId;

const ALL: [u32; 4] = [0, 0, SCREEN.width, SCREEN.height];

#[test]
fn a_commit_of_the_window_is_a_frame_with_its_stamps() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    assert!(w.try_take().is_none(), "a commit without a buffer shows nothing");
    let buffer = w.buffer(c, 0x11);
    let before = MonoTime::now();
    w.show(window, buffer);
    let frame = w.take();
    assert_eq!((frame.id, frame.size, first_pixel(&frame)), (FrameId(1), SCREEN, 0x11));
    assert_eq!(damage(&frame), [ALL]);
    assert_eq!(frame.stamps.read.as_nanos(), w.now);
    assert!(frame.stamps.handed >= before);
    assert_eq!(frame.newest_input, 0);
    assert_eq!((w.stats.handed.value(), w.stats.size()), (1, SCREEN));
    w.now += 5;
    w.inputs.tell(17);
    w.show(window, buffer);
    w.inputs.tell(18);
    let frame = w.take();
    assert_eq!((frame.id, frame.newest_input), (FrameId(2), 17), "what came before its commit");
}

#[test]
fn only_damage_makes_a_frame_after_the_first() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let (a, b) = (w.buffer(c, 1), w.buffer(c, 2));
    w.attach(c, window.surface, a);
    w.commit(c, window.surface);
    assert_eq!(damage(&w.take()), [ALL], "the first frame is all new, whatever is said");
    w.commit(c, window.surface);
    assert!(w.try_take().is_none(), "an empty commit shows nothing new");
    w.attach(c, window.surface, b);
    w.commit(c, window.surface);
    assert!(w.try_take().is_none(), "no damage was stated");
    // New content in the buffer that is attached already.
    w.damage(c, window.surface, [3, 4, 5, 6]);
    w.commit(c, window.surface);
    let frame = w.take();
    assert_eq!((damage(&frame), first_pixel(&frame)), (vec![[3, 4, 5, 6]], 2));
    w.damage(c, window.surface, [1000, 1000, 5, 6]);
    w.commit(c, window.surface);
    assert!(w.try_take().is_none(), "damage beside the picture is none");
    w.request(c, window.surface, wl_surface::REQ_DAMAGE_OPCODE, |m| {
        m.int(-9).int(40).int(10).int(i32::MAX);
    });
    w.commit(c, window.surface);
    assert_eq!(damage(&w.take()), [[0, 40, 1, 8]]);
}

#[test]
fn another_size_is_a_full_frame_of_that_size() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let a = w.buffer(c, 1);
    w.show(window, a);
    w.take();
    let small = Size::new(20, 10);
    let b = w.buffer_sized(c, small, 2);
    w.attach(c, window.surface, b);
    w.damage(c, window.surface, [0, 0, 1, 1]);
    w.commit(c, window.surface);
    let frame = w.take();
    assert_eq!((frame.size, frame.damage.is_full()), (small, true));
    assert_eq!(w.stats.size(), small);
}

#[test]
fn the_newest_window_without_a_parent_is_streamed() {
    let mut w = World::new();
    let (c, d) = (w.connect(), w.connect());
    let launcher = w.window(c);
    let launcher_buffer = w.buffer(c, 1);
    w.show(launcher, launcher_buffer);
    // Another connection's window comes on top; the launcher's frame that waits is outdated.
    let game = w.window(d);
    let game_buffer = w.buffer(d, 2);
    w.show(game, game_buffer);
    assert_eq!(first_pixel(&w.take()), 2);
    w.show(launcher, launcher_buffer);
    assert!(w.try_take().is_none(), "the launcher is below");
    let dialog = w.new_window(d);
    w.set_parent(dialog, game.toplevel);
    let dialog_buffer = w.buffer_sized(d, Size::new(8, 8), 3);
    w.show(dialog, dialog_buffer);
    let frame = w.take();
    assert_eq!((frame.size, pixel(&frame, 0, 0)), (SCREEN, 2), "a dialog is no main window");
    drop(frame);
    // The game unmaps: the launcher comes back with what it showed last.
    w.attach(d, game.surface, ObjectId::NULL);
    w.commit(d, game.surface);
    // The dialog, left without its parent, is the newest root window now.
    let frame = w.take();
    assert_eq!((first_pixel(&frame), frame.damage.is_full()), (3, true));
    w.destroy(d, dialog.toplevel, xdg_toplevel::REQ_DESTROY_OPCODE);
    let frame = w.take();
    assert_eq!((first_pixel(&frame), frame.damage.is_full()), (1, true));
    w.disconnect(c);
    assert!(w.try_take().is_none());
    assert_eq!(w.stats.clients.value(), 1);
}

#[test]
fn the_window_below_comes_back_when_the_other_client_dies() {
    let mut w = World::new();
    let (c, d) = (w.connect(), w.connect());
    let (below, above) = (w.window(c), w.window(d));
    let (one, two) = (w.buffer(c, 1), w.buffer(d, 2));
    w.show(below, one);
    w.finish_waiting();
    w.show(above, two);
    w.disconnect(d);
    let frame = w.take();
    assert_eq!((first_pixel(&frame), w.stats.retracted.value()), (1, 1));
    assert!(frame.damage.is_full());
    // Released and with the game again: it may draw there, so nothing is shown before its commit.
    w.finish(frame);
    w.release(c, one);
    let e = w.connect();
    let third = w.window(e);
    let three = w.buffer(e, 3);
    w.show(third, three);
    w.finish_waiting();
    w.disconnect(e);
    assert!(w.try_take().is_none());
    w.attach(c, below.surface, one);
    w.damage(c, below.surface, [0, 0, 1, 1]);
    w.commit(c, below.surface);
    let frame = w.take();
    assert_eq!((first_pixel(&frame), frame.damage.is_full()), (1, true));
}

#[test]
fn a_window_that_is_hidden_and_shown_again_starts_anew() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let (a, b) = (w.buffer(c, 1), w.buffer(c, 2));
    w.show(window, a);
    w.finish_waiting();
    w.attach(c, window.surface, ObjectId::NULL);
    w.commit(c, window.surface);
    w.commit(c, window.surface);
    w.attach(c, window.surface, b);
    w.damage(c, window.surface, [0, 0, 1, 1]);
    w.commit(c, window.surface);
    let frame = w.take();
    assert_eq!((first_pixel(&frame), frame.damage.is_full()), (2, true));
}

#[test]
fn a_surface_destroyed_first_takes_its_window_along() {
    let mut w = World::new();
    let c = w.connect();
    let (below, above) = (w.window(c), w.window(c));
    let (one, two) = (w.buffer(c, 1), w.buffer(c, 2));
    w.show(below, one);
    w.show(above, two);
    w.finish_waiting();
    w.destroy(c, above.surface, wl_surface::REQ_DESTROY_OPCODE);
    assert_eq!(first_pixel(&w.take()), 1);
    w.destroy(c, above.toplevel, xdg_toplevel::REQ_DESTROY_OPCODE);
    assert!(w.try_take().is_none());
}

#[test]
fn cursors_and_icons_are_no_frames_and_subsurfaces_only_with_their_window() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let content = w.buffer(c, 9);
    let seat = w.clients[c].global(InterfaceId::WlSeat);
    let pointer = w.clients[c].new_id();
    w.request(c, seat, wl_seat::REQ_GET_POINTER_OPCODE, |m| {
        m.object(pointer);
    });
    let cursor = w.surface(c);
    w.request(c, pointer, wl_pointer::REQ_SET_CURSOR_OPCODE, |m| {
        m.uint(1).object(cursor).int(0).int(0);
    });
    let device = w.clients[c].new_id();
    let manager = w.clients[c].global(InterfaceId::WlDataDeviceManager);
    w.request(c, manager, wl_data_device_manager::REQ_GET_DATA_DEVICE_OPCODE, |m| {
        m.object(device).object(seat);
    });
    let icon = w.surface(c);
    w.request(c, device, wl_data_device::REQ_START_DRAG_OPCODE, |m| {
        m.object(ObjectId::NULL).object(window.surface).object(icon).uint(1);
    });
    let opcode = wl_subcompositor::REQ_GET_SUBSURFACE_OPCODE;
    let child = w.surface(c);
    w.make(c, InterfaceId::WlSubcompositor, opcode, &[child, window.surface]);
    for surface in [cursor, icon, child] {
        let buffer = w.buffer(c, 1);
        w.show_on(c, surface, buffer);
        assert!(w.try_take().is_none());
        w.release(c, buffer);
        assert_eq!(w.released(c, buffer), 1, "nothing of it is held");
        w.destroy(c, surface, wl_surface::REQ_DESTROY_OPCODE);
    }
    w.show(window, content);
    assert_eq!((first_pixel(&w.take()), w.stats.path()), (9, Path::Direct));
}

#[test]
fn a_deep_or_circular_tree_ends() {
    let mut w = World::new();
    let c = w.connect();
    let opcode = wl_subcompositor::REQ_GET_SUBSURFACE_OPCODE;
    let surfaces: Vec<ObjectId> = (0..1000).map(|_| w.surface(c)).collect();
    for pair in surfaces.windows(2) {
        w.make(c, InterfaceId::WlSubcompositor, opcode, &[pair[1], pair[0]]);
    }
    w.make(c, InterfaceId::WlSubcompositor, opcode, &[surfaces[0], surfaces[999]]);
    let buffer = w.buffer(c, 1);
    for &surface in surfaces.iter().rev() {
        w.show_on(c, surface, buffer);
    }
    for &surface in &surfaces {
        w.commit(c, surface);
        w.destroy(c, surface, wl_surface::REQ_DESTROY_OPCODE);
    }
    assert!(w.try_take().is_none());
}

#[test]
fn roles_are_for_good() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    // Requests that end a client; here they only must not disturb the window.
    let opcode = wl_subcompositor::REQ_GET_SUBSURFACE_OPCODE;
    let other = w.surface(c);
    w.make(c, InterfaceId::WlSubcompositor, opcode, &[window.surface, other]);
    let again = w.clients[c].new_id();
    w.request(c, window.xdg, xdg_surface::REQ_GET_TOPLEVEL_OPCODE, |m| {
        m.object(again);
    });
    w.destroy(c, again, xdg_toplevel::REQ_DESTROY_OPCODE);
    let buffer = w.buffer(c, 4);
    w.show(window, buffer);
    assert_eq!(first_pixel(&w.take()), 4);
}

#[test]
fn a_window_that_comes_back_asks_for_fullscreen_anew() {
    let mut w = World::new();
    let (c, d) = (w.connect(), w.connect());
    let below = w.window(c);
    let one = w.buffer(c, 1);
    w.show(below, one);
    let asked = |w: &World| {
        let opcode = xdg_toplevel::REQ_SET_FULLSCREEN_OPCODE;
        let asks = |s: &&driver::Said| (s.sender, s.opcode) == (below.toplevel, opcode);
        w.clients[c].requests.iter().filter(asks).count()
    };
    assert_eq!(asked(&w), 1);
    for times in 2..5 {
        let above = w.window(d);
        let two = w.buffer(d, 2);
        w.show(above, two);
        assert_eq!(asked(&w), times - 1, "it is covered");
        match times {
            2 => w.destroy(d, above.toplevel, xdg_toplevel::REQ_DESTROY_OPCODE),
            3 => {
                w.attach(d, above.surface, ObjectId::NULL);
                w.commit(d, above.surface);
            }
            _ => w.disconnect(d),
        }
        assert_eq!(asked(&w), times);
    }
}

#[test]
fn a_window_that_covers_another_asks_for_fullscreen_once_it_is_mapped() {
    let mut w = World::new();
    let (c, d) = (w.connect(), w.connect());
    let asked = |w: &World, of: usize, window: driver::Window| {
        let said = w.clients[of].requests.iter().filter(|s| s.sender == window.toplevel);
        said.map(|s| s.opcode).collect::<Vec<_>>()
    };
    let (set, unset) =
        (xdg_toplevel::REQ_SET_FULLSCREEN_OPCODE, xdg_toplevel::REQ_UNSET_FULLSCREEN_OPCODE);
    let below = w.window(c);
    let one = w.buffer(c, 1);
    w.show(below, one);
    assert_eq!(asked(&w, c, below), [set], "it covers nothing");
    let above = w.window(d);
    assert_eq!(asked(&w, d, above), [set], "it is not mapped");
    let two = w.buffer(d, 2);
    w.show(above, two);
    assert_eq!(asked(&w, d, above), [set], "its mapping must be through");
    w.pass(Duration::from_millis(250));
    assert_eq!(asked(&w, d, above), [set, unset, set]);
    w.show(above, two);
    w.pass(Duration::from_secs(1));
    assert_eq!(asked(&w, d, above), [set, unset, set], "once");
    assert_eq!(asked(&w, c, below), [set]);
    // One that goes before that is asked for no more.
    let third = w.window(d);
    w.show(third, two);
    w.disconnect(d);
    w.pass(Duration::from_secs(1));
    assert_eq!(asked(&w, c, below), [set, set], "it is the main window again");
}
