//! The receiving side: from packets to the moments at which a sound card wants samples.
//!
//! [`receiver`] makes two ends. The [`Receiver`] is where packets come in: it puts them into
//! order, decodes them and measures how their arrival varies. The [`Playout`] is what a sound
//! card's callback asks: it plays each sample at the time that its stamp and the measurements give
//! it, a little faster or slower where the card's clock is another, and never waits.

mod decode;
mod order;
mod playout;
mod ring;
mod timing;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use stratus_frame::MonoTime;
use stratus_frame::sound::SoundPacket;

use crate::SoundError;
pub use decode::SoundDecoder;
pub use order::SoundReceived;
pub use playout::Playout;
use ring::{NO_PICTURES, Ring};
use timing::{Timing, difference};

/// Where packets come in.
#[derive(Debug)]
pub struct Receiver {
    decoder: SoundDecoder,
    timing: Timing,
    ring: Arc<Ring>,
    newest: Option<MonoTime>,
}

/// What became of the sound so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoundStats {
    /// Of the packets.
    pub received: SoundReceived,
    /// Times that there was nothing to play in the middle of a sound.
    pub starved: u64,
    /// Pieces that were thrown away because nobody played them.
    pub dropped: u64,
    /// What is kept waiting for packets that take longer.
    pub buffer: Duration,
    /// From the stamp of a sample to its playing, ns, with the difference between the clocks of
    /// server and player in it, as for pictures in [`Receiver::note_picture`].
    pub delay: i64,
}

/// A receiver, and the player of what it receives for a sound card of `rate` Hz.
///
/// # Errors
/// [`SoundError`] if the codec or the converter of rates cannot be had.
pub fn receiver(rate: u32) -> Result<(Receiver, Playout), SoundError> {
    let ring = Ring::new();
    let playout = Playout::new(Arc::clone(&ring), rate)?;
    let (decoder, timing) = (SoundDecoder::new()?, Timing::default());
    Ok((Receiver { decoder, timing, ring, newest: None }, playout))
}

impl Receiver {
    /// Takes a packet that arrived at `now`.
    pub fn handle(&mut self, packet: &SoundPacket, now: MonoTime) {
        // One that was overtaken tells nothing about what is played by now.
        if self.newest.is_none_or(|newest| packet.captured >= newest) {
            self.newest = Some(packet.captured);
        }
        self.timing.arrived(packet.captured, now);
        if let Some(base) = self.timing.base() {
            let target = self.timing.target().as_nanos() as i64;
            self.ring.base.store(base, Ordering::Relaxed);
            self.ring.target.store(target, Ordering::Relaxed);
        }
        let ring = &self.ring;
        self.decoder.blocks(packet.clone(), |block| ring.push(block));
    }

    /// A picture whose commit has the stamp `read` was shown at `shown`: sound is delayed to be
    /// with it. Not for pictures that were shown before.
    pub fn note_picture(&self, read: MonoTime, shown: MonoTime) {
        let new = difference(shown, read);
        let old = self.ring.picture.load(Ordering::Relaxed);
        // The mean of the last ones; after a change of clocks it begins anew.
        let near = old != NO_PICTURES && new.abs_diff(old) < 1_000_000_000;
        let mean = if near { old + (new - old) / 16 } else { new };
        self.ring.picture.store(mean, Ordering::Relaxed);
    }

    /// What was counted and measured.
    #[must_use]
    pub fn stats(&self) -> SoundStats {
        SoundStats {
            received: self.decoder.counts(),
            starved: self.ring.starved.load(Ordering::Relaxed),
            dropped: self.ring.dropped.load(Ordering::Relaxed),
            buffer: self.timing.target(),
            delay: self.ring.delay.load(Ordering::Relaxed),
        }
    }
}
