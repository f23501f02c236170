//! Ticks in, Opus packets out, and nothing in silence.

use bytes::Bytes;
use opus::{Application, Bitrate, Channels, Encoder};
use stratus_frame::MonoTime;
use stratus_frame::sound::{SOUND_RATE, SoundPacket};

use crate::{SoundError, TICK_FRAMES, Tick};

/// Of all sound, bit/s. Opus is transparent to most listeners at that, also with frames of 5 ms.
const BITRATE: i32 = 128_000;
/// Ticks of silence that are still sent: they carry what the codec has yet to give out.
const TAIL: u32 = 4;
/// What is taken for silence: half of the least step of 16 bits, and 24 dB below that.
const QUIET: f32 = 1.0 / 1_048_576.0;
/// The longest packet. With the one before it and the header it fits into any datagram.
const MAX_PACKET: usize = 480;

/// Makes the session's packets.
pub(crate) struct Packets {
    encoder: Encoder,
    sequence: u32,
    /// The packet before, if its end is where the next one begins.
    previous: Bytes,
    /// Ticks of silence since something sounded.
    silent: u32,
}

impl Packets {
    pub(crate) fn new() -> Result<Self, SoundError> {
        let mut encoder = Encoder::new(SOUND_RATE, Channels::Stereo, Application::LowDelay)?;
        encoder.set_bitrate(Bitrate::Bits(BITRATE))?;
        // Each packet depends less on those before it, for players that miss some.
        encoder.set_packet_loss_perc(5)?;
        Ok(Self { encoder, sequence: 0, previous: Bytes::new(), silent: TAIL })
    }

    /// Whether silence is still to be encoded.
    pub(crate) fn has_tail(&self) -> bool {
        self.silent < TAIL
    }

    /// The packet of a tick that was due at `captured`; none in silence.
    pub(crate) fn encode(&mut self, tick: &Tick, captured: MonoTime) -> Option<SoundPacket> {
        if tick.iter().any(|x| x.abs() > QUIET) {
            self.silent = 0;
        } else if self.silent >= TAIL {
            self.skip();
            return None;
        } else {
            self.silent += 1;
        }
        let mut packet = [0; MAX_PACKET];
        let opus = match self.encoder.encode_float(tick, &mut packet) {
            Ok(length) => Bytes::copy_from_slice(&packet[..length]),
            Err(e) => {
                tracing::error!("Opus does not encode: {e}");
                self.skip();
                return None;
            }
        };
        let previous = std::mem::replace(&mut self.previous, opus.clone());
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        Some(SoundPacket { sequence, captured, samples: TICK_FRAMES as u16, opus, previous })
    }

    /// A tick is not encoded: the next packet does not follow the last one.
    pub(crate) fn skip(&mut self) {
        self.previous = Bytes::new();
    }

    /// Nobody listens: there is no tail to be sent.
    pub(crate) fn forget(&mut self) {
        self.skip();
        self.silent = TAIL;
    }
}
