//! Tests of the keyboard. What a client would read is computed by a second keyboard state, as
//! clients compute it: from the keymap, the modifiers and the keys that they are told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const A: u16 = 30;
const E: u16 = 18;
const Q: u16 = 16;
const Z: u16 = 44;
const LEFT_SHIFT: u16 = 42;
const CAPS_LOCK: u16 = 58;
const ALT_GR: u16 = 100;
const KEYPAD_5: u16 = 76;

/// A client that types what it is told, without composing.
struct Client {
    context: xkb::Context,
    state: Option<xkb::State>,
    typed: String,
    down: Vec<u16>,
}

impl Client {
    fn new() -> Self {
        let context = xkb::Context::new(xkb::CONTEXT_NO_FLAGS);
        Self { context, state: None, typed: String::new(), down: Vec::new() }
    }

    fn hear(&mut self, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Keymap(text) => {
                    let format = xkb::KEYMAP_FORMAT_TEXT_V1;
                    let flags = xkb::KEYMAP_COMPILE_NO_FLAGS;
                    let keymap =
                        xkb::Keymap::new_from_string(&self.context, text.clone(), format, flags)
                            .expect("a keymap that compiles");
                    self.state = Some(xkb::State::new(&keymap));
                }
                Action::Modifiers(m) => {
                    let state = self.state.as_mut().expect("a keymap first");
                    state.update_mask(m.depressed, m.latched, m.locked, 0, 0, m.group);
                }
                Action::Key { code, pressed: true } => {
                    let state = self.state.as_ref().expect("a keymap first");
                    self.typed += &state.key_get_utf8((u32::from(*code) + 8).into());
                    assert!(!self.down.contains(code), "{code} is down already");
                    self.down.push(*code);
                }
                Action::Key { code, pressed: false } => {
                    assert!(self.down.contains(code), "{code} is not down");
                    self.down.retain(|c| c != code);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// A keyboard with a client that has heard of it.
fn keyboard(layout: &str) -> (Keyboard, Client) {
    let mut keyboard = Keyboard::new(&layout.parse().unwrap()).unwrap();
    let (mut client, mut out) = (Client::new(), Vec::new());
    keyboard.introduce(&mut out);
    client.hear(&out);
    (keyboard, client)
}

/// Keys, each with whether it goes down; what they type.
fn keys(keyboard: &mut Keyboard, client: &mut Client, keys: &[(u16, bool)]) -> String {
    for (code, pressed) in keys {
        let mut out = Vec::new();
        keyboard.key(*code, *pressed, &mut out);
        client.hear(&out);
    }
    std::mem::take(&mut client.typed)
}

fn stroke(code: u16) -> [(u16, bool); 2] {
    [(code, true), (code, false)]
}

fn with(modifier: u16, code: u16) -> Vec<(u16, bool)> {
    [&[(modifier, true)][..], &stroke(code), &[(modifier, false)]].concat()
}

#[test]
fn keys_are_places_and_layouts_say_what_is_there() {
    let (mut us, mut client) = keyboard("us");
    assert_eq!(keys(&mut us, &mut client, &[stroke(Q), stroke(Z)].concat()), "qz");
    assert_eq!(keys(&mut us, &mut client, &with(LEFT_SHIFT, A)), "A");
    assert_eq!(keys(&mut us, &mut client, &stroke(A)), "a", "shift is let go");
    let (mut de, mut client) = keyboard("de");
    assert_eq!(keys(&mut de, &mut client, &[stroke(Q), stroke(Z)].concat()), "qy");
    assert_eq!(keys(&mut de, &mut client, &with(ALT_GR, E)), "€");
    let (mut fr, mut client) = keyboard("fr");
    assert_eq!(keys(&mut fr, &mut client, &[stroke(Q), stroke(Z)].concat()), "aw");
}

#[test]
fn locks_lock_and_numlock_is_on() {
    let (mut us, mut client) = keyboard("us");
    assert_eq!(keys(&mut us, &mut client, &stroke(KEYPAD_5)), "5");
    let caps = [&stroke(CAPS_LOCK)[..], &stroke(A)].concat();
    assert_eq!(keys(&mut us, &mut client, &caps), "A");
    assert_eq!(keys(&mut us, &mut client, &caps), "a");
    keys(&mut us, &mut client, &stroke(CAPS_LOCK));
    let mut out = Vec::new();
    us.set_layout(&"de".parse().unwrap(), &mut out).unwrap();
    client.hear(&out);
    assert_eq!(keys(&mut us, &mut client, &stroke(Z)), "Y", "a lock outlives a layout");
    out.clear();
    us.reset(&mut out);
    client.hear(&out);
    assert_eq!(keys(&mut us, &mut client, &stroke(Z)), "y", "but not its player");
}

#[test]
fn what_is_down_already_is_not_pressed_again() {
    let (mut us, mut client) = keyboard("us");
    let storm = [(A, true), (A, true), (A, false), (A, false), (Q, false)];
    // The client checks that nothing goes down twice or up without being down.
    assert_eq!(keys(&mut us, &mut client, &storm), "a");
}

#[test]
fn release_lets_everything_go_and_modifiers_with_it() {
    let (mut us, mut client) = keyboard("us");
    keys(&mut us, &mut client, &[(LEFT_SHIFT, true), (A, true), (Q, true)]);
    let mut out = Vec::new();
    us.release(&mut out);
    let ups: Vec<u16> = out
        .iter()
        .filter_map(|a| if let Action::Key { code, .. } = a { Some(*code) } else { None })
        .collect();
    assert_eq!(ups, [Q, A, LEFT_SHIFT], "the last first");
    client.hear(&out);
    assert!(client.down.is_empty());
    client.typed.clear();
    assert_eq!(keys(&mut us, &mut client, &stroke(A)), "a");
    out.clear();
    us.release(&mut out);
    assert_eq!(out, [], "nothing is held");
}

fn type_text(keyboard: &mut Keyboard, client: &mut Client, text: &str) -> (String, usize) {
    let mut out = Vec::new();
    keyboard.text(text, &mut out);
    client.hear(&out);
    let keymaps = out.iter().filter(|a| matches!(a, Action::Keymap(_))).count();
    (std::mem::take(&mut client.typed), keymaps)
}

#[test]
fn texts_are_typed_whatever_the_layout() {
    let (mut us, mut client) = keyboard("us");
    let plain = "Hello, World! 100% {a|b}";
    assert_eq!(type_text(&mut us, &mut client, plain), (plain.to_owned(), 0));
    let foreign = "grüße 日本 ñ€😀 a";
    assert_eq!(type_text(&mut us, &mut client, foreign), (foreign.to_owned(), 2));
    // What control characters type is what their keys do.
    let (typed, _) = type_text(&mut us, &mut client, "a\nb\tñ\u{1}\u{8}");
    assert_eq!(typed, "a\rb\tñ\u{8}");
    assert_eq!(keys(&mut us, &mut client, &stroke(Q)), "q", "the layout is back");
    let (mut de, mut client) = keyboard("de");
    assert_eq!(type_text(&mut de, &mut client, "äZ€@").0, "äZ€@");
    // A dead key is not the character on it.
    assert_eq!(type_text(&mut de, &mut client, "^").0, "^");
}

#[test]
fn texts_of_many_characters_take_several_keymaps() {
    let (mut us, mut client) = keyboard("us");
    let many: String = ('\u{4e00}'..='\u{4f00}').collect();
    let (typed, keymaps) = type_text(&mut us, &mut client, &many);
    assert_eq!(typed, many);
    assert!(keymaps >= 3, "{keymaps}");
}

#[test]
fn what_is_held_stays_held_while_a_text_is_typed() {
    let (mut us, mut client) = keyboard("us");
    keys(&mut us, &mut client, &[(LEFT_SHIFT, true), (A, true)]);
    // The key that is held cannot be pressed for the text.
    let (typed, _) = type_text(&mut us, &mut client, "abc");
    assert_eq!(typed, "abc");
    assert_eq!(client.down, [LEFT_SHIFT, A]);
    assert_eq!(keys(&mut us, &mut client, &stroke(Q)), "Q", "shift is held still");
}

/// The keys that other keymaps have, see `text.rs`.
fn spare_keys() -> Vec<u16> {
    let ranges = [84..=84, 195..=199, 183..=194, 200..=239, 120..=182];
    ranges.into_iter().flatten().collect()
}

#[test]
fn texts_end_however_many_of_the_spare_keys_are_held() {
    const ENTER: u16 = 28;
    let spare = spare_keys();
    let foreign: String = ('\u{4e00}'..='\u{4e40}').collect();
    let text = format!("a{foreign}b\n");
    for free in [0, 1, 5] {
        let (mut us, mut client) = keyboard("us");
        let held: Vec<(u16, bool)> = spare[free..].iter().map(|code| (*code, true)).collect();
        keys(&mut us, &mut client, &held);
        let (typed, keymaps) = type_text(&mut us, &mut client, &text);
        // What the layout lacks is left out, sooner or later; what it has may be typed.
        let whole = if free == 0 { "ab\r".to_owned() } else { text.replace('\n', "\r") };
        assert!(whole.starts_with(&typed), "{free}: {typed:?}");
        assert!(typed.len() >= free && keymaps <= 17, "{free}: {typed:?}, {keymaps} keymaps");
        assert_eq!(typed == whole, free != 1, "{free}: {typed:?}");
        assert_eq!(client.down, spare[free..], "what is held stays held");
        let mut out = Vec::new();
        us.release(&mut out);
        client.hear(&out);
        assert_eq!(keys(&mut us, &mut client, &stroke(Q)), "q", "the layout is back");
    }
    // A key with a meaning of its own cannot be pressed either while it is held.
    let (mut us, mut client) = keyboard("us");
    keys(&mut us, &mut client, &[(ENTER, true)]);
    assert_eq!(type_text(&mut us, &mut client, "ж\n").0, "ж\r");
}

#[test]
fn a_layout_that_nobody_knows_changes_nothing() {
    let (mut us, mut client) = keyboard("us");
    let mut out = Vec::new();
    let error = us.set_layout(&"nosuch(layout)".parse().unwrap(), &mut out).unwrap_err();
    assert!(error.to_string().contains("nosuch(layout)"), "{error}");
    assert_eq!(out, []);
    assert_eq!(keys(&mut us, &mut client, &stroke(Z)), "z");
}
