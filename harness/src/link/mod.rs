//! A network link that is not there: rate, queue, delay, jitter, loss and reordering between UDP
//! peers on one machine, the same again for the same seed.
//!
//! A [`Channel`] is one direction of it, without a socket and without a clock: it is told of each
//! packet as it is sent, and says at once whether and when that arrives. An [`Emulator`] is a
//! thread that carries packets of clients to servers and back through one channel each way, which
//! all of them share as they would share a cable.

mod channel;
mod emulator;
mod lateness;
mod random;
#[cfg(test)]
mod tests;
mod worker;

use std::time::Duration;

pub use channel::{Channel, Counters, Fate};
pub use emulator::{Emulator, Link, Seen, Traffic};
pub use lateness::Lateness;

/// What IPv4 and UDP put in front of each datagram, which takes its share of the rate.
pub const OVERHEAD: usize = 28;

/// What one direction does to packets, in this order: outage, queue, rate, loss, delay.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shape {
    /// Bits a second that pass the bottleneck, headers of IP and UDP included; none is no limit.
    pub rate: Option<u64>,
    /// What waits in front of the bottleneck at most; a packet that finds no room is dropped.
    pub queue: Queue,
    /// How long every packet takes beside that.
    pub delay: Duration,
    /// How much longer one may take, evenly distributed from nothing on.
    pub jitter: Duration,
    /// Whether a packet that jitter made late is overtaken; if not, it holds up those behind it.
    pub jitter_reorders: bool,
    /// Which packets are lost behind the bottleneck.
    pub loss: Loss,
    /// Which are held back, so that those behind overtake them.
    pub reorder: Reorder,
}

/// How much waits at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Queue {
    /// As much as comes.
    #[default]
    Endless,
    /// This many bytes, headers included.
    Bytes(u64),
    /// What the rate carries in this time.
    Time(Duration),
}

/// Which packets are lost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Loss {
    /// None.
    #[default]
    Never,
    /// Each with this probability, whatever became of those before.
    Each(f64),
    /// Many in a row: the model of Gilbert and Elliott.
    Bursts(Bursts),
}

/// A link that is good or bad, and may change with each packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bursts {
    /// Probability that a good link turns bad before a packet.
    pub begin: f64,
    /// Probability that a bad link turns good before a packet.
    pub end: f64,
    /// Probability that a packet is lost while the link is good.
    pub outside: f64,
    /// The same while it is bad.
    pub within: f64,
}

/// Which packets are held back, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reorder {
    /// Probability of a packet.
    pub probability: f64,
    /// How much longer it takes.
    pub by: Duration,
}
