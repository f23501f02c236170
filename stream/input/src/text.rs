//! Typing a text, character by character.
//!
//! A character that the layout has is typed with the key that has it, and the modifiers that the
//! key needs are told for it. For one that it lacks the keyboard gets a keymap for a moment that
//! has it, on keys that keyboards do not have, as `wtype` and on-screen keyboards do.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

use xkbcommon::xkb;

use crate::action::{Action, Modifiers};
use crate::keyboard::XKB_OFFSET;

/// Keys of evdev that no usual keyboard has, and games have no use for; the least used come first.
const SPARE: [RangeInclusive<u16>; 5] = [84..=84, 195..=199, 183..=194, 200..=239, 120..=182];

/// Keymaps that one text may have. With all spare keys free, the longest text has five.
const KEYMAPS: usize = 16;

/// The keys of control characters, which programs know by their keys.
const ENTER: u16 = 28;
const TAB: u16 = 15;
const BACKSPACE: u16 = 14;
const ESCAPE: u16 = 1;

/// A key, and the modifiers that must be held with it.
#[derive(Clone, Copy)]
struct Stroke {
    code: u16,
    mask: u32,
}

/// Knows how to type in a layout.
pub(crate) struct Typist<'a> {
    keymap: &'a xkb::Keymap,
    /// The keymap as text.
    text: &'a str,
    /// Keys that cannot be pressed now.
    held: &'a [u16],
}

impl<'a> Typist<'a> {
    pub(crate) fn new(keymap: &'a xkb::Keymap, text: &'a str, held: &'a [u16]) -> Self {
        Self { keymap, text, held }
    }

    /// Types `text`; control characters that have no key are left out, and so is what the layout
    /// lacks while too many of the spare keys are held. Whether the keyboard was given another
    /// keymap. Modifiers are not put back.
    pub(crate) fn type_text(&self, text: &str, out: &mut Vec<Action>) -> bool {
        let strokes = self.strokes();
        let mut changed = false;
        let mut rest: Vec<xkb::Keysym> = text.chars().filter_map(keysym).collect();
        if self.spare().next().is_none() {
            rest.retain(|sym| strokes.contains_key(sym));
        }
        if let Some(all) = rest.iter().map(|sym| strokes.get(sym)).collect::<Option<Vec<_>>>() {
            all.into_iter().for_each(|stroke| press(*stroke, out));
            return false;
        }
        for _ in 0..KEYMAPS {
            if rest.is_empty() {
                break;
            }
            let (keys, count) = self.assign(&rest);
            out.push(Action::Keymap(self.keymap_of(&keys)));
            for sym in rest.drain(..count) {
                if let Some((code, _)) = keys.iter().find(|(_, s)| *s == sym) {
                    press(Stroke { code: *code, mask: 0 }, out);
                }
            }
            changed = true;
        }
        changed
    }

    /// What the layout has, by keysym.
    fn strokes(&self) -> HashMap<xkb::Keysym, Stroke> {
        let mut strokes = HashMap::new();
        let (first, last) = (self.keymap.min_keycode().raw(), self.keymap.max_keycode().raw());
        for raw in first.max(XKB_OFFSET + 1)..=last.min(255) {
            let code = (raw - XKB_OFFSET) as u16;
            if self.held.contains(&code) {
                continue;
            }
            for level in 0..self.keymap.num_levels_for_key(raw.into(), 0) {
                let [sym] = self.keymap.key_get_syms_by_level(raw.into(), 0, level) else {
                    continue;
                };
                let mut masks = [0; 16];
                let n = self.keymap.key_get_mods_for_level(raw.into(), 0, level, &mut masks);
                let mask = masks.iter().take(n).min_by_key(|m| m.count_ones());
                if let Some(mask) = mask.copied() {
                    // The first key that has it is the main one, and not that of the keypad.
                    strokes.entry(*sym).or_insert(Stroke { code, mask });
                }
            }
        }
        strokes
    }

    fn spare(&self) -> impl Iterator<Item = u16> {
        SPARE.into_iter().flatten().filter(|code| !self.held.contains(code))
    }

    /// Keys for as many of the characters as there are keys for, and how many that are.
    fn assign(&self, text: &[xkb::Keysym]) -> (Vec<(u16, xkb::Keysym)>, usize) {
        let mut spare = self.spare();
        let mut keys: Vec<(u16, xkb::Keysym)> = Vec::new();
        for (i, sym) in text.iter().enumerate() {
            if keys.iter().any(|(_, s)| s == sym) {
                continue;
            }
            let own = match *sym {
                xkb::Keysym::Return => Some(ENTER),
                xkb::Keysym::Tab => Some(TAB),
                xkb::Keysym::BackSpace => Some(BACKSPACE),
                xkb::Keysym::Escape => Some(ESCAPE),
                _ => None,
            };
            let own = own.filter(|code| !self.held.contains(code));
            let Some(code) = own.or_else(|| spare.next()) else { return (keys, i) };
            keys.push((code, *sym));
        }
        (keys, text.len())
    }

    /// A keymap with these keys alone. Types and interpretations are those of the layout, as X
    /// servers take no keymap without the usual ones.
    fn keymap_of(&self, keys: &[(u16, xkb::Keysym)]) -> String {
        let begin = self.text.find("xkb_types").unwrap_or(0);
        let end = self.text.find("xkb_symbols").unwrap_or(begin).max(begin);
        let mut codes = String::new();
        let mut symbols = String::new();
        for (code, sym) in keys {
            // Writing into a String does not fail.
            let _ = writeln!(codes, "<T{code}> = {};", u32::from(*code) + XKB_OFFSET);
            let _ = writeln!(symbols, "key <T{code}> {{ [ {:#x} ] }};", sym.raw());
        }
        format!(
            "xkb_keymap {{\nxkb_keycodes \"text\" {{\nminimum = 8;\nmaximum = 255;\n{codes}}};\n\
             {}xkb_symbols \"text\" {{\n{symbols}}};\n}};\n",
            &self.text[begin..end]
        )
    }
}

fn press(stroke: Stroke, out: &mut Vec<Action>) {
    let modifiers = Modifiers { depressed: stroke.mask, ..Modifiers::default() };
    // A keymap takes the modifiers with it.
    let told = out.iter().rev().find(|a| matches!(a, Action::Modifiers(_) | Action::Keymap(_)));
    if told != Some(&Action::Modifiers(modifiers)) {
        out.push(Action::Modifiers(modifiers));
    }
    out.push(Action::Key { code: stroke.code, pressed: true });
    out.push(Action::Key { code: stroke.code, pressed: false });
}

/// The keysym of a character; none for what cannot be typed.
fn keysym(c: char) -> Option<xkb::Keysym> {
    match c {
        '\n' | '\r' => Some(xkb::Keysym::Return),
        '\t' => Some(xkb::Keysym::Tab),
        '\u{8}' | '\u{7f}' => Some(xkb::Keysym::BackSpace),
        '\u{1b}' => Some(xkb::Keysym::Escape),
        c if c.is_control() => None,
        c => match xkb::utf32_to_keysym(c.into()) {
            xkb::Keysym::NoSymbol => None,
            sym => Some(sym),
        },
    }
}
