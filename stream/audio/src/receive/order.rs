//! Packets as they come, sorted into what is to be decoded one after the other.

use std::time::Duration;

use bytes::Bytes;
use stratus_frame::MonoTime;
use stratus_frame::sound::SoundPacket;

/// Packets that wait for one that is missing. It may have been overtaken; but each that waits
/// takes 5 ms of what is kept in advance.
const HELD: usize = 2;
/// The most that is concealed at once; a longer gap is silence.
const CONCEALED: usize = 12;
/// Stamps this much apart from where a packet ended do not follow it.
pub(super) const FOLLOWS: Duration = Duration::from_millis(2);

/// What the decoder is to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Decode these bytes.
    Decode(MonoTime, u16, Bytes),
    /// Make something up: so many samples were lost.
    Conceal(MonoTime, u16),
}

/// What became of the packets of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoundReceived {
    /// Packets that arrived.
    pub packets: u64,
    /// Those that did not, and were found in the one behind.
    pub recovered: u64,
    /// Those that did not, and were lost.
    pub lost: u64,
    /// Those that came twice, or after their place.
    pub late: u64,
}

/// Sorts packets.
#[derive(Debug, Default)]
pub(super) struct Order {
    next: Option<Next>,
    /// Packets behind a missing one, sorted.
    held: Vec<SoundPacket>,
    pub(super) counts: SoundReceived,
}

/// The packet that comes next.
#[derive(Clone, Copy, Debug)]
struct Next {
    sequence: u32,
    /// When it begins if it follows the one before.
    stamp: MonoTime,
}

/// How long `samples` last.
pub(super) fn duration(samples: u16) -> Duration {
    Duration::from_nanos(u64::from(samples) * 1_000_000_000 / 48_000)
}

fn before(stamp: MonoTime, by: Duration) -> MonoTime {
    MonoTime::from_nanos(stamp.as_nanos().saturating_sub(by.as_nanos() as u64))
}

impl Order {
    /// Takes a packet, and appends what can be decoded now.
    pub(super) fn handle(&mut self, packet: SoundPacket, steps: &mut Vec<Step>) {
        self.counts.packets += 1;
        let Some(next) = self.next else { return self.decode(packet, steps) };
        match ahead(&packet, next) {
            0 => self.decode(packet, steps),
            1 if !packet.previous.is_empty() => self.decode(packet, steps),
            ..0 => {
                self.counts.late += 1;
                return;
            }
            _ => self.hold(packet),
        }
        self.release(steps);
    }

    fn hold(&mut self, packet: SoundPacket) {
        let place = self
            .held
            .partition_point(|p| packet.sequence.wrapping_sub(p.sequence).cast_signed() > 0);
        if self.held.get(place).is_some_and(|p| p.sequence == packet.sequence) {
            self.counts.late += 1;
        } else {
            self.held.insert(place, packet);
        }
    }

    /// Decodes what was held for as long as it follows, or has waited enough.
    fn release(&mut self, steps: &mut Vec<Step>) {
        while let (Some(next), Some(first)) = (self.next, self.held.first()) {
            let reach = i32::from(!first.previous.is_empty());
            let lead = ahead(first, next);
            if lead > reach && self.held.len() < HELD {
                return;
            }
            let packet = self.held.remove(0);
            if lead < 0 {
                self.counts.late += 1;
            } else {
                self.decode(packet, steps);
            }
        }
    }

    /// Decodes a packet, and before it what is missing in front of it.
    fn decode(&mut self, packet: SoundPacket, steps: &mut Vec<Step>) {
        let length = duration(packet.samples);
        if let Some(next) = self.next {
            let mut missing = u64::try_from(ahead(&packet, next)).unwrap_or(0);
            let found = missing > 0 && !packet.previous.is_empty();
            missing -= u64::from(found);
            self.counts.lost += missing;
            self.counts.recovered += u64::from(found);
            let end = if found { before(packet.captured, length) } else { packet.captured };
            let mut stamp = next.stamp;
            // Between what was lost there may have been silence, which is not made up for.
            for _ in 0..missing.min(CONCEALED as u64) {
                if stamp.after(length) > end.after(FOLLOWS) {
                    break;
                }
                steps.push(Step::Conceal(stamp, packet.samples));
                stamp = stamp.after(length);
            }
            if found {
                steps.push(Step::Decode(end, packet.samples, packet.previous));
            }
        }
        self.next = Some(Next {
            sequence: packet.sequence.wrapping_add(1),
            stamp: packet.captured.after(length),
        });
        steps.push(Step::Decode(packet.captured, packet.samples, packet.opus));
    }
}

/// How many packets are missing in front of `packet`; negative: it is behind.
fn ahead(packet: &SoundPacket, next: Next) -> i32 {
    packet.sequence.wrapping_sub(next.sequence).cast_signed()
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
