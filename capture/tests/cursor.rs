//! What players learn of the cursor from what the client under the pointer says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod driver;

use driver::{Window, World};
use stratus_frame::{CursorLook, PointerBounds, Size};
use stratus_protocols::{
    InterfaceId, wl_pointer, wl_seat, wl_surface, wp_cursor_shape_device_v1,
    wp_cursor_shape_manager_v1, zwp_confined_pointer_v1, zwp_locked_pointer_v1,
    zwp_pointer_constraints_v1, zwp_tablet_manager_v2, zwp_tablet_seat_v2, zwp_tablet_tool_v2,
};
use stratus_proxy_core::ObjectId;

/// A client with a pointer over its window.
#[derive(Clone, Copy)]
struct Pointing {
    client: usize,
    window: Window,
    pointer: ObjectId,
}

fn pointing(w: &mut World) -> Pointing {
    let client = w.connect();
    let window = w.window(client);
    let pointer = pointer(w, client);
    let it = Pointing { client, window, pointer };
    enter(w, it, 1);
    it
}

fn pointer(w: &mut World, client: usize) -> ObjectId {
    w.make(client, InterfaceId::WlSeat, wl_seat::REQ_GET_POINTER_OPCODE, &[])
}

fn enter(w: &mut World, it: Pointing, serial: u32) {
    w.event(it.client, it.pointer, wl_pointer::EVT_ENTER_OPCODE, |m| {
        m.uint(serial).object(it.window.surface).int(0).int(0);
    });
}

fn leave(w: &mut World, it: Pointing) {
    w.event(it.client, it.pointer, wl_pointer::EVT_LEAVE_OPCODE, |m| {
        m.uint(9).object(it.window.surface);
    });
}

fn set_cursor(w: &mut World, it: Pointing, surface: ObjectId, (x, y): (i32, i32)) {
    w.request(it.client, it.pointer, wl_pointer::REQ_SET_CURSOR_OPCODE, |m| {
        m.uint(1).object(surface).int(x).int(y);
    });
}

/// A surface of 4x2 pixels whose first is `pixel`.
fn drawn(w: &mut World, client: usize, pixel: u32) -> ObjectId {
    let surface = w.surface(client);
    draw(w, client, surface, pixel);
    surface
}

fn draw(w: &mut World, client: usize, surface: ObjectId, pixel: u32) -> ObjectId {
    let buffer = w.buffer_sized(client, Size::new(4, 2), pixel);
    w.show_on(client, surface, buffer);
    buffer
}

fn look(w: &World) -> CursorLook {
    w.capture.cursor().latest().look
}

/// Id, first pixel without alpha and hotspot of the image.
fn image(w: &World) -> (u64, u32, (i32, i32)) {
    let CursorLook::Image { image, shown, hotspot } = look(w) else { panic!("{:?}", look(w)) };
    assert_eq!((image.size, shown), (Size::new(4, 2), Size::new(4, 2)));
    let pixel = u32::from_le_bytes(*image.bgra.first_chunk().unwrap());
    assert_eq!(pixel >> 24, 0xff, "xrgb8888 is opaque");
    (image.id.0, pixel & 0xff_ffff, hotspot)
}

#[test]
fn a_surface_is_the_cursor_with_its_hotspot_until_it_has_no_buffer() {
    let mut w = World::new();
    let it = pointing(&mut w);
    assert_eq!(look(&w), CursorLook::Unknown, "nothing was said since the pointer came");
    let surface = w.surface(it.client);
    set_cursor(&mut w, it, surface, (3, 1));
    assert_eq!(look(&w), CursorLook::Hidden, "it has no buffer yet");
    let buffer = draw(&mut w, it.client, surface, 0x11);
    assert_eq!(image(&w), (1, 0x11, (3, 1)));
    // It was read at its commit: nothing of it is held.
    w.release(it.client, buffer);
    assert_eq!(w.released(it.client, buffer), 1);
    draw(&mut w, it.client, surface, 0x22);
    assert_eq!(image(&w), (2, 0x22, (3, 1)));
    set_cursor(&mut w, it, surface, (2, 0));
    assert_eq!(image(&w), (2, 0x22, (2, 0)));
    draw(&mut w, it.client, surface, 0x11);
    assert_eq!(image(&w).0, 1, "the first image again");
    w.attach(it.client, surface, ObjectId::NULL);
    w.commit(it.client, surface);
    assert_eq!(look(&w), CursorLook::Hidden);
    assert_eq!(w.stats.handed.value(), 0, "cursors are no frames");
}

