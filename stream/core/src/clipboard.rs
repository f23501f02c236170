//! The text of a clipboard, in parts between which other messages pass.

use bytes::{BufMut, Bytes, BytesMut};
use stratus_frame::input::MAX_CLIPBOARD;

use crate::message::Message;
use crate::wire::{Fields, WireError, cut};

/// Bytes of a text in one message.
pub const MAX_CLIPBOARD_PART: usize = 16 * 1024;

/// A part of a text. Parts follow each other; a character may lie in two of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipboardPart {
    /// Whether the text ends here.
    pub last: bool,
    /// Its bytes, at most [`MAX_CLIPBOARD_PART`].
    pub bytes: Bytes,
}

impl ClipboardPart {
    pub(crate) fn put(&self, out: &mut BytesMut) {
        let bytes = &self.bytes[..self.bytes.len().min(MAX_CLIPBOARD_PART)];
        out.put_u8(self.last.into());
        out.put_u16(bytes.len() as u16);
        out.put_slice(bytes);
    }

    pub(crate) fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let f = &mut Fields::new("clipboard", payload);
        let last = match f.u8("last")? {
            n @ 0..=1 => n == 1,
            n => return Err(f.bad("last", n.into())),
        };
        let n = usize::from(f.u16("length")?);
        if n > MAX_CLIPBOARD_PART {
            let limit = MAX_CLIPBOARD_PART as u64;
            return Err(WireError::TooLong {
                what: "a part of a clipboard",
                length: n as u64,
                limit,
            });
        }
        Ok(Self { last, bytes: Bytes::copy_from_slice(f.bytes("bytes", n)?) })
    }
}

/// The messages that bring `text` to the other side. What is above [`MAX_CLIPBOARD`] is cut off,
/// between characters.
pub fn parts(text: &str) -> impl Iterator<Item = Message> + use<> {
    let mut rest = Some(Bytes::copy_from_slice(cut(text, MAX_CLIPBOARD).as_bytes()));
    std::iter::from_fn(move || {
        let mut bytes = rest.take()?;
        if bytes.len() > MAX_CLIPBOARD_PART {
            rest = Some(bytes.split_off(MAX_CLIPBOARD_PART));
        }
        Some(Message::Clipboard(ClipboardPart { last: rest.is_none(), bytes }))
    })
}

/// Puts parts together.
#[derive(Debug, Default)]
pub struct ClipboardText(BytesMut);

impl ClipboardText {
    /// Takes in a part. The whole text, if this was its last one.
    ///
    /// # Errors
    /// [`WireError`] for a text above [`MAX_CLIPBOARD`], or one that is not UTF-8. Nothing of it
    /// is kept.
    pub fn handle_part(&mut self, part: &ClipboardPart) -> Result<Option<String>, WireError> {
        let length = self.0.len() + part.bytes.len();
        if length > MAX_CLIPBOARD {
            self.0 = BytesMut::new();
            return Err(WireError::TooLong {
                what: "a clipboard",
                length: length as u64,
                limit: MAX_CLIPBOARD as u64,
            });
        }
        self.0.extend_from_slice(&part.bytes);
        if !part.last {
            return Ok(None);
        }
        let whole = std::mem::take(&mut self.0);
        let text = std::str::from_utf8(&whole)
            .map_err(|_| WireError::Text { message: "clipboard", field: "bytes" })?;
        Ok(Some(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn through(text: &str) -> (usize, String) {
        let mut got = ClipboardText::default();
        for (i, message) in parts(text).enumerate() {
            let Message::Clipboard(part) = message else { panic!("{message:?}") };
            assert!(part.bytes.len() <= 16_384);
            if let Some(text) = got.handle_part(&part).unwrap() {
                return (i + 1, text);
            }
        }
        panic!("no last part");
    }

    #[test]
    fn texts_arrive_whole_whatever_their_length() {
        for (text, count) in [
            (String::new(), 1),
            ("a".repeat(16_384), 1),
            ("a".repeat(16_385), 2),
            // A character of two bytes lies in both parts.
            (format!("a{}", "é".repeat(10_000)), 2),
            ("x".repeat(1 << 20), 64),
        ] {
            assert_eq!(through(&text), (count, text));
        }
    }

    #[test]
    fn what_is_above_the_limit_is_cut_or_refused() {
        let text = format!("{}é", "x".repeat((1 << 20) - 1));
        assert_eq!(through(&text).1.len(), (1 << 20) - 1);
        let mut got = ClipboardText::default();
        let part = ClipboardPart { last: false, bytes: vec![b'x'; 16_384].into() };
        for _ in 0..64 {
            assert_eq!(got.handle_part(&part), Ok(None));
        }
        let more = ClipboardPart { last: true, bytes: Bytes::from_static(b"y") };
        assert!(matches!(got.handle_part(&more), Err(WireError::TooLong { limit: 1_048_576, .. })));
        assert_eq!(got.handle_part(&more), Ok(Some("y".to_owned())), "and begins anew");
        let bad = ClipboardPart { last: true, bytes: Bytes::from_static(&[0xff]) };
        assert!(matches!(got.handle_part(&bad), Err(WireError::Text { .. })));
    }
}
