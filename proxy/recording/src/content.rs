//! The memory behind a pool, as far as it was shown: what of it a reader of the recording already
//! has, so that only what changed is kept.
//!
//! Memory is read with `pread`, never mapped: a file that its owner cuts off then gives a short
//! read instead of a SIGBUS.

use std::collections::HashMap;
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::{Errno, pread};

use crate::record::{MAX_CONTENT, What};

/// Memory is read, compared and remembered in pieces of this size.
const PAGE: usize = MAX_CONTENT;
/// What changed is told in pieces of this size. A smaller one costs more records, a larger one
/// keeps more bytes that did not change.
const UNIT: usize = 1 << 10;

/// More than any picture has; 8192 times 8192 pixels. Reading it stops the proxy's thread.
const MAX_SHOWN: u64 = 256 << 20;

/// Where records of content go.
pub(crate) trait Sink {
    /// Whether there is room for (more) content.
    fn has_room(&mut self) -> bool;
    /// Adds a record.
    fn put(&mut self, what: What<'_>);
}

/// How many bytes all memories together may remember, and the page that is being read.
pub(crate) struct Room {
    left: usize,
    page: Box<[u8]>,
}

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { left: bytes, page: vec![0; PAGE].into() }
    }
}

/// One file that clients share with the compositor.
pub(crate) struct Memory {
    fd: OwnedFd,
    file: u32,
    size: u64,
    /// By number; what is not there is zero, as it is in a new file.
    pages: HashMap<u64, Box<[u8]>>,
}

impl Memory {
    pub(crate) fn new(fd: OwnedFd, file: u32, size: u64) -> Self {
        Self { fd, file, size, pages: HashMap::new() }
    }

    pub(crate) fn file(&self) -> u32 {
        self.file
    }

    /// Tells the file's size if it changed.
    pub(crate) fn keep_size(&mut self, sink: &mut impl Sink) {
        let Ok(stat) = rustix::fs::fstat(&self.fd) else { return };
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        if size != self.size {
            self.size = size;
            sink.put(What::Size { file: self.file, size });
        }
    }

    /// Tells what changed in these bytes since they were last told.
    pub(crate) fn keep(&mut self, range: Range<u64>, room: &mut Room, sink: &mut impl Sink) {
        let mut at = range.start;
        if range.end.saturating_sub(at) > MAX_SHOWN {
            let (file, len, why) = (self.file, range.end - at, "it is too large for a picture");
            return sink.put(What::Missing { file, offset: at, len, why });
        }
        while at < range.end {
            let end = range.end.min((at / PAGE as u64 + 1) * PAGE as u64);
            if let Err((kept, why)) = self.keep_within_page(at, (end - at) as usize, room, sink) {
                let (file, offset) = (self.file, at + kept as u64);
                return sink.put(What::Missing { file, offset, len: range.end - offset, why });
            }
            at = end;
        }
    }

    /// Else says how many bytes it could keep, and why no more.
    fn keep_within_page(
        &mut self,
        at: u64,
        len: usize,
        room: &mut Room,
        sink: &mut impl Sink,
    ) -> Result<(), (usize, &'static str)> {
        if !sink.has_room() {
            return Err((0, "too much waits to be written"));
        }
        let number = at / PAGE as u64;
        let start = (at % PAGE as u64) as usize;
        let across = (0, "it lies across a page");
        let is = room.page.get_mut(..len).ok_or(across)?;
        let (len, result) = read_at(&self.fd, is, at);
        let is = &is[..len];
        let known = self.pages.get_mut(&number);
        let known = match known {
            Some(page) => page,
            None if is.iter().all(|byte| *byte == 0) => return result.map_err(|why| (len, why)),
            None => {
                let left = room.left.checked_sub(PAGE);
                room.left = left.ok_or((0, "too much memory is shown"))?;
                self.pages.entry(number).or_insert_with(|| vec![0; PAGE].into())
            }
        };
        let was = known.get_mut(start..start + len).ok_or(across)?;
        for run in changed(was, is) {
            let (offset, bytes) = (at + run.start as u64, &is[run.clone()]);
            sink.put(What::Content { file: self.file, offset, bytes });
            was[run].copy_from_slice(bytes);
        }
        result.map_err(|why| (len, why))
    }

    /// Gives back the room that it took.
    pub(crate) fn forget(self, room: &mut Room) {
        room.left += self.pages.len() * PAGE;
    }
}

