//! What games may expect of their buffers, and the encoder of its frames.

use std::collections::BTreeMap;

use stratus_frame::{Frame, FrameId};

/// A buffer, from its creation on; it is named by a serial number that stands in its first pixel.
#[derive(Debug)]
pub(super) struct Buffer {
    pub(super) client: usize,
    /// The sizes that its frames may have.
    pub(super) size: (i32, i32),
    /// The file and the offset where it begins.
    place: Option<(usize, i32)>,
    /// Whether its serial stands there, and no other buffer begins there.
    is_alone: bool,
    pub(super) alive: bool,
    /// Whether it was ever committed, and whether the compositor has it since its last release.
    pub(super) committed: bool,
    pub(super) composited: bool,
    /// Releases of the compositor, and those of them that the game got.
    pub(super) sent: u32,
    pub(super) got: u32,
}

impl Buffer {
    pub(super) fn new(
        client: usize,
        size: (i32, i32),
        place: Option<(usize, i32)>,
        is_alone: bool,
    ) -> Self {
        let (committed, composited) = (false, false);
        Self { client, size, place, is_alone, alive: true, committed, composited, sent: 0, got: 0 }
    }
}

/// A frame that the encoder took.
pub(super) struct Reading {
    _frame: Frame,
    /// The buffer that it shows, if that can be told.
    pub(super) serial: Option<u32>,
}

/// All buffers of all clients, and what the encoder has.
#[derive(Default)]
pub(super) struct Model {
    pub(super) buffers: BTreeMap<u32, Buffer>,
    pub(super) reading: Vec<Reading>,
    newest: FrameId,
}

impl Model {
    /// The serial of the next buffer.
    pub(super) fn next_serial(&self) -> u32 {
        self.buffers.len() as u32 + 1
    }

    /// A buffer is made. Buffers that begin at the same byte cannot be told apart.
    pub(super) fn add(&mut self, serial: u32, mut buffer: Buffer) {
        for other in self.buffers.values_mut() {
            if other.place.is_some() && other.place == buffer.place {
                other.is_alone = false;
                buffer.is_alone = false;
            }
        }
        self.buffers.insert(serial, buffer);
    }

    /// A surface was committed with this buffer newly attached.
    pub(super) fn commit(&mut self, serial: u32) {
        if let Some(buffer) = self.buffers.get_mut(&serial).filter(|b| b.alive) {
            buffer.committed = true;
            buffer.composited = true;
        }
    }

    /// The compositor releases a buffer.
    pub(super) fn release(&mut self, serial: u32) {
        if let Some(buffer) = self.buffers.get_mut(&serial) {
            buffer.composited = false;
            buffer.sent += 1;
        }
    }

    /// The game got a release. `passing` says that it is one of the compositor's, just now.
    pub(super) fn hear_release(&mut self, serial: u32, passing: bool) {
        let buffer = self.buffers.get_mut(&serial).expect("a buffer");
        buffer.got += 1;
        assert!(buffer.alive || passing, "a release of a buffer that is gone");
        assert!(passing || !buffer.composited, "a release of a buffer that was committed anew");
        assert!(buffer.got <= buffer.sent, "more releases than the compositor sent");
    }

    /// The encoder takes a frame.
    pub(super) fn take(
        &mut self,
        frame: Frame,
        mut first_pixel: impl FnMut(&Frame) -> Option<u32>,
    ) {
        assert!(frame.id > self.newest, "frames come in order");
        self.newest = frame.id;
        let size = frame.size;
        assert!(!frame.damage.is_empty() && frame.damage.size() == size);
        for r in frame.damage.rects() {
            assert!(
                r.width > 0 && r.height > 0 && r.right() <= size.width && r.bottom() <= size.height
            );
        }
        let told = |s: &u32| self.buffers.get(s).is_some_and(|b| b.is_alone);
        let serial = first_pixel(&frame).filter(told);
        if let Some(buffer) = serial.and_then(|s| self.buffers.get(&s)) {
            assert!(buffer.committed, "a frame of what was never committed");
            assert_eq!(buffer.size, (size.width as i32, size.height as i32));
        }
        self.reading.push(Reading { _frame: frame, serial });
    }

    /// With no frame waiting, a release is only kept for what is being read, or for what the
    /// compositor has again.
    pub(super) fn check_kept(&self, gone: impl Fn(usize) -> bool) {
        let unknown = self.reading.iter().any(|r| r.serial.is_none());
        for (serial, buffer) in self.buffers.iter().filter(|(_, b)| b.alive && b.got < b.sent) {
            let read = unknown || self.reading.iter().any(|r| r.serial == Some(*serial));
            assert!(
                read || buffer.composited || gone(buffer.client),
                "buffer {serial} is kept for nothing"
            );
        }
    }

    /// Nothing is read any more, or all deadlines have come.
    pub(super) fn assert_nothing_owed(&self, gone: impl Fn(usize) -> bool) {
        for (serial, buffer) in self.buffers.iter().filter(|(_, b)| b.alive && !gone(b.client)) {
            let kept = buffer.got < buffer.sent && !buffer.composited;
            assert!(!kept, "buffer {serial}: {} releases of {}", buffer.got, buffer.sent);
        }
    }
}