#[test]
fn what_is_drawn_before_it_becomes_the_cursor_counts() {
    let mut w = World::new();
    let it = pointing(&mut w);
    let (a, b) = (drawn(&mut w, it.client, 0xa), drawn(&mut w, it.client, 0xb));
    assert_eq!(look(&w), CursorLook::Unknown);
    set_cursor(&mut w, it, a, (0, 0));
    assert_eq!(image(&w).1, 0xa);
    set_cursor(&mut w, it, b, (0, 0));
    assert_eq!(image(&w).1, 0xb);
    // The surface that is the cursor no more changes nothing.
    draw(&mut w, it.client, a, 0xc);
    assert_eq!(image(&w).1, 0xb);
    set_cursor(&mut w, it, ObjectId::NULL, (0, 0));
    assert_eq!(look(&w), CursorLook::Hidden);
    set_cursor(&mut w, it, a, (0, 0));
    assert_eq!(image(&w).1, 0xc);
    w.destroy(it.client, a, wl_surface::REQ_DESTROY_OPCODE);
    assert_eq!(look(&w), CursorLook::Hidden);
}

#[test]
fn offsets_move_the_hotspot_at_the_commit() {
    let mut w = World::new();
    let it = pointing(&mut w);
    let surface = drawn(&mut w, it.client, 1);
    set_cursor(&mut w, it, surface, (10, 20));
    w.request(it.client, surface, wl_surface::REQ_OFFSET_OPCODE, |m| {
        m.int(1).int(-2);
    });
    assert_eq!(image(&w).2, (10, 20), "it waits for the commit");
    w.commit(it.client, surface);
    assert_eq!(image(&w).2, (9, 22));
    w.commit(it.client, surface);
    assert_eq!(image(&w).2, (9, 22), "it was applied once");
    let buffer = w.buffer_sized(it.client, Size::new(4, 2), 1);
    w.request(it.client, surface, wl_surface::REQ_ATTACH_OPCODE, |m| {
        m.object(buffer).int(i32::MIN).int(2);
    });
    w.commit(it.client, surface);
    assert_eq!(image(&w).2, (i32::MAX, 20));
}

#[test]
fn the_client_under_the_pointer_decides_and_says_it_anew_after_each_enter() {
    let mut w = World::new();
    let a = pointing(&mut w);
    let b = pointing(&mut w);
    let (of_a, of_b) = (drawn(&mut w, a.client, 0xa), drawn(&mut w, b.client, 0xb));
    set_cursor(&mut w, a, of_a, (0, 0));
    assert_eq!(look(&w), CursorLook::Unknown, "the pointer is over the other");
    set_cursor(&mut w, b, of_b, (0, 0));
    assert_eq!(image(&w).1, 0xb);
    leave(&mut w, b);
    assert_eq!(look(&w), CursorLook::Unknown);
    set_cursor(&mut w, b, of_b, (0, 0));
    assert_eq!(look(&w), CursorLook::Unknown, "it came too late");
    enter(&mut w, a, 5);
    // A second pointer object of the client hears of the same enter, and may speak for it.
    let other = Pointing { pointer: pointer(&mut w, a.client), ..a };
    set_cursor(&mut w, a, of_a, (0, 0));
    enter(&mut w, other, 5);
    assert_eq!(image(&w).1, 0xa);
    set_cursor(&mut w, other, ObjectId::NULL, (0, 0));
    assert_eq!(look(&w), CursorLook::Hidden);
    enter(&mut w, a, 6);
    assert_eq!(look(&w), CursorLook::Unknown);
    set_cursor(&mut w, a, of_a, (0, 0));
    assert_eq!(image(&w).1, 0xa);
    w.disconnect(b.client);
    assert_eq!(image(&w).1, 0xa);
    w.disconnect(a.client);
    assert_eq!(look(&w), CursorLook::Unknown);
}

#[test]
fn shapes_have_the_names_of_css_and_tablet_tools_have_cursors_of_their_own() {
    let mut w = World::new();
    let it = pointing(&mut w);
    let c = it.client;
    let opcode = wp_cursor_shape_manager_v1::REQ_GET_POINTER_OPCODE;
    let device = w.make(c, InterfaceId::WpCursorShapeManagerV1, opcode, &[it.pointer]);
    let set = |w: &mut World, device, shape| {
        w.request(c, device, wp_cursor_shape_device_v1::REQ_SET_SHAPE_OPCODE, |m| {
            m.uint(1).uint(shape);
        });
    };
    for (shape, name) in [(1, "default"), (4, "pointer"), (21, "nw-resize"), (36, "all-resize")] {
        set(&mut w, device, shape);
        assert_eq!(look(&w), CursorLook::Shape(name.into()));
    }
    for unknown in [0, 37, u32::MAX] {
        set(&mut w, device, unknown);
        assert_eq!(look(&w), CursorLook::Shape("all-resize".into()));
    }
    let seat = w.clients[c].global(InterfaceId::WlSeat);
    let opcode = zwp_tablet_manager_v2::REQ_GET_TABLET_SEAT_OPCODE;
    let tablets = w.make(c, InterfaceId::ZwpTabletManagerV2, opcode, &[seat]);
    let tool = ObjectId(0xff00_0000);
    w.event(c, tablets, zwp_tablet_seat_v2::EVT_TOOL_ADDED_OPCODE, |m| {
        m.object(tool);
    });
    let opcode = wp_cursor_shape_manager_v1::REQ_GET_TABLET_TOOL_V2_OPCODE;
    let of_tool = w.make(c, InterfaceId::WpCursorShapeManagerV1, opcode, &[tool]);
    set(&mut w, of_tool, 1);
    let surface = drawn(&mut w, c, 5);
    w.request(c, tool, zwp_tablet_tool_v2::REQ_SET_CURSOR_OPCODE, |m| {
        m.uint(1).object(surface).int(0).int(0);
    });
    assert_eq!(look(&w), CursorLook::Shape("all-resize".into()));
    set_cursor(&mut w, it, surface, (0, 0));
    assert_eq!(image(&w).1, 5, "the later request wins");
}

