//! Buffers in GPU memory, as far as the protocol goes: files stand in for dmabufs. They have no
//! fences, and their bytes are where they are mapped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod driver;

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use driver::dmabuf::{LINEAR, NV12, WHOLE, XRGB};
use driver::{DEADLINE, SCREEN, World, first_pixel, memfd};
use stratus_capture::{CaptureConfig, Formats};
use stratus_frame::ReadError;
use stratus_protocols::{
    InterfaceId, wl_buffer, wl_drm, wl_registry, zwp_linux_buffer_params_v1,
    zwp_linux_dmabuf_feedback_v1, zwp_linux_dmabuf_v1,
};
use stratus_proxy_core::{ObjectId, Writer};

const SIZE: [i32; 2] = [WHOLE[0], WHOLE[1]];
const STRIDE: u32 = WHOLE[3] as u32;
const LEN: u64 = WHOLE[1] as u64 * WHOLE[3] as u64;
/// `I915_FORMAT_MOD_X_TILED`, in place of any that is not linear.
const TILED: u64 = 1 << 56 | 1;

/// Fds of this process that lead to what `name` names.
fn fds_to(name: &str) -> usize {
    let fds = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    fds.filter_map(|e| std::fs::read_link(e.path()).ok())
        .filter(|target| target.to_string_lossy().contains(name))
        .count()
}

#[test]
fn a_buffer_that_is_made_at_once_is_streamed() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let (buffer, file) = w.dmabuf(c, 5);
    w.show(window, buffer);
    assert_eq!(first_pixel(&w.take()), 5);
    file.write_all_at(&6u32.to_le_bytes(), 0).unwrap();
    w.show(window, buffer);
    assert_eq!(first_pixel(&w.take()), 6);
    assert_eq!(w.stats.unreadable.value(), 0);
}

#[test]
fn a_buffer_that_the_compositor_makes_is_streamed_and_its_id_may_be_used_anew() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    for pixel in [7, 8] {
        let file = memfd(LEN);
        file.write_all_at(&u32::to_le_bytes(pixel), 0).unwrap();
        let params = w.params(c);
        w.add_plane(c, params, &file, [0, 0, STRIDE], LINEAR);
        w.create_later(c, params, SIZE);
        let buffer = ObjectId::FIRST_SERVER;
        w.created(c, params, buffer);
        w.destroy(c, params, zwp_linux_buffer_params_v1::REQ_DESTROY_OPCODE);
        w.show(window, buffer);
        let frame = w.take();
        assert_eq!(first_pixel(&frame), pixel);
        w.release(c, buffer);
        assert_eq!(w.released(c, buffer), 0, "it is being read");
        w.finish(frame);
        assert_eq!(w.released(c, buffer), 1);
        w.destroy(c, buffer, wl_buffer::REQ_DESTROY_OPCODE);
    }
}

#[test]
fn a_buffer_of_mesa_s_older_egl_is_streamed() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let file = memfd(LEN + 4096);
    file.write_all_at(&9u32.to_le_bytes(), 4096).unwrap();
    for (offset, streamed) in [(4096, true), (-1, false), (8192, false)] {
        let drm = w.clients[c].global(InterfaceId::WlDrm);
        let id = w.clients[c].new_id();
        let mut bytes = Vec::new();
        Writer::message(&mut bytes, drm, wl_drm::REQ_CREATE_PRIME_BUFFER_OPCODE, |m| {
            m.object(id).int(SIZE[0]).int(SIZE[1]).uint(XRGB);
            m.int(offset).int(WHOLE[3]).int(0).int(0).int(0).int(0);
        });
        w.game_sends(c, &bytes, vec![file.try_clone().unwrap().into()]);
        w.show(window, id);
        let pixel = w.try_take().map(|frame| first_pixel(&frame));
        assert_eq!(pixel, streamed.then_some(9), "{offset}");
    }
}

/// Red is where blue is in the encoder's order, so the frame is composed.
#[test]
fn the_order_of_colours_is_the_format_s() {
    const XBGR: u32 = u32::from_le_bytes(*b"XB24");
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let file = memfd(LEN);
    file.write_all_at(&[0x11, 0x22, 0x33, 0xff], 0).unwrap();
    let params = w.params(c);
    w.add_plane(c, params, &file, [0, 0, STRIDE], LINEAR);
    let buffer = w.create_immed(c, params, SIZE, [XBGR, 0]);
    w.show(window, buffer);
    let frame = w.take();
    assert_eq!(first_pixel(&frame) & 0x00ff_ffff, 0x0011_2233);
}

