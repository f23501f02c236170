//! The memory that games share: a few files, made once, used by all executions.

use std::cell::RefCell;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

/// How many there are.
pub(super) const FILES: usize = 4;
/// The length of each, bytes.
pub(super) const LEN: u64 = 64 << 10;

struct Shared {
    file: File,
    /// Whether it was cut since it was last whole.
    cut: bool,
    /// Whether something was drawn in it since it was last empty.
    drawn: bool,
}

thread_local! {
    static ALL: RefCell<Vec<Shared>> = const { RefCell::new(Vec::new()) };
}

/// Makes all files whole and empty, for a new execution.
pub(super) fn reset() {
    ALL.with_borrow_mut(|all| {
        for shared in all.iter_mut().filter(|s| s.drawn) {
            ftruncate(&shared.file, 0).expect("no length");
            (shared.cut, shared.drawn) = (true, false);
        }
    });
    restore();
}

/// Makes all files whole again.
pub(super) fn restore() {
    ALL.with_borrow_mut(|all| {
        while all.len() < FILES {
            let file = memfd_create(c"pool", MemfdFlags::CLOEXEC).expect("a memory file");
            all.push(Shared { file: file.into(), cut: true, drawn: false });
        }
        for shared in all.iter_mut().filter(|s| s.cut) {
            ftruncate(&shared.file, LEN).expect("its length");
            shared.cut = false;
        }
    });
}

/// A descriptor of a file, as a game gives it to the compositor.
pub(super) fn descriptor(file: usize) -> OwnedFd {
    ALL.with_borrow(|all| all[file].file.try_clone().expect("a descriptor").into())
}

/// The game draws one pixel, if there is memory at `offset`.
pub(super) fn paint(file: usize, offset: u64, pixel: u32) {
    ALL.with_borrow_mut(|all| {
        all[file].drawn = true;
        if !all[file].cut {
            all[file].file.write_all_at(&pixel.to_le_bytes(), offset).expect("a pixel");
        }
    });
}

/// The game cuts a file to `len` bytes.
pub(super) fn cut(file: usize, len: u64) {
    ALL.with_borrow_mut(|all| {
        ftruncate(&all[file].file, len).expect("its length");
        all[file].cut = true;
    });
}

/// Whether all of a file is there.
pub(super) fn is_whole(file: usize) -> bool {
    ALL.with_borrow(|all| !all[file].cut)
}
