//! The input stream, and what else concerns input: rumble and clipboard.
//!
//! What a player does goes on a stream of its own, framed as the control stream is, so that no
//! other message is ever in front of it. [`Inputs`] reads it.

use bytes::{BufMut, BytesMut};
use stratus_frame::input::{
    Input, InputEvent, Layout, MAX_INPUT_TEXT, MAX_LAYOUT, MAX_PADS, PAD_BUTTONS, PadState,
    PicturePoint, Rumble, TouchPhase, WheelSource,
};
use stratus_frame::{MonoTime, Size};

use crate::message::{size, time};
use crate::wire::{FRAMING_LEN, Fields, Framer, MAX_MESSAGE, WireError, cut, put_framed};

/// Type numbers of the input stream.
mod kind {
    pub(super) const KEY: u16 = 0x10;
    pub(super) const TEXT: u16 = 0x11;
    pub(super) const POINTER_AT: u16 = 0x12;
    pub(super) const POINTER_BY: u16 = 0x13;
    pub(super) const BUTTON: u16 = 0x14;
    pub(super) const WHEEL: u16 = 0x15;
    pub(super) const TOUCH: u16 = 0x16;
    pub(super) const GAMEPAD: u16 = 0x17;
    pub(super) const LAYOUT: u16 = 0x18;
    pub(super) const RELEASE: u16 = 0x19;
}

/// `KEY_MAX` of evdev.
const MAX_KEY: u16 = 0x2ff;
/// `BTN_LEFT` to `BTN_EXTRA` of evdev.
const BUTTONS: std::ops::RangeInclusive<u16> = 0x110..=0x114;
/// No finger is where this is, because a screen has at least one pixel: for fields that stand in
/// a message without meaning anything.
const NOWHERE: PicturePoint = PicturePoint { x: 0, y: 0, size: Size { width: 1, height: 1 } };

fn put_point(out: &mut BytesMut, point: &PicturePoint) {
    for n in [point.x, point.y, point.size.width, point.size.height] {
        out.put_u32(n);
    }
}

fn point(f: &mut Fields<'_>) -> Result<PicturePoint, WireError> {
    let (x, y) = (f.u32("x")?, f.u32("y")?);
    let size = size(f)?;
    if x >= size.width {
        return Err(f.bad("x", x.into()));
    }
    if y >= size.height {
        return Err(f.bad("y", y.into()));
    }
    Ok(PicturePoint { x, y, size })
}

fn flag(f: &mut Fields<'_>, field: &'static str) -> Result<bool, WireError> {
    match f.u8(field)? {
        n @ 0..=1 => Ok(n == 1),
        n => Err(f.bad(field, n.into())),
    }
}

fn int(f: &mut Fields<'_>, field: &'static str) -> Result<i32, WireError> {
    f.u32(field).map(u32::cast_signed)
}

fn put_pad(out: &mut BytesMut, state: &PadState) {
    out.put_u8(state.pad);
    out.put_u8(state.connected.into());
    out.put_u32(state.buttons);
    for axis in state.axes {
        out.put_i16(axis);
    }
    for trigger in state.triggers {
        out.put_u16(trigger);
    }
}

fn pad(f: &mut Fields<'_>) -> Result<PadState, WireError> {
    let pad = pad_number(f)?;
    let connected = flag(f, "connected")?;
    // Buttons beyond those of the standard gamepad are for newer servers.
    let buttons = f.u32("buttons")? & ((1 << PAD_BUTTONS) - 1);
    let mut axes = [0; 4];
    for axis in &mut axes {
        *axis = f.u16("axes")?.cast_signed();
    }
    let triggers = [f.u16("triggers")?, f.u16("triggers")?];
    Ok(PadState { pad, connected, buttons, axes, triggers })
}

fn pad_number(f: &mut Fields<'_>) -> Result<u8, WireError> {
    match f.u8("pad")? {
        n if n < MAX_PADS => Ok(n),
        n => Err(f.bad("pad", n.into())),
    }
}