/// Numbers of one plane, a size, format and flags, and whether frames come of them.
type Row = (&'static str, [u32; 3], [i32; 2], [u32; 2], bool);

#[test]
fn numbers_that_lie_make_no_frames_and_disturb_nobody() {
    let max = i32::MAX;
    let rows: &[Row] = &[
        ("the whole memory and no more", [0, 0, STRIDE], SIZE, [XRGB, 0], true),
        ("behind its memory", [0, 1, STRIDE], SIZE, [XRGB, 0], false),
        ("far behind", [0, u32::MAX, STRIDE], SIZE, [XRGB, 0], false),
        ("rows that overlap", [0, 0, STRIDE - 1], SIZE, [XRGB, 0], false),
        ("rows too far apart", [0, 0, u32::MAX], SIZE, [XRGB, 0], false),
        ("no width", [0, 0, STRIDE], [0, 4], [XRGB, 0], false),
        ("a negative height", [0, 0, STRIDE], [4, -4], [XRGB, 0], false),
        ("all at their largest", [0, u32::MAX, u32::MAX], [max, max], [XRGB, 0], false),
        ("a plane index too large", [4, 0, STRIDE], SIZE, [XRGB, 0], false),
        ("a plane index far too large", [u32::MAX, 0, STRIDE], SIZE, [XRGB, 0], false),
        ("a plane missing", [1, 0, STRIDE], SIZE, [XRGB, 0], false),
        ("another format", [0, 0, STRIDE], SIZE, [NV12, 0], false),
        ("no format", [0, 0, STRIDE], SIZE, [0, 0], false),
        ("upside down", [0, 0, STRIDE], SIZE, [XRGB, 1], false),
    ];
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let (good, _) = w.dmabuf(c, 3);
    for &(name, plane, size, [format, flags], streamed) in rows {
        let params = w.params(c);
        w.add_plane(c, params, &memfd(LEN), plane, LINEAR);
        let buffer = w.create_immed(c, params, size, [format, flags]);
        w.show(window, buffer);
        assert_eq!(w.try_take().is_some(), streamed, "{name}");
        w.show(window, good);
        assert_eq!(first_pixel(&w.take()), 3, "after {name}");
    }
}

#[test]
fn what_is_no_memory_makes_no_frames_and_is_not_kept() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let (socket, _peer) = std::os::unix::net::UnixStream::pair().unwrap();
    let (pipe, _writer) = std::io::pipe().unwrap();
    let others = [
        OwnedFd::from(socket),
        pipe.into(),
        File::open("/dev/zero").unwrap().into(),
        File::open("/").unwrap().into(),
    ];
    for fd in others.map(File::from) {
        let params = w.params(c);
        w.add_plane(c, params, &fd, [0, 0, STRIDE], LINEAR);
        let buffer = w.create_immed(c, params, SIZE, [XRGB, 0]);
        w.show(window, buffer);
        assert!(w.try_take().is_none());
    }
    assert_eq!(w.stats.unreadable.value(), 4);
}

#[test]
fn params_make_one_buffer_and_what_breaks_their_rules_makes_none() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let file = memfd(LEN);
    let show = |w: &mut World, buffer| {
        w.show(window, buffer);
        w.try_take().is_some()
    };
    // A plane that is set twice, and one with a modifier of its own.
    for (index, modifier) in [(0, LINEAR), (1, TILED)] {
        let params = w.params(c);
        w.add_plane(c, params, &file, [0, 0, STRIDE], LINEAR);
        w.add_plane(c, params, &file, [index, 0, STRIDE], modifier);
        let buffer = w.create_immed(c, params, SIZE, [XRGB, 0]);
        assert!(!show(&mut w, buffer));
    }
    // Used twice, in each order.
    let params = w.params(c);
    w.add_plane(c, params, &file, [0, 0, STRIDE], LINEAR);
    let first = w.create_immed(c, params, SIZE, [XRGB, 0]);
    w.add_plane(c, params, &file, [0, 0, STRIDE], LINEAR);
    let second = w.create_immed(c, params, SIZE, [XRGB, 0]);
    w.create_later(c, params, SIZE);
    w.created(c, params, ObjectId::FIRST_SERVER);
    assert!(show(&mut w, first));
    assert!(!show(&mut w, second));
    assert!(!show(&mut w, ObjectId::FIRST_SERVER));
    // None at all.
    let params = w.params(c);
    let buffer = w.create_immed(c, params, SIZE, [XRGB, 0]);
    assert!(!show(&mut w, buffer));
    // Destroyed before the answer, which then comes to nobody.
    let params = w.params(c);
    w.add_plane(c, params, &file, [0, 0, STRIDE], LINEAR);
    w.create_later(c, params, SIZE);
    w.destroy(c, params, zwp_linux_buffer_params_v1::REQ_DESTROY_OPCODE);
    let id = ObjectId(ObjectId::FIRST_SERVER.0 + 1);
    w.created(c, params, id);
    assert!(!show(&mut w, id));
}