/// Reads what there is from `at` on, and says how much that is and why it is not all.
pub(crate) fn read_at(
    fd: impl AsFd,
    into: &mut [u8],
    at: u64,
) -> (usize, Result<(), &'static str>) {
    let mut done = 0;
    while done < into.len() {
        match pread(&fd, &mut into[done..], at + done as u64) {
            Ok(0) => return (done, Err("the file ends before")),
            Ok(len) => done += len,
            Err(Errno::INTR) => {}
            Err(_) => return (done, Err("the file cannot be read")),
        }
    }
    (done, Ok(()))
}

/// Where two slices of one length differ, in whole units.
fn changed(was: &[u8], is: &[u8]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (index, (a, b)) in was.chunks(UNIT).zip(is.chunks(UNIT)).enumerate() {
        if a == b {
            continue;
        }
        let unit = index * UNIT..index * UNIT + b.len();
        match runs.last_mut() {
            Some(last) if last.end == unit.start => last.end = unit.end,
            _ => runs.push(unit),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
    use rustix::io::pwrite;

    use super::*;

    #[derive(Default)]
    struct Told {
        content: Vec<(u64, Vec<u8>)>,
        missing: Vec<(u64, u64)>,
        sizes: Vec<u64>,
        full: bool,
    }

    impl Sink for Told {
        fn has_room(&mut self) -> bool {
            !self.full
        }

        fn put(&mut self, what: What<'_>) {
            match what {
                What::Content { offset, bytes, .. } => self.content.push((offset, bytes.to_vec())),
                What::Missing { offset, len, .. } => self.missing.push((offset, len)),
                What::Size { size, .. } => self.sizes.push(size),
                _ => {}
            }
        }
    }

    const SIZE: u64 = 3 * PAGE as u64;

    fn memory() -> (Memory, OwnedFd, Room) {
        let fd = memfd_create("test", MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&fd, SIZE).unwrap();
        (Memory::new(fd.try_clone().unwrap(), 1, SIZE), fd, Room::new(8 * PAGE))
    }

    #[test]
    fn only_what_changed_is_told_and_each_change_once() {
        let (mut memory, fd, mut room) = memory();
        let mut told = Told::default();
        memory.keep(0..SIZE, &mut room, &mut told);
        assert!(told.content.is_empty(), "a new file is zero");

        // Across the border of two pages.
        let at = PAGE as u64 - 100;
        pwrite(&fd, &[7; 200], at).unwrap();
        for _ in 0..2 {
            memory.keep(50..SIZE - 50, &mut room, &mut told);
        }
        let mut bytes = vec![0; SIZE as usize];
        for (offset, content) in &told.content {
            bytes[*offset as usize..][..content.len()].copy_from_slice(content);
        }
        assert!(bytes[at as usize..][..200].iter().all(|b| *b == 7));
        assert_eq!(bytes.iter().filter(|b| **b == 7).count(), 200);
        let len: usize = told.content.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(len <= 4 * UNIT && told.missing.is_empty(), "{len}");
    }

    #[test]
    fn a_file_that_shrinks_is_told_of_and_hurts_nobody() {
        let (mut memory, fd, mut room) = memory();
        let mut told = Told::default();
        pwrite(&fd, &[1; 4], 0).unwrap();
        ftruncate(&fd, PAGE as u64 + 10).unwrap();
        memory.keep_size(&mut told);
        memory.keep_size(&mut told);
        memory.keep(0..SIZE, &mut room, &mut told);
        assert_eq!(told.sizes, [PAGE as u64 + 10]);
        assert_eq!(told.content.len(), 1);
        let end = PAGE as u64 + 10;
        assert_eq!(told.missing, [(end, SIZE - end)]);
    }

    #[test]
    fn without_room_it_says_so_and_tells_it_later() {
        let (mut memory, fd, mut room) = memory();
        pwrite(&fd, &[1; 4], 0).unwrap();
        let mut told = Told { full: true, ..Told::default() };
        memory.keep(0..10, &mut room, &mut told);
        assert_eq!((told.content.len(), &told.missing[..]), (0, &[(0, 10)][..]));
        told.full = false;
        memory.keep(0..10, &mut room, &mut told);
        assert_eq!(told.content, [(0, [[1; 4], [0; 4], [0; 4]].concat()[..10].to_vec())]);

        let mut small = Room::new(0);
        pwrite(&fd, &[1], SIZE - 1).unwrap();
        memory.keep(SIZE - 1..SIZE, &mut small, &mut told);
        assert_eq!(told.missing.last(), Some(&(SIZE - 1, 1)));
        memory.forget(&mut room);
        assert_eq!(room.left, 8 * PAGE);
    }
}