fn touch(f: &mut Fields<'_>) -> Result<InputEvent, WireError> {
    let kind = f.u8("kind")?;
    let slot = f.u32("slot")?;
    let phase = match kind {
        0 => TouchPhase::Down(point(f)?),
        1 => TouchPhase::Motion(point(f)?),
        // Where it was lifted says nothing; the fields are there all the same.
        2 | 3 => {
            f.bytes("place", 16)?;
            if kind == 2 { TouchPhase::Up } else { TouchPhase::Cancel }
        }
        n => return Err(f.bad("kind", n.into())),
    };
    Ok(InputEvent::Touch { slot, phase })
}

fn layout(f: &mut Fields<'_>) -> Result<Layout, WireError> {
    let n = usize::from(f.u8("length")?);
    let text = f.text("layout", n, MAX_LAYOUT)?;
    // The first byte that has no place, or none at all.
    text.parse().map_err(|e| match e {
        stratus_frame::input::BadLayout::Byte(b) => f.bad("layout", b.into()),
        stratus_frame::input::BadLayout::Length(n) => f.bad("length", n as u64),
    })
}

const fn kind_of(event: &InputEvent) -> u16 {
    match event {
        InputEvent::Key { .. } => kind::KEY,
        InputEvent::Text(_) => kind::TEXT,
        InputEvent::PointerAt(_) => kind::POINTER_AT,
        InputEvent::PointerBy { .. } => kind::POINTER_BY,
        InputEvent::Button { .. } => kind::BUTTON,
        InputEvent::Wheel { .. } => kind::WHEEL,
        InputEvent::Touch { .. } => kind::TOUCH,
        InputEvent::Gamepad(_) => kind::GAMEPAD,
        InputEvent::Layout(_) => kind::LAYOUT,
        InputEvent::Release => kind::RELEASE,
    }
}

/// The name of a type in docs/protocol.md; `None` for one that is not of the input stream.
const fn name_of(kind: u16) -> Option<&'static str> {
    Some(match kind {
        kind::KEY => "key",
        kind::TEXT => "text",
        kind::POINTER_AT => "pointer at",
        kind::POINTER_BY => "pointer by",
        kind::BUTTON => "button",
        kind::WHEEL => "wheel",
        kind::TOUCH => "touch",
        kind::GAMEPAD => "gamepad",
        kind::LAYOUT => "layout",
        kind::RELEASE => "release",
        _ => return None,
    })
}

fn put_event(out: &mut BytesMut, event: &InputEvent) {
    match event {
        InputEvent::Key { code, pressed } | InputEvent::Button { code, pressed } => {
            out.put_u16(*code);
            out.put_u8((*pressed).into());
        }
        InputEvent::Text(text) => {
            let text = cut(text, MAX_INPUT_TEXT);
            out.put_u16(text.len() as u16);
            out.put_slice(text.as_bytes());
        }
        InputEvent::PointerAt(point) => put_point(out, point),
        InputEvent::PointerBy { dx, dy } => {
            out.put_i32(*dx);
            out.put_i32(*dy);
        }
        InputEvent::Wheel { dx, dy, source } => {
            out.put_i32(*dx);
            out.put_i32(*dy);
            out.put_u8(match source {
                WheelSource::Wheel => 0,
                WheelSource::Finger => 1,
            });
        }
        InputEvent::Touch { slot, phase } => {
            let (kind, point) = match phase {
                TouchPhase::Down(point) => (0, point),
                TouchPhase::Motion(point) => (1, point),
                TouchPhase::Up => (2, &NOWHERE),
                TouchPhase::Cancel => (3, &NOWHERE),
            };
            out.put_u8(kind);
            out.put_u32(*slot);
            put_point(out, point);
        }
        InputEvent::Gamepad(state) => put_pad(out, state),
        InputEvent::Layout(layout) => {
            // A layout's name is never longer than fits.
            out.put_u8(layout.as_str().len() as u8);
            out.put_slice(layout.as_str().as_bytes());
        }
        InputEvent::Release => {}
    }
}

/// Appends the framed message.
pub fn encode(input: &Input, out: &mut BytesMut) {
    out.reserve(FRAMING_LEN + 64);
    put_framed(out, kind_of(&input.event), |out| {
        out.put_u64(input.id);
        out.put_u64(input.time.as_nanos());
        put_event(out, &input.event);
    });
}

