//! What a terminal hears: the bytes that foot sends to the program in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use stratus_frame::input::InputEvent;
use stratus_harness::sway::Sway;
use stratus_harness::watchdog::{Watchdog, wait_for};

use crate::{Hands, KEY_A, LEFT_SHIFT, LIMIT, sway};

const KEY_E: u16 = 18;
const KEY_Z: u16 = 44;
const DEAD_ACUTE: u16 = 13;
const F1: u16 = 59;
const ALT_GR: u16 = 100;

/// foot with a program that keeps what it reads.
pub(crate) struct Terminal {
    child: Child,
    typed: PathBuf,
}

impl Terminal {
    /// Opens it and waits until it has the keyboard. `before` is what the program's shell does
    /// before it keeps what it reads.
    pub(crate) fn open(sway: &Sway, socket: &Path, before: &str) -> Self {
        let folder = sway.runtime_dir();
        let (typed, ready) = (folder.join("typed"), folder.join("ready"));
        let script = format!(
            "stty raw -echo; touch {}; {before}; exec cat > {}",
            ready.display(),
            typed.display()
        );
        let child = sway
            .client("setpriv", socket)
            .args(["--pdeathsig", "KILL", "foot", "--config=/dev/null", "sh", "-c", &script])
            .env("HOME", folder)
            .env("XDG_CONFIG_HOME", folder)
            .env("XDG_CACHE_HOME", folder)
            .env("LC_ALL", "C.UTF-8")
            .env("SHELL", "/bin/sh")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start foot through setpriv");
        wait_for("foot's window", LIMIT, || {
            let tree = sway.message(&["-t", "get_tree"]).unwrap();
            (ready.exists() && tree.contains("\"app_id\": \"foot\"")).then_some(())
        })
        .unwrap();
        Self { child, typed }
    }

    pub(crate) fn typed(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.typed).unwrap_or_default()).into_owned()
    }

    /// Waits until `expected` is all that was typed.
    fn has_typed(&self, expected: &str) {
        let done = wait_for("what is typed", LIMIT, || (self.typed() == expected).then_some(()));
        assert!(done.is_ok(), "typed {:?} and not {expected:?}", self.typed());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_terminal_reads_what_the_layout_and_the_player_type() {
    let _watchdog = Watchdog::start("typing", Duration::from_secs(120));
    let sway = sway();
    let mut hands = Hands::with_layout(sway.socket(), "de");
    let terminal = Terminal::open(&sway, sway.socket(), ":");
    hands.chord(&[KEY_A]);
    hands.chord(&[LEFT_SHIFT, KEY_A]);
    hands.chord(&[KEY_Z]);
    hands.chord(&[DEAD_ACUTE]);
    hands.chord(&[KEY_E]);
    hands.chord(&[ALT_GR, KEY_E]);
    hands.chord(&[F1]);
    terminal.has_typed("aAyé€\x1bOP");
    // Of a text, what the layout has and what no layout has.
    hands.give(InputEvent::Text("ß^日本😀\n".to_owned()));
    hands.chord(&[KEY_Z]);
    hands.give(InputEvent::Layout("us".parse().unwrap()));
    hands.chord(&[KEY_Z]);
    terminal.has_typed("aAyé€\x1bOPß^日本😀\ryz");
    let long = "ж".repeat(500);
    hands.give(InputEvent::Text(long.clone()));
    terminal.has_typed(&format!("aAyé€\x1bOPß^日本😀\ryz{long}"));
}
