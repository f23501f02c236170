//! File descriptors that can be told apart for the price of one system call each.
//!
//! Whoever sends the nth descriptor of an execution gets it at the fixed number [`BASE`] + n: no
//! two of them ever share a number, so the number alone says which it is, wherever it turns up.
//! Numbers that are free again at the end were closed.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::OnceLock;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The number of the first descriptor; below are those of the process itself.
const BASE: i32 = 256;
/// Descriptors that one execution may make.
const MOST: i32 = 700;

/// Names a descriptor of one execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(i32);

impl Mark {
    /// The mark of a descriptor that [`Maker::make`] made.
    #[must_use]
    pub fn of(fd: &impl AsRawFd) -> Self {
        Self(fd.as_raw_fd() - BASE)
    }

    /// Whether nobody holds the descriptor any more.
    #[must_use]
    pub fn is_closed(self) -> bool {
        at(BASE + self.0).as_raw_fd() == BASE + self.0
    }
}

/// Makes the descriptors of one execution.
#[derive(Debug, Default)]
pub struct Maker {
    made: i32,
}

impl Maker {
    /// The next descriptor; `None` when this execution has had enough.
    pub fn make(&mut self) -> Option<(Mark, OwnedFd)> {
        if self.made == MOST {
            return None;
        }
        let fd = at(BASE + self.made);
        let mark = Mark::of(&fd);
        assert_eq!(mark, Mark(self.made), "an earlier execution left its descriptor open");
        self.made += 1;
        Some((mark, fd))
    }

    /// Asserts that every descriptor made so far was closed.
    ///
    /// # Panics
    /// If one was not.
    pub fn assert_all_closed(&self) {
        let open: Vec<i32> = (0..self.made).filter(|&n| !Mark(n).is_closed()).collect();
        assert!(open.is_empty(), "descriptors {open:?} of {} were never closed", self.made);
    }
}

/// Asserts that nobody holds a descriptor at one of the first `most` numbers that were free when
/// this was asked for the first time. It must be asked for with none, before the first execution.
///
/// # Panics
/// If somebody does.
pub fn assert_free(most: usize) {
    static FREE: OnceLock<Vec<i32>> = OnceLock::new();
    let is_free = |n: &i32| at(*n).as_raw_fd() == *n;
    let free = FREE.get_or_init(|| (0..BASE).filter(is_free).collect());
    let held = free.iter().take(most).find(|n| !is_free(n));
    assert_eq!(held, None, "a descriptor was never closed");
}

/// A descriptor at the lowest free number from `least` on.
fn at(least: i32) -> OwnedFd {
    static NULL: OnceLock<File> = OnceLock::new();
    let null = NULL.get_or_init(|| {
        let limit = getrlimit(Resource::Nofile);
        let current = limit.maximum.map(|m| m.min(1 << 16));
        let _ = setrlimit(Resource::Nofile, Rlimit { current, ..limit });
        File::open("/dev/null").expect("/dev/null can be opened")
    });
    fcntl_dupfd_cloexec(null, least).expect("a descriptor can be duplicated")
}
