//! Puts frames that arrive on streams of their own into the order in which they are decoded.
//!
//! Streams do not wait for each other, so frames overtake. Frames are numbered without gaps for
//! each viewer: a missing number is known to be on its way, or lost. A frame is yielded when all
//! before it have come and what it depends on was yielded, or when it is a keyframe that makes
//! the missing ones needless.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use stratus_frame::{FrameId, MonoTime};

/// Whole frames that wait for an earlier one.
const MAX_PENDING: usize = 32;
/// Bytes of frames that wait for an earlier one.
const MAX_PENDING_BYTES: usize = 64 * 1024 * 1024;
/// Yielded frames that others may depend on.
const MEMORY: usize = 16;
/// How long a whole keyframe lets a frame before it come, which may be just about to.
const GRACE: Duration = Duration::from_millis(3);
/// How long frames wait for a missing one before a keyframe is asked for: several round trips, as
/// lost packets are sent again anyway.
const PATIENCE: Duration = Duration::from_millis(250);
/// The shortest time between two requests.
const REQUEST_GAP: Duration = Duration::from_millis(500);

struct Pending<T> {
    id: FrameId,
    depends_on: Option<FrameId>,
    bytes: usize,
    arrived: MonoTime,
    frame: T,
}

/// What happened so far, in frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderCounts {
    /// Yielded for decoding.
    pub yielded: u64,
    /// Arrived, but not decodable or too late.
    pub dropped: u64,
    /// Never arrived, or not before they were needless.
    pub missing: u64,
}

/// The order of decoding. `T` is a frame with its data.
///
/// After any `handle_*`, and at [`DecodeOrder::poll_timeout`], call [`DecodeOrder::poll_frame`]
/// until it yields nothing, then [`DecodeOrder::poll_keyframe_request`].
pub struct DecodeOrder<T> {
    expected: u64,
    /// `None` is a frame that is known to be lost.
    pending: BTreeMap<u64, Option<Pending<T>>>,
    pending_bytes: usize,
    newest: FrameId,
    has: VecDeque<FrameId>,
    needs_keyframe: bool,
    requested: Option<MonoTime>,
    counts: OrderCounts,
}

impl<T> Default for DecodeOrder<T> {
    fn default() -> Self {
        Self {
            expected: 0,
            pending: BTreeMap::new(),
            pending_bytes: 0,
            newest: FrameId(0),
            has: VecDeque::with_capacity(MEMORY),
            needs_keyframe: false,
            requested: None,
            counts: OrderCounts::default(),
        }
    }
}

impl<T> DecodeOrder<T> {
    /// A frame of `bytes` bytes arrived whole at `now`.
    pub fn handle_frame(
        &mut self,
        now: MonoTime,
        sequence: u64,
        (id, depends_on): (FrameId, Option<FrameId>),
        bytes: usize,
        frame: T,
    ) {
        if sequence < self.expected || sequence == u64::MAX || self.is_whole(sequence) {
            self.counts.dropped += 1;
            return;
        }
        let arrived = Pending { id, depends_on, bytes, arrived: now, frame };
        self.pending.insert(sequence, Some(arrived));
        self.pending_bytes = self.pending_bytes.saturating_add(bytes);
    }

    /// The server took frame `sequence` back: it never arrives.
    pub fn handle_lost(&mut self, sequence: u64) {
        // What lies further ahead than can wait is noticed as a gap instead.
        let ahead = sequence.checked_sub(self.expected);
        if ahead.is_some_and(|n| n < MAX_PENDING as u64) && sequence != u64::MAX {
            self.pending.entry(sequence).or_insert(None);
        }
    }

    /// The decoder failed: nothing can be decoded before the next keyframe.
    pub fn handle_decoder_failure(&mut self) {
        self.has.clear();
        self.needs_keyframe = true;
    }

