//! Windows of several surfaces: what shows where, when, and what of it changed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod driver;

use driver::{SCREEN, Window, World, damage, pixel};
use stratus_capture::Path;
use stratus_frame::Size;
use stratus_protocols::{
    InterfaceId, wl_buffer, wl_subcompositor, wl_subsurface, wl_surface,
    wp_single_pixel_buffer_manager_v1, wp_viewport, wp_viewporter, xdg_popup, xdg_surface,
    xdg_toplevel, xdg_wm_base,
};
use stratus_proxy_core::ObjectId;

const RED: u32 = 0x00ff_0000;
const GREEN: u32 = 0x0000_ff00;
const BLUE: u32 = 0x0000_00ff;

/// A window that shows red.
fn red_window(w: &mut World) -> (usize, Window) {
    let c = w.connect();
    let window = w.window(c);
    let red = w.filled(c, SCREEN, RED);
    w.show(window, red);
    assert_eq!(pixel(&w.take(), 5, 5), RED);
    assert_eq!(w.stats.path(), Path::Direct);
    (c, window)
}

/// A subsurface of `parent`: its surface and its role object.
fn subsurface(w: &mut World, c: usize, parent: ObjectId) -> (ObjectId, ObjectId) {
    let surface = w.surface(c);
    let opcode = wl_subcompositor::REQ_GET_SUBSURFACE_OPCODE;
    let role = w.make(c, InterfaceId::WlSubcompositor, opcode, &[surface, parent]);
    (surface, role)
}

fn place(w: &mut World, c: usize, role: ObjectId, x: i32, y: i32) {
    w.request(c, role, wl_subsurface::REQ_SET_POSITION_OPCODE, |m| {
        m.int(x).int(y);
    });
}

fn popup(w: &mut World, c: usize, parent: ObjectId, at: (i32, i32)) -> (ObjectId, ObjectId) {
    let surface = w.surface(c);
    let opcode = xdg_wm_base::REQ_GET_XDG_SURFACE_OPCODE;
    let xdg = w.make(c, InterfaceId::XdgWmBase, opcode, &[surface]);
    let positioner =
        w.make(c, InterfaceId::XdgWmBase, xdg_wm_base::REQ_CREATE_POSITIONER_OPCODE, &[]);
    let role = w.clients[c].new_id();
    w.request(c, xdg, xdg_surface::REQ_GET_POPUP_OPCODE, |m| {
        m.object(role).object(parent).object(positioner);
    });
    w.commit(c, surface);
    w.event(c, role, xdg_popup::EVT_CONFIGURE_OPCODE, |m| {
        m.int(at.0).int(at.1).int(8).int(8);
    });
    (surface, role)
}

#[test]
fn a_synchronized_subsurface_shows_with_its_parent_s_commit() {
    let mut w = World::new();
    let (c, window) = red_window(&mut w);
    let (child, role) = subsurface(&mut w, c, window.surface);
    place(&mut w, c, role, 10, 20);
    let green = w.filled(c, Size::new(4, 4), GREEN);
    w.show_on(c, child, green);
    assert!(w.try_take().is_none(), "cached until the parent's commit");
    w.commit(c, window.surface);
    let frame = w.take();
    assert_eq!((w.stats.path(), frame.damage.is_full()), (Path::Subsurfaces, true));
    let seen = [(9, 20), (10, 20), (13, 23), (14, 23)].map(|(x, y)| pixel(&frame, x, y));
    assert_eq!(seen, [RED, GREEN, GREEN, RED]);
    drop(frame);
    // A new picture of the child is damage of its place alone, and so is a move of both places.
    let blue = w.filled(c, Size::new(4, 4), BLUE);
    w.show_on(c, child, blue);
    w.commit(c, window.surface);
    let frame = w.take();
    assert_eq!((damage(&frame), pixel(&frame, 10, 20)), (vec![[10, 20, 4, 4]], BLUE));
    drop(frame);
    place(&mut w, c, role, 30, 20);
    w.commit(c, child);
    assert!(w.try_take().is_none(), "the position is the parent's state");
    w.commit(c, window.surface);
    let frame = w.take();
    assert_eq!(damage(&frame), [[10, 20, 4, 4], [30, 20, 4, 4]]);
    assert_eq!((pixel(&frame, 10, 20), pixel(&frame, 30, 20)), (RED, BLUE));
}