#[test]
fn a_buffer_that_the_compositor_cannot_take_is_none() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let params = w.params(c);
    w.add_plane(c, params, &memfd(LEN), [0, 0, STRIDE], LINEAR);
    let buffer = w.create_immed(c, params, SIZE, [XRGB, 0]);
    w.event(c, params, zwp_linux_buffer_params_v1::EVT_FAILED_OPCODE, |_| {});
    w.show(window, buffer);
    assert!(w.try_take().is_none());
    assert_eq!(w.stats.unreadable.value(), 1);
}

#[test]
fn tiles_without_a_driver_are_lost_counted_and_the_next_readable_frame_is_whole() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let params = w.params(c);
    w.add_plane(c, params, &memfd(LEN), [0, 0, STRIDE], TILED);
    let buffer = w.create_immed(c, params, SIZE, [XRGB, 0]);
    let (good, _) = w.dmabuf(c, 3);
    w.show(window, good);
    w.finish_waiting();
    w.show(window, buffer);
    let frame = w.take();
    assert_eq!(frame.pixels.read(&mut |_| panic!("nothing is shown")), Err(ReadError::Unreadable));
    w.finish(frame);
    assert_eq!(w.stats.unread.value(), 1);
    w.attach(c, window.surface, good);
    w.damage(c, window.surface, [0, 0, 1, 1]);
    w.commit(c, window.surface);
    assert!(w.take().damage.is_full(), "the lost frame's damage is in it");
}

#[test]
fn a_waiting_frame_is_copied_out_only_if_that_asks_no_gpu() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let (one, _) = w.dmabuf(c, 1);
    w.show(window, one);
    w.release(c, one);
    assert_eq!(w.released(c, one), 0, "nobody has read it, so nobody knows what that takes");
    assert_eq!((w.stats.copied_out.value(), w.stats.held.value()), (0, 1));
    let frame = w.take();
    assert_eq!(first_pixel(&frame), 1);
    w.finish(frame);
    assert_eq!(w.released(c, one), 1);
    // Now the way is known to be a mapping.
    w.show(window, one);
    w.release(c, one);
    assert_eq!((w.released(c, one), w.stats.copied_out.value()), (1, 1));
    assert_eq!(first_pixel(&w.take()), 1);
}

#[test]
fn at_the_deadline_a_frame_that_nobody_can_copy_goes_on_as_torn() {
    let mut w = World::new();
    let c = w.connect();
    let window = w.window(c);
    let (one, _) = w.dmabuf(c, 1);
    w.show(window, one);
    w.release(c, one);
    w.pass(DEADLINE);
    assert_eq!((w.released(c, one), w.stats.forced.value()), (1, 1));
    let frame = w.take();
    assert!(frame.torn.load(std::sync::atomic::Ordering::Relaxed));
    w.finish(frame);
    assert_eq!((w.released(c, one), w.stats.held.value()), (0, 0));
}

#[test]
fn descriptors_are_kept_up_to_a_number_and_go_with_their_buffers() {
    use nix::sys::memfd::{MFdFlags, memfd_create};
    let mut w = World::new();
    let c = w.connect();
    let file = File::from(memfd_create(c"hoard", MFdFlags::MFD_CLOEXEC).unwrap());
    file.set_len(LEN).unwrap();
    // Planes of buffers that never come to be count as well.
    for _ in 0..1500 {
        let params = w.params(c);
        w.add_plane(c, params, &file, [0, 0, STRIDE], LINEAR);
    }
    assert_eq!(fds_to("memfd:hoard"), 1 + 1024);
    w.disconnect(c);
    assert_eq!(fds_to("memfd:hoard"), 1);
    let c = w.connect();
    let window = w.window(c);
    for _ in 0..1500 {
        let params = w.params(c);
        w.add_plane(c, params, &file, [0, 0, STRIDE], LINEAR);
        let buffer = w.create_immed(c, params, SIZE, [XRGB, 0]);
        w.destroy(c, params, zwp_linux_buffer_params_v1::REQ_DESTROY_OPCODE);
        w.show(window, buffer);
        w.finish_waiting();
        w.destroy(c, buffer, wl_buffer::REQ_DESTROY_OPCODE);
        w.delete_id(c, buffer);
    }
    assert!(fds_to("memfd:hoard") <= 2, "one memory under many ids is kept once");
    w.disconnect(c);
    assert_eq!(fds_to("memfd:hoard"), 1);
}

