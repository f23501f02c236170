//! Packets of PulseAudio's native protocol, cut out of a stream of bytes.
//!
//! A packet is a header of five numbers and a payload: a command (a *tagstruct*), or a block of
//! samples for one stream. Blocks are handed on in pieces, as they come, so nothing of a block is
//! kept here; a command is gathered first, and then looked over, because what reads it afterwards
//! believes the lengths that stand in it.

use thiserror::Error;

/// Bytes of a header.
const HEADER: usize = 20;
/// The longest command, bytes. The longest that libpulse sends are lists of properties.
const MAX_COMMAND: usize = 128 * 1024;
/// The longest block of samples, bytes (`FRAME_SIZE_MAX_ALLOW` of PulseAudio).
const MAX_BLOCK: u32 = 16 * 1024 * 1024;
/// The channel that commands are sent on.
const COMMANDS: u32 = u32::MAX;

/// In a header's flags: the payload lies in shared memory, which was not agreed on.
const SHARED: u32 = 0x8000_0000;
/// With it or without: a word about shared memory, without a payload.
const SHARED_RELEASE: u32 = 0x4000_0000;
const SEEK_MASK: u32 = 0xff;

/// Where a block of samples goes in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seek {
    /// So far behind the end of the block before.
    Relative(i64),
    /// At this byte of the stream.
    Absolute(i64),
    /// So far behind what is read next.
    RelativeOnRead(i64),
}

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    /// A command; its bytes are a well-formed tagstruct.
    Command(&'a [u8]),
    /// A piece of a block. Only the first has a place other than behind the one before.
    Samples { channel: u32, seek: Seek, bytes: &'a [u8] },
}

/// Bytes that no honest client sends. The connection cannot be read on.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum Malformed {
    #[error("a packet of {0} bytes is above the limit")]
    TooLong(u32),
    #[error("a packet has the flags {0:#x}, which were not agreed on")]
    Flags(u32),
    #[error("a command is cut off, or has a part of no known type")]
    Command,
}

/// Cuts bytes into packets: [`Splitter::next`] takes from the front of what came.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    header: Vec<u8>,
    command: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Header,
    Command(usize),
    Block {
        channel: u32,
        seek: Seek,
        left: usize,
    },
}

impl Splitter {
    /// The next packet that begins or goes on in `bytes`, which then begin behind it; nothing
    /// once they are used up.
    pub(crate) fn next<'a, 'b: 'a>(
        &'a mut self,
        bytes: &mut &'b [u8],
    ) -> Result<Option<Packet<'a>>, Malformed> {
        while matches!(self.state, State::Header) {
            take(bytes, &mut self.header, HEADER);
            let Some(header) = self.header.first_chunk::<HEADER>() else { return Ok(None) };
            self.state = begin(header)?;
            self.header.clear();
            self.command.clear();
        }
        match &mut self.state {
            State::Header => Ok(None),
            State::Command(length) => {
                take(bytes, &mut self.command, *length);
                if self.command.len() < *length {
                    return Ok(None);
                }
                self.state = State::Header;
                check(&self.command)?;
                Ok(Some(Packet::Command(&self.command)))
            }
            State::Block { channel, seek, left } => {
                let (head, rest) = bytes.split_at((*left).min(bytes.len()));
                *bytes = rest;
                *left -= head.len();
                let packet = Packet::Samples { channel: *channel, seek: *seek, bytes: head };
                let none = head.is_empty() && *left > 0;
                *seek = if none { *seek } else { Seek::Relative(0) };
                if *left == 0 {
                    self.state = State::Header;
                }
                Ok((!none).then_some(packet))
            }
        }
    }
}

/// Moves bytes until `to` has `length`.
fn take(from: &mut &[u8], to: &mut Vec<u8>, length: usize) {
    let (head, rest) = from.split_at(length.saturating_sub(to.len()).min(from.len()));
    to.extend_from_slice(head);
    *from = rest;
}

fn begin(header: &[u8; HEADER]) -> Result<State, Malformed> {
    let word =
        |i: usize| u32::from_be_bytes([header[i], header[i + 1], header[i + 2], header[i + 3]]);
    let (length, channel, flags) = (word(0), word(4), word(16));
    let offset = (u64::from(word(8)) << 32 | u64::from(word(12))).cast_signed();
    if flags & SHARED_RELEASE != 0 && length == 0 {
        // A memory block of ours is given back, or one of the client's is. There are none.
        return Ok(State::Header);
    }
    if flags & SHARED != 0 || (channel != COMMANDS && flags & !SEEK_MASK != 0) {
        return Err(Malformed::Flags(flags));
    }
    if channel == COMMANDS {
        let whole = usize::try_from(length).unwrap_or(usize::MAX);
        return if whole <= MAX_COMMAND {
            Ok(State::Command(whole))
        } else {
            Err(Malformed::TooLong(length))
        };
    }
    if length > MAX_BLOCK {
        return Err(Malformed::TooLong(length));
    }
    let seek = match flags & SEEK_MASK {
        0 | 3 => Seek::Relative(offset),
        1 => Seek::Absolute(offset),
        2 => Seek::RelativeOnRead(offset),
        _ => return Err(Malformed::Flags(flags)),
    };
    Ok(State::Block { channel, seek, left: length as usize })
}

/// Walks over a tagstruct: every part has a known type and is whole, and times are times.
fn check(mut bytes: &[u8]) -> Result<(), Malformed> {
    while let Some((tag, rest)) = bytes.split_first() {
        let length = match tag {
            b'1' | b'0' | b'N' => 0,
            b'B' => 1,
            b'L' | b'V' => 4,
            b'a' => 6,
            b'R' | b'r' | b'U' => 8,
            b'T' => {
                let micros = rest.get(4..8).and_then(<[u8]>::first_chunk).copied();
                if micros.is_none_or(|m| u32::from_be_bytes(m) >= 1_000_000) {
                    return Err(Malformed::Command);
                }
                8
            }
            b't' => rest.iter().position(|b| *b == 0).map_or(usize::MAX, |end| end + 1),
            b'x' => match rest.first_chunk::<4>() {
                Some(n) => (u32::from_be_bytes(*n) as usize).saturating_add(4),
                None => usize::MAX,
            },
            b'm' => rest.first().map_or(usize::MAX, |n| 1 + usize::from(*n)),
            b'v' => rest.first().map_or(usize::MAX, |n| 1 + 4 * usize::from(*n)),
            // Format and list of properties: their parts follow.
            b'f' | b'P' => 0,
            _ => return Err(Malformed::Command),
        };
        bytes = rest.get(length..).ok_or(Malformed::Command)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
