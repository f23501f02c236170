//! How much later than they should an emulator sent its packets.

/// Nanoseconds of a step of the histogram.
const STEP: u64 = 10_000;
/// Steps; the last one holds all that is later.
const STEPS: usize = 1000;

/// A histogram in steps of 10 µs up to 10 ms, and the worst.
#[derive(Clone, Debug)]
pub struct Lateness {
    steps: Vec<u64>,
    samples: u64,
    worst: u64,
}

impl Default for Lateness {
    fn default() -> Self {
        Self { steps: vec![0; STEPS], samples: 0, worst: 0 }
    }
}

impl Lateness {
    /// Counts a packet that was so many nanoseconds late.
    pub(super) fn note(&mut self, late: u64) {
        let step = usize::try_from(late / STEP).unwrap_or(STEPS).min(STEPS - 1);
        self.steps[step] += 1;
        self.samples += 1;
        self.worst = self.worst.max(late);
    }

    /// Nanoseconds that `part` percent of the packets were late at most, up to the histogram's
    /// step; `None` of no packets.
    #[must_use]
    pub fn percentile(&self, part: u64) -> Option<u64> {
        let rank = (self.samples * part).div_ceil(100).max(1);
        let mut below = 0;
        let step = self.steps.iter().position(|count| {
            below += count;
            below >= rank
        })?;
        let end = if step + 1 == STEPS { u64::MAX } else { (step as u64 + 1) * STEP };
        Some(end.min(self.worst))
    }

    /// Of the packet that was latest, ns.
    #[must_use]
    pub const fn worst(&self) -> u64 {
        self.worst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_upper_ends_of_steps_and_the_worst_is_exact() {
        let mut late = Lateness::default();
        assert_eq!(late.percentile(50), None);
        for us in 0..100 {
            late.note(us * 1000);
        }
        assert_eq!((late.percentile(50), late.percentile(100)), (Some(50_000), Some(99_000)));
        late.note(77_000_000);
        assert_eq!((late.percentile(100), late.worst()), (Some(77_000_000), 77_000_000));
    }
}
