//! One direction of a link: packets and time in, fates out.

use std::time::Duration;

use super::random::Random;
use super::{Bursts, Loss, Queue, Shape};

/// What becomes of a packet. Times are nanoseconds on the clock of who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Arrives {
        /// When the bottleneck has sent its last bit.
        leaves: u64,
        /// When it is there.
        at: u64,
    },
    /// The queue had no room for it.
    Overflowed,
    /// It was lost behind the bottleneck.
    Lost,
    /// It was sent during an outage.
    Dark,
}

/// What passed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets sent into the direction, and their bytes, headers included.
    pub packets: u64,
    /// See above.
    pub bytes: u64,
    /// Packets that arrive, and their bytes.
    pub arrived: u64,
    /// See above.
    pub arrived_bytes: u64,
    /// Packets that the queue had no room for.
    pub overflowed: u64,
    /// Packets lost behind the bottleneck.
    pub lost: u64,
    /// Packets sent during an outage.
    pub dark: u64,
    /// Packets that overtake one which was sent before.
    pub reordered: u64,
    /// The most bytes that were in the queue, those of the packet that came last included.
    pub deepest_bytes: u64,
    /// The longest that a packet was in the queue and the bottleneck, ns.
    pub longest_wait: u64,
}

/// One direction of a link.
///
/// What a packet meets is decided as it is sent, so nothing has to be polled. The same calls with
/// the same seed give the same fates. Each packet takes the same number of random numbers whatever
/// becomes of it, so that one that the queue drops shifts no one else's luck.
#[derive(Clone, Debug)]
pub struct Channel {
    shape: Shape,
    random: Random,
    /// The link of [`Bursts`] is bad.
    bad: bool,
    /// When the bottleneck has sent all that it has.
    free: u64,
    /// The latest arrival of what nothing may overtake.
    in_order: u64,
    /// The latest arrival of all.
    newest: u64,
    /// From when until when there is no link.
    outage: (u64, u64),
    counters: Counters,
}

impl Channel {
    /// A direction in which nothing is on its way.
    #[must_use]
    pub fn new(shape: Shape, seed: u64) -> Self {
        Self {
            shape,
            random: Random::new(seed),
            bad: false,
            free: 0,
            in_order: 0,
            newest: 0,
            outage: (0, 0),
            counters: Counters::default(),
        }
    }

    /// What passed so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Packets sent from `from` on and before `until` do not arrive. What was sent before does.
    pub fn handle_outage(&mut self, from: u64, until: u64) {
        self.outage = (from, until);
    }

    /// A packet of `bytes`, headers included, is sent at `now`, which never falls.
    pub fn handle_packet(&mut self, bytes: usize, now: u64) -> Fate {
        let fate = self.fate(bytes as u64, now);
        let counters = &mut self.counters;
        counters.packets += 1;
        counters.bytes += bytes as u64;
        match fate {
            Fate::Arrives { at, .. } => {
                counters.arrived += 1;
                counters.arrived_bytes += bytes as u64;
                counters.reordered += u64::from(at < self.newest);
                self.newest = self.newest.max(at);
            }
            Fate::Overflowed => counters.overflowed += 1,
            Fate::Lost => counters.lost += 1,
            Fate::Dark => counters.dark += 1,
        }
        fate
    }

    fn fate(&mut self, bytes: u64, now: u64) -> Fate {
        let [turn, lost, late, held] = [(); 4].map(|()| self.random.fraction());
        let lost = self.is_lost(turn, lost);
        if (self.outage.0..self.outage.1).contains(&now) {
            return Fate::Dark;
        }
        let Some(leaves) = self.pass_bottleneck(bytes, now) else { return Fate::Overflowed };
        // It took its share of the rate all the same, as on the air.
        if lost {
            return Fate::Lost;
        }
        let jitter = (nanos(self.shape.jitter) as f64 * late) as u64;
        let mut at = leaves + nanos(self.shape.delay) + jitter;
        if held < self.shape.reorder.probability {
            at += nanos(self.shape.reorder.by);
        } else if !self.shape.jitter_reorders {
            at = at.max(self.in_order);
            self.in_order = at;
        }
        Fate::Arrives { leaves, at }
    }

    /// When the packet's last bit has passed; `None` if it finds no room.
    fn pass_bottleneck(&mut self, bytes: u64, now: u64) -> Option<u64> {
        let Some(rate) = self.shape.rate.filter(|rate| *rate > 0) else { return Some(now) };
        let waiting = self.free.saturating_sub(now);
        let takes = time_of(bytes, rate);
        let depth = bytes_of(waiting, rate) + bytes;
        let room = match self.shape.queue {
            Queue::Endless => true,
            Queue::Bytes(most) => depth <= most,
            Queue::Time(most) => waiting + takes <= nanos(most),
        };
        // An empty queue takes any packet, or a large one would never pass.
        if waiting > 0 && !room {
            return None;
        }
        self.free = now.max(self.free) + takes;
        let counters = &mut self.counters;
        counters.deepest_bytes = counters.deepest_bytes.max(depth);
        counters.longest_wait = counters.longest_wait.max(waiting + takes);
        Some(self.free)
    }

    fn is_lost(&mut self, turn: f64, lost: f64) -> bool {
        match self.shape.loss {
            Loss::Never => false,
            Loss::Each(probability) => lost < probability,
            Loss::Bursts(Bursts { begin, end, outside, within }) => {
                self.bad = if self.bad { turn >= end } else { turn < begin };
                lost < if self.bad { within } else { outside }
            }
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Nanoseconds that so many bytes take, rounded up: the rate is never exceeded.
fn time_of(bytes: u64, rate: u64) -> u64 {
    let bits = u128::from(bytes) * 8 * 1_000_000_000;
    u64::try_from(bits.div_ceil(u128::from(rate))).unwrap_or(u64::MAX)
}

fn bytes_of(time: u64, rate: u64) -> u64 {
    let bits = u128::from(time) * u128::from(rate) / 1_000_000_000;
    u64::try_from(bits / 8).unwrap_or(u64::MAX)
}
