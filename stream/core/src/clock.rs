//! What a server's stamps mean on the player's clock.
//!
//! As in NTP (RFC 5905 section 8), four readings of a ping and its pong give an offset whose
//! error is at most half the round trip. Queues only lengthen round trips, so the offset of the
//! shortest recent one is the best known. On one machine there is nothing to estimate: both read
//! the same clock and the offset is exactly 0.

use std::collections::VecDeque;
use std::time::Duration;

use stratus_frame::MonoTime;

/// Pings that count. At one a second the clocks of two machines (50 ppm apart at worst) drift
/// less than 1 ms in that time.
const WINDOW: usize = 16;

#[derive(Clone, Copy, Debug)]
struct Sample {
    /// Server minus client, ns.
    offset: i128,
    rtt: Duration,
}

/// The estimate of one connection.
#[derive(Clone, Debug)]
pub struct Clock {
    same_machine: bool,
    samples: VecDeque<Sample>,
}

impl Clock {
    /// Nothing known yet but whether both peers read the same clock (see
    /// [`crate::message::MachineTag::shares_clock_with`]).
    #[must_use]
    pub fn new(same_machine: bool) -> Self {
        Self { same_machine, samples: VecDeque::with_capacity(WINDOW) }
    }

    /// Takes the readings of one round trip: `ping` and `arrived` on the player's clock,
    /// `received` and `sent` on the server's. Readings in an impossible order are ignored: a
    /// peer can lie about its own clock only.
    pub fn handle_pong(
        &mut self,
        ping: MonoTime,
        received: MonoTime,
        sent: MonoTime,
        arrived: MonoTime,
    ) {
        if arrived < ping || sent < received {
            return;
        }
        let (there, back) = (signed(received) - signed(ping), signed(sent) - signed(arrived));
        let rtt = arrived.since(ping).saturating_sub(sent.since(received));
        if self.samples.len() == WINDOW {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample { offset: i128::midpoint(there, back), rtt });
    }

    /// Whether both peers read the same clock.
    #[must_use]
    pub const fn is_same_machine(&self) -> bool {
        self.same_machine
    }

    /// Whether [`Clock::to_local`] means anything yet.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.same_machine || !self.samples.is_empty()
    }

    /// The shortest recent round trip; half of it bounds the error of the estimate.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.best().map(|s| s.rtt)
    }

    /// Server clock minus player clock, ns; exactly 0 on one machine, and 0 while unknown.
    #[must_use]
    pub fn offset_ns(&self) -> i128 {
        if self.same_machine { 0 } else { self.best().map_or(0, |s| s.offset) }
    }

    /// A stamp of the server on the player's clock. Unset stays unset.
    #[must_use]
    pub fn to_local(&self, stamp: MonoTime) -> MonoTime {
        if !stamp.is_set() {
            return stamp;
        }
        let local = signed(stamp) - self.offset_ns();
        MonoTime::from_nanos(u64::try_from(local.max(1)).unwrap_or(u64::MAX))
    }

    fn best(&self) -> Option<Sample> {
        self.samples.iter().copied().min_by_key(|s| s.rtt)
    }
}

fn signed(t: MonoTime) -> i128 {
    t.as_nanos().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(us: u64) -> MonoTime {
        MonoTime::from_nanos(us * 1000)
    }

    /// A round trip with delays in µs; the server's clock runs `offset` ahead.
    fn trip(clock: &mut Clock, start: u64, offset: u64, there: u64, back: u64) {
        let received = start + there + offset;
        clock.handle_pong(
            at(start),
            at(received),
            at(received + 10),
            at(start + there + 10 + back),
        );
    }

    #[test]
    fn the_shortest_round_trip_wins_until_it_is_old() {
        let mut clock = Clock::new(false);
        assert!(!clock.is_known());
        trip(&mut clock, 1_000, 5_000_000, 400, 100);
        assert_eq!(clock.offset_ns(), 5_000_150_000, "half the asymmetry is the error");
        trip(&mut clock, 2_000, 5_000_000, 50, 50);
        trip(&mut clock, 3_000, 5_000_000, 900, 50);
        assert_eq!(clock.offset_ns(), 5_000_000_000);
        assert_eq!(clock.rtt(), Some(Duration::from_micros(100)));
        assert_eq!(clock.to_local(at(5_000_700)), at(700));
        for i in 0..16 {
            trip(&mut clock, 10_000 + i, 7_000_000, 60, 60);
        }
        assert_eq!(clock.offset_ns(), 7_000_000_000, "old samples must go");
    }

    #[test]
    fn one_machine_needs_no_estimate() {
        let mut clock = Clock::new(true);
        assert!(clock.is_known());
        trip(&mut clock, 1_000, 123, 400, 100);
        assert_eq!(clock.offset_ns(), 0);
        assert_eq!(clock.to_local(at(9)), at(9));
    }

    #[test]
    fn nonsense_is_ignored_and_extremes_do_not_overflow() {
        let mut clock = Clock::new(false);
        clock.handle_pong(at(5), at(9), at(8), at(6));
        clock.handle_pong(at(5), at(8), at(9), at(4));
        assert!(!clock.is_known());
        let max = MonoTime::from_nanos(u64::MAX);
        clock.handle_pong(at(0), max, max, at(0));
        assert_eq!(clock.to_local(at(1)), MonoTime::from_nanos(1));
        assert_eq!(clock.to_local(MonoTime::UNSET), MonoTime::UNSET);
        let mut clock = Clock::new(false);
        clock.handle_pong(max, at(0), at(0), max);
        assert_eq!(clock.to_local(max), max);
    }
}
