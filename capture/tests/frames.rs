//! Which commits become frames, of which window, with which damage.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod driver;

use std::os::unix::fs::FileExt;

use driver::{SCREEN, World, damage, first_pixel, memfd};
use stratus_frame::{FrameId, MonoTime, ReadError, Size};
use stratus_protocols::{
    InterfaceId, wl_buffer, wl_data_device, wl_data_device_manager, wl_pointer, wl_seat, wl_shm,
    wl_shm_pool, wl_subcompositor, wl_subsurface, wl_surface, wp_single_pixel_buffer_manager_v1,
    wp_viewport, wp_viewporter, xdg_surface, xdg_toplevel,
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
    assert_eq!((w.stats.handed.value(), w.stats.size()), (1, SCREEN));
    w.now += 5;
    w.show(window, buffer);
    assert_eq!(w.take().id, FrameId(2));
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
fn a_stride_beyond_the_width_and_an_offset_are_followed() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let pool = w.pool(c, 1 << 16);
    let buffer = w.buffer_at(c, pool.id, [128, 10, 3, 2048]);
    for y in 0..3 {
        pool.paint(128 + y * 2048, 100 + y as u32);
    }
    w.show(window, buffer);
    let frame = w.take();
    let mut rows = Vec::new();
    frame
        .pixels
        .read(&mut |view| {
            for y in 0..3 {
                rows.push(view.data[y * view.stride]);
            }
        })
        .unwrap();
    assert_eq!((rows, frame.size), (vec![100, 101, 102], Size::new(10, 3)));
}

#[test]
fn a_pool_grows_and_goes_before_its_buffers() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let pool = w.pool(c, 4096);
    let early = w.buffer_at(c, pool.id, [0, 4, 4, 16]);
    // Beyond the pool: the compositor would end the client, we only make nothing of it.
    let beyond = w.buffer_at(c, pool.id, [8192, 4, 4, 16]);
    pool.file.set_len(1 << 16).unwrap();
    w.request(c, pool.id, wl_shm_pool::REQ_RESIZE_OPCODE, |m| {
        m.int(1 << 16);
    });
    let late = w.buffer_at(c, pool.id, [8192, 4, 4, 16]);
    w.destroy(c, pool.id, wl_shm_pool::REQ_DESTROY_OPCODE);
    pool.paint(0, 5);
    pool.paint(8192, 6);
    w.show(window, early);
    assert_eq!(first_pixel(&w.take()), 5);
    w.show(window, late);
    assert_eq!(first_pixel(&w.take()), 6);
    w.show(window, beyond);
    assert!(w.try_take().is_none());
    assert_eq!(w.stats.unreadable.value(), 1);
}

#[test]
fn a_buffer_destroyed_while_its_frame_waits_is_still_seen() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let buffer = w.buffer(c, 0xabc);
    w.show(window, buffer);
    w.destroy(c, buffer, wl_buffer::REQ_DESTROY_OPCODE);
    w.delete_id(c, buffer);
    // The id names another buffer at once.
    let anew = w.buffer(c, 0xdef);
    assert_eq!(first_pixel(&w.take()), 0xabc);
    w.show(window, anew);
    assert_eq!(first_pixel(&w.take()), 0xdef);
}

#[test]
fn a_buffer_destroyed_between_attach_and_commit_shows_nothing() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let buffer = w.buffer(c, 1);
    w.attach(c, window.surface, buffer);
    w.damage(c, window.surface, [0, 0, 9, 9]);
    w.destroy(c, buffer, wl_buffer::REQ_DESTROY_OPCODE);
    w.commit(c, window.surface);
    assert!(w.try_take().is_none());
}