    /// The next frame to decode.
    pub fn poll_frame(&mut self, now: MonoTime) -> Option<T> {
        loop {
            match self.pending.remove(&self.expected) {
                Some(Some(p)) => {
                    self.expected += 1;
                    self.pending_bytes = self.pending_bytes.saturating_sub(p.bytes);
                    if let Some(frame) = self.yield_or_drop(p) {
                        return Some(frame);
                    }
                }
                Some(None) => {
                    self.expected += 1;
                    self.counts.missing += 1;
                }
                None => {
                    let next = self.skip_to(now)?;
                    self.drop_before(next);
                }
            }
        }
    }

    /// Whether to ask the server for a keyframe now. Limited to two a second.
    pub fn poll_keyframe_request(&mut self, now: MonoTime) -> bool {
        let waited = self.oldest_wait().is_some_and(|t| now >= t.after(PATIENCE));
        if !(self.needs_keyframe || waited)
            || self.requested.is_some_and(|t| now < t.after(REQUEST_GAP))
        {
            return false;
        }
        self.requested = Some(now);
        true
    }

    /// When to poll again if nothing arrives.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonoTime> {
        let grace = self.newest_keyframe().map(|(_, arrived)| arrived.after(GRACE));
        let request = if self.needs_keyframe {
            self.requested.map(|t| t.after(REQUEST_GAP))
        } else {
            let earliest = self.requested.map_or(MonoTime::UNSET, |t| t.after(REQUEST_GAP));
            self.oldest_wait().map(|t| t.after(PATIENCE).max(earliest))
        };
        grace.into_iter().chain(request).min()
    }

    /// What happened so far.
    #[must_use]
    pub const fn counts(&self) -> OrderCounts {
        self.counts
    }

    /// The newest frame yielded; 0 if none.
    #[must_use]
    pub const fn newest(&self) -> FrameId {
        self.newest
    }

    /// Frames that arrived and wait for an earlier one.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.pending.values().flatten().count()
    }

    fn is_whole(&self, sequence: u64) -> bool {
        matches!(self.pending.get(&sequence), Some(Some(_)))
    }

    fn yield_or_drop(&mut self, p: Pending<T>) -> Option<T> {
        let known = p.depends_on.is_none_or(|d| self.has.contains(&d));
        if !known || p.id <= self.newest {
            self.counts.dropped += 1;
            self.needs_keyframe = true;
            return None;
        }
        if p.depends_on.is_none() {
            self.has.clear();
            self.needs_keyframe = false;
        }
        if self.has.len() == MEMORY {
            self.has.pop_front();
        }
        self.has.push_back(p.id);
        self.newest = p.id;
        self.counts.yielded += 1;
        Some(p.frame)
    }

    /// Where to go on although the expected frame is missing.
    fn skip_to(&self, now: MonoTime) -> Option<u64> {
        if let Some((sequence, arrived)) = self.newest_keyframe()
            && now >= arrived.after(GRACE)
        {
            return Some(sequence);
        }
        let full = self.pending.len() > MAX_PENDING || self.pending_bytes > MAX_PENDING_BYTES;
        full.then(|| self.pending.keys().next().copied()).flatten()
    }

    fn newest_keyframe(&self) -> Option<(u64, MonoTime)> {
        self.pending.iter().rev().find_map(|(&sequence, p)| {
            let p = p.as_ref().filter(|p| p.depends_on.is_none())?;
            Some((sequence, p.arrived))
        })
    }

    fn oldest_wait(&self) -> Option<MonoTime> {
        self.pending.values().flatten().map(|p| p.arrived).min()
    }

    fn drop_before(&mut self, next: u64) {
        let kept = self.pending.split_off(&next);
        let before = std::mem::replace(&mut self.pending, kept);
        let mut arrived = 0;
        for p in before.into_values().flatten() {
            arrived += 1;
            self.pending_bytes = self.pending_bytes.saturating_sub(p.bytes);
        }
        self.counts.dropped += arrived;
        let all = next.saturating_sub(self.expected);
        self.counts.missing = self.counts.missing.saturating_add(all.saturating_sub(arrived));
        self.expected = next;
    }
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
