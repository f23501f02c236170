//! The keyboard: which keys are down, what they mean in the player's layout, and which modifiers
//! follow.
//!
//! A virtual keyboard's compositor derives nothing from its keys: the modifiers are told beside
//! them (`zwp_virtual_keyboard_v1.modifiers`), so they are computed here as the compositor does
//! for a keyboard of its own, by xkbcommon.

use stratus_frame::input::Layout;
use thiserror::Error;
use xkbcommon::xkb;

use crate::action::{Action, Modifiers};
use crate::text::Typist;

/// Keycodes of XKB are those of evdev and 8 more.
pub(crate) const XKB_OFFSET: u32 = 8;

/// Why a layout cannot be had.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "xkbcommon makes no keymap of the layout {layout}: the name is unknown on this host, or \
     xkb-data is not installed (Debian: apt install xkb-data)"
)]
pub(crate) struct KeymapError {
    layout: String,
}

/// A keyboard with a layout.
pub(crate) struct Keyboard {
    context: xkb::Context,
    layout: Layout,
    keymap: xkb::Keymap,
    /// The keymap as clients are given it.
    text: String,
    state: xkb::State,
    /// The keys that are down, in the order in which they went.
    pressed: Vec<u16>,
    /// What the compositor was told last.
    told: Modifiers,
}

impl Keyboard {
    /// A keyboard on which nothing is pressed; NumLock is on, as on most desktops, so that the
    /// keypad types digits.
    pub(crate) fn new(layout: &Layout) -> Result<Self, KeymapError> {
        let mut context = xkb::Context::new(xkb::CONTEXT_NO_FLAGS);
        // What is wrong with a layout is told once, by us.
        context.set_log_level(xkb::LogLevel::Critical);
        let keymap = compile(&context, layout)?;
        let state = xkb::State::new(&keymap);
        let text = keymap.get_as_string(xkb::KEYMAP_FORMAT_TEXT_V1);
        let (pressed, told) = (Vec::new(), Modifiers::default());
        let mut keyboard =
            Self { context, layout: layout.clone(), keymap, text, state, pressed, told };
        keyboard.lock(num_lock(&keyboard.keymap));
        Ok(keyboard)
    }

    /// What makes the compositor's keyboard the same as this one.
    pub(crate) fn introduce(&mut self, out: &mut Vec<Action>) {
        out.push(Action::Keymap(self.text.clone()));
        self.told = self.modifiers();
        out.push(Action::Modifiers(self.told));
    }

    /// Another layout; what is held is let go first. Locks stay as they are.
    pub(crate) fn set_layout(
        &mut self,
        layout: &Layout,
        out: &mut Vec<Action>,
    ) -> Result<(), KeymapError> {
        if *layout == self.layout {
            return Ok(());
        }
        let keymap = compile(&self.context, layout)?;
        self.release(out);
        let locked = self.modifiers().locked;
        self.state = xkb::State::new(&keymap);
        self.text = keymap.get_as_string(xkb::KEYMAP_FORMAT_TEXT_V1);
        self.keymap = keymap;
        self.layout = layout.clone();
        self.lock(locked);
        self.introduce(out);
        Ok(())
    }

    /// The layout that it has.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// A key goes down or up. One that is where it is said to go already stays there.
    pub(crate) fn key(&mut self, code: u16, pressed: bool, out: &mut Vec<Action>) {
        let at = self.pressed.iter().position(|c| *c == code);
        let direction = match (at, pressed) {
            (None, true) => {
                self.pressed.push(code);
                xkb::KeyDirection::Down
            }
            (Some(at), false) => {
                self.pressed.remove(at);
                xkb::KeyDirection::Up
            }
            _ => return,
        };
        out.push(Action::Key { code, pressed });
        self.state.update_key((u32::from(code) + XKB_OFFSET).into(), direction);
        self.tell_modifiers(out);
    }

    /// Types a text, whatever the layout. What is held stays held.
    pub(crate) fn text(&mut self, text: &str, out: &mut Vec<Action>) {
        let typist = Typist::new(&self.keymap, &self.text, &self.pressed);
        let changed = typist.type_text(text, out);
        if changed {
            out.push(Action::Keymap(self.text.clone()));
        }
        if out.last().is_some_and(|last| !matches!(last, Action::Modifiers(m) if *m == self.told)) {
            out.push(Action::Modifiers(self.told));
        }
    }

    /// Lets all keys go, the last that was pressed first. Locks stay.
    pub(crate) fn release(&mut self, out: &mut Vec<Action>) {
        while let Some(code) = self.pressed.last().copied() {
            self.key(code, false, out);
        }
        // A latch is held too, in a way.
        let locked = self.modifiers().locked;
        self.lock(locked);
        self.tell_modifiers(out);
    }

    /// Forgets locks, too: another player's keyboard begins.
    pub(crate) fn reset(&mut self, out: &mut Vec<Action>) {
        self.release(out);
        self.lock(num_lock(&self.keymap));
        self.tell_modifiers(out);
    }

    fn lock(&mut self, locked: u32) {
        self.state.update_mask(0, 0, locked, 0, 0, 0);
    }

    fn modifiers(&self) -> Modifiers {
        Modifiers {
            depressed: self.state.serialize_mods(xkb::STATE_MODS_DEPRESSED),
            latched: self.state.serialize_mods(xkb::STATE_MODS_LATCHED),
            locked: self.state.serialize_mods(xkb::STATE_MODS_LOCKED),
            group: self.state.serialize_layout(xkb::STATE_LAYOUT_EFFECTIVE),
        }
    }

    fn tell_modifiers(&mut self, out: &mut Vec<Action>) {
        let now = self.modifiers();
        if now != self.told {
            self.told = now;
            out.push(Action::Modifiers(now));
        }
    }
}

fn compile(context: &xkb::Context, layout: &Layout) -> Result<xkb::Keymap, KeymapError> {
    let flags = xkb::KEYMAP_COMPILE_NO_FLAGS;
    // Rules, model and options of the host's environment are those of another keyboard.
    let (rules, model, options) = ("evdev", "pc105", Some(String::new()));
    let (name, variant) = (layout.name(), layout.variant());
    xkb::Keymap::new_from_names(context, rules, model, name, variant, options, flags)
        .ok_or_else(|| KeymapError { layout: layout.to_string() })
}

/// The mask of NumLock.
fn num_lock(keymap: &xkb::Keymap) -> u32 {
    match keymap.mod_get_index(xkb::MOD_NAME_NUM) {
        index @ 0..32 => 1 << index,
        _ => 0,
    }
}

#[cfg(test)]
#[path = "keyboard_tests.rs"]
mod tests;
