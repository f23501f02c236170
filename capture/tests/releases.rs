//! When a buffer goes back to the game: once the compositor and the encoder are both done.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod driver;

use std::sync::atomic::Ordering;
use std::time::Duration;

use driver::{DEADLINE, Window, World, first_pixel};
use stratus_frame::Size;
use stratus_protocols::{wl_buffer, wl_shm_pool};
use stratus_proxy_core::ObjectId;

/// A window and as many buffers, numbered from 1 by their first pixel.
fn world(buffers: u32) -> (World, usize, Window, Vec<ObjectId>) {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let buffers = (1..=buffers).map(|pixel| w.buffer(c, pixel)).collect();
    (w, c, window, buffers)
}

#[test]
fn whichever_side_is_done_last_triggers_the_release() {
    let (mut w, c, window, b) = world(3);
    w.show(window, b[0]);
    let frame = w.take();
    w.release(c, b[0]);
    assert_eq!(w.released(c, b[0]), 0, "it is being read");
    let wakes = w.wakes();
    w.finish(frame);
    assert_eq!((w.released(c, b[0]), w.wakes() - wakes), (1, 1));
    w.show(window, b[1]);
    let frame = w.take();
    w.finish(frame);
    assert_eq!(w.released(c, b[1]), 0, "the compositor still shows it");
    w.release(c, b[1]);
    assert_eq!(w.released(c, b[1]), 1);
    assert_eq!((w.stats.withheld.value(), w.stats.held.value()), (1, 0));
    assert_eq!(w.capture_deadline(), None);
}

impl World {
    fn capture_deadline(&self) -> Option<u64> {
        use stratus_proxy_core::Hook;
        self.capture.poll_deadline()
    }
}

#[test]
fn a_newer_frame_gives_the_waiting_ones_buffer_back_at_once() {
    let (mut w, c, window, b) = world(3);
    w.show(window, b[0]);
    w.release(c, b[0]);
    assert_eq!(w.released(c, b[0]), 0, "it waits, and there are other buffers");
    let wakes = w.wakes();
    w.show(window, b[1]);
    assert_eq!(w.released(c, b[0]), 1);
    assert_eq!(w.wakes(), wakes, "no thread had to be woken for it");
    assert_eq!((w.stats.replaced.value(), w.stats.copied_out.value()), (1, 0));
    let frame = w.take();
    assert_eq!(first_pixel(&frame), 2);
    assert!(frame.damage.is_full());
}

#[test]
fn a_game_without_another_buffer_gets_the_waiting_one_copied_out() {
    let (mut w, c, window, b) = world(2);
    w.show(window, b[0]);
    let read = w.take();
    w.release(c, b[0]);
    w.show(window, b[1]);
    w.release(c, b[1]);
    assert_eq!(w.released(c, b[1]), 1, "both were held, so the waiting one is copied");
    assert_eq!(w.stats.copied_out.value(), 1);
    w.finish(read);
    assert_eq!(w.released(c, b[0]), 1);
    // What the game now draws is not in the picture that waits.
    let copy = w.take();
    assert_eq!(first_pixel(&copy), 2);
    assert!(copy.damage.is_full());
    assert!(copy.hold.into_key().is_none());
}

#[test]
fn an_unused_buffer_of_another_size_is_no_spare_one() {
    let (mut w, c, window, b) = world(1);
    w.buffer_sized(c, Size::new(16, 16), 9);
    w.show(window, b[0]);
    w.release(c, b[0]);
    assert_eq!((w.released(c, b[0]), w.stats.copied_out.value()), (1, 1));
}

#[test]
fn a_game_with_a_new_buffer_for_every_frame_needs_no_copies() {
    let (mut w, c, window, _) = world(0);
    for round in 0..20 {
        let buffer = w.buffer(c, round);
        w.show(window, buffer);
        w.release(c, buffer);
    }
    assert!(w.stats.copied_out.value() < 8, "{} copies", w.stats.copied_out.value());
    assert_eq!(first_pixel(&w.take()), 19);
}

