//! One direction of a session: a receive buffer out of which bytes also leave, and the fds beside.
//!
//! Messages that nobody changes are never copied. What leaves is a list of runs of the receive
//! buffer, broken where a message was dropped and where one of our own comes between. Each fd
//! remembers the place of its message in the outgoing stream, so that it goes with that message's
//! first byte at the latest.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::os::fd::OwnedFd;

/// How many fds one `sendmsg` may carry: libwayland's receivers have room for no more.
pub const MAX_FDS_OUT: usize = 28;

/// How many pieces one [`Transmit`] has at most. Nearly all have one; a hook that speaks between
/// the messages makes two more each time.
const MAX_SLICES: usize = 8;

/// The size of a receive buffer at first: a thousand clients that say little cost little.
const FIRST_LEN: usize = 16 << 10;

/// The usual size of a receive buffer that has much to do. It holds the largest message twice, so that a message can
/// always become whole while as much again waits to leave.
pub(crate) const BUFFER_LEN: usize = 128 << 10;

/// Reading into less than this is not worth a system call while there are bytes to move away.
const MIN_SPARE: usize = 16 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The receive buffer.
    Received,
    /// Messages of our own.
    Own,
}

/// Bytes that wait to leave.
#[derive(Clone, Copy, Debug)]
struct Run {
    source: Source,
    start: usize,
    end: usize,
}

/// What should go out next: pieces of bytes, and the fds that go with the first of them.
#[derive(Debug)]
pub struct Transmit<'a> {
    slices: [IoSlice<'a>; MAX_SLICES],
    used: usize,
    len: usize,
    fds: &'a [OwnedFd],
}

impl Transmit<'_> {
    /// The bytes, in order.
    #[must_use]
    pub fn slices(&self) -> &[IoSlice<'_>] {
        &self.slices[..self.used]
    }

    /// How many bytes these are; never 0.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The fds that go with the first byte, at most [`MAX_FDS_OUT`].
    #[must_use]
    pub fn fds(&self) -> &[OwnedFd] {
        self.fds
    }
}

/// One direction.
pub(crate) struct Lane {
    /// The receive buffer, all of it initialised.
    pub(crate) received: Vec<u8>,
    /// Bytes of it in use.
    pub(crate) filled: usize,
    /// The last read filled it.
    was_filled: bool,
    /// Bytes of it that were looked at: whole messages.
    pub(crate) checked: usize,
    /// Messages of our own; whoever writes here calls [`Lane::queue_own`] after.
    pub(crate) own: Vec<u8>,
    runs: VecDeque<Run>,
    /// All fds that were received and have not left.
    fds: VecDeque<OwnedFd>,
    /// For the first of `fds`, the place of their message in the outgoing stream.
    places: VecDeque<u64>,
    /// Fds that nobody gets, until somebody closes them.
    unwanted: Vec<OwnedFd>,
    /// Fds that the last [`Transmit`] carried.
    offered: usize,
    /// Bytes that were ever queued, and that ever left.
    queued: u64,
    left: u64,
}

impl Lane {
    pub(crate) fn new() -> Self {
        Self {
            received: vec![0; FIRST_LEN],
            filled: 0,
            was_filled: false,
            checked: 0,
            own: Vec::new(),
            runs: VecDeque::with_capacity(MAX_SLICES),
            fds: VecDeque::new(),
            places: VecDeque::new(),
            unwanted: Vec::new(),
            offered: 0,
            queued: 0,
            left: 0,
        }
    }

    /// Bytes that wait to leave.
    pub(crate) fn waiting(&self) -> u64 {
        self.queued - self.left
    }

    /// The place in the outgoing stream of the byte after all that is queued.
    pub(crate) fn end(&self) -> u64 {
        self.queued
    }

