//! Frames of buffers: where their pixels lie, and what becomes of them when memory goes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod driver;

use std::os::unix::fs::FileExt;

use driver::{SCREEN, World, first_pixel, memfd, pixel};
use stratus_capture::{CaptureConfig, Formats, Path};
use stratus_frame::{ReadError, Size};
use stratus_protocols::{
    InterfaceId, wl_buffer, wl_shm, wl_shm_pool, wp_single_pixel_buffer_manager_v1,
};

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

/// The formats, of those that the compositor offers, that a client hears of.
fn offered(w: &mut World, c: usize, formats: &[u32]) -> Vec<u32> {
    let shm = w.clients[c].global(InterfaceId::WlShm);
    for &format in formats {
        w.event(c, shm, wl_shm::EVT_FORMAT_OPCODE, |m| {
            m.uint(format);
        });
    }
    w.clients[c].events.iter().map(|s| driver::word(s, 0).cast_unsigned()).collect()
}

#[test]
fn which_formats_are_offered_is_a_choice() {
    let formats = [0, 1, 0x3033_5258, 0x3432_4241, 0x3432_4742];
    let all = CaptureConfig { formats: Formats::All, ..CaptureConfig::new(SCREEN) };
    let mut w = World::with(&all);
    let c = w.connect();
    assert_eq!(offered(&mut w, c, &formats), formats[..4]);
}

#[test]
fn formats_are_filtered_and_other_buffers_make_no_frames() {
    let mut w = World::new();
    let c = w.connect();
    assert_eq!(offered(&mut w, c, &[0, 1, 0x3033_5258, 0x3432_4742]), [0, 1]);
    let window = w.window(c);
    let pool = w.pool(c, 1 << 16);
    // One that was not offered and comes all the same is converted; one that nobody reads is not.
    let deep = w.buffer_of(c, pool.id, [0, 64, 48, 256], 0x3033_5258);
    pool.paint(0, 0x3ff << 10);
    w.show(window, deep);
    assert_eq!((pixel(&w.take(), 0, 0), w.stats.path()), (0x0000_ff00, Path::Format));
    let strange = w.buffer_of(c, pool.id, [0, 64, 48, 256], 0x3432_4742);
    w.show(window, strange);
    assert!(w.try_take().is_none());
    let manager = InterfaceId::WpSinglePixelBufferManagerV1;
    let opcode = wp_single_pixel_buffer_manager_v1::REQ_CREATE_U32_RGBA_BUFFER_OPCODE;
    let (sender, single) = (w.clients[c].global(manager), w.clients[c].new_id());
    w.request(c, sender, opcode, |m| {
        m.object(single).uint(0).uint(0).uint(0).uint(u32::MAX);
    });
    w.show(window, single);
    assert_eq!((w.take().size, w.stats.path()), (Size::new(1, 1), Path::Format));
    // Both mapped the window, and their releases are none of our business.
    w.release(c, single);
    w.release(c, deep);
    assert_eq!((w.released(c, single), w.released(c, deep)), (1, 1));
    let plain = w.buffer(c, 3);
    w.show(window, plain);
    assert_eq!(first_pixel(&w.take()), 3);
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