#[test]
fn a_desynchronized_one_shows_at_once_and_ends_at_once() {
    let mut w = World::new();
    let (c, window) = red_window(&mut w);
    let (child, role) = subsurface(&mut w, c, window.surface);
    w.request(c, role, wl_subsurface::REQ_SET_DESYNC_OPCODE, |_| {});
    let green = w.filled(c, Size::new(4, 4), GREEN);
    w.show_on(c, child, green);
    assert!(w.try_take().is_none(), "no part of its parent before the parent's commit");
    w.commit(c, window.surface);
    assert_eq!(pixel(&w.take(), 0, 0), GREEN);
    let blue = w.filled(c, Size::new(4, 4), BLUE);
    w.show_on(c, child, blue);
    let frame = w.take();
    assert_eq!((damage(&frame), pixel(&frame, 0, 0)), (vec![[0, 0, 4, 4]], BLUE));
    drop(frame);
    w.damage(c, child, [1, 2, 1, 1]);
    w.commit(c, child);
    assert_eq!(damage(&w.take()), [[1, 2, 1, 1]]);
    w.commit(c, child);
    assert!(w.try_take().is_none(), "nothing changed");
    w.destroy(c, role, wl_subsurface::REQ_DESTROY_OPCODE);
    let frame = w.take();
    assert_eq!((damage(&frame), pixel(&frame, 0, 0)), (vec![[0, 0, 4, 4]], RED));
    drop(frame);
    // It stays composed until the window commits a buffer of its own.
    assert_eq!(w.stats.path(), Path::Subsurfaces);
    let red = w.filled(c, SCREEN, RED);
    w.show(window, red);
    assert_eq!((w.take().damage.is_full(), w.stats.path()), (true, Path::Direct));
}

#[test]
fn the_order_is_the_parent_s_state() {
    let mut w = World::new();
    let (c, window) = red_window(&mut w);
    let (one, one_role) = subsurface(&mut w, c, window.surface);
    let (two, two_role) = subsurface(&mut w, c, window.surface);
    let (green, blue) = (w.filled(c, Size::new(4, 4), GREEN), w.filled(c, Size::new(4, 4), BLUE));
    w.show_on(c, one, green);
    w.show_on(c, two, blue);
    w.commit(c, window.surface);
    assert_eq!(pixel(&w.take(), 0, 0), BLUE);
    w.request(c, one_role, wl_subsurface::REQ_PLACE_ABOVE_OPCODE, |m| {
        m.object(two);
    });
    assert!(w.try_take().is_none());
    w.commit(c, window.surface);
    assert_eq!(pixel(&w.take(), 0, 0), GREEN);
    for role in [one_role, two_role] {
        w.request(c, role, wl_subsurface::REQ_PLACE_BELOW_OPCODE, |m| {
            m.object(window.surface);
        });
    }
    w.commit(c, window.surface);
    assert_eq!(pixel(&w.take(), 0, 0), RED, "both are below the window's own surface");
}

#[test]
fn the_window_geometry_is_the_picture() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    // A green window with a red margin of four pixels.
    let pool = w.pool(c, 40 * 30 * 4);
    for y in 0..30 {
        for x in 0..40 {
            let inside = (4..36).contains(&x) && (4..26).contains(&y);
            pool.paint((y * 40 + x) * 4, if inside { GREEN } else { RED });
        }
    }
    let buffer = w.buffer_at(c, pool.id, [0, 40, 30, 160]);
    w.request(c, window.xdg, xdg_surface::REQ_SET_WINDOW_GEOMETRY_OPCODE, |m| {
        m.int(4).int(4).int(32).int(22);
    });
    w.show(window, buffer);
    let frame = w.take();
    assert_eq!((frame.size, w.stats.path()), (Size::new(32, 22), Path::Scaled));
    assert_eq!([(0, 0), (31, 21)].map(|(x, y)| pixel(&frame, x, y)), [GREEN; 2]);
    drop(frame);
    w.damage(c, window.surface, [3, 3, 2, 2]);
    w.commit(c, window.surface);
    assert_eq!(damage(&w.take()), [[0, 0, 1, 1]], "what is in the margin is not seen");
}

#[test]
fn popups_lie_where_the_compositor_put_them() {
    let mut w = World::new();
    let (c, window) = red_window(&mut w);
    let (menu, role) = popup(&mut w, c, window.xdg, (6, 7));
    let green = w.filled(c, Size::new(8, 8), GREEN);
    w.show_on(c, menu, green);
    let frame = w.take();
    assert_eq!((frame.size, w.stats.path()), (SCREEN, Path::Popup));
    let seen = [(5, 7), (6, 7), (13, 14), (14, 14)].map(|(x, y)| pixel(&frame, x, y));
    assert_eq!(seen, [RED, GREEN, GREEN, RED]);
    drop(frame);
    // Dismissed by the compositor, it is gone before the client says so.
    w.event(c, role, xdg_popup::EVT_POPUP_DONE_OPCODE, |_| {});
    let frame = w.take();
    assert_eq!((damage(&frame), pixel(&frame, 6, 7)), (vec![[6, 7, 8, 8]], RED));
    drop(frame);
    w.destroy(c, role, xdg_popup::REQ_DESTROY_OPCODE);
    assert!(w.try_take().is_none());
}

