//! What the frames of a player say of the link: delays, gaps, what was not shown, how soon it came
//! back.

use crate::session::Frame;
use crate::stats::percentile;

/// A stretch of time, nanoseconds of the monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: u64,
    pub(super) until: u64,
}

impl Span {
    fn holds(self, at: Option<u64>) -> bool {
        at.is_some_and(|at| (self.from..self.until).contains(&at))
    }

    pub(super) fn seconds(self) -> f64 {
        self.until.saturating_sub(self.from) as f64 / 1e9
    }
}

/// Of a stretch in which nothing was changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Steady {
    /// When a frame was committed, s since the stretch began, and how long it took to be decoded, ms.
    pub(super) delays: Vec<(f64, f64)>,
    /// Frames committed, as many as the game's rate makes.
    pub(super) committed: f64,
    /// Decoded ones.
    pub(super) shown: usize,
    /// Encoded ones that were not decoded.
    pub(super) encoded_in_vain: u64,
    /// The longest time between two decoded frames, ms.
    pub(super) longest_gap: Option<f64>,
    /// Bits a second of the access units.
    pub(super) bitrate: f64,
}

impl Steady {
    /// Of `frames`, those committed and decoded within `span`, of a game of `fps` frames a second.
    pub(super) fn of(frames: &[Frame], span: Span, fps: u32) -> Self {
        let within = |f: &&Frame| span.holds(f.read) && span.holds(f.decoded);
        let frames: Vec<&Frame> = frames.iter().filter(within).collect();
        let delay = |f: &&Frame| {
            let since = f.read?.saturating_sub(span.from) as f64 / 1e9;
            Some((since, f.total()?))
        };
        let ids = frames.iter().map(|f| f.id);
        let encoded = ids.clone().max().zip(ids.min()).map_or(0, |(last, first)| last - first + 1);
        let gaps = frames.windows(2).filter_map(|f| Frame::ms(f[0].decoded, f[1].decoded));
        let bytes: u64 = frames.iter().map(|f| f.bytes).sum();
        Self {
            delays: frames.iter().filter_map(delay).collect(),
            committed: span.seconds() * f64::from(fps),
            shown: frames.len(),
            encoded_in_vain: encoded.saturating_sub(frames.len() as u64),
            longest_gap: gaps.reduce(f64::max),
            bitrate: bytes as f64 * 8.0 / span.seconds().max(1e-9),
        }
    }

    /// Frames committed and never encoded, because the link or the encoder had no room. A frame or
    /// two of them lie across the ends of the stretch.
    pub(super) fn left_out(&self) -> f64 {
        (self.committed - self.shown as f64 - self.encoded_in_vain as f64).max(0.0)
    }

    pub(super) fn p95(&self) -> Option<f64> {
        percentile(&self.delays.iter().map(|(_, delay)| *delay).collect::<Vec<_>>(), 95.0)
    }
}

/// How a stream came back after nothing had passed for a while.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Recovery {
    /// From the outage's end to the first frame decoded, ms.
    pub(super) first: Option<f64>,
    /// From the outage's end until frames are as they were, ms: none is later than [`AS_BEFORE`]
    /// more than 95 % were before, for [`CALM`].
    pub(super) calm: Option<f64>,
}

/// ms.
pub(super) const AS_BEFORE: f64 = 10.0;
/// ns.
pub(super) const CALM: u64 = 500_000_000;

impl Recovery {
    /// After an outage that ended at `end`, where `usual` ms were not exceeded by 95 % before.
    pub(super) fn of(frames: &[Frame], end: u64, usual: f64) -> Self {
        let after = |f: &&Frame| f.decoded.is_some_and(|at| at >= end);
        let frames: Vec<&Frame> = frames.iter().filter(after).collect();
        let ms = |at: Option<u64>| Frame::ms(Some(end), at);
        let late = |f: &Frame| f.total().is_some_and(|total| total > usual + AS_BEFORE);
        // The first frame that is not late and is followed by none that is, for a while.
        let is_calm = |start: &usize| {
            let until = frames[*start].decoded.map_or(0, |at| at + CALM);
            let rest = frames[*start..].iter();
            let mut while_calm = rest.clone().take_while(|f| f.decoded < Some(until));
            let seen_whole = rest.clone().any(|f| f.decoded >= Some(until));
            seen_whole && while_calm.all(|f| f.read.is_none() || !late(f))
        };
        let calm = (0..frames.len()).filter(|i| frames[*i].read.is_some()).find(is_calm);
        Self {
            first: frames.first().and_then(|f| ms(f.decoded)),
            calm: calm.and_then(|i| ms(frames[i].decoded)),
        }
    }
}

/// Jain's index of two shares: 1 where they are equal, 0.5 where one has all.
pub(super) fn jain(a: f64, b: f64) -> Option<f64> {
    let squares = a * a + b * b;
    (squares > 0.0).then(|| (a + b) * (a + b) / (2.0 * squares))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const MS: u64 = 1_000_000;

    fn frame(id: u64, read: u64, decoded: u64) -> Frame {
        let at = |ms: u64| Some(ms * MS);
        Frame { id, bytes: 1000, read: at(read), decoded: at(decoded), ..Frame::default() }
    }

    #[test]
    fn a_stretch_counts_what_lies_within_it() {
        // Number 3 was encoded and did not come; that before and that behind are of other times.
        let frames = [frame(1, 90, 99), frame(2, 100, 110), frame(4, 140, 170), frame(5, 290, 301)];
        let span = Span { from: 100 * MS, until: 300 * MS };
        let steady = Steady::of(&frames, span, 50);
        assert_eq!(steady.delays, [(0.0, 10.0), (0.04, 30.0)]);
        assert_eq!((steady.shown, steady.encoded_in_vain), (2, 1));
        assert_eq!((steady.longest_gap, steady.p95()), (Some(60.0), Some(30.0)));
        assert!((steady.committed - 10.0).abs() < 1e-9 && (steady.left_out() - 7.0).abs() < 1e-9);
        assert!((steady.bitrate - 80_000.0).abs() < 1e-6);
        assert_eq!(Steady::of(&[], span, 50).longest_gap, None);
    }

    #[test]
    fn frames_are_back_when_they_come_as_before() {
        // The outage ends at 1000; what waited comes late, then all comes in 5 ms.
        let mut frames = vec![frame(1, 400, 405), frame(2, 500, 1040), frame(3, 1050, 1090)];
        frames.extend((4..100).map(|id| frame(id, 1100 + id * 20, 1105 + id * 20)));
        let recovery = Recovery::of(&frames, 1000 * MS, 6.0);
        assert_eq!(recovery.first, Some(40.0));
        assert_eq!(recovery.calm, Some(185.0));
        // A late one later on begins the wait anew.
        frames[20].decoded = frames[20].decoded.map(|at| at + 100 * MS);
        assert!(Recovery::of(&frames, 1000 * MS, 6.0).calm > Some(500.0));
        // Too short to tell.
        assert_eq!(Recovery::of(&frames[..10], 1000 * MS, 6.0).calm, None);
        assert_eq!(Recovery::of(&[], 1000 * MS, 6.0), Recovery::default());
    }

    #[test]
    fn shares_that_are_equal_are_fair() {
        assert_eq!(jain(3.0, 3.0), Some(1.0));
        assert_eq!(jain(3.0, 0.0), Some(0.5));
        assert_eq!(jain(0.0, 0.0), None);
    }
}