/// Reads one payload of type `kind`; `None` for a type that is not of the input stream.
///
/// # Errors
/// [`WireError`] for a payload that breaks the rules of docs/protocol.md.
pub fn decode(kind: u16, payload: &[u8]) -> Result<Option<Input>, WireError> {
    let Some(name) = name_of(kind) else { return Ok(None) };
    let f = &mut Fields::new(name, payload);
    let id = match f.u64("id")? {
        0 => return Err(f.bad("id", 0)),
        id => id,
    };
    let time: MonoTime = time(f, "time")?;
    let event = match kind {
        kind::KEY => {
            let code = f.u16("code")?;
            if code == 0 || code > MAX_KEY {
                return Err(f.bad("code", code.into()));
            }
            InputEvent::Key { code, pressed: flag(f, "pressed")? }
        }
        kind::TEXT => {
            let n = f.u16("length")?;
            InputEvent::Text(f.text("text", n.into(), MAX_INPUT_TEXT)?)
        }
        kind::POINTER_AT => InputEvent::PointerAt(point(f)?),
        kind::POINTER_BY => InputEvent::PointerBy { dx: int(f, "dx")?, dy: int(f, "dy")? },
        kind::BUTTON => {
            let code = f.u16("code")?;
            if !BUTTONS.contains(&code) {
                return Err(f.bad("code", code.into()));
            }
            InputEvent::Button { code, pressed: flag(f, "pressed")? }
        }
        kind::WHEEL => {
            let (dx, dy) = (int(f, "dx")?, int(f, "dy")?);
            let source = match f.u8("source")? {
                0 => WheelSource::Wheel,
                1 => WheelSource::Finger,
                n => return Err(f.bad("source", n.into())),
            };
            InputEvent::Wheel { dx, dy, source }
        }
        kind::TOUCH => touch(f)?,
        kind::GAMEPAD => InputEvent::Gamepad(pad(f)?),
        kind::LAYOUT => InputEvent::Layout(layout(f)?),
        _ => InputEvent::Release,
    };
    Ok(Some(Input { id, time, event }))
}

/// Cuts an input stream into inputs: feed with [`Inputs::handle_bytes`], then call
/// [`Inputs::poll`] until it yields nothing.
#[derive(Debug)]
pub struct Inputs {
    framer: Framer,
    last: u64,
}

impl Default for Inputs {
    fn default() -> Self {
        Self { framer: Framer::new(MAX_MESSAGE), last: 0 }
    }
}

impl Inputs {
    /// Appends what the stream brought.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        self.framer.handle_bytes(bytes);
    }

    /// The next input; messages of other types are skipped.
    ///
    /// # Errors
    /// [`WireError`], also for an id that is not above those before it; the stream cannot be read
    /// on after that.
    pub fn poll(&mut self) -> Result<Option<Input>, WireError> {
        while let Some((kind, payload)) = self.framer.poll()? {
            let Some(input) = decode(kind, &payload)? else { continue };
            if input.id <= self.last {
                let message = name_of(kind).unwrap_or("input");
                return Err(WireError::Value { message, field: "id", value: input.id });
            }
            self.last = input.id;
            return Ok(Some(input));
        }
        Ok(None)
    }

    /// Whether the stream may end here.
    #[must_use]
    pub fn is_between_messages(&self) -> bool {
        self.framer.is_between_messages()
    }
}

pub(crate) fn put_rumble(out: &mut BytesMut, rumble: &Rumble) {
    out.put_u8(rumble.pad);
    for n in [rumble.strong, rumble.weak, rumble.duration_ms] {
        out.put_u16(n);
    }
}

pub(crate) fn decode_rumble(payload: &[u8]) -> Result<Rumble, WireError> {
    let f = &mut Fields::new("rumble", payload);
    Ok(Rumble {
        pad: pad_number(f)?,
        strong: f.u16("strong")?,
        weak: f.u16("weak")?,
        duration_ms: f.u16("duration")?,
    })
}
