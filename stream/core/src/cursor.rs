//! The cursor on its way: what is sent of it, to whom, and how it becomes one again.
//!
//! An image goes to a viewer once and is then named by its id, as long as the viewer keeps it; a
//! large one goes in parts, between which other messages pass. [`CursorFeed`] and [`CursorStore`]
//! keep the same list of images on both sides, without a message about it: the newest
//! [`KEPT_IMAGES`].

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use stratus_frame::{
    CursorId, CursorImage, CursorLook, CursorState, MAX_CURSOR_PIXELS, MAX_CURSOR_SIDE, MonoTime,
    PointerBounds, Size,
};

use crate::message::Message;
use crate::wire::{Fields, MAX_SIDE, WireError, cut};

/// Images that a viewer keeps.
pub const KEPT_IMAGES: usize = 32;
/// Bytes of an image in one message.
pub const MAX_PART: usize = 16 * 1024;
/// The longest name of a shape, bytes.
pub const MAX_SHAPE: usize = 32;

/// What cursors may take of a viewer's link in the long run: 256 KiB a second.
const NS_PER_BYTE: u64 = 1_000_000_000 / (256 * 1024);
/// How much of that may be used at once: one image of the largest size, and some smaller ones.
const BURST: Duration = Duration::from_secs(2);
/// What a message costs beside the pixels in it, bytes.
const PER_MESSAGE: usize = 512;

/// A part of an image; the first comes first, the others follow in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorPart {
    /// Which image.
    pub id: CursorId,
    /// Its size in pixels.
    pub size: Size,
    /// Where in the image the part begins, bytes.
    pub offset: u32,
    /// The bytes: rows of B G R A, premultiplied, without gaps.
    pub bgra: Bytes,
}

/// What a cursor looks like, with its image named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SentLook {
    /// As [`CursorLook::Unknown`].
    Unknown,
    /// As [`CursorLook::Hidden`].
    Hidden,
    /// As [`CursorLook::Shape`]; cut to [`MAX_SHAPE`] bytes.
    Shape(String),
    /// As [`CursorLook::Image`].
    Image {
        /// An image that was sent before.
        id: CursorId,
        /// The size that it is shown with.
        shown: Size,
        /// The point that points.
        hotspot: (i32, i32),
    },
}

/// The state of the cursor as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentCursor {
    /// What it looks like.
    pub look: SentLook,
    /// How it moves.
    pub bounds: PointerBounds,
}

impl SentCursor {
    fn of(state: &CursorState) -> Self {
        // The protocol's limits bound any screen; a game may state more.
        let side = |n: u32| n.clamp(1, MAX_SIDE);
        let look = match &state.look {
            CursorLook::Unknown => SentLook::Unknown,
            CursorLook::Hidden => SentLook::Hidden,
            CursorLook::Shape(name) => SentLook::Shape(name.clone().into_owned()),
            CursorLook::Image { image, shown, hotspot } => SentLook::Image {
                id: image.id,
                shown: Size::new(side(shown.width), side(shown.height)),
                hotspot: *hotspot,
            },
        };
        Self { look, bounds: state.bounds }
    }

    pub(crate) fn put(&self, out: &mut BytesMut) {
        let none = (CursorId(0), Size::default(), (0, 0));
        let (kind, name, (id, shown, hotspot)) = match &self.look {
            SentLook::Unknown => (0, "", none),
            SentLook::Hidden => (1, "", none),
            SentLook::Shape(name) => (2, cut(name, MAX_SHAPE), none),
            SentLook::Image { id, shown, hotspot } => (3, "", (*id, *shown, *hotspot)),
        };
        let (bounds, hint) = match self.bounds {
            PointerBounds::Free => (0, None),
            PointerBounds::Locked { hint } => (1, hint),
            PointerBounds::Confined => (2, None),
        };
        out.put_u8(kind);
        out.put_u64(id.0);
        out.put_u32(shown.width);
        out.put_u32(shown.height);
        out.put_i32(hotspot.0);
        out.put_i32(hotspot.1);
        out.put_u8(bounds);
        out.put_u8(hint.is_some().into());
        let (x, y) = hint.unwrap_or_default();
        out.put_i32(x);
        out.put_i32(y);
        out.put_u8(name.len() as u8);
        out.put_slice(name.as_bytes());
    }

