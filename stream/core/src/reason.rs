//! Why a peer is turned away, and why a session ends.

use bytes::{BufMut, BytesMut};

use crate::wire::{Fields, MAX_TEXT, WireError, cut};

/// Why a peer is turned away; the same number closes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalCode {
    /// Versions differ.
    Version,
    /// The token is wrong.
    Token,
    /// Bytes that cannot be read.
    Malformed,
    /// Something above a limit.
    TooLarge,
    /// No hello in time.
    HelloTimeout,
    /// No place is free.
    Busy,
    /// A message or stream that has no place here.
    Unexpected,
    /// The peer does not take what is sent to it.
    Stalled,
    /// The sender's own fault.
    Internal,
    /// The same client connected anew, and this connection's place is taken.
    Replaced,
    /// Only the player may do this.
    NotPlayer,
    /// A number of a newer peer.
    Other(u16),
}

impl RefusalCode {
    /// The number on the wire.
    #[must_use]
    pub const fn to_wire(self) -> u16 {
        match self {
            Self::Version => 1,
            Self::Token => 2,
            Self::Malformed => 3,
            Self::TooLarge => 4,
            Self::HelloTimeout => 5,
            Self::Busy => 6,
            Self::Unexpected => 7,
            Self::Stalled => 8,
            Self::Internal => 9,
            Self::Replaced => 10,
            Self::NotPlayer => 11,
            Self::Other(n) => n,
        }
    }

    /// The meaning of a number on the wire.
    #[must_use]
    pub const fn from_wire(n: u16) -> Self {
        match n {
            1 => Self::Version,
            2 => Self::Token,
            3 => Self::Malformed,
            4 => Self::TooLarge,
            5 => Self::HelloTimeout,
            6 => Self::Busy,
            7 => Self::Unexpected,
            8 => Self::Stalled,
            9 => Self::Internal,
            10 => Self::Replaced,
            11 => Self::NotPlayer,
            n => Self::Other(n),
        }
    }
}

/// Why a peer is turned away, for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub code: RefusalCode,
    /// For people: what was wrong and what to do; cut to [`MAX_TEXT`] bytes.
    pub text: String,
}

impl From<&WireError> for Refusal {
    fn from(error: &WireError) -> Self {
        let code = match error {
            WireError::TooLong { .. } => RefusalCode::TooLarge,
            _ => RefusalCode::Malformed,
        };
        Self { code, text: error.to_string() }
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCode {
    /// The game exited by itself.
    GameExited,
    /// Somebody stopped the session.
    Stopped,
    /// The compositor behind the proxy is gone.
    CompositorLost,
    /// Something in Stratus failed.
    Failed,
    /// A number of a newer peer.
    Other(u16),
}

impl EndCode {
    /// The number on the wire.
    #[must_use]
    pub const fn to_wire(self) -> u16 {
        match self {
            Self::GameExited => 0,
            Self::Stopped => 1,
            Self::CompositorLost => 2,
            Self::Failed => 3,
            Self::Other(n) => n,
        }
    }

    /// The meaning of a number on the wire.
    #[must_use]
    pub const fn from_wire(n: u16) -> Self {
        match n {
            0 => Self::GameExited,
            1 => Self::Stopped,
            2 => Self::CompositorLost,
            3 => Self::Failed,
            n => Self::Other(n),
        }
    }
}

/// Why a session ended, for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndReason {
    /// For programs.
    pub code: EndCode,
    /// For people; cut to [`MAX_TEXT`] bytes.
    pub text: String,
}

pub(crate) fn put_reason(out: &mut BytesMut, code: u16, text: &str) {
    let text = cut(text, MAX_TEXT);
    out.put_u16(code);
    out.put_u16(text.len() as u16);
    out.put_slice(text.as_bytes());
}

pub(crate) fn reason(fields: &mut Fields<'_>) -> Result<(u16, String), WireError> {
    let code = fields.u16("code")?;
    let n = fields.u16("text length")?;
    Ok((code, fields.text("text", n.into(), MAX_TEXT)?))
}
