//! Sound on its way: one packet a datagram, with the packet before it.
//!
//! A lost datagram is not sent again: by the time the loss is known, the sound would be late. The
//! next datagram brings the lost packet along instead.

use bytes::{BufMut, Bytes, BytesMut};
use stratus_frame::MonoTime;
use stratus_frame::sound::SoundPacket;

use crate::wire::{Fields, WireError};

/// The type with which a datagram of sound begins.
pub const SOUND: u16 = 0x30;
/// The longest Opus packet, bytes: one frame of the largest size (RFC 6716, section 3.4).
pub const MAX_OPUS: usize = 1275;
/// Bytes of a datagram beside its Opus packets.
pub const DATAGRAM_OVERHEAD: usize = 2 + 4 + 8 + 2 + 2 + 2;

/// The lengths that a packet may have, in samples a channel: 2.5 to 20 ms.
const LENGTHS: [u16; 4] = [120, 240, 480, 960];

/// The datagram of `packet`, with the packet before it if both fit into `room` bytes.
///
/// # Errors
/// [`WireError`] for a packet that no datagram may carry, or that does not fit alone.
pub fn encode(packet: &SoundPacket, room: usize) -> Result<Bytes, WireError> {
    let alone = DATAGRAM_OVERHEAD + packet.opus.len();
    let limit = MAX_OPUS.min(room.saturating_sub(DATAGRAM_OVERHEAD));
    let fields = Fields::new("sound", &[]);
    check_samples(&fields, packet.samples)?;
    check_opus(&fields, packet.opus.len())?;
    if packet.opus.len() > limit {
        let (length, limit) = (packet.opus.len() as u64, limit as u64);
        return Err(WireError::TooLong { what: "an Opus packet", length, limit });
    }
    let fits = packet.previous.len() <= MAX_OPUS && alone + packet.previous.len() <= room;
    let previous: &[u8] = if fits { &packet.previous } else { &[] };
    let mut out = BytesMut::with_capacity(alone + previous.len());
    out.put_u16(SOUND);
    out.put_u32(packet.sequence);
    out.put_u64(packet.captured.as_nanos());
    out.put_u16(packet.samples);
    for opus in [&packet.opus[..], previous] {
        out.put_u16(opus.len() as u16);
        out.put_slice(opus);
    }
    Ok(out.freeze())
}

/// Reads a datagram; nothing if it is of another type, which is to be skipped.
///
/// # Errors
/// [`WireError`] for one that breaks the rules of docs/protocol.md.
pub fn decode(datagram: &Bytes) -> Result<Option<SoundPacket>, WireError> {
    let f = &mut Fields::new("sound", datagram);
    if f.u16("type")? != SOUND {
        return Ok(None);
    }
    let sequence = f.u32("sequence")?;
    let captured = MonoTime::from_nanos(f.u64("stamp")?);
    let samples = f.u16("samples")?;
    check_samples(f, samples)?;
    let length = usize::from(f.u16("length")?);
    check_opus(f, length)?;
    let opus = datagram.slice_ref(f.bytes("packet", length)?);
    let length = usize::from(f.u16("previous length")?);
    if length != 0 {
        check_opus(f, length)?;
    }
    let previous = datagram.slice_ref(f.bytes("previous packet", length)?);
    Ok(Some(SoundPacket { sequence, captured, samples, opus, previous }))
}

fn check_samples(fields: &Fields<'_>, samples: u16) -> Result<(), WireError> {
    if LENGTHS.contains(&samples) { Ok(()) } else { Err(fields.bad("samples", samples.into())) }
}

fn check_opus(fields: &Fields<'_>, length: usize) -> Result<(), WireError> {
    if (1..=MAX_OPUS).contains(&length) { Ok(()) } else { Err(fields.bad("length", length as u64)) }
}

#[cfg(test)]
#[path = "sound_tests.rs"]
mod tests;