#[test]
fn a_lock_holds_from_its_event_to_its_end_and_its_hint_is_applied_by_a_commit() {
    let mut w = World::new();
    let it = pointing(&mut w);
    let c = it.client;
    let bounds = |w: &World| w.capture.cursor().latest().bounds;
    let constrain = |w: &mut World, opcode| {
        let manager = w.clients[c].global(InterfaceId::ZwpPointerConstraintsV1);
        let id = w.clients[c].new_id();
        w.request(c, manager, opcode, |m| {
            m.object(id).object(it.window.surface).object(it.pointer).object(ObjectId::NULL);
            m.uint(2);
        });
        id
    };
    let lock = constrain(&mut w, zwp_pointer_constraints_v1::REQ_LOCK_POINTER_OPCODE);
    assert_eq!(bounds(&w), PointerBounds::Free, "it was asked for, not given");
    w.event(c, lock, zwp_locked_pointer_v1::EVT_LOCKED_OPCODE, |_| {});
    assert_eq!(bounds(&w), PointerBounds::Locked { hint: None });
    w.request(c, lock, zwp_locked_pointer_v1::REQ_SET_CURSOR_POSITION_HINT_OPCODE, |m| {
        m.int(2560).int(-1);
    });
    assert_eq!(bounds(&w), PointerBounds::Locked { hint: None });
    w.commit(c, it.window.surface);
    assert_eq!(bounds(&w), PointerBounds::Locked { hint: Some((2560, -1)) });
    // A persistent lock comes back; one that is destroyed does not.
    w.event(c, lock, zwp_locked_pointer_v1::EVT_UNLOCKED_OPCODE, |_| {});
    assert_eq!(bounds(&w), PointerBounds::Free);
    w.event(c, lock, zwp_locked_pointer_v1::EVT_LOCKED_OPCODE, |_| {});
    assert_eq!(bounds(&w), PointerBounds::Locked { hint: Some((2560, -1)) });
    w.destroy(c, lock, zwp_locked_pointer_v1::REQ_DESTROY_OPCODE);
    assert_eq!(bounds(&w), PointerBounds::Free);
    w.event(c, lock, zwp_locked_pointer_v1::EVT_LOCKED_OPCODE, |_| {});
    assert_eq!(bounds(&w), PointerBounds::Free, "an event to a zombie says nothing");

    let inside = constrain(&mut w, zwp_pointer_constraints_v1::REQ_CONFINE_POINTER_OPCODE);
    w.event(c, inside, zwp_confined_pointer_v1::EVT_CONFINED_OPCODE, |_| {});
    assert_eq!(bounds(&w), PointerBounds::Confined);
    w.event(c, inside, zwp_confined_pointer_v1::EVT_UNCONFINED_OPCODE, |_| {});
    assert_eq!(bounds(&w), PointerBounds::Free);
    w.event(c, inside, zwp_confined_pointer_v1::EVT_CONFINED_OPCODE, |_| {});
    w.disconnect(c);
    assert_eq!(bounds(&w), PointerBounds::Free);
}

#[test]
fn many_surfaces_and_large_pictures_cost_little_and_break_nothing() {
    let mut w = World::new();
    let it = pointing(&mut w);
    let shown = drawn(&mut w, it.client, 0xa);
    set_cursor(&mut w, it, shown, (0, 0));
    let first = drawn(&mut w, it.client, 0xf);
    for n in 0..200 {
        drawn(&mut w, it.client, n);
    }
    assert_eq!(image(&w).1, 0xa, "the cursor itself is not forgotten");
    set_cursor(&mut w, it, first, (0, 0));
    assert_eq!(look(&w), CursorLook::Unknown, "what was forgotten is unknown, not hidden");
    draw(&mut w, it.client, first, 0xf);
    assert_eq!(image(&w).1, 0xf);
    let large = w.buffer_sized(it.client, Size::new(1024, 1024), 1);
    w.show_on(it.client, first, large);
    assert_eq!(look(&w), CursorLook::Unknown);
    w.release(it.client, large);
    assert_eq!(w.released(it.client, large), 1);
}