#[test]
fn at_the_deadline_a_reader_loses_its_hold_and_is_told() {
    let (mut w, c, window, b) = world(2);
    w.show(window, b[0]);
    let read = w.take();
    w.pass(DEADLINE * 3);
    w.release(c, b[0]);
    assert_eq!(w.released(c, b[0]), 0, "time runs from when the game misses its buffer");
    w.pass(DEADLINE - Duration::from_nanos(1));
    assert_eq!(w.released(c, b[0]), 0);
    w.pass(Duration::from_nanos(1));
    assert_eq!(w.released(c, b[0]), 1);
    assert!(read.torn.load(Ordering::Relaxed));
    assert_eq!((w.stats.forced.value(), w.stats.held.value()), (1, 0));
    // The late drop changes nothing, and the buffer's next frame is a whole one.
    w.show(window, b[0]);
    let next = w.take();
    w.release(c, b[0]);
    w.finish(read);
    assert_eq!(w.released(c, b[0]), 0);
    assert!(!next.torn.load(Ordering::Relaxed));
    w.finish(next);
    assert_eq!(w.released(c, b[0]), 1);
}

#[test]
fn at_the_deadline_a_waiting_frame_is_copied_out() {
    let (mut w, c, window, b) = world(3);
    w.show(window, b[0]);
    w.release(c, b[0]);
    w.pass(DEADLINE);
    assert_eq!((w.released(c, b[0]), w.stats.copied_out.value()), (1, 1));
    let frame = w.take();
    assert_eq!((first_pixel(&frame), frame.torn.load(Ordering::Relaxed)), (1, false));
    assert_eq!(w.stats.forced.value(), 0);
}

#[test]
fn a_buffer_committed_anew_before_its_release_came_stays_away() {
    let (mut w, c, window, b) = world(2);
    w.show(window, b[0]);
    let first = w.take();
    w.release(c, b[0]);
    // The game does not wait: it commits the buffer again.
    w.show(window, b[0]);
    w.finish(first);
    assert_eq!(w.released(c, b[0]), 0, "the newer commit is with the compositor");
    let second = w.take();
    w.finish(second);
    assert_eq!(w.released(c, b[0]), 0);
    w.release(c, b[0]);
    assert_eq!(w.released(c, b[0]), 2, "each release of the compositor is one of ours");
}

#[test]
fn a_release_of_the_earlier_commit_counts_for_itself() {
    let (mut w, c, window, b) = world(2);
    w.show(window, b[0]);
    w.finish_waiting();
    w.show(window, b[0]);
    // Sent before the compositor read the second commit.
    w.release(c, b[0]);
    assert_eq!(w.released(c, b[0]), 0, "the second frame waits");
    w.finish_waiting();
    assert_eq!(w.released(c, b[0]), 1);
    w.release(c, b[0]);
    assert_eq!(w.released(c, b[0]), 1);
}

#[test]
fn content_drawn_without_an_attach_is_held_too() {
    let (mut w, c, window, b) = world(2);
    w.show(window, b[0]);
    let first = w.take();
    w.damage(c, window.surface, [0, 0, 1, 1]);
    w.commit(c, window.surface);
    let second = w.try_take();
    w.release(c, b[0]);
    w.finish(first);
    assert_eq!(w.released(c, b[0]), 0, "the second frame is read");
    w.finish(second.unwrap());
    assert_eq!(w.released(c, b[0]), 1);
}

#[test]
fn a_destroyed_buffer_and_its_ids_next_owner_get_nothing() {
    let (mut w, c, window, b) = world(2);
    w.show(window, b[0]);
    let frame = w.take();
    w.release(c, b[0]);
    let pool = w.pool(c, 1 << 16);
    w.destroy(c, b[0], wl_buffer::REQ_DESTROY_OPCODE);
    w.delete_id(c, b[0]);
    let anew = w.buffer_at(c, pool.id, [0, 64, 48, 256]);
    assert_eq!(anew, b[0], "the id is used again at once");
    w.finish(frame);
    w.pass(DEADLINE * 2);
    assert_eq!(w.released(c, anew), 0);
    w.show(window, anew);
    w.finish_waiting();
    w.release(c, anew);
    assert_eq!(w.released(c, anew), 1);
    assert_eq!(w.stats.forced.value(), 0);
}

