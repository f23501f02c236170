//! The control messages.

use bytes::{BufMut, BytesMut};
use stratus_frame::input::Rumble;
use stratus_frame::{Codec, FrameId, MonoTime, Size};

use crate::clipboard::ClipboardPart;
use crate::cursor::{CursorPart, SentCursor};
pub use crate::hello::{ClientId, Hello, MachineTag, Role, Welcome};
use crate::input::{decode_rumble, put_rumble};
pub use crate::reason::{EndCode, EndReason, Refusal, RefusalCode};
use crate::reason::{put_reason, reason};
use crate::wire::{FRAMING_LEN, Fields, Framer, MAX_MESSAGE, MAX_SIDE, WireError, put_framed};

/// Type numbers of the control stream; docs/protocol.md lists those of others.
mod kind {
    pub(super) const HELLO: u16 = 0x01;
    pub(super) const WELCOME: u16 = 0x02;
    pub(super) const REFUSED: u16 = 0x03;
    pub(super) const KEYFRAME_REQUEST: u16 = 0x04;
    pub(super) const CLIENT_STATS: u16 = 0x05;
    pub(super) const PING: u16 = 0x06;
    pub(super) const PONG: u16 = 0x07;
    pub(super) const END: u16 = 0x08;
    pub(super) const RESIZE: u16 = 0x09;
    pub(super) const RUMBLE: u16 = 0x1a;
    pub(super) const CLIPBOARD: u16 = 0x1b;
    pub(super) const CURSOR_IMAGE: u16 = 0x20;
    pub(super) const CURSOR: u16 = 0x21;
}

/// What a client counted since it joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientStats {
    /// Frames that arrived whole.
    pub received: u64,
    /// Frames decoded.
    pub decoded: u64,
    /// Frames that arrived but could not be decoded or came too late.
    pub dropped: u64,
    /// Bytes of access units received.
    pub bytes: u64,
    /// The newest decoded frame; 0 if none.
    pub newest: FrameId,
    /// Shortest round trip on the control stream, µs.
    pub rtt_us: u32,
    /// Frames that arrived and are not decoded yet.
    pub waiting: u32,
}

/// The screen that a player wants the game to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resize {
    /// Width and height in pixels.
    pub size: Size,
    /// Refresh rate, frames in 1000 s (60 Hz is 60,000); 0 leaves it as it is.
    pub millifps: u32,
}

/// A message on the control stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Client: let me in.
    Hello(Hello),
    /// Server: you are in.
    Welcome(Welcome),
    /// Either: go away, and why. Closes the connection.
    Refused(Refusal),
    /// Client: the next frame must be a keyframe.
    KeyframeRequest {
        /// The newest frame that it decoded; 0 if none.
        newest: FrameId,
    },
    /// Client: what it counted.
    ClientStats(ClientStats),
    /// Client: a clock reading that the server sends back.
    Ping {
        /// The client's clock when it sent this.
        sent: MonoTime,
    },
    /// Server: the answer to a ping.
    Pong {
        /// The stamp of the ping.
        ping: MonoTime,
        /// The server's clock when the ping came.
        received: MonoTime,
        /// The server's clock when it wrote this.
        sent: MonoTime,
    },
    /// Server: the session is over.
    End(EndReason),
    /// Client: give the game another screen.
    Resize(Resize),
    /// Server: a part of an image of the cursor.
    CursorImage(CursorPart),
    /// Server: what the cursor is from now on.
    Cursor(SentCursor),
    /// Server: a gamepad's motors are to do this.
    Rumble(Rumble),
    /// Either: a part of the text of the clipboard.
    Clipboard(ClipboardPart),
}

pub(crate) const fn codec_to_wire(codec: Codec) -> u8 {
    match codec {
        Codec::H264 => 1,
    }
}

pub(crate) fn codec(fields: &mut Fields<'_>) -> Result<Codec, WireError> {
    match fields.u8("codec")? {
        1 => Ok(Codec::H264),
        n => Err(fields.bad("codec", n.into())),
    }
}

pub(crate) fn size(fields: &mut Fields<'_>) -> Result<Size, WireError> {
    let mut side = |name| match fields.u32(name)? {
        n @ 1..=MAX_SIDE => Ok(n),
        n => Err(fields.bad(name, n.into())),
    };
    Ok(Size::new(side("width")?, side("height")?))
}

pub(crate) fn time(fields: &mut Fields<'_>, name: &'static str) -> Result<MonoTime, WireError> {
    fields.u64(name).map(MonoTime::from_nanos)
}

