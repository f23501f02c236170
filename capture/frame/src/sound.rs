//! A piece of the game's sound after the encoder.

use bytes::Bytes;

use crate::MonoTime;

/// Samples a second and channel of all sound that is streamed.
pub const SOUND_RATE: u32 = 48_000;
/// Channels of all sound that is streamed: left, right.
pub const SOUND_CHANNELS: usize = 2;

/// One Opus packet (RFC 6716) of stereo at [`SOUND_RATE`], and what a player must know about it.
///
/// Packets are numbered without gaps. In silence none are made: then the next packet's number
/// follows the last one's, and its stamp does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundPacket {
    /// Its number, from 0; starts again at 0 after the largest.
    pub sequence: u32,
    /// When its first sample was due at the session's sound device, on the clock that frames are
    /// stamped with.
    pub captured: MonoTime,
    /// Samples a channel: 120, 240, 480 or 960.
    pub samples: u16,
    /// The packet, 1 to 1275 bytes.
    pub opus: Bytes,
    /// The packet of the number before, for players that miss it; empty if there is none, or if
    /// silence lies between.
    pub previous: Bytes,
}
