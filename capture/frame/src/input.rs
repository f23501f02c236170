//! What a player does: keys, pointer, touch and gamepads, on their way to the game.
//!
//! Keys and buttons are named by the codes of Linux' evdev (`linux/input-event-codes.h`), which
//! say where a key is and not what is printed on it. Each input has a number, and each frame says
//! by [`InputMark`] up to which of them the game had been told when it committed.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{MonoTime, Size};

/// The most gamepads of a player.
pub const MAX_PADS: u8 = 4;
/// Buttons of the W3C's standard gamepad.
pub const PAD_BUTTONS: u32 = 17;
/// The longest name of a keyboard layout, bytes.
pub const MAX_LAYOUT: usize = 64;
/// The longest text of one input, bytes of UTF-8.
pub const MAX_INPUT_TEXT: usize = 1024;
/// The longest text of a clipboard, bytes of UTF-8.
pub const MAX_CLIPBOARD: usize = 1024 * 1024;

/// One input, with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Rises from 1 by any step; never 0.
    pub id: u64,
    /// When it happened, on the player's clock.
    pub time: MonoTime,
    /// What happened.
    pub event: InputEvent,
}

/// What a player did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputEvent {
    /// A key went down or up. Repeats of a key that is held are the game's business, not sent.
    Key {
        /// `KEY_*`, 1 to 767.
        code: u16,
        /// Whether it is down now.
        pressed: bool,
    },
    /// Text that the layout has no keys for, such as that of an input method; at most
    /// [`MAX_INPUT_TEXT`] bytes.
    Text(String),
    /// The pointer is at a point of the picture.
    PointerAt(PicturePoint),
    /// The pointer moved by so much, in pixels as signed 24.8 fixed-point numbers: positive right
    /// and down.
    PointerBy {
        /// To the right.
        dx: i32,
        /// Downwards.
        dy: i32,
    },
    /// A button of the pointer went down or up.
    Button {
        /// `BTN_LEFT` (0x110), `BTN_RIGHT`, `BTN_MIDDLE`, `BTN_SIDE` or `BTN_EXTRA` (0x114).
        code: u16,
        /// Whether it is down now.
        pressed: bool,
    },
    /// Something was scrolled.
    Wheel {
        /// To the right, in the unit of `source`.
        dx: i32,
        /// Downwards.
        dy: i32,
        /// By what, and so in which unit.
        source: WheelSource,
    },
    /// A finger on the screen.
    Touch {
        /// Names the finger from down to up.
        slot: u32,
        /// What it did.
        phase: TouchPhase,
    },
    /// The whole state of a gamepad.
    Gamepad(PadState),
    /// The player's keyboard has this layout from now on.
    Layout(Layout),
    /// Everything that is held is let go: keys, buttons, fingers, and what gamepads hold.
    Release,
}

/// A point of a picture of some size. The picture may have been of another size than the one
/// that the game shows now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PicturePoint {
    /// Pixels from the left, less than the width.
    pub x: u32,
    /// Pixels from the top, less than the height.
    pub y: u32,
    /// The picture's size, 1 to 16384 pixels a side.
    pub size: Size,
}

/// What scrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WheelSource {
    /// A wheel with notches: distances are in 1/120 of a notch.
    Wheel,
    /// A finger on a touchpad: distances are in pixels, as signed 24.8 fixed-point numbers. Both
    /// 0 means that the finger was lifted.
    Finger,
}

/// What a finger did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TouchPhase {
    /// It came down here.
    Down(PicturePoint),
    /// It is here now.
    Motion(PicturePoint),
    /// It was lifted where it was last.
    Up,
    /// It counts no more, and what it began is to be undone.
    Cancel,
}

/// The state of a gamepad, as of the W3C's "standard gamepad".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PadState {
    /// Which, from 0 to 3.
    pub pad: u8,
    /// Whether it is there; without it, all else is meaningless.
    pub connected: bool,
    /// Bit `i` is button `i` of the standard gamepad; there are [`PAD_BUTTONS`].
    pub buttons: u32,
    /// Left x and y, right x and y; positive right and down.
    pub axes: [i16; 4],
    /// Left and right, 0 to 65535.
    pub triggers: [u16; 2],
}

/// What a game asks of a gamepad's motors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rumble {
    /// Which, from 0 to 3.
    pub pad: u8,
    /// The slow, strong motor, 0 to 65535.
    pub strong: u16,
    /// The fast, weak motor, 0 to 65535.
    pub weak: u16,
    /// For how long, unless another comes before. Both motors 0 means stop.
    pub duration_ms: u16,
}