#[test]
fn tranches_lose_what_cannot_be_read_but_never_everything() {
    let mut w = World::new();
    let c = w.connect();
    let table = [(NV12, LINEAR), (XRGB, LINEAR), (XRGB, TILED), (0, TILED)];
    let feedback = w.feedback(c, &table);
    assert_eq!(w.tranche(c, feedback, &[0, 1, 2, 3]), [vec![1, 2]]);
    assert_eq!(w.tranche(c, feedback, &[2, 1]), [vec![2, 1]], "its order is its meaning");
    assert_eq!(w.tranche(c, feedback, &[0]), [vec![]], "others of the table are left");
    assert_eq!(w.tranche(c, feedback, &[1, 99]), [vec![1, 99]], "an error is the client's to see");
    assert_eq!(w.tranche(c, feedback, &[]), [vec![]]);
    let other = w.feedback(c, &[(NV12, LINEAR), (0, LINEAR)]);
    assert_eq!(w.tranche(c, other, &[0, 1]), [vec![0, 1]]);
    // Without a table nothing is known.
    let opcode = zwp_linux_dmabuf_v1::REQ_GET_DEFAULT_FEEDBACK_OPCODE;
    let third = w.make(c, InterfaceId::ZwpLinuxDmabufV1, opcode, &[]);
    assert_eq!(w.tranche(c, third, &[0]), [vec![0]]);
    w.destroy(c, feedback, zwp_linux_dmabuf_feedback_v1::REQ_DESTROY_OPCODE);
    assert_eq!(w.tranche(c, feedback, &[0]), [vec![0]], "to a zombie, events pass");
}

#[test]
fn formats_that_must_be_converted_are_offered_where_that_is_wished() {
    const XR30: u32 = u32::from_le_bytes(*b"XR30");
    let table = [(XR30, LINEAR), (XRGB, LINEAR), (NV12, LINEAR)];
    for (formats, left) in [(Formats::Direct, vec![1]), (Formats::All, vec![0, 1])] {
        let config = CaptureConfig { formats, ..CaptureConfig::new(SCREEN) };
        let mut w = World::with(&config);
        let c = w.connect();
        let feedback = w.feedback(c, &table);
        assert_eq!(w.tranche(c, feedback, &[0, 1, 2]), [left]);
    }
}

#[test]
fn a_table_that_cannot_be_read_leaves_everything() {
    let mut w = World::new();
    let c = w.connect();
    let opcode = zwp_linux_dmabuf_v1::REQ_GET_DEFAULT_FEEDBACK_OPCODE;
    for size in [1 << 20, u32::MAX] {
        let feedback = w.make(c, InterfaceId::ZwpLinuxDmabufV1, opcode, &[]);
        let table = zwp_linux_dmabuf_feedback_v1::EVT_FORMAT_TABLE_OPCODE;
        let (pipe, _writer) = std::io::pipe().unwrap();
        for fd in [OwnedFd::from(memfd(16)), pipe.into()] {
            w.event_with_fd(c, feedback, table, fd, |m| {
                m.uint(size);
            });
        }
        assert_eq!(w.tranche(c, feedback, &[0, 7]), [vec![0, 7]]);
    }
}

#[test]
fn offers_of_older_versions_lose_what_cannot_be_read_once_something_can() {
    let mut w = World::new();
    let c = w.connect();
    let dmabuf = w.clients[c].global(InterfaceId::ZwpLinuxDmabufV1);
    let drm = w.clients[c].global(InterfaceId::WlDrm);
    let offer = |w: &mut World, format| {
        w.clients[c].forget();
        w.event(c, dmabuf, zwp_linux_dmabuf_v1::EVT_FORMAT_OPCODE, |m| {
            m.uint(format);
        });
        w.event(c, dmabuf, zwp_linux_dmabuf_v1::EVT_MODIFIER_OPCODE, |m| {
            m.uint(format).uint(1).uint(2);
        });
        w.event(c, drm, wl_drm::EVT_FORMAT_OPCODE, |m| {
            m.uint(format);
        });
        w.clients[c].events.len()
    };
    assert_eq!(offer(&mut w, NV12), 3, "it may be the only one");
    assert_eq!(offer(&mut w, XRGB), 3);
    assert_eq!(offer(&mut w, NV12), 0);
}

/// With fences of its own a client is not told by `wl_buffer.release` that a buffer is free.
#[test]
fn explicit_synchronization_is_not_offered() {
    let mut w = World::new();
    let c = w.connect();
    let registry = ObjectId(2);
    let hidden = InterfaceId::WpLinuxDrmSyncobjManagerV1;
    for (name, interface) in [(98, hidden), (99, InterfaceId::WlShm)] {
        w.clients[c].forget();
        w.event(c, registry, wl_registry::EVT_GLOBAL_OPCODE, |m| {
            m.uint(name).string(interface.name()).uint(1);
        });
        let heard = w.clients[c].heard(registry, wl_registry::EVT_GLOBAL_OPCODE);
        assert_eq!(heard == 0, interface == hidden, "{interface:?}");
    }
}