#[test]
fn a_popup_over_a_small_window_brings_the_screen_into_the_picture() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let small = w.filled(c, Size::new(20, 20), RED);
    w.show(window, small);
    assert_eq!(w.take().size, Size::new(20, 20));
    let (menu, _) = popup(&mut w, c, window.xdg, (18, 18));
    let green = w.filled(c, Size::new(8, 8), GREEN);
    w.show_on(c, menu, green);
    let frame = w.take();
    // The window is in the middle of the screen, and the popup reaches beyond it.
    assert_eq!(frame.size, SCREEN);
    let seen = [(21, 20), (22, 14), (41, 33), (40, 32), (47, 39), (48, 39)];
    let expected = [0, RED, GREEN, GREEN, GREEN, 0];
    assert_eq!(
        seen.map(|(x, y)| pixel(&frame, x, y)),
        [0, RED, GREEN, GREEN, GREEN, 0],
        "{expected:?}"
    );
}

#[test]
fn dialogs_stand_in_the_middle() {
    let mut w = World::new();
    let (c, window) = red_window(&mut w);
    let dialog = w.new_window(c);
    w.set_parent(dialog, window.toplevel);
    let green = w.filled(c, Size::new(8, 8), GREEN);
    w.show(dialog, green);
    let frame = w.take();
    assert_eq!((frame.size, w.stats.path()), (SCREEN, Path::Dialog));
    let seen = [(27, 20), (28, 20), (35, 27), (36, 27)].map(|(x, y)| pixel(&frame, x, y));
    assert_eq!(seen, [RED, GREEN, GREEN, RED]);
    drop(frame);
    // Unmapped it is no dialog any more, and a window of its own when it is mapped anew.
    w.attach(c, dialog.surface, ObjectId::NULL);
    w.commit(c, dialog.surface);
    assert_eq!(pixel(&w.take(), 28, 20), RED);
    w.set_parent(dialog, window.toplevel);
    w.show(dialog, green);
    assert_eq!(pixel(&w.take(), 28, 20), GREEN);
    w.destroy(c, dialog.toplevel, xdg_toplevel::REQ_DESTROY_OPCODE);
    assert_eq!(pixel(&w.take(), 28, 20), RED);
}

#[test]
fn a_viewport_crops_and_scales_and_a_single_pixel_fills() {
    let mut w = World::new();
    let (c, window) = red_window(&mut w);
    let (child, _) = subsurface(&mut w, c, window.surface);
    let opcode = wp_viewporter::REQ_GET_VIEWPORT_OPCODE;
    let viewport = w.make(c, InterfaceId::WpViewporter, opcode, &[child]);
    let opcode = wp_single_pixel_buffer_manager_v1::REQ_CREATE_U32_RGBA_BUFFER_OPCODE;
    let manager = w.clients[c].global(InterfaceId::WpSinglePixelBufferManagerV1);
    let single = w.clients[c].new_id();
    w.request(c, manager, opcode, |m| {
        m.object(single).uint(0).uint(u32::MAX).uint(0).uint(u32::MAX);
    });
    w.request(c, viewport, wp_viewport::REQ_SET_DESTINATION_OPCODE, |m| {
        m.int(5).int(6);
    });
    w.show_on(c, child, single);
    // As its maker may: the picture stays.
    w.destroy(c, single, wl_buffer::REQ_DESTROY_OPCODE);
    w.commit(c, window.surface);
    let frame = w.take();
    let seen = [(0, 0), (4, 5), (5, 5), (4, 6)].map(|(x, y)| pixel(&frame, x, y));
    assert_eq!(seen, [GREEN, GREEN, RED, RED]);
    drop(frame);
    // The right half of a picture that is red and blue, without a size of its own.
    let pool = w.pool(c, 8 * 4 * 4);
    for n in 0..32 {
        pool.paint(n * 4, if n % 8 < 4 { RED } else { BLUE });
    }
    let two = w.buffer_at(c, pool.id, [0, 8, 4, 32]);
    w.request(c, viewport, wp_viewport::REQ_SET_DESTINATION_OPCODE, |m| {
        m.int(-1).int(-1);
    });
    w.request(c, viewport, wp_viewport::REQ_SET_SOURCE_OPCODE, |m| {
        m.int(4 * 256).int(0).int(4 * 256).int(4 * 256);
    });
    w.show_on(c, child, two);
    w.commit(c, window.surface);
    let frame = w.take();
    let seen = [(0, 0), (3, 3), (4, 3), (4, 5)].map(|(x, y)| pixel(&frame, x, y));
    assert_eq!(seen, [BLUE, BLUE, RED, RED]);
}