    pub(crate) fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let f = &mut Fields::new("cursor", payload);
        let int = |f: &mut Fields<'_>, name| f.u32(name).map(u32::cast_signed);
        let kind = f.u8("look")?;
        let id = f.u64("image")?;
        let shown = Size::new(f.u32("width")?, f.u32("height")?);
        let hotspot = (int(f, "hotspot")?, int(f, "hotspot")?);
        let (bounds, hinted) = (f.u8("bounds")?, f.u8("hint")?);
        let hint = (int(f, "hint")?, int(f, "hint")?);
        let length = f.u8("name length")?;
        let name = f.text("name", length.into(), MAX_SHAPE)?;
        let side = |n| (1..=MAX_SIDE).contains(&n);
        let image = id != 0 && side(shown.width) && side(shown.height);
        let no_image = (id, shown, hotspot) == (0, Size::default(), (0, 0));
        let look = match kind {
            0 if no_image && name.is_empty() => SentLook::Unknown,
            1 if no_image && name.is_empty() => SentLook::Hidden,
            2 if no_image && !name.is_empty() => SentLook::Shape(name),
            3 if image && name.is_empty() => SentLook::Image { id: CursorId(id), shown, hotspot },
            n => return Err(f.bad("look", n.into())),
        };
        let bounds = match (bounds, hinted) {
            (0, 0) if hint == (0, 0) => PointerBounds::Free,
            (1, 0) if hint == (0, 0) => PointerBounds::Locked { hint: None },
            (1, 1) => PointerBounds::Locked { hint: Some(hint) },
            (2, 0) if hint == (0, 0) => PointerBounds::Confined,
            (n, _) => return Err(f.bad("bounds", n.into())),
        };
        Ok(Self { look, bounds })
    }
}

/// Bytes of an image of `size`, if there may be one.
fn image_len(size: Size) -> Option<u32> {
    let side = |n: u32| (1..=MAX_CURSOR_SIDE).contains(&n);
    let fits = side(size.width) && side(size.height);
    let pixels = size.width.checked_mul(size.height)?;
    // Only then do the bytes fit into 32 bits.
    (fits && pixels <= MAX_CURSOR_PIXELS).then(|| pixels * 4)
}

impl CursorPart {
    pub(crate) fn put(&self, out: &mut BytesMut) {
        out.put_u64(self.id.0);
        out.put_u32(self.size.width);
        out.put_u32(self.size.height);
        out.put_u32(self.offset);
        out.put_u32(self.bgra.len() as u32);
        out.put_slice(&self.bgra);
    }

    pub(crate) fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let f = &mut Fields::new("cursor image", payload);
        let id = f.u64("id")?;
        let size = Size::new(f.u32("width")?, f.u32("height")?);
        let (offset, length) = (f.u32("offset")?, f.u32("length")?);
        let whole = image_len(size).ok_or_else(|| f.bad("width", size.width.into()))?;
        if id == 0 {
            return Err(f.bad("id", id));
        }
        let end = offset.checked_add(length).filter(|end| *end <= whole);
        if length == 0 || length as usize > MAX_PART || end.is_none() {
            return Err(f.bad("length", length.into()));
        }
        let bgra = Bytes::copy_from_slice(f.bytes("pixels", length as usize)?);
        Ok(Self { id: CursorId(id), size, offset, bgra })
    }
}

/// What one viewer is still to be sent.
#[derive(Debug, Default)]
pub struct CursorFeed {
    /// What it keeps, the oldest first.
    kept: VecDeque<CursorId>,
    /// A state whose image is on its way, and how much of that went. It is told when the image is
    /// whole, even if it is the newest no more: else a game with ever new images would show none.
    sending: Option<(CursorState, usize)>,
    /// What it was told last; at first it takes the cursor for unknown.
    told: CursorState,
    /// When what was sent so far will have been paid for.
    paid: MonoTime,
    /// When the next may be sent.
    due: Option<MonoTime>,
}

