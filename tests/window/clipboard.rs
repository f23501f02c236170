//! Texts between the player's clipboard and the game's, each way by the player's own keys.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use stratus_harness::keyboard::Keyboard;
use stratus_harness::watchdog::Watchdog;

use crate::stage::{GAME, Stage, markers};
use crate::support::{PATIENCE, eventually};
use crate::{ALT, CTRL, SHIFT};

const V: u32 = 47;
const C: u32 = 46;
const ENTER: u32 = 28;

/// A program of wl-clipboard's at a compositor.
fn tool(program: &str, compositor: &Path) -> Command {
    let limit = PATIENCE.as_secs().to_string();
    let mut command = Command::new("timeout");
    command.args([&limit, program]).env("WAYLAND_DISPLAY", compositor).stdin(Stdio::null());
    command.env("XDG_RUNTIME_DIR", compositor.parent().unwrap()).stderr(Stdio::null());
    command
}

/// Puts a text into a compositor's clipboard. A process stays to hand it out, until there is
/// another or the compositor ends.
fn copy(compositor: &Path, text: &str) {
    let copied = tool("wl-copy", compositor).arg(text).stdout(Stdio::null()).status().unwrap();
    assert!(copied.success(), "wl-copy: {copied}");
}

fn paste(compositor: &Path) -> String {
    let output = tool("wl-paste", compositor).arg("--no-newline").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn texts_are_given_and_taken_by_the_players_keys() {
    let _watchdog = Watchdog::start("the clipboards of a window", Duration::from_secs(120));
    let (session, game) = markers(GAME, 10.0);
    let stage = Stage::new(&session.link, &["--resize", "keep"]);
    let mut keyboard = Keyboard::new(stage.display.socket()).unwrap();
    let (theirs, ours) = (session.compositor(), stage.display.socket().to_owned());
    stage.window();

    copy(&ours, "given: ü €");
    eventually(&format!("the game has the text\n{}", session.log()), || {
        // The window may not have the keyboard yet.
        keyboard.chord(&[CTRL, ALT, SHIFT, V]).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        (paste(&theirs) == "given: ü €").then_some(())
    });

    eventually(&format!("the player has the text\n{}", session.log()), || {
        // A text leaves the game behind a key of the player's.
        keyboard.chord(&[ENTER]).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        copy(&theirs, "taken: ß 日");
        std::thread::sleep(Duration::from_millis(200));
        // Known to the window, and not yet in the clipboard: nobody asked for it.
        assert_ne!(paste(&ours), "taken: ß 日");
        keyboard.chord(&[CTRL, ALT, SHIFT, C]).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        (paste(&ours) == "taken: ß 日").then_some(())
    });
    game.stop().unwrap();
}