#[test]
fn a_scaled_window_is_composed_at_its_own_size() {
    let mut w = World::new();
    let (c, window) = red_window(&mut w);
    w.request(c, window.surface, wl_surface::REQ_SET_BUFFER_SCALE_OPCODE, |m| {
        m.int(2);
    });
    let green = w.filled(c, SCREEN, GREEN);
    w.show(window, green);
    let frame = w.take();
    assert_eq!((frame.size, w.stats.path()), (Size::new(32, 24), Path::Scaled));
    assert_eq!(pixel(&frame, 31, 23), GREEN);
    drop(frame);
    w.request(c, window.surface, wl_surface::REQ_DAMAGE_OPCODE, |m| {
        m.int(10).int(11).int(1).int(1);
    });
    w.commit(c, window.surface);
    let [[x, y, width, height]] = damage(&w.take())[..] else { panic!("one rectangle") };
    let covers = x <= 10 && y <= 11 && x + width >= 11 && y + height >= 12;
    assert!(covers && width * height < 100, "{x} {y} {width} {height}");
}

#[test]
fn what_a_composed_window_shows_is_kept_until_it_is_replaced() {
    let mut w = World::new();
    let (c, window) = red_window(&mut w);
    let (child, role) = subsurface(&mut w, c, window.surface);
    w.request(c, role, wl_subsurface::REQ_SET_DESYNC_OPCODE, |_| {});
    let [green, blue] = [GREEN, BLUE].map(|colour| w.filled(c, Size::new(4, 4), colour));
    w.show_on(c, child, green);
    w.commit(c, window.surface);
    w.finish_waiting();
    // The compositor has copied it; the window still shows it, and there is another to draw in.
    w.release(c, green);
    assert_eq!(w.released(c, green), 0);
    w.show_on(c, child, blue);
    w.finish_waiting();
    assert_eq!(w.released(c, green), 1, "another took its place");
    // Without another, the pixels are copied: the game may draw at once.
    w.destroy(c, green, wl_buffer::REQ_DESTROY_OPCODE);
    w.release(c, blue);
    assert_eq!((w.released(c, blue), w.stats.copied_out.value()), (1, 1));
    w.paint(blue, 0);
    let red = w.filled(c, SCREEN, RED);
    w.show(window, red);
    assert_eq!(pixel(&w.take(), 0, 0), BLUE, "composed of the copy");
}

#[test]
fn a_release_never_waits_longer_than_a_hold_may() {
    let mut w = World::new();
    let (c, window) = red_window(&mut w);
    let (child, role) = subsurface(&mut w, c, window.surface);
    w.request(c, role, wl_subsurface::REQ_SET_DESYNC_OPCODE, |_| {});
    let [green, _spare] = [GREEN, BLUE].map(|colour| w.filled(c, Size::new(4, 4), colour));
    w.show_on(c, child, green);
    w.commit(c, window.surface);
    w.finish_waiting();
    w.release(c, green);
    assert_eq!(w.released(c, green), 0);
    w.pass(driver::DEADLINE);
    assert_eq!((w.released(c, green), w.stats.forced.value()), (1, 0));
    w.paint(green, 0);
    let red = w.filled(c, SCREEN, RED);
    w.show(window, red);
    let frame = w.take();
    assert_eq!(pixel(&frame, 0, 0), GREEN);
    assert!(!frame.torn.load(std::sync::atomic::Ordering::Relaxed));
}

#[test]
fn a_waiting_picture_reads_the_copy_of_what_the_game_got_back() {
    let mut w = World::new();
    let (c, window) = red_window(&mut w);
    let (child, _) = subsurface(&mut w, c, window.surface);
    let only = w.filled(c, Size::new(4, 4), GREEN);
    w.show_on(c, child, only);
    w.commit(c, window.surface);
    // The frame waits unread, and the client has no other buffer.
    w.release(c, only);
    assert_eq!(w.released(c, only), 1);
    w.paint(only, RED);
    let frame = w.take();
    assert_eq!(pixel(&frame, 0, 0), GREEN);
    assert_eq!(w.stats.forced.value(), 0);
}

#[test]
fn trees_as_deep_or_wide_as_a_client_likes_cost_little() {
    let mut w = World::new();
    let (c, window) = red_window(&mut w);
    let mut parent = window.surface;
    let mut chain = Vec::new();
    for _ in 0..20_000 {
        let (child, _) = subsurface(&mut w, c, parent);
        chain.push(child);
        parent = child;
    }
    let green = w.filled(c, Size::new(4, 4), GREEN);
    for &child in &chain {
        w.show_on(c, child, green);
    }
    w.commit(c, window.surface);
    w.take();
    for _ in 0..2_000 {
        let (child, _) = subsurface(&mut w, c, window.surface);
        w.show_on(c, child, green);
    }
    w.commit(c, window.surface);
    assert_eq!(pixel(&w.take(), 0, 0), GREEN);
    w.disconnect(c);
}
