//! How long something takes, counted so that anyone may ask while it goes on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Parts of each doubling: a percentile is right to an eighth.
const PARTS: usize = 8;
/// All are counted in these, so that the parts of the first doubling are whole ones, ns.
const UNIT: u64 = 125;
/// Doublings from 1 µs on; the last has all from half a minute on.
const DOUBLINGS: usize = 26;

/// Times, as counts by their size.
#[derive(Debug)]
pub struct Times {
    counts: [AtomicU64; PARTS * DOUBLINGS],
    longest: AtomicU64,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; PARTS * DOUBLINGS],
            longest: AtomicU64::new(0),
        }
    }
}

/// Where a time is counted.
fn place(ns: u64) -> usize {
    let units = (ns / UNIT).max(PARTS as u64);
    let doubling = (units.ilog2() - PARTS.ilog2()) as usize;
    let part = (units >> doubling) as usize % PARTS;
    (doubling * PARTS + part).min(PARTS * DOUBLINGS - 1)
}

/// The shortest time that belongs behind those counted there, in ns.
fn end(place: usize) -> u64 {
    let (doubling, part) = (place / PARTS, place % PARTS);
    ((PARTS + part + 1) as u64 * UNIT) << doubling
}

impl Times {
    pub(crate) fn add(&self, ns: u64) {
        self.counts[place(ns)].fetch_add(1, Ordering::Relaxed);
        self.longest.fetch_max(ns, Ordering::Relaxed);
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|c| c.load(Ordering::Relaxed)).sum()
    }

    /// The longest.
    #[must_use]
    pub fn longest(&self) -> Duration {
        Duration::from_nanos(self.longest.load(Ordering::Relaxed))
    }

    /// The time that `percent` of them do not exceed, to an eighth of itself; zero without any.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Duration {
        let wanted = (self.count() * percent).div_ceil(100);
        let mut seen = 0;
        for (place, count) in self.counts.iter().enumerate() {
            seen += count.load(Ordering::Relaxed);
            if seen >= wanted.max(1) {
                return Duration::from_nanos(end(place)).min(self.longest());
            }
        }
        self.longest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_an_eighth() {
        let times = Times::default();
        assert_eq!((times.count(), times.percentile(50)), (0, Duration::ZERO));
        for ms in 1..=1000u64 {
            times.add(ms * 1_000_000);
        }
        assert_eq!((times.count(), times.longest()), (1000, Duration::from_secs(1)));
        for percent in [1, 10, 50, 95, 99, 100] {
            let (is, shall) = (times.percentile(percent), Duration::from_millis(percent * 10));
            assert!(is >= shall && is <= shall * 9 / 8, "{percent}: {is:?} for {shall:?}");
        }
    }

    #[test]
    fn each_time_is_counted_below_its_end() {
        for ns in [0, 999, 1000, 1999, 123_456, 999_999_999, 30_000_000_000] {
            let place = place(ns);
            assert!(ns < end(place) && (place == 0 || ns >= end(place - 1)), "{ns}");
        }
        assert_eq!(place(u64::MAX), PARTS * DOUBLINGS - 1);
    }
}
