//! What became of inputs, and how long it took.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Delays that are kept, the newest.
const KEPT: usize = 4096;

/// Counts of an injector.
#[derive(Debug, Default)]
pub struct InputStats {
    given: AtomicU64,
    lost: AtomicU64,
    delays: Mutex<Vec<Duration>>,
}

impl InputStats {
    /// Inputs that were given to the game.
    #[must_use]
    pub fn given(&self) -> u64 {
        self.given.load(Ordering::Relaxed)
    }

    /// Inputs that found no device.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// From the call of [`crate::Injector::input`] until the event was written to the
    /// compositor's socket: the time that `percent` of the newest 4096 inputs took at most.
    #[must_use]
    pub fn delay(&self, percent: usize) -> Duration {
        let mut delays = self.delays.lock().unwrap_or_else(PoisonError::into_inner).clone();
        delays.sort_unstable();
        let at = delays.len() * percent.min(100) / 100;
        delays.get(at.min(delays.len().saturating_sub(1))).copied().unwrap_or_default()
    }

    pub(crate) fn gave(&self, delay: Duration) {
        let n = self.given.fetch_add(1, Ordering::Relaxed) as usize;
        let mut delays = self.delays.lock().unwrap_or_else(PoisonError::into_inner);
        if delays.len() < KEPT {
            delays.push(delay);
        } else {
            delays[n % KEPT] = delay;
        }
    }

    pub(crate) fn lose(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }
}
