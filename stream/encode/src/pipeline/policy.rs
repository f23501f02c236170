//! What the encoder's thread should do next, decided without a clock, a thread or an encoder.

use std::time::Duration;

use stratus_frame::MonoTime;

use crate::encoder::Coding;

/// What the world looks like when a decision is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outlook {
    pub(super) now: MonoTime,
    /// Whether anybody watches.
    pub(super) viewers: bool,
    /// Whether a frame would be shipped at once.
    pub(super) ready: bool,
}

/// What to wait for, and what to do when nothing came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Whether to take a frame if one comes; if not, it stays where a newer one can replace it.
    pub(super) accept: bool,
    /// How long to wait; `None` until something happens.
    pub(super) wait: Option<Duration>,
    /// How to encode the last picture again if nothing came in time.
    pub(super) otherwise: Option<Coding>,
}

/// Decides when to take frames, when to encode the last picture again and how.
#[derive(Debug)]
pub(super) struct Policy {
    still_after: Duration,
    refinements: u32,
    pacer: Pacer,
    keyframe: bool,
    picture: bool,
    /// The picture was converted while viewers could not take it, and not encoded since.
    unsent: bool,
    /// When the picture last changed, and how many refinements it may still get.
    changed: MonoTime,
    refinements_left: u32,
}

impl Policy {
    pub(super) fn new(fps: u32, still_after: Duration, refinements: u32) -> Self {
        Self {
            still_after,
            refinements,
            pacer: Pacer::new(fps),
            keyframe: true,
            picture: false,
            unsent: false,
            changed: MonoTime::UNSET,
            refinements_left: 0,
        }
    }

    /// Frames come at another rate from now on.
    pub(super) fn set_fps(&mut self, fps: u32) {
        self.pacer = Pacer::new(fps);
    }

    /// Somebody needs a picture at which decoding can start.
    pub(super) fn handle_keyframe_request(&mut self) {
        self.keyframe = true;
    }

    /// A frame was converted: there is a new picture.
    pub(super) fn handle_picture(&mut self, now: MonoTime) {
        self.picture = true;
        self.changed = now;
        self.refinements_left = self.refinements;
    }

    /// Whether the picture just converted is to be encoded, and how.
    pub(super) fn coding_of_picture(&mut self, outlook: Outlook) -> Option<Coding> {
        if outlook.viewers && outlook.ready {
            return Some(if self.keyframe { Coding::Keyframe } else { Coding::Delta });
        }
        // What viewers have is still what the encoder made last: the next one can build on that.
        self.unsent = outlook.viewers;
        self.keyframe |= !outlook.viewers;
        None
    }

    /// An access unit was made.
    pub(super) fn handle_encoded(&mut self, coding: Coding, keyframe: bool, now: MonoTime) {
        self.pacer.spend(now);
        self.unsent = false;
        if keyframe {
            self.keyframe = false;
        }
        if coding == Coding::Refinement {
            self.refinements_left = self.refinements_left.saturating_sub(1);
        }
    }

    /// The encoder could not make the picture; nothing may build on it.
    pub(super) fn handle_refused(&mut self) {
        self.keyframe = true;
        self.picture = false;
        self.refinements_left = 0;
    }

    /// What to do next.
    pub(super) fn poll(&mut self, outlook: Outlook) -> Plan {
        if !outlook.viewers {
            // Frames are still converted, so that the game gets its buffers back, but whoever
            // joins has none of them.
            self.keyframe = true;
            return Plan { accept: true, wait: None, otherwise: None };
        }
        if !outlook.ready {
            return Plan { accept: false, wait: None, otherwise: None };
        }
        let pause = self.pacer.pause(outlook.now);
        if !pause.is_zero() {
            return Plan { accept: false, wait: Some(pause), otherwise: None };
        }
        if (self.keyframe || self.unsent) && self.picture {
            // A frame that waits already comes first: it is newer, and encoded the same way.
            let otherwise = Some(if self.keyframe { Coding::Keyframe } else { Coding::Delta });
            return Plan { accept: true, wait: Some(Duration::ZERO), otherwise };
        }
        if self.picture && self.refinements_left > 0 {
            let due = self.changed.after(self.still_after);
            let otherwise = Some(Coding::Refinement);
            return Plan { accept: true, wait: Some(due.since(outlook.now)), otherwise };
        }
        Plan { accept: true, wait: None, otherwise: None }
    }
}

/// Holds encoding to the frame rate that the bitrate is meant for, as an average.
///
/// The rate control gives each frame its share of a second's bits, so more frames than planned
/// would be more bits than planned. A game that keeps the rate is never held up: the pace is a
/// tenth faster, and frames may come early by two intervals.
#[derive(Debug)]
struct Pacer {
    interval: Duration,
    /// When the next frame would come at an even pace.
    due: MonoTime,
}

impl Pacer {
    /// Intervals by which a frame may be early.
    const EARLY: u32 = 2;

    fn new(fps: u32) -> Self {
        let nanos = 1_000_000_000 * 10 / 11 / u64::from(fps.max(1));
        Self { interval: Duration::from_nanos(nanos), due: MonoTime::UNSET }
    }

    fn spend(&mut self, now: MonoTime) {
        self.due = self.due.max(now).after(self.interval);
    }

    fn pause(&self, now: MonoTime) -> Duration {
        self.due.since(now).saturating_sub(self.interval * Self::EARLY)
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