#[test]
fn formats_are_filtered_and_other_buffers_make_no_frames() {
    let mut w = World::new();
    let c = w.connect();
    let shm = w.clients[c].global(InterfaceId::WlShm);
    for format in [0u32, 1, 0x3033_5258, 0x3432_4742] {
        w.event(c, shm, wl_shm::EVT_FORMAT_OPCODE, |m| {
            m.uint(format);
        });
    }
    let offered: Vec<i32> = w.clients[c].events.iter().map(|s| driver::word(s, 0)).collect();
    assert_eq!(offered, [0, 1]);
    let window = w.window(c);
    let pool = w.pool(c, 1 << 16);
    let deep = w.buffer_of(c, pool.id, [0, 64, 48, 256], 0x3033_5258);
    w.show(window, deep);
    assert!(w.try_take().is_none());
    let manager = InterfaceId::WpSinglePixelBufferManagerV1;
    let opcode = wp_single_pixel_buffer_manager_v1::REQ_CREATE_U32_RGBA_BUFFER_OPCODE;
    let (sender, single) = (w.clients[c].global(manager), w.clients[c].new_id());
    w.request(c, sender, opcode, |m| {
        m.object(single).uint(0).uint(0).uint(0).uint(u32::MAX);
    });
    w.show(window, single);
    assert!(w.try_take().is_none());
    // Both mapped the window all the same, and their releases are none of our business.
    w.release(c, single);
    w.release(c, deep);
    assert_eq!((w.released(c, single), w.released(c, deep)), (1, 1));
    let plain = w.buffer(c, 3);
    w.show(window, plain);
    assert_eq!(first_pixel(&w.take()), 3);
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
    assert!(w.try_take().is_none(), "a dialog is no main window");
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

impl World {
    fn finish_waiting(&mut self) {
        let frame = self.take();
        self.finish(frame);
    }
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
fn cursors_icons_popups_and_subsurfaces_are_no_frames() {
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
    let sub = w.make(c, InterfaceId::WlSubcompositor, opcode, &[child, window.surface]);
    for surface in [cursor, icon, child] {
        let buffer = w.buffer(c, 1);
        w.show_on(c, surface, buffer);
        assert!(w.try_take().is_none());
        w.release(c, buffer);
        assert_eq!(w.released(c, buffer), 1, "nothing of it is held");
    }
    // The root's own buffer goes on; its subsurface's state is applied with it.
    w.show(window, content);
    assert_eq!(first_pixel(&w.take()), 9);
    w.request(c, sub, wl_subsurface::REQ_SET_DESYNC_OPCODE, |_| {});
    w.commit(c, child);
    w.destroy(c, sub, wl_subsurface::REQ_DESTROY_OPCODE);
    w.destroy(c, child, wl_surface::REQ_DESTROY_OPCODE);
    w.damage(c, window.surface, [0, 0, 2, 2]);
    w.commit(c, window.surface);
    assert_eq!(damage(&w.take()), [[0, 0, 2, 2]]);
}

#[test]
fn scale_and_viewport_widen_damage() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let buffer = w.buffer(c, 1);
    w.show(window, buffer);
    w.take();
    let surface_damage = |w: &mut World| {
        w.request(c, window.surface, wl_surface::REQ_DAMAGE_OPCODE, |m| {
            m.int(1).int(2).int(3).int(4);
        });
        w.commit(c, window.surface);
        damage(&w.take())
    };
    w.request(c, window.surface, wl_surface::REQ_SET_BUFFER_SCALE_OPCODE, |m| {
        m.int(2);
    });
    assert_eq!(surface_damage(&mut w), [[2, 4, 6, 8]]);
    w.request(c, window.surface, wl_surface::REQ_SET_BUFFER_SCALE_OPCODE, |m| {
        m.int(1);
    });
    let opcode = wp_viewporter::REQ_GET_VIEWPORT_OPCODE;
    let viewport = w.make(c, InterfaceId::WpViewporter, opcode, &[window.surface]);
    let destination = |w: &mut World, size: i32| {
        w.request(c, viewport, wp_viewport::REQ_SET_DESTINATION_OPCODE, |m| {
            m.int(size).int(size);
        });
    };
    destination(&mut w, 10);
    assert_eq!(surface_damage(&mut w), [ALL]);
    destination(&mut w, -1);
    assert_eq!(surface_damage(&mut w), [[1, 2, 3, 4]]);
    destination(&mut w, 10);
    w.destroy(c, viewport, wp_viewport::REQ_DESTROY_OPCODE);
    assert_eq!(surface_damage(&mut w), [[1, 2, 3, 4]]);
}

#[test]
fn memory_cut_off_under_a_frame_costs_that_frame_alone() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let file = memfd(1 << 16);
    file.write_all_at(&[7; 1 << 16], 0).unwrap();
    let pool = w.pool_of(c, &file, 1 << 16);
    let buffer = w.buffer_at(c, pool, [0, 64, 64, 256]);
    w.show(window, buffer);
    w.finish_waiting();
    w.damage(c, window.surface, [0, 0, 1, 1]);
    w.commit(c, window.surface);
    file.set_len(0).unwrap();
    let frame = w.take();
    assert_eq!(frame.pixels.read(&mut |_| ()), Ok(()), "nothing was looked at");
    let read = frame.pixels.read(&mut |view| assert_eq!(view.data[view.data.len() - 1], 0));
    assert_eq!(read, Err(ReadError::Truncated));
    w.finish(frame);
    assert_eq!(w.stats.truncated.value(), 1);
    // The file comes back: the next frame repeats all that the lost one would have shown.
    file.set_len(1 << 16).unwrap();
    w.damage(c, window.surface, [5, 5, 1, 1]);
    w.commit(c, window.surface);
    let frame = w.take();
    assert!(frame.damage.is_full());
    assert_eq!(first_pixel(&frame), 0);
}

#[test]
fn extreme_numbers_are_forwarded_and_harmless() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let file = memfd(4096);
    let extremes = [i32::MIN, -1, 0, 1, 4096, i32::MAX];
    for size in extremes {
        let pool = w.pool_of(c, &file, size);
        for n in extremes {
            for numbers in [[n, 4, 4, 16], [0, n, 4, 16], [0, 4, n, 16], [0, 4, 4, n], [n; 4]] {
                let buffer = w.buffer_at(c, pool, numbers);
                w.show(window, buffer);
                if let Some(frame) = w.try_take() {
                    let _ = frame.pixels.read(&mut |view| {
                        std::hint::black_box(view.data.last());
                    });
                    w.finish(frame);
                }
            }
            w.request(c, pool, wl_shm_pool::REQ_RESIZE_OPCODE, |m| {
                m.int(n);
            });
        }
    }
    let seen = w.clients[c].requests.iter().filter(|s| s.sender == window.surface).count();
    assert_eq!(seen, 1 + 6 * 6 * 5 * 3, "everything went on to the compositor");
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
fn frames_of_a_session_without_an_encoder_hold_nothing() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let buffer = w.buffer(c, 1);
    w.slot = None;
    w.show(window, buffer);
    w.release(c, buffer);
    assert_eq!(w.released(c, buffer), 1);
    assert_eq!((w.stats.held.value(), w.stats.refused.value()), (0, 1));
}
