//! Framing, limits, and reading that checks before it believes.
//!
//! Everything on a stream is framed as type (u16), payload length (u32), payload; all numbers are
//! big-endian. A receiver skips unknown types and ignores bytes behind the fields it knows, so a
//! newer peer can add both; a payload shorter than its known fields is malformed.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;

/// Bytes of a frame: type and payload length.
pub const FRAMING_LEN: usize = 6;
/// The longest payload of a control message, bytes.
pub const MAX_MESSAGE: usize = 64 * 1024;
/// The longest header in front of a video frame, bytes; today's takes 94.
pub const MAX_HEADER: usize = 1024;
/// The longest access unit, bytes: above a raw 4K picture in 4:2:0.
pub const MAX_ACCESS_UNIT: usize = 16 * 1024 * 1024;
/// The longest text of a refusal or an end, bytes of UTF-8.
pub const MAX_TEXT: usize = 1024;
/// The longest name of a client, bytes of UTF-8.
pub const MAX_NAME: usize = 64;
/// The largest width and height, pixels.
pub const MAX_SIDE: u32 = 16_384;

/// What is wrong with bytes that a peer sent: always the peer's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WireError {
    /// More was announced than the limit allows.
    #[error("{what} of {length} bytes is above the limit of {limit}")]
    TooLong {
        /// What was announced.
        what: &'static str,
        /// How long it would be.
        length: u64,
        /// How long it may be.
        limit: u64,
    },
    /// The payload ended before the field did.
    #[error("{message} ends inside {field}")]
    Short {
        /// The message.
        message: &'static str,
        /// The field that is cut off or missing.
        field: &'static str,
    },
    /// A field has a value that the protocol does not allow.
    #[error("{field} of {message} is {value}, which is not allowed")]
    Value {
        /// The message.
        message: &'static str,
        /// The field.
        field: &'static str,
        /// What it says.
        value: u64,
    },
    /// A text is not UTF-8.
    #[error("{field} of {message} is not UTF-8")]
    Text {
        /// The message.
        message: &'static str,
        /// The field.
        field: &'static str,
    },
}

/// Reads the fields of one payload in order.
pub(crate) struct Fields<'a> {
    message: &'static str,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'static str, payload: &'a [u8]) -> Self {
        Self { message, rest: payload }
    }

    pub(crate) fn bytes(&mut self, field: &'static str, n: usize) -> Result<&'a [u8], WireError> {
        let (head, rest) = self
            .rest
            .split_at_checked(n)
            .ok_or(WireError::Short { message: self.message, field })?;
        self.rest = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], WireError> {
        let (head, rest) = self
            .rest
            .split_first_chunk()
            .ok_or(WireError::Short { message: self.message, field })?;
        self.rest = rest;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, WireError> {
        self.array(field).map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, WireError> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        self.array(field).map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, WireError> {
        self.array(field).map(u64::from_be_bytes)
    }

    /// A text of `n` bytes, at most `limit`.
    pub(crate) fn text(
        &mut self,
        field: &'static str,
        n: usize,
        limit: usize,
    ) -> Result<String, WireError> {
        if n > limit {
            return Err(WireError::TooLong { what: field, length: n as u64, limit: limit as u64 });
        }
        let bytes = self.bytes(field, n)?;
        let text = std::str::from_utf8(bytes)
            .map_err(|_| WireError::Text { message: self.message, field })?;
        Ok(text.to_owned())
    }

    /// Whether nothing follows: an older peer's message ends here.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn bad(&self, field: &'static str, value: u64) -> WireError {
        WireError::Value { message: self.message, field, value }
    }
}

/// Appends one framed payload that `write` makes.
pub(crate) fn put_framed(out: &mut BytesMut, kind: u16, write: impl FnOnce(&mut BytesMut)) {
    out.put_u16(kind);
    let length_at = out.len();
    out.put_u32(0);
    let start = out.len();
    write(out);
    // Every payload is far below 4 GiB: texts are cut to their limits before they get here.
    let length = (out.len() - start) as u32;
    out[length_at..start].copy_from_slice(&length.to_be_bytes());
}

/// The longest prefix of `text` that has at most `limit` bytes and ends between characters.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Cuts a stream of bytes into framed payloads.
///
/// Feed with [`Framer::handle_bytes`], then call [`Framer::poll`] until it yields nothing.
/// It holds at most one payload of the limit, plus what one `handle_bytes` brought.
#[derive(Debug)]
pub struct Framer {
    buffer: BytesMut,
    limit: usize,
}

impl Framer {
    /// A framer for payloads of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { buffer: BytesMut::new(), limit }
    }

    /// Appends what the stream brought.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole payload with its type.
    ///
    /// # Errors
    /// [`WireError::TooLong`] as soon as the length is known, before any of the payload is
    /// gathered. The stream cannot be read on after that.
    pub fn poll(&mut self) -> Result<Option<(u16, Bytes)>, WireError> {
        let Some(head) = self.buffer.first_chunk::<FRAMING_LEN>() else {
            return Ok(None);
        };
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = u32::from_be_bytes([head[2], head[3], head[4], head[5]]);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.limit {
            return Err(WireError::TooLong {
                what: "a message",
                length: length as u64,
                limit: self.limit as u64,
            });
        }
        if self.buffer.len() - FRAMING_LEN < length {
            return Ok(None);
        }
        self.buffer.advance(FRAMING_LEN);
        Ok(Some((kind, self.buffer.split_to(length).freeze())))
    }

    /// Whether the stream may end here: not inside a message.
    #[must_use]
    pub fn is_between_messages(&self) -> bool {
        self.buffer.is_empty()
    }

    /// What has arrived behind the last payload, for streams that carry raw bytes after it.
    #[must_use]
    pub fn into_rest(self) -> BytesMut {
        self.buffer
    }
}