#[test]
fn an_event_to_a_zombie_passes_untouched() {
    let (mut w, c, window, b) = world(1);
    w.show(window, b[0]);
    w.destroy(c, b[0], wl_buffer::REQ_DESTROY_OPCODE);
    w.release(c, b[0]);
    assert_eq!(w.released(c, b[0]), 1, "sent before the compositor read the destroy");
}

#[test]
fn a_gone_clients_frames_end_quietly() {
    let (mut w, c, window, b) = world(2);
    w.show(window, b[0]);
    let frame = w.take();
    w.release(c, b[0]);
    w.show(window, b[1]);
    w.disconnect(c);
    assert_eq!(first_pixel(&w.take()), 2);
    w.finish(frame);
    w.pass(DEADLINE * 2);
    assert_eq!(w.stats.held.value(), 0);
}

#[test]
fn a_pool_cut_off_under_the_copy_drops_the_frame_and_frees_the_buffer() {
    let (mut w, c, window, _) = world(0);
    let pool = w.pool(c, 1 << 16);
    let buffer = w.buffer_at(c, pool.id, [0, 64, 48, 256]);
    w.show(window, buffer);
    pool.file.set_len(0).unwrap();
    w.release(c, buffer);
    assert_eq!((w.released(c, buffer), w.stats.copied_out.value()), (1, 0));
    assert!(w.try_take().is_none());
    assert_eq!(w.stats.truncated.value(), 1);
    w.destroy(c, pool.id, wl_shm_pool::REQ_DESTROY_OPCODE);
}

#[test]
fn several_releases_of_one_turn_all_arrive_once() {
    let (mut w, c, window, b) = world(4);
    let (other, d) = (w.connect(), w.connect());
    w.show(window, b[0]);
    let first = w.take();
    w.show(window, b[1]);
    let second = w.take();
    let (theirs, theirs_window) = (w.buffer(d, 9), w.window(d));
    w.show(theirs_window, theirs);
    let third = w.take();
    w.release(c, b[0]);
    w.release(c, b[1]);
    w.release(d, theirs);
    let gone = w.window(other);
    let lost = w.buffer(other, 9);
    w.show(gone, lost);
    w.release(other, lost);
    drop((first, second, third, w.take()));
    w.disconnect(other);
    assert_eq!((w.released(c, b[0]), w.released(c, b[1]), w.released(d, theirs)), (1, 1, 1));
}

#[test]
fn memory_and_fds_go_with_the_last_buffer() {
    let fds = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let maps = || {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        maps.lines().filter(|l| l.contains("/memfd:one-pool")).count()
    };
    let (mut w, c, window, _) = world(0);
    let before = fds();
    let file = {
        use nix::sys::memfd::{MFdFlags, memfd_create};
        let fd = memfd_create(c"one-pool", MFdFlags::MFD_CLOEXEC).unwrap();
        std::fs::File::from(fd)
    };
    file.set_len(1 << 20).unwrap();
    let pool = w.pool_of(c, &file, 1 << 20);
    let buffer = w.buffer_at(c, pool, [0, 64, 48, 256]);
    w.show(window, buffer);
    let frame = w.take();
    assert_eq!((first_pixel(&frame), maps()), (0, 1));
    w.destroy(c, pool, wl_shm_pool::REQ_DESTROY_OPCODE);
    w.destroy(c, buffer, wl_buffer::REQ_DESTROY_OPCODE);
    assert_eq!((first_pixel(&frame), maps()), (0, 1), "the frame still reads it");
    w.finish(frame);
    drop(file);
    // The window shows it still, as the compositor does, until it shows another.
    let next = w.buffer(c, 1);
    w.show(window, next);
    assert_eq!(maps(), 0);
    // Other tests of this binary open files meanwhile; a leak would add up below.
    for _ in 0..300 {
        let pixel = w.buffer(c, 1);
        w.show(window, pixel);
        w.finish_waiting();
        w.destroy(c, pixel, wl_buffer::REQ_DESTROY_OPCODE);
        w.delete_id(c, pixel);
    }
    assert!(fds() < before + 200, "{} fds, before {before}", fds());
}
