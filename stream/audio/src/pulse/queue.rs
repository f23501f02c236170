//! What a stream has yet to play, and how much more of it is wanted.
//!
//! The numbers are PulseAudio's: *read* and *write* are places in a stream that has no end, in
//! bytes. A client is asked for as much as lacks to the *target* length; what it was asked for and
//! has not sent counts as if it were there. A client may write anywhere: what lies before the
//! place of reading is lost, and a hole is silence.

use std::collections::VecDeque;

use super::wire::Seek;

/// Further away is no place in a stream of any length that was ever played.
const FAR: i64 = 1 << 60;

/// The sizes of a queue, bytes; whole frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// It never has more.
    pub(crate) max: usize,
    /// It is kept that full.
    pub(crate) target: usize,
    /// It is read only once it has that much; 0: always.
    pub(crate) prebuf: usize,
    /// Less is not asked for.
    pub(crate) minreq: usize,
}

/// A stream's queue.
#[derive(Debug)]
pub(crate) struct Queue {
    sizes: Sizes,
    /// What lies between `read` and the end of what was written.
    bytes: VecDeque<u8>,
    read: i64,
    write: i64,
    /// Bytes that lack to the target and were not asked for. Negative if the client sent more.
    missing: i64,
    prebuffering: bool,
    silence: u8,
}

impl Queue {
    pub(crate) fn new(sizes: Sizes, silence: u8) -> Self {
        Self {
            sizes,
            bytes: VecDeque::new(),
            read: 0,
            write: 0,
            missing: sizes.target as i64,
            prebuffering: sizes.prebuf > 0,
            silence,
        }
    }

    /// Gives it other sizes. What it has stays.
    pub(crate) fn resize(&mut self, sizes: Sizes) {
        self.lack(sizes.target as i64 - self.sizes.target as i64);
        self.sizes = sizes;
        self.prebuffering &= sizes.prebuf > 0;
    }

    /// So many bytes more lack. A client may move the place of writing as often and as far as it
    /// likes, so that the sum has no bound but this.
    fn lack(&mut self, more: i64) {
        self.missing = self.missing.saturating_add(more).clamp(-FAR, FAR);
    }

    /// Whether it is read on where nothing was written.
    pub(crate) fn runs_on(&self) -> bool {
        self.sizes.prebuf == 0
    }

    /// Bytes that can be read.
    pub(crate) fn len(&self) -> usize {
        usize::try_from(self.write - self.read).unwrap_or(0)
    }

    /// Where it is read and written next.
    pub(crate) fn places(&self) -> (i64, i64) {
        (self.read, self.write)
    }

    /// Writes `bytes`; says whether all of them fit.
    pub(crate) fn write(&mut self, seek: Seek, bytes: &[u8]) -> bool {
        let (place, asked) = match seek {
            Seek::Relative(by) => (self.write.saturating_add(by), true),
            Seek::Absolute(place) => (place, false),
            Seek::RelativeOnRead(by) => (self.read.saturating_add(by), false),
        };
        let place = place.clamp(-FAR, FAR);
        // What a client skips of what it was asked for counts as if it had sent it.
        if !asked {
            self.lack(self.write - place);
        }
        self.write = place + bytes.len() as i64;
        // Behind what is written now, nothing stays of what was written there before.
        let late = usize::try_from(self.read - place).unwrap_or(0).min(bytes.len());
        let bytes = &bytes[late..];
        let at = usize::try_from(place - self.read).unwrap_or(0);
        let hole = at.min(self.sizes.max);
        self.bytes.resize(hole, self.silence);
        let room = self.sizes.max.saturating_sub(at).min(bytes.len());
        self.bytes.extend(&bytes[..room]);
        if room < bytes.len() || at > hole {
            // What did not fit was neither sent nor asked for.
            let end = self.read + self.bytes.len() as i64;
            self.lack(self.write - end);
            self.write = end;
            return false;
        }
        true
    }

    /// Whether nothing may be read before more is written.
    pub(crate) fn is_waiting(&mut self) -> bool {
        if self.prebuffering && self.len() >= self.sizes.prebuf {
            self.prebuffering = false;
        }
        self.prebuffering
    }

    /// Appends up to `n` bytes to `out`, which is all there are if it is fewer. At the end the
    /// place of reading stops, or runs on where nothing has to be there before it is read.
    pub(crate) fn read(&mut self, n: usize, out: &mut Vec<u8>) -> usize {
        let taken = n.min(self.bytes.len());
        out.extend(self.bytes.drain(..taken));
        let on = if self.runs_on() { n } else { taken };
        self.read += on as i64;
        self.lack(on as i64);
        if taken < n && self.sizes.prebuf > 0 {
            self.prebuffering = true;
        }
        taken
    }

    /// How much the client is to be asked for now; 0: nothing.
    pub(crate) fn take_missing(&mut self) -> u32 {
        let enough = self.missing >= self.sizes.minreq as i64 || self.prebuffering;
        if self.missing <= 0 || !enough {
            return 0;
        }
        let missing = u32::try_from(self.missing).unwrap_or(u32::MAX);
        self.lack(-i64::from(missing));
        missing
    }

    /// Throws away what is there.
    pub(crate) fn flush(&mut self) {
        self.lack(self.write - self.read);
        self.write = self.read;
        self.bytes.clear();
        self.force_prebuffering();
    }

    /// Waits for as much as was agreed on, even if some is there.
    pub(crate) fn force_prebuffering(&mut self) {
        self.prebuffering = self.sizes.prebuf > 0;
    }

    /// Reads whatever is there.
    pub(crate) fn end_prebuffering(&mut self) {
        self.prebuffering = false;
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
