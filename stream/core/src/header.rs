//! The header in front of every access unit.

use bytes::{BufMut, BytesMut};
use stratus_frame::{Codec, EncodedFrame, FrameId, MonoTime, Size, Stamps};

use crate::message::{codec, codec_to_wire, size, time};
use crate::wire::{FRAMING_LEN, Fields, MAX_ACCESS_UNIT, WireError, put_framed};

/// The type with which a video stream begins.
pub const VIDEO_FRAME: u16 = 0x40;
/// Bytes of the header's payload in this version.
pub const HEADER_LEN: usize = 94;

const KEYFRAME: u8 = 1 << 0;
const TORN: u8 = 1 << 1;

/// What a player must know about an access unit before its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Counts the frames sent to this viewer from 0 without gaps.
    pub sequence: u64,
    /// The access unit's number in the session, from 1, in the order of encoding. A viewer that
    /// joined late or had to skip some sees gaps.
    pub id: FrameId,
    /// The frame that must be decoded before this one; `None` for a keyframe.
    pub depends_on: Option<FrameId>,
    /// The newest input that the picture may show; 0 while there is none.
    pub newest_input: u64,
    /// When it passed which stage on the server.
    pub stamps: Stamps,
    /// When the server gave it to the transport.
    pub sent: MonoTime,
    /// Visible picture size.
    pub size: Size,
    /// How the access unit is coded.
    pub codec: Codec,
    /// Whether the game may have drawn over the picture while it was read.
    pub torn: bool,
    /// Bytes of the access unit.
    pub payload_len: u32,
}

impl FrameHeader {
    /// The header for `frame` as number `sequence` of a viewer, given to the transport at `sent`.
    ///
    /// # Errors
    /// [`WireError::TooLong`] for an access unit above [`MAX_ACCESS_UNIT`].
    pub fn of(frame: &EncodedFrame, sequence: u64, sent: MonoTime) -> Result<Self, WireError> {
        Ok(Self {
            sequence,
            id: frame.id,
            depends_on: frame.depends_on,
            newest_input: frame.newest_input,
            stamps: frame.stamps,
            sent,
            size: frame.size,
            codec: frame.codec,
            torn: frame.torn,
            payload_len: checked_len(frame.data.len())?,
        })
    }

    /// Whether decoding can start here.
    #[must_use]
    pub const fn is_keyframe(&self) -> bool {
        self.depends_on.is_none()
    }

    /// Appends the framed header.
    pub fn encode(&self, out: &mut BytesMut) {
        out.reserve(FRAMING_LEN + HEADER_LEN);
        put_framed(out, VIDEO_FRAME, |out| {
            let s = &self.stamps;
            out.put_u64(self.sequence);
            out.put_u64(self.id.0);
            out.put_u64(self.depends_on.map_or(0, |id| id.0));
            out.put_u64(self.newest_input);
            for t in [s.read, s.handed, s.convert_start, s.convert_end, s.encoded, self.sent] {
                out.put_u64(t.as_nanos());
            }
            out.put_u32(self.size.width);
            out.put_u32(self.size.height);
            out.put_u8(codec_to_wire(self.codec));
            let keyframe = if self.is_keyframe() { KEYFRAME } else { 0 };
            out.put_u8(keyframe | if self.torn { TORN } else { 0 });
            out.put_u32(self.payload_len);
        });
    }

    /// Reads the payload of a header.
    ///
    /// # Errors
    /// [`WireError`] for a header that breaks the rules of docs/protocol.md.
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let f = &mut Fields::new("frame header", payload);
        let sequence = f.u64("sequence")?;
        let id = f.u64("id")?;
        let depends_on = f.u64("depends on")?;
        if id == 0 {
            return Err(f.bad("id", id));
        }
        if depends_on >= id {
            return Err(f.bad("depends on", depends_on));
        }
        let newest_input = f.u64("newest input")?;
        let stamps = Stamps {
            read: time(f, "read")?,
            handed: time(f, "handed")?,
            convert_start: time(f, "conversion start")?,
            convert_end: time(f, "conversion end")?,
            encoded: time(f, "encoded")?,
        };
        let sent = time(f, "sent")?;
        let size = size(f)?;
        let codec = codec(f)?;
        let flags = f.u8("flags")?;
        if (flags & KEYFRAME != 0) != (depends_on == 0) {
            return Err(f.bad("flags", flags.into()));
        }
        let payload_len = checked_len(f.u32("payload length")? as usize)?;
        Ok(Self {
            sequence,
            id: FrameId(id),
            depends_on: (depends_on != 0).then_some(FrameId(depends_on)),
            newest_input,
            stamps,
            sent,
            size,
            codec,
            torn: flags & TORN != 0,
            payload_len,
        })
    }
}

fn checked_len(n: usize) -> Result<u32, WireError> {
    let too_long = WireError::TooLong {
        what: "an access unit",
        length: n as u64,
        limit: MAX_ACCESS_UNIT as u64,
    };
    match u32::try_from(n) {
        Ok(len) if n <= MAX_ACCESS_UNIT => Ok(len),
        _ => Err(too_long),
    }
}
