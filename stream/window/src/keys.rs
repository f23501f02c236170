//! Keys by where they are: winit's physical keys as codes of evdev, and the chords that are the
//! window's own.

use std::collections::BTreeSet;

use winit::keyboard::PhysicalKey;
use winit::platform::scancode::PhysicalKeyExtScancode;

/// `KEY_UNKNOWN`: what winit calls a key that it was told nothing of.
const UNKNOWN: u32 = 240;
/// `KEY_MAX` of what a player may send.
const LAST: u32 = 767;

const CTRL: [u16; 2] = [29, 97];
const ALT: [u16; 2] = [56, 100];
const SHIFT: [u16; 2] = [42, 54];
const F11: u16 = 87;

/// The code of a key in `linux/input-event-codes.h`, if it has one.
pub(crate) fn code(key: PhysicalKey) -> Option<u16> {
    let code = key.to_scancode().filter(|c| (1..=LAST).contains(c) && *c != UNKNOWN)?;
    u16::try_from(code).ok()
}

/// What the player tells the window itself: with Ctrl+Alt+Shift and a letter, or F11.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chord {
    /// S: the overlay of figures.
    Overlay,
    /// F, or F11 alone.
    Fullscreen,
    /// Z: the pointer is free although the game wants it, until the next click.
    FreePointer,
    /// V: what was copied here is given to the game's clipboard.
    Give,
    /// C: what the game copied is taken into the clipboard here.
    Take,
    /// I: an input method may compose text.
    Compose,
    /// Q: the window closes.
    Quit,
}

impl Chord {
    /// By the place of the key on a QWERTY keyboard, as all keys.
    fn with_modifiers(code: u16) -> Option<Self> {
        match code {
            31 => Some(Self::Overlay),
            33 => Some(Self::Fullscreen),
            44 => Some(Self::FreePointer),
            47 => Some(Self::Give),
            46 => Some(Self::Take),
            23 => Some(Self::Compose),
            16 => Some(Self::Quit),
            _ => None,
        }
    }
}

/// What a key's event means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// It is the game's.
    Game { code: u16, pressed: bool },
    /// It is the window's.
    Own(Chord),
    /// It is nobody's: a repeat, or the end of what was the window's.
    Nothing,
}

/// What is held down.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    held: BTreeSet<u16>,
    /// Pressed in a chord, so that the game does not hear of their end either.
    own: BTreeSet<u16>,
}

impl Keys {
    /// A key went down or up; a key that repeats is pressed while it is held.
    pub(crate) fn handle(&mut self, code: u16, pressed: bool) -> Key {
        if !pressed {
            let known = self.held.remove(&code);
            // A key that went down elsewhere was never told to the game.
            let own = self.own.remove(&code) || !known;
            return if own { Key::Nothing } else { Key::Game { code, pressed } };
        }
        if self.own.contains(&code) || !self.held.insert(code) {
            return Key::Nothing;
        }
        let chord = if self.modifiers() { Chord::with_modifiers(code) } else { None };
        match chord.or((code == F11).then_some(Chord::Fullscreen)) {
            Some(chord) => {
                self.held.remove(&code);
                self.own.insert(code);
                Key::Own(chord)
            }
            None => Key::Game { code, pressed },
        }
    }

    /// The keyboard is another window's: all is let go.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    fn modifiers(&self) -> bool {
        [CTRL, ALT, SHIFT].iter().all(|pair| pair.iter().any(|c| self.held.contains(c)))
    }
}

#[cfg(test)]
mod tests {
    use winit::keyboard::{KeyCode, NativeKeyCode};

    use super::*;

    #[test]
    fn keys_have_their_codes_of_linux() {
        // From linux/input-event-codes.h.
        for (key, wanted) in [
            (KeyCode::Escape, 1),
            (KeyCode::Digit1, 2),
            (KeyCode::KeyQ, 16),
            (KeyCode::Enter, 28),
            (KeyCode::KeyA, 30),
            (KeyCode::Backquote, 41),
            (KeyCode::Backslash, 43),
            (KeyCode::KeyZ, 44),
            (KeyCode::Space, 57),
            (KeyCode::F10, 68),
            (KeyCode::Numpad7, 71),
            (KeyCode::IntlBackslash, 86),
            (KeyCode::F12, 88),
            (KeyCode::NumpadEnter, 96),
            (KeyCode::ControlRight, 97),
            (KeyCode::AltRight, 100),
            (KeyCode::Home, 102),
            (KeyCode::ArrowUp, 103),
            (KeyCode::ArrowLeft, 105),
            (KeyCode::ArrowRight, 106),
            (KeyCode::ArrowDown, 108),
            (KeyCode::Delete, 111),
            (KeyCode::Pause, 119),
            (KeyCode::SuperLeft, 125),
            (KeyCode::ContextMenu, 127),
            (KeyCode::IntlYen, 124),
            (KeyCode::IntlRo, 89),
        ] {
            assert_eq!(code(PhysicalKey::Code(key)), Some(wanted), "{key:?}");
        }
    }

    #[test]
    fn keys_without_a_name_keep_their_code() {
        let unnamed = |raw| code(PhysicalKey::Unidentified(NativeKeyCode::Xkb(raw)));
        // KEY_MACRO1 and KEY_RESERVED.
        assert_eq!(unnamed(656), Some(656));
        assert_eq!(unnamed(0), None);
        assert_eq!(unnamed(768), None);
        assert_eq!(code(PhysicalKey::Unidentified(NativeKeyCode::Unidentified)), None);
    }

    #[test]
    fn chords_are_the_windows_and_their_modifiers_the_games() {
        let mut keys = Keys::default();
        for code in [29, 56, 54] {
            assert_eq!(keys.handle(code, true), Key::Game { code, pressed: true });
        }
        assert_eq!(keys.handle(31, true), Key::Own(Chord::Overlay));
        assert_eq!(keys.handle(31, true), Key::Nothing, "it repeats");
        assert_eq!(keys.handle(31, false), Key::Nothing);
        assert_eq!(keys.handle(30, true), Key::Game { code: 30, pressed: true });
        assert_eq!(keys.handle(29, false), Key::Game { code: 29, pressed: false });
        assert_eq!(keys.handle(31, true), Key::Game { code: 31, pressed: true });
        assert_eq!(keys.handle(F11, true), Key::Own(Chord::Fullscreen));
    }

    #[test]
    fn repeats_and_keys_from_elsewhere_are_not_told() {
        let mut keys = Keys::default();
        assert_eq!(keys.handle(28, false), Key::Nothing, "it went down in another window");
        assert_eq!(keys.handle(30, true), Key::Game { code: 30, pressed: true });
        assert_eq!(keys.handle(30, true), Key::Nothing);
        keys.forget();
        assert_eq!(keys.handle(30, false), Key::Nothing, "it was let go with the focus");
    }
}
