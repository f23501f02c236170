//! The sound of games, from their PulseAudio clients to a player's ear.
//!
//! On the server's side a thread of its own is the session's sound device:
//!
//! - [`SoundServer`]: a socket that speaks PulseAudio's native protocol, and the clock of a sound
//!   device that consumes 48,000 samples a second whether or not anybody listens;
//! - `pulse`: the protocol without a socket, a clock or a thread;
//! - `sample`, `remix`, `rate`, `mix`, `encode`: from the clients' bytes to Opus packets.
//!
//! While no stream plays, the thread sleeps.
//!
//! On the player's side:
//!
//! - [`receiver`]: packets in, and what a sound card's callback asks for samples;
//! - [`Speaker`]: a card of this machine that does; [`SoundDecoder`] and [`WaveFile`]: for
//!   those who have none.

mod encode;
mod mix;
mod pulse;
mod rate;
mod receive;
mod remix;
mod sample;
mod server;
mod speaker;
mod wave;

use stratus_frame::sound::{SOUND_CHANNELS, SoundPacket};
use thiserror::Error;

pub use receive::{Playout, Receiver, SoundDecoder, SoundReceived, SoundStats, receiver};
pub use server::{SoundCounts, SoundServer};
pub use speaker::Speaker;
pub use wave::WaveFile;

/// Frames that are mixed at once: 5 ms.
const TICK_FRAMES: usize = 240;
/// How long they sound, ns.
const TICK_NANOS: u64 = 5_000_000;

/// Stereo samples of one tick, interleaved.
type Tick = [f32; TICK_FRAMES * SOUND_CHANNELS];

/// Where packets go. It is called from the sound's thread and must not block.
pub trait SoundSink: Send {
    /// Whether anybody would hear: if not, nothing is encoded.
    fn is_heard(&self) -> bool;
    /// Takes a packet.
    fn deliver(&mut self, packet: SoundPacket);
}

/// Why there is no sound.
#[derive(Debug, Error)]
pub enum SoundError {
    /// The socket cannot be made; the path and the kernel's reason.
    #[error("cannot listen at {path}")]
    Listen {
        /// Where it would have been.
        path: std::path::PathBuf,
        /// What the kernel says.
        #[source]
        source: std::io::Error,
    },
    /// The thread cannot be started or woken.
    #[error("cannot run the sound's thread")]
    Thread(#[source] std::io::Error),
    /// The codec cannot be had.
    #[error("cannot set up Opus")]
    Opus(#[from] opus::Error),
    /// The rate of the sound card cannot be converted to.
    #[error("cannot convert to the sound card's rate")]
    Rate(#[from] rubato::ResamplerConstructionError),
    /// This machine has no sound card, or none that may be used.
    #[error("there is no sound card")]
    NoDevice,
    /// The sound card cannot be used now.
    #[error("the sound card cannot be used")]
    Device(#[from] cpal::Error),
}