/// A keyboard's layout, as XKB names it: `de`, or `de(nodeadkeys)` with a variant.
///
/// It becomes part of names of files, so nothing but letters, digits, `_`, `-` and `+` is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    text: String,
    /// Where the variant begins in `text`, if there is one.
    variant: Option<usize>,
}

/// A text that is not a layout's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadLayout {
    /// It is empty, or has more than [`MAX_LAYOUT`] bytes.
    Length(usize),
    /// A byte has no place where it stands.
    Byte(u8),
}

impl std::fmt::Display for BadLayout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Length(n) => {
                write!(f, "a layout's name has 1 to {MAX_LAYOUT} bytes, and this has {n}")
            }
            Self::Byte(b) => write!(
                f,
                "{:?} has no place there; a layout is named as in `de` or `de(nodeadkeys)`",
                char::from(*b)
            ),
        }
    }
}

impl std::error::Error for BadLayout {}

impl Layout {
    /// The layout without its variant: `de`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.variant.map_or(&self.text, |at| &self.text[..at - 1])
    }

    /// The variant, empty if there is none: `nodeadkeys`.
    #[must_use]
    pub fn variant(&self) -> &str {
        self.variant.map_or("", |at| &self.text[at..self.text.len() - 1])
    }

    /// As it was written: `de(nodeadkeys)`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self { text: "us".to_owned(), variant: None }
    }
}

impl FromStr for Layout {
    type Err = BadLayout;

    fn from_str(text: &str) -> Result<Self, BadLayout> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > MAX_LAYOUT {
            return Err(BadLayout::Length(bytes.len()));
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+');
        let check = |part: &[u8], end: u8| match part.iter().find(|b| !plain(**b)) {
            Some(b) => Err(BadLayout::Byte(*b)),
            None if part.is_empty() => Err(BadLayout::Byte(end)),
            None => Ok(()),
        };
        let Some(open) = bytes.iter().position(|b| *b == b'(') else {
            check(bytes, 0)?;
            return Ok(Self { text: text.to_owned(), variant: None });
        };
        check(&bytes[..open], b'(')?;
        let Some((b')', variant)) = bytes[open + 1..].split_last() else {
            return Err(BadLayout::Byte(b'('));
        };
        check(variant, b')')?;
        Ok(Self { text: text.to_owned(), variant: Some(open + 1) })
    }
}

/// The newest input that the game was told of: written where inputs are given to the game, read
/// where it hands a frame. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct InputMark(Arc<AtomicU64>);

impl InputMark {
    /// Says that the game is about to be told of the input `id`. Call it before, so that a picture
    /// which the game draws in answer can only say too much of what it may show, never too little.
    pub fn tell(&self, id: u64) {
        self.0.store(id, Ordering::Release);
    }

    /// The newest; 0 if there was none.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn layouts_have_a_name_and_perhaps_a_variant() {
        for (text, name, variant) in [
            ("de", "de", ""),
            ("de(nodeadkeys)", "de", "nodeadkeys"),
            ("us(altgr-intl)", "us", "altgr-intl"),
            ("nec_vndr", "nec_vndr", ""),
        ] {
            let layout: Layout = text.parse().unwrap();
            assert_eq!((layout.name(), layout.variant()), (name, variant), "{text}");
            assert_eq!(layout.to_string(), text);
        }
        assert_eq!("us".parse(), Ok(Layout::default()));
    }

    #[test]
    fn nothing_that_could_name_another_file_is_a_layout() {
        for (text, wrong) in [
            ("", BadLayout::Length(0)),
            ("../de", BadLayout::Byte(b'.')),
            ("de/us", BadLayout::Byte(b'/')),
            ("de,us", BadLayout::Byte(b',')),
            ("de(", BadLayout::Byte(b'(')),
            ("de()", BadLayout::Byte(b')')),
            ("(nodeadkeys)", BadLayout::Byte(b'(')),
            ("de(a)b", BadLayout::Byte(b'(')),
            ("de(a))", BadLayout::Byte(b')')),
            ("de(a", BadLayout::Byte(b'(')),
            ("d\u{e9}", BadLayout::Byte(0xc3)),
            ("de\n", BadLayout::Byte(b'\n')),
        ] {
            assert_eq!(text.parse::<Layout>(), Err(wrong), "{text:?}");
        }
        assert_eq!("x".repeat(65).parse::<Layout>(), Err(BadLayout::Length(65)));
        assert!("x".repeat(64).parse::<Layout>().is_ok());
    }

    #[test]
    fn clones_of_a_mark_share_it() {
        let mark = InputMark::default();
        let other = mark.clone();
        assert_eq!(other.newest(), 0);
        mark.tell(7);
        assert_eq!(other.newest(), 7);
    }
}
