//! When sound is to be played: how long packets are on their way, and how much that varies.

use std::time::Duration;

use stratus_frame::MonoTime;

/// How finely variation is counted, ns, and up to how much.
const BIN: i64 = 1_000_000;
const BINS: usize = 150;
/// Packets after which what was counted counts half: 5 s of sound.
const HALF: u32 = 1000;
/// What is kept in advance at least, and beyond what arrival varies.
const LEAST: Duration = Duration::from_millis(10);
const MARGIN: Duration = Duration::from_millis(3);

/// Follows the way of packets. All differences are between a time here and a stamp of the server,
/// whose clock may be another: only how they change means something.
#[derive(Debug)]
pub(super) struct Timing {
    /// The shortest way since the window began, and in the window before it, ns.
    shortest: [Option<i64>; 2],
    in_window: u32,
    /// How many packets took how much longer.
    bins: [u32; BINS],
}

impl Default for Timing {
    fn default() -> Self {
        Self { shortest: [None; 2], in_window: 0, bins: [0; BINS] }
    }
}

/// The time from `stamp`, of one clock, to `now`, of another, ns.
pub(super) fn difference(now: MonoTime, stamp: MonoTime) -> i64 {
    now.as_nanos().wrapping_sub(stamp.as_nanos()).cast_signed()
}

impl Timing {
    /// A packet with `stamp` arrived at `now`.
    pub(super) fn arrived(&mut self, stamp: MonoTime, now: MonoTime) {
        let way = difference(now, stamp);
        if self.base().is_some_and(|base| (way - base).abs() > 1_000_000_000) {
            // Another clock, or a machine that slept.
            *self = Self::default();
        }
        let shortest = &mut self.shortest[0];
        *shortest = Some(shortest.map_or(way, |s| s.min(way)));
        let longer = (way - self.base().unwrap_or(way)) / BIN;
        let bin = usize::try_from(longer).unwrap_or(0).min(BINS - 1);
        self.bins[bin] += 64;
        self.in_window += 1;
        if self.in_window == HALF {
            self.in_window = 0;
            self.shortest = [None, self.shortest[0]];
            self.bins.iter_mut().for_each(|n| *n /= 2);
        }
    }

    /// The shortest way, ns; nothing before the first packet.
    pub(super) fn base(&self) -> Option<i64> {
        self.shortest.into_iter().flatten().min()
    }

    /// How much longer than the shortest way sound is to wait: what all but one of a hundred
    /// packets need.
    pub(super) fn target(&self) -> Duration {
        let all: u32 = self.bins.iter().sum();
        let mut beyond = 0;
        let mut bin = BINS;
        while bin > 0 && beyond + self.bins[bin - 1] <= all / 100 {
            bin -= 1;
            beyond += self.bins[bin];
        }
        let varies = Duration::from_nanos(bin as u64 * BIN.cast_unsigned());
        (varies + MARGIN).max(LEAST)
    }
}

/// What is to be done about sound that is played at another time than it should.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pace {
    /// Play so much faster; negative: slower.
    Faster(f64),
    /// It is off by more than can be made up for.
    Jump,
}

/// The most that sound is played faster or slower: a twelfth of a semitone.
const FASTEST: f64 = 0.005;
/// How much faster for a second too late. 20 ms ask for all that is possible.
const GAIN: f64 = 0.25;
/// How long measurements are averaged, s: callbacks come in fits.
const SMOOTH: f64 = 0.5;
/// What cannot be made up for, s.
const FAR: f64 = 0.1;

/// Holds the time of playing where it should be, against the drift of the sound card's clock.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    late: Option<f64>,
}

impl Pacer {
    /// Sound is played `late` seconds too late; the measurement before was `since` seconds ago.
    pub(super) fn update(&mut self, late: f64, since: f64) -> Pace {
        let smooth = match self.late {
            None => late,
            Some(before) => before + (late - before) * (since / SMOOTH).clamp(0.0, 1.0),
        };
        if smooth.abs() > FAR {
            self.late = None;
            return Pace::Jump;
        }
        self.late = Some(smooth);
        Pace::Faster((smooth * GAIN).clamp(-FASTEST, FASTEST))
    }

    /// Something else plays from now on.
    pub(super) fn reset(&mut self) {
        self.late = None;
    }
}

#[cfg(test)]
#[path = "timing_tests.rs"]
mod tests;