    /// Room to receive into. With `grow`, the buffer doubles rather than be short of it.
    pub(crate) fn spare(&mut self, grow: bool) -> &mut [u8] {
        if self.received.len() - self.filled < MIN_SPARE {
            let needed_from = self.needed_from();
            let grow = grow || self.received.len() < BUFFER_LEN;
            // Moving at most as much as was set free keeps the moving cheaper than the reading.
            if needed_from >= self.filled - needed_from || !grow {
                self.move_to_front(needed_from);
            } else {
                self.double();
            }
        }
        let is_short = self.was_filled || self.received.len() - self.filled < MIN_SPARE;
        if is_short && self.received.len() < BUFFER_LEN {
            self.was_filled = false;
            self.double();
        }
        &mut self.received[self.filled..]
    }

    fn double(&mut self) {
        let doubled = self.received.len() * 2;
        self.received.resize(doubled, 0);
    }

    /// `len` bytes were received into [`Lane::spare`].
    pub(crate) fn note_received(&mut self, len: usize) {
        self.filled = (self.filled + len).min(self.received.len());
        // There may be more where these came from.
        self.was_filled = self.filled == self.received.len();
    }

    /// Where in the receive buffer the bytes begin that have not left.
    fn needed_from(&self) -> usize {
        let run = self.runs.iter().find(|r| r.source == Source::Received);
        run.map_or(self.checked, |r| r.start)
    }

    fn move_to_front(&mut self, from: usize) {
        if from == 0 {
            return;
        }
        self.received.copy_within(from..self.filled, 0);
        self.filled -= from;
        self.checked -= from;
        for run in self.runs.iter_mut().filter(|r| r.source == Source::Received) {
            run.start -= from;
            run.end -= from;
        }
    }

    /// Takes up fds that came with received bytes.
    #[inline]
    pub(crate) fn accept_fds(&mut self, fds: &mut Vec<OwnedFd>) {
        if !fds.is_empty() {
            self.fds.extend(fds.drain(..));
        }
    }

    /// Fds that belong to no message yet.
    pub(crate) fn unclaimed_fds(&self) -> usize {
        self.fds.len() - self.places.len()
    }

    /// Fds of messages that wait to leave.
    pub(crate) fn waiting_fds(&self) -> usize {
        self.places.len()
    }

    /// Gives up fds that belong to no message and never will.
    pub(crate) fn give_up_unclaimed_fds(&mut self) {
        self.unwanted.extend(self.fds.drain(self.places.len()..));
    }

