//! When a record's turn is.

use std::time::{Duration, Instant};

use super::ReplayArgs;

/// The recording's pace, a multiple of it, or none.
pub(super) struct Pace {
    begun: Instant,
    /// `None`: at once.
    speed: Option<f64>,
}

impl Pace {
    pub(super) fn new(args: &ReplayArgs) -> Self {
        let speed = (!args.fast).then(|| args.speed.unwrap_or(1.0));
        Self { begun: Instant::now(), speed }
    }

    /// How long it is until what was recorded `time_ns` after the start.
    pub(super) fn until(&self, time_ns: u64) -> Duration {
        let Some(speed) = self.speed else { return Duration::ZERO };
        let due = Duration::from_nanos(time_ns).div_f64(speed);
        due.saturating_sub(self.begun.elapsed())
    }
}
