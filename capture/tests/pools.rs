//! What is no shared memory, and more of it than any game needs: never read, kept or waited for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod driver;

use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;

use driver::{World, first_pixel, memfd};
use nix::sys::memfd::{MFdFlags, memfd_create};
use stratus_frame::ReadError;
use stratus_protocols::wl_shm_pool;

/// Fds of this process that lead to what `name` names.
fn fds_to(name: &str) -> usize {
    let fds = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    fds.filter_map(|e| std::fs::read_link(e.path()).ok())
        .filter(|target| target.to_string_lossy().contains(name))
        .count()
}

/// Shows a picture out of `file`; what the reader of its frame meets, if there is one.
fn show(w: &mut World, file: &File, size: i32) -> Option<Result<(), ReadError>> {
    let c = w.connect();
    let window = w.window(c);
    let pool = w.pool_of(c, file, size);
    let buffer = w.buffer_at(c, pool, [0, 4, 4, 16]);
    w.show(window, buffer);
    let frame = w.try_take()?;
    let read = frame.pixels.read(&mut |view| {
        std::hint::black_box(view.data.iter().map(|&b| u64::from(b)).sum::<u64>());
    });
    w.finish(frame);
    w.disconnect(c);
    Some(read)
}

#[test]
fn what_is_no_file_makes_no_frames_and_is_not_kept() {
    let (socket, _peer) = UnixStream::pair().unwrap();
    let (pipe, _writer) = std::io::pipe().unwrap();
    let null = OpenOptions::new().read(true).write(true).open("/dev/null").unwrap();
    let zero = OpenOptions::new().read(true).write(true).open("/dev/zero").unwrap();
    let folder = File::open("/tmp").unwrap();
    let mut w = World::new();
    for (name, fd) in [
        ("a socket", OwnedFd::from(socket)),
        ("a pipe", pipe.into()),
        ("/dev/null", null.into()),
        ("/dev/zero", zero.into()),
        ("a directory", folder.into()),
    ] {
        let file = File::from(fd);
        assert_eq!(show(&mut w, &file, 4096), None, "{name}");
    }
    assert_eq!(w.stats.unreadable.value(), 5);
}

#[test]
fn a_file_that_may_only_be_read_is_good_enough() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pool");
    std::fs::write(&path, [7; 4096]).unwrap();
    let mut w = World::new();
    assert_eq!(show(&mut w, &File::open(&path).unwrap(), 4096), Some(Ok(())));
}

/// A fault in huge pages that are not there is a SIGBUS like that of a truncated file, but its
/// page cannot be replaced by one of the usual size.
#[test]
fn huge_pages_make_no_frames() {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_HUGETLB;
    let Ok(memory) = memfd_create(c"huge", flags) else {
        println!("this kernel has no huge pages");
        return;
    };
    let file = File::from(memory);
    let _ = file.set_len(4 << 20);
    let mut w = World::new();
    assert_eq!(show(&mut w, &file, 1 << 20), None);
    assert_eq!(w.stats.unreadable.value(), 1);
}

#[test]
fn pools_up_to_two_gibibytes_sparse_or_short_cost_what_is_read() {
    let mut w = World::new();
    let sparse = memfd(1 << 40);
    assert_eq!(show(&mut w, &sparse, i32::MAX), Some(Ok(())));
    let short = memfd(0);
    assert_eq!(show(&mut w, &short, i32::MAX), Some(Err(ReadError::Truncated)));
    // The last row of 16,384 lies at the end of the pool.
    let c = w.connect();
    let window = w.window(c);
    let pool = w.pool_of(c, &sparse, i32::MAX);
    let stride = 131_068;
    let buffer = w.buffer_at(c, pool, [0, 4, 16_384, stride]);
    sparse.write_all_at(&9u32.to_le_bytes(), 0).unwrap();
    w.show(window, buffer);
    let frame = w.take();
    assert_eq!(first_pixel(&frame), 9);
    let last = 16_383 * stride as usize;
    let read = frame.pixels.read(&mut |view| assert_eq!(view.data[last], 0));
    assert_eq!(read, Ok(()));
}

#[test]
fn one_client_s_pools_are_kept_only_up_to_a_number_and_another_s_beside_them() {
    const POOLS: usize = 1024;
    let mut w = World::new();
    let c = w.connect();
    let file = File::from(memfd_create(c"greedy", MFdFlags::MFD_CLOEXEC).unwrap());
    file.set_len(4096).unwrap();
    let mut pools: Vec<_> = (0..POOLS + 500).map(|_| w.pool_of(c, &file, 4096)).collect();
    assert_eq!(fds_to("memfd:greedy"), POOLS + 1);
    let other = w.connect();
    let window = w.window(other);
    let buffer = w.buffer(other, 5);
    w.show(window, buffer);
    assert_eq!(first_pixel(&w.take()), 5);
    // What it gives back it has again.
    for pool in pools.drain(..POOLS) {
        w.destroy(c, pool, wl_shm_pool::REQ_DESTROY_OPCODE);
    }
    assert_eq!(fds_to("memfd:greedy"), 1);
    let window = w.window(c);
    let pool = w.pool_of(c, &file, 4096);
    let buffer = w.buffer_at(c, pool, [0, 4, 4, 16]);
    w.show(window, buffer);
    assert!(w.try_take().is_some());
    w.disconnect(c);
    assert_eq!(fds_to("memfd:greedy"), 1);
}