    /// The fds that nobody gets.
    pub(crate) fn take_unwanted_fds(&mut self) -> std::vec::Drain<'_, OwnedFd> {
        self.unwanted.drain(..)
    }

    /// Gives up fds that came too late for anybody.
    pub(crate) fn give_up_fds(&mut self, fds: impl Iterator<Item = OwnedFd>) {
        self.unwanted.extend(fds);
    }

    /// The next message, and the fds that will be its own.
    pub(crate) fn message_parts(
        &mut self,
        body: std::ops::Range<usize>,
        fds: usize,
    ) -> (&mut [u8], &[OwnedFd], &mut Vec<u8>) {
        let claimed = self.places.len();
        let all = self.fds.make_contiguous();
        (&mut self.received[body], &all[claimed..claimed + fds], &mut self.own)
    }

    /// The next `count` fds belong to the message that begins at `place` in the outgoing stream.
    pub(crate) fn claim_fds(&mut self, count: usize, place: u64) {
        self.places.extend(std::iter::repeat_n(place, count));
    }

    /// Queues this part of the receive buffer.
    pub(crate) fn queue_received(&mut self, start: usize, end: usize) {
        self.queue(Run { source: Source::Received, start, end });
    }

    /// Queues what was written to `own` since it was `start` bytes long.
    pub(crate) fn queue_own(&mut self, start: usize) {
        self.queue(Run { source: Source::Own, start, end: self.own.len() });
    }

    fn queue(&mut self, run: Run) {
        if run.start == run.end {
            return;
        }
        self.queued += (run.end - run.start) as u64;
        match self.runs.back_mut() {
            Some(last) if last.source == run.source && last.end == run.start => last.end = run.end,
            _ => self.runs.push_back(run),
        }
    }

    /// What to send next; `None` if nothing waits.
    #[inline]
    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit<'_>> {
        if self.runs.is_empty() {
            return None;
        }
        let mut limit = self.limit();
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let (mut used, mut len) = (0, 0);
        for (slot, run) in slices.iter_mut().zip(&self.runs) {
            let bytes = match run.source {
                Source::Received => &self.received[run.start..run.end],
                Source::Own => &self.own[run.start..run.end],
            };
            let bytes = &bytes[..bytes.len().min(limit)];
            if bytes.is_empty() {
                break;
            }
            *slot = IoSlice::new(bytes);
            used += 1;
            len += bytes.len();
            limit -= bytes.len();
        }
        self.offered = self.fds_before(self.left + len as u64);
        let fds = if self.offered > 0 { self.fds.make_contiguous() } else { &mut [] };
        Some(Transmit { slices, used, len, fds: &fds[..self.offered] })
    }

    /// How many bytes may go out at once: those from the message on whose fds find no room have
    /// to wait for the next time.
    #[inline]
    fn limit(&self) -> usize {
        let place = self.places.get(MAX_FDS_OUT);
        place.map_or(usize::MAX, |place| usize::try_from(place - self.left).unwrap_or(usize::MAX))
    }

    /// How many fds go with the bytes before `reach` in the outgoing stream. Those of messages
    /// that lie behind wait, so that they do not pile up at the other side.
    #[inline]
    fn fds_before(&self, reach: u64) -> usize {
        self.places.iter().take(MAX_FDS_OUT).take_while(|place| **place < reach).count()
    }

    /// The fds of the last [`Transmit`], for whoever keeps them instead of sending.
    pub(crate) fn take_offered(&mut self) -> impl Iterator<Item = OwnedFd> {
        self.places.drain(..self.offered);
        self.fds.drain(..std::mem::take(&mut self.offered))
    }

    /// The first `len` bytes of the last [`Transmit`] left, and with them its fds.
    pub(crate) fn handle_transmitted(&mut self, len: usize) {
        if len == 0 {
            return;
        }
        if self.offered > 0 {
            self.fds.drain(..self.offered);
            self.places.drain(..self.offered);
            self.offered = 0;
        }
        self.left += len as u64;
        let mut rest = len;
        while let Some(run) = self.runs.front_mut() {
            let part = (run.end - run.start).min(rest);
            run.start += part;
            rest -= part;
            if run.start < run.end {
                break;
            }
            self.runs.pop_front();
        }
        self.reclaim();
    }

    /// Throws away what waits: nobody will read it.
    pub(crate) fn discard(&mut self) {
        self.unwanted.extend(self.fds.drain(..self.places.len()));
        self.places.clear();
        self.runs.clear();
        self.left = self.queued;
        self.reclaim();
    }

    /// Makes room where all has left.
    fn reclaim(&mut self) {
        if !self.runs.is_empty() {
            self.reclaim_own();
            return;
        }
        self.own.clear();
        self.move_to_front(self.checked);
        if self.received.len() > BUFFER_LEN && self.filled < BUFFER_LEN / 2 {
            self.received.truncate(BUFFER_LEN);
            self.received.shrink_to_fit();
            self.own.shrink_to(BUFFER_LEN);
        }
    }

    /// Our own messages may never all have left while a peer is always a little late.
    fn reclaim_own(&mut self) {
        let first = self.runs.iter().find(|r| r.source == Source::Own);
        let gone = first.map_or(self.own.len(), |r| r.start);
        if gone < BUFFER_LEN || gone < self.own.len() / 2 {
            return;
        }
        self.own.drain(..gone);
        for run in self.runs.iter_mut().filter(|r| r.source == Source::Own) {
            run.start -= gone;
            run.end -= gone;
        }
    }
}
