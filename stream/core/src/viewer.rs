//! The server's view of one viewer: what it has, what is on the way, what it still can decode.
//!
//! Frames wait before the encoder, not here: a viewer holds at most a few frames that it has not
//! acknowledged. One that falls behind misses frames until it has drained, and then needs a
//! keyframe; the others notice nothing.

use std::collections::VecDeque;
use std::time::Duration;

use stratus_frame::{FrameId, MonoTime};

/// Frames on the way beside those that the round trip itself holds: one being sent and one
/// behind it, so that the link never idles.
const BASE_IN_FLIGHT: u64 = 2;
/// The most frames on the way, whatever the round trip.
pub const MAX_IN_FLIGHT: usize = 16;
/// Frames behind the newest that a frame can depend on.
const MEMORY: usize = 16;
/// The shortest time between two keyframes asked for one viewer: they cost all viewers.
const KEYFRAME_GAP: Duration = Duration::from_millis(250);

/// Frames that may be unacknowledged at once: two, and as many as are made in one round trip,
/// which are on the way however fast the link is. `min_rtt` is the shortest seen, as the current
/// one would count standing queues as distance.
#[must_use]
pub fn in_flight_limit(min_rtt: Duration, millifps: u32) -> usize {
    let per_trip = (min_rtt.as_micros() * u128::from(millifps)).div_ceil(1_000_000_000);
    let limit = u64::try_from(per_trip).unwrap_or(u64::MAX).saturating_add(BASE_IN_FLIGHT);
    usize::try_from(limit).unwrap_or(MAX_IN_FLIGHT).min(MAX_IN_FLIGHT)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keyframe {
    /// What it has can be built on.
    Fine,
    /// It needs one as soon as all that is on the way has arrived.
    AfterDraining,
    /// It asked for one itself.
    AtOnce,
    /// The encoder was asked.
    Asked,
}

/// One viewer's queue.
///
/// After [`Viewer::handle_acknowledged`], [`Viewer::handle_keyframe_request`] and at
/// [`Viewer::poll_timeout`], call [`Viewer::poll_keyframe`].
#[derive(Debug)]
pub struct Viewer {
    limit: usize,
    in_flight: usize,
    next_sequence: u64,
    /// The newest frames sent since its last keyframe: those that others may depend on.
    has: VecDeque<FrameId>,
    newest_keyframe: FrameId,
    keyframe: Keyframe,
    asked: Option<MonoTime>,
    skipped: u64,
}

impl Viewer {
    /// A viewer that has nothing, with room for `limit` unacknowledged frames.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            in_flight: 0,
            next_sequence: 0,
            has: VecDeque::with_capacity(MEMORY),
            newest_keyframe: FrameId(0),
            keyframe: Keyframe::AfterDraining,
            asked: None,
            skipped: 0,
        }
    }

    /// Whether another frame may be sent to it now.
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.in_flight < self.limit
    }

    /// Frames sent and not acknowledged.
    #[must_use]
    pub const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Frames that were not sent to it.
    #[must_use]
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Sets how many unacknowledged frames there may be (see [`in_flight_limit`]).
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit.max(1);
    }

    /// Whether frame `id` is to be sent, and as which number.
    ///
    /// Not sent is what finds no room, and what cannot be decoded for lack of the frame that it
    /// depends on: it would only take the link from the keyframe to come.
    pub fn handle_frame(&mut self, id: FrameId, depends_on: Option<FrameId>) -> Option<u64> {
        let decodable = depends_on.is_none_or(|d| self.has.contains(&d));
        if !self.has_room() || !decodable {
            self.skipped += 1;
            if self.keyframe == Keyframe::Fine || (depends_on.is_none() && !self.has_room()) {
                self.keyframe = Keyframe::AfterDraining;
            }
            return None;
        }
        if depends_on.is_none() {
            self.has.clear();
            self.newest_keyframe = id;
            self.keyframe = Keyframe::Fine;
        }
        if self.has.len() == MEMORY {
            self.has.pop_front();
        }
        self.has.push_back(id);
        self.in_flight += 1;
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        Some(sequence)
    }

    /// The oldest frame on the way has arrived whole.
    pub fn handle_acknowledged(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// The viewer, which has decoded `newest`, cannot go on without a keyframe. One that is
    /// already on its way to it answers the request.
    pub fn handle_keyframe_request(&mut self, newest: FrameId) {
        let coming = self.newest_keyframe > newest && self.in_flight > 0;
        if !coming && self.keyframe != Keyframe::Asked {
            self.keyframe = Keyframe::AtOnce;
        }
    }

    /// Whether the encoder must be asked for a keyframe now; true once for each need. If none
    /// has come after a while it is asked again.
    pub fn poll_keyframe(&mut self, now: MonoTime) -> bool {
        if !self.is_due() || self.asked.is_some_and(|t| now < t.after(KEYFRAME_GAP)) {
            return false;
        }
        self.keyframe = Keyframe::Asked;
        self.asked = Some(now);
        true
    }

    /// When to call [`Viewer::poll_keyframe`] again if nothing else happens.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonoTime> {
        self.asked.filter(|_| self.is_due()).map(|t| t.after(KEYFRAME_GAP))
    }

    fn is_due(&self) -> bool {
        match self.keyframe {
            Keyframe::Fine => false,
            Keyframe::AfterDraining => self.in_flight == 0,
            Keyframe::AtOnce | Keyframe::Asked => true,
        }
    }
}

#[cfg(test)]
#[path = "viewer_tests.rs"]
mod tests;