impl Message {
    /// Its name in docs/protocol.md, for logs: contents may be secret.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Welcome(_) => "welcome",
            Self::Refused(_) => "refused",
            Self::KeyframeRequest { .. } => "keyframe request",
            Self::ClientStats(_) => "client stats",
            Self::Ping { .. } => "ping",
            Self::Pong { .. } => "pong",
            Self::End(_) => "end",
            Self::Resize(_) => "resize",
            Self::CursorImage(_) => "cursor image",
            Self::Cursor(_) => "cursor",
            Self::Rumble(_) => "rumble",
            Self::Clipboard(_) => "clipboard",
        }
    }

    const fn kind(&self) -> u16 {
        match self {
            Self::Hello(_) => kind::HELLO,
            Self::Welcome(_) => kind::WELCOME,
            Self::Refused(_) => kind::REFUSED,
            Self::KeyframeRequest { .. } => kind::KEYFRAME_REQUEST,
            Self::ClientStats(_) => kind::CLIENT_STATS,
            Self::Ping { .. } => kind::PING,
            Self::Pong { .. } => kind::PONG,
            Self::End(_) => kind::END,
            Self::Resize(_) => kind::RESIZE,
            Self::CursorImage(_) => kind::CURSOR_IMAGE,
            Self::Cursor(_) => kind::CURSOR,
            Self::Rumble(_) => kind::RUMBLE,
            Self::Clipboard(_) => kind::CLIPBOARD,
        }
    }

    /// Appends the framed message.
    pub fn encode(&self, out: &mut BytesMut) {
        out.reserve(FRAMING_LEN + 128);
        put_framed(out, self.kind(), |out| self.put_payload(out));
    }

    fn put_payload(&self, out: &mut BytesMut) {
        match self {
            Self::Hello(m) => m.put(out),
            Self::Welcome(m) => m.put(out),
            Self::Refused(m) => put_reason(out, m.code.to_wire(), &m.text),
            Self::KeyframeRequest { newest } => out.put_u64(newest.0),
            Self::ClientStats(m) => {
                for n in [m.received, m.decoded, m.dropped, m.bytes, m.newest.0] {
                    out.put_u64(n);
                }
                out.put_u32(m.rtt_us);
                out.put_u32(m.waiting);
            }
            Self::Ping { sent } => out.put_u64(sent.as_nanos()),
            Self::Pong { ping, received, sent } => {
                for t in [ping, received, sent] {
                    out.put_u64(t.as_nanos());
                }
            }
            Self::End(m) => put_reason(out, m.code.to_wire(), &m.text),
            Self::CursorImage(m) => m.put(out),
            Self::Cursor(m) => m.put(out),
            Self::Rumble(m) => put_rumble(out, m),
            Self::Clipboard(m) => m.put(out),
            Self::Resize(m) => {
                for n in [m.size.width, m.size.height, m.millifps] {
                    out.put_u32(n);
                }
            }
        }
    }

    /// Reads one payload of type `kind`; `None` for a type that this version does not know.
    ///
    /// # Errors
    /// [`WireError`] for a payload that breaks the rules of docs/protocol.md.
    pub fn decode(kind: u16, payload: &[u8]) -> Result<Option<Self>, WireError> {
        Ok(Some(match kind {
            kind::HELLO => Self::Hello(Hello::decode(payload)?),
            kind::WELCOME => Self::Welcome(Welcome::decode(payload)?),
            kind::REFUSED => {
                let (code, text) = reason(&mut Fields::new("refused", payload))?;
                Self::Refused(Refusal { code: RefusalCode::from_wire(code), text })
            }
            kind::KEYFRAME_REQUEST => {
                let newest = Fields::new("keyframe request", payload).u64("newest")?;
                Self::KeyframeRequest { newest: FrameId(newest) }
            }
            kind::CLIENT_STATS => Self::ClientStats(decode_stats(payload)?),
            kind::PING => Self::Ping { sent: time(&mut Fields::new("ping", payload), "sent")? },
            kind::PONG => {
                let f = &mut Fields::new("pong", payload);
                Self::Pong {
                    ping: time(f, "ping")?,
                    received: time(f, "received")?,
                    sent: time(f, "sent")?,
                }
            }
            kind::END => {
                let (code, text) = reason(&mut Fields::new("end", payload))?;
                Self::End(EndReason { code: EndCode::from_wire(code), text })
            }
            kind::RESIZE => {
                let f = &mut Fields::new("resize", payload);
                Self::Resize(Resize { size: size(f)?, millifps: f.u32("frame rate")? })
            }
            kind::CURSOR_IMAGE => Self::CursorImage(CursorPart::decode(payload)?),
            kind::CURSOR => Self::Cursor(SentCursor::decode(payload)?),
            kind::RUMBLE => Self::Rumble(decode_rumble(payload)?),
            kind::CLIPBOARD => Self::Clipboard(ClipboardPart::decode(payload)?),
            _ => return Ok(None),
        }))
    }
}

fn decode_stats(payload: &[u8]) -> Result<ClientStats, WireError> {
    let f = &mut Fields::new("client stats", payload);
    Ok(ClientStats {
        received: f.u64("received")?,
        decoded: f.u64("decoded")?,
        dropped: f.u64("dropped")?,
        bytes: f.u64("bytes")?,
        newest: FrameId(f.u64("newest")?),
        rtt_us: f.u32("round trip")?,
        waiting: f.u32("waiting")?,
    })
}

/// Cuts a control stream into messages: feed with [`Messages::handle_bytes`], then call
/// [`Messages::poll`] until it yields nothing.
#[derive(Debug)]
pub struct Messages(Framer);

impl Default for Messages {
    fn default() -> Self {
        Self(Framer::new(MAX_MESSAGE))
    }
}

impl Messages {
    /// Appends what the stream brought.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        self.0.handle_bytes(bytes);
    }

    /// The next message of a known type.
    ///
    /// # Errors
    /// [`WireError`]; the stream cannot be read on after that.
    pub fn poll(&mut self) -> Result<Option<Message>, WireError> {
        while let Some((kind, payload)) = self.0.poll()? {
            if let Some(message) = Message::decode(kind, &payload)? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Whether the stream may end here.
    #[must_use]
    pub fn is_between_messages(&self) -> bool {
        self.0.is_between_messages()
    }
}
