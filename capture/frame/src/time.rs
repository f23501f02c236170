//! Monotonic time and the stamps that a frame collects on its way.

use std::time::Duration;

/// A moment on CLOCK_MONOTONIC, in nanoseconds.
///
/// Processes of one machine share this clock, so stamps of server and player can be subtracted;
/// between two machines the stream's clock estimate comes between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonoTime(u64);

impl MonoTime {
    /// The start of the clock; as a stamp it means "not reached".
    pub const UNSET: Self = Self(0);

    /// Reads the clock. Only the edges of the program call this: cores take time as an argument.
    #[must_use]
    pub fn now() -> Self {
        // The call can fail only for a clock that the kernel does not know; CLOCK_MONOTONIC
        // exists on every Linux.
        let Ok(ts) = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC) else {
            return Self::UNSET;
        };
        Self(ts.tv_sec().unsigned_abs() * 1_000_000_000 + ts.tv_nsec().unsigned_abs())
    }

    /// A moment `ns` nanoseconds after the start of the clock.
    #[must_use]
    pub const fn from_nanos(ns: u64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since the start of the clock.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whether this stamp was ever set.
    #[must_use]
    pub const fn is_set(self) -> bool {
        self.0 != 0
    }

    /// The time since `earlier`, or zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// This moment moved into the future by `by`, saturating.
    #[must_use]
    pub const fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(saturating_nanos(by)))
    }
}

const fn saturating_nanos(d: Duration) -> u64 {
    let ns = d.as_nanos();
    if ns > u64::MAX as u128 { u64::MAX } else { ns as u64 }
}

/// When a frame passed each stage on the sending side.
///
/// Further stages (first and last byte in, decoded) happen at the player, which adds them itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamps {
    /// The bytes of the `wl_surface.commit` came out of `recvmsg`.
    pub read: MonoTime,
    /// The frame lay in the mailbox.
    pub handed: MonoTime,
    /// The colour conversion began; from here on no newer commit can replace this frame.
    pub convert_start: MonoTime,
    /// The colour conversion ended and the game's buffer was let go.
    pub convert_end: MonoTime,
    /// The encoder returned the access unit.
    pub encoded: MonoTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_advances_and_differences_saturate() {
        let a = MonoTime::now();
        let b = MonoTime::now();
        assert!(a.is_set() && b >= a);
        assert_eq!(a.since(a.after(Duration::from_secs(1))), Duration::ZERO);
        assert_eq!(a.after(Duration::from_nanos(7)).since(a), Duration::from_nanos(7));
        assert_eq!(MonoTime::from_nanos(1).after(Duration::MAX).as_nanos(), u64::MAX);
    }
}
