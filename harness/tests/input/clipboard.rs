//! The clipboard between a player and a terminal.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use stratus_harness::watchdog::{Watchdog, wait_for};
use stratus_input::Clipboard;

use crate::terminal::Terminal;
use crate::{Hands, KEY_A, LEFT_SHIFT, LIMIT, sway};

const LEFT_CTRL: u16 = 29;
const KEY_V: u16 = 47;

#[test]
fn texts_go_both_ways_and_out_only_after_the_player_did_something() {
    let _watchdog = Watchdog::start("the clipboard", Duration::from_secs(120));
    let sway = sway();
    let mut hands = Hands::at(sway.socket());
    let clipboard = || {
        let copied = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&copied);
        let on_copy = Arc::new(move |text| into.lock().unwrap().push(text));
        (Clipboard::start(sway.socket().to_owned(), on_copy).unwrap(), copied)
    };
    let (players, copied) = clipboard();
    // One whose player does nothing: what is copied is nothing of its.
    let (_idle, overheard) = clipboard();
    // The terminal puts a text into the clipboard when a key is pressed (OSC 52).
    let copy =
        r#"head -c1 > /dev/null; printf '\033]52;c;%s\007' "$(printf 'copied \303\274' | base64)""#;
    let terminal = Terminal::open(&sway, sway.socket(), copy);
    players.gesture();
    hands.chord(&[KEY_A]);
    wait_for("a copied text", LIMIT, || (*copied.lock().unwrap() == ["copied ü"]).then_some(()))
        .unwrap();
    assert!(overheard.lock().unwrap().is_empty());
    // One that finds a selection, as after a compositor was lost: nobody made that just now.
    let (late, found) = clipboard();
    late.gesture();
    std::thread::sleep(Duration::from_millis(300));
    assert!(found.lock().unwrap().is_empty());
    drop(late);
    let text = format!("pasted €{}", "x".repeat(100_000));
    players.set(text.clone());
    wait_for("a pasted text", LIMIT, || {
        // When it is the selection nobody says, so a player that is too fast pastes again.
        hands.chord(&[LEFT_CTRL, LEFT_SHIFT, KEY_V]);
        std::thread::sleep(Duration::from_millis(300));
        terminal.typed().ends_with(&text).then_some(())
    })
    .unwrap_or_else(|e| panic!("{e}: {} bytes came", terminal.typed().len()));
    assert_eq!(*copied.lock().unwrap(), ["copied ü"], "our own text does not come back");
    assert!(overheard.lock().unwrap().is_empty());
}
