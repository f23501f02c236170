//! Packets in, samples out, in order and with what was lost made up.

use opus::{Channels, Decoder};
use stratus_frame::MonoTime;
use stratus_frame::sound::{SOUND_RATE, SoundPacket};

use super::order::{Order, SoundReceived, Step};
use crate::SoundError;

/// Samples of the longest packet, both channels.
pub(super) const BLOCK: usize = 1920;

/// A piece of sound.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The stamp of its first sample.
    pub(super) stamp: MonoTime,
    /// How many of `samples` there are, of each channel.
    pub(super) frames: usize,
    /// Interleaved.
    pub(super) samples: [f32; BLOCK],
}

impl Default for Block {
    fn default() -> Self {
        Self { stamp: MonoTime::UNSET, frames: 0, samples: [0.0; BLOCK] }
    }
}

/// Turns the packets of a stream into sound.
#[derive(Debug)]
pub struct SoundDecoder {
    order: Order,
    decoder: Decoder,
    steps: Vec<Step>,
    block: Block,
}

impl SoundDecoder {
    /// A decoder for one stream.
    ///
    /// # Errors
    /// [`SoundError::Opus`] if there is no codec.
    pub fn new() -> Result<Self, SoundError> {
        Ok(Self {
            order: Order::default(),
            decoder: Decoder::new(SOUND_RATE, Channels::Stereo)?,
            steps: Vec::new(),
            block: Block::default(),
        })
    }

    /// What became of the packets so far.
    #[must_use]
    pub fn counts(&self) -> SoundReceived {
        self.order.counts
    }

    /// Takes a packet; `sound` is given all that can be played now: the stamp of the first sample,
    /// and samples, interleaved. Sound that does not begin where the last ended follows a silence.
    pub fn handle(&mut self, packet: SoundPacket, mut sound: impl FnMut(MonoTime, &[f32])) {
        self.blocks(packet, |block| sound(block.stamp, &block.samples[..block.frames * 2]));
    }

    pub(super) fn blocks(&mut self, packet: SoundPacket, mut sound: impl FnMut(&Block)) {
        let mut steps = std::mem::take(&mut self.steps);
        self.order.handle(packet, &mut steps);
        for step in steps.drain(..) {
            let (stamp, samples, opus) = match &step {
                Step::Decode(stamp, samples, opus) => (*stamp, *samples, &opus[..]),
                // Without bytes the decoder goes on as it thinks fit.
                Step::Conceal(stamp, samples) => (*stamp, *samples, &[][..]),
            };
            let room = &mut self.block.samples[..usize::from(samples) * 2];
            let frames = match self.decoder.decode_float(opus, room, false) {
                Ok(frames) => frames,
                Err(e) => {
                    tracing::debug!("a packet of sound cannot be decoded: {e}");
                    room.fill(0.0);
                    usize::from(samples)
                }
            };
            self.block.frames = frames;
            self.block.stamp = stamp;
            sound(&self.block);
        }
        self.steps = steps;
    }
}