impl CursorFeed {
    /// The next message for the viewer to know that the cursor is `state`; call it again once that
    /// is sent. If nothing may be sent yet, [`CursorFeed::poll_timeout`] says when.
    pub fn poll(&mut self, state: &CursorState, now: MonoTime) -> Option<Message> {
        self.due = None;
        if self.sending.is_none() {
            if *state == self.told {
                return None;
            }
            let earliest = self.paid.as_nanos().saturating_sub(nanos(BURST));
            if earliest > now.as_nanos() {
                self.due = Some(MonoTime::from_nanos(earliest));
                return None;
            }
        }
        // What is begun goes on, whatever came since.
        let (state, sent) = self.sending.take().unwrap_or_else(|| (state.clone(), 0));
        match &state.look {
            CursorLook::Image { image, .. } if !self.kept.contains(&image.id) => {
                let image = Arc::clone(image);
                Some(self.part(state, &image, sent, now))
            }
            _ => {
                let message = Message::Cursor(SentCursor::of(&state));
                self.told = state;
                self.pay(PER_MESSAGE, now);
                Some(message)
            }
        }
    }

    /// The part of an image from byte `sent` on.
    fn part(
        &mut self,
        state: CursorState,
        image: &CursorImage,
        sent: usize,
        now: MonoTime,
    ) -> Message {
        let end = image.bgra.len().min(sent + MAX_PART);
        let bgra = image.bgra.slice(sent..end);
        self.pay(PER_MESSAGE + bgra.len(), now);
        if end == image.bgra.len() {
            if self.kept.len() == KEPT_IMAGES {
                self.kept.pop_front();
            }
            self.kept.push_back(image.id);
        }
        self.sending = Some((state, end));
        // An image has at most 256 KiB.
        Message::CursorImage(CursorPart {
            id: image.id,
            size: image.size,
            offset: sent as u32,
            bgra,
        })
    }

    fn pay(&mut self, bytes: usize, now: MonoTime) {
        let cost = Duration::from_nanos(bytes as u64 * NS_PER_BYTE);
        self.paid = self.paid.max(now).after(cost);
    }

    /// When to call [`CursorFeed::poll`] again if nothing else happens.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonoTime> {
        self.due
    }
}

const fn nanos(d: Duration) -> u64 {
    d.as_secs() * 1_000_000_000 + d.subsec_nanos() as u64
}

/// The images that a viewer has.
#[derive(Debug, Default)]
pub struct CursorStore {
    kept: VecDeque<Arc<CursorImage>>,
    partial: Option<(CursorId, Size, BytesMut)>,
}

impl CursorStore {
    /// Takes in a part of an image.
    ///
    /// # Errors
    /// [`WireError::Value`] for one that does not follow those before it.
    pub fn handle_part(&mut self, part: &CursorPart) -> Result<(), WireError> {
        let wrong = || WireError::Value {
            message: "cursor image",
            field: "offset",
            value: part.offset.into(),
        };
        if self.kept.iter().any(|image| image.id == part.id) {
            return Err(wrong());
        }
        let (id, size, mut bgra) = match self.partial.take() {
            None => (part.id, part.size, BytesMut::new()),
            Some(partial) => partial,
        };
        if (id, size, bgra.len()) != (part.id, part.size, part.offset as usize) {
            return Err(wrong());
        }
        bgra.extend_from_slice(&part.bgra);
        if image_len(size) != u32::try_from(bgra.len()).ok() {
            self.partial = Some((id, size, bgra));
            return Ok(());
        }
        if self.kept.len() == KEPT_IMAGES {
            self.kept.pop_front();
        }
        self.kept.push_back(Arc::new(CursorImage { id, size, bgra: bgra.freeze() }));
        Ok(())
    }

    /// The state that a message tells of.
    ///
    /// # Errors
    /// [`WireError::Value`] if it names an image that is not kept.
    pub fn handle_cursor(&self, sent: &SentCursor) -> Result<CursorState, WireError> {
        let look = match &sent.look {
            SentLook::Unknown => CursorLook::Unknown,
            SentLook::Hidden => CursorLook::Hidden,
            SentLook::Shape(name) => CursorLook::Shape(Cow::Owned(name.clone())),
            SentLook::Image { id, shown, hotspot } => {
                let image = self.kept.iter().find(|image| image.id == *id);
                let (message, field) = ("cursor", "image");
                let image = image.ok_or(WireError::Value { message, field, value: id.0 })?;
                CursorLook::Image { image: Arc::clone(image), shown: *shown, hotspot: *hotspot }
            }
        };
        Ok(CursorState { look, bounds: sent.bounds })
    }
}

#[cfg(test)]
#[path = "cursor_tests.rs"]
mod tests;
