//! A player's input, from `stratus play` through the server to real programs under a real Sway.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::path::Path;

use stratus_harness::watchdog::Watchdog;
use support::{PATIENCE, Said, Session, eventually, place, say, stratus};

/// Plays what `script` says for `seconds`, with further arguments.
fn play(session: &Session, script: &str, seconds: &str, arguments: &[&str]) -> Said {
    let said = try_play(session, script, seconds, arguments);
    assert_eq!(said.code, Some(0), "{}\n{}", said.err, session.log());
    said
}

fn try_play(session: &Session, script: &str, seconds: &str, arguments: &[&str]) -> Said {
    let place = place();
    let file = place.path().join("script");
    fs::write(&file, script).unwrap();
    let mut command = stratus(place.path());
    command.args(["play", "--headless", "--json", "--seconds", seconds, "--input"]);
    command.arg(&file).args(arguments).arg(&session.link);
    say(command)
}

fn json(said: &Said) -> serde_json::Value {
    serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}\n{}", said.out, said.err))
}

/// Foot, with a shell that says it is there and goes on with `script`.
fn terminal(options: &[&str], folder: &Path, script: &str) -> Session {
    let ready = folder.join("ready");
    let script = format!("stty raw -echo; touch {}; {script}", ready.display());
    let options = [&["--size", "640x480"], options].concat();
    let foot = ["foot", "--config=/dev/null", "-o", "cursor.blink=no", "bash", "-c", &script];
    let session = Session::run(&options, &foot);
    eventually("the shell in foot", || ready.exists().then_some(()));
    session
}

#[test]
fn a_terminal_reads_what_a_player_types_and_nothing_once_it_is_gone() {
    let _watchdog = Watchdog::start("typing through a stream", PATIENCE * 4);
    let files = place();
    let typed = files.path().join("typed");
    let keep = format!("exec cat > {}", typed.display());
    let session = terminal(&["--keyboard-layout", "de"], files.path(), &keep);
    let script = "\
        0ms key KEY_Z\n\
        10ms text grüße 日本\n\
        20ms layout us\n\
        30ms key KEY_Z\n\
        40ms key KEY_X down\n";
    play(&session, script, "1.5", &[]);
    let read = || fs::read_to_string(&typed).unwrap_or_default();
    eventually("what was typed", || read().starts_with("ygrüße 日本zx").then_some(()));
    // Held keys repeat until they are let go, which the player did by leaving.
    let mut before = read();
    eventually("the repeats to end", || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        let now = read();
        let same = now == before;
        before = now;
        same.then_some(())
    });
    // The next player begins with nothing pressed and the session's own layout.
    play(&session, "0s key KEY_Z\n", "0.5", &[]);
    eventually("the second player", || read().ends_with('y').then_some(()));
}

#[test]
fn frames_say_which_input_they_may_show_and_answers_are_measured() {
    let _watchdog = Watchdog::start("clicks and photons", PATIENCE * 4);
    let files = place();
    let flash =
        r"while IFS= read -rsn1; do printf '\033[?5h'; IFS= read -rsn1; printf '\033[?5l'; done";
    let session = terminal(&[], files.path(), flash);
    let script: String = (0..20).map(|i| format!("{}ms key KEY_A tap\n", 300 + i * 120)).collect();
    let report = json(&play(&session, &script, "3.5", &[]));
    let answers = &report["input_to_picture"];
    assert_eq!(answers["unanswered"], 0, "{report}\n{}", session.log());
    assert_eq!(answers["samples"], 20, "{report}");
    let (p50, p95) = (answers["p50_us"].as_f64().unwrap(), answers["p95_us"].as_f64().unwrap());
    assert!(0.0 < p50 && p50 <= p95, "{report}");
    println!("key to picture: p50 {p50} us, p95 {p95} us");
}

/// Width, height and samples of a picture.
fn ppm(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let start = bytes.windows(5).position(|w| w == b"\n255\n").expect("a PPM") + 5;
    bytes[start..].to_vec()
}

/// How many samples of two pictures of one size differ by much.
fn difference(a: &[u8], b: &[u8]) -> usize {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).filter(|(a, b)| a.abs_diff(**b) > 40).count()
}

#[test]
fn doom_opens_its_menu_and_starts_a_level() {
    let _watchdog = Watchdog::start("doom", PATIENCE * 6);
    let game = ["chocolate-doom", "-iwad", "/usr/share/games/doom/freedoom1.wad", "-nosound"];
    let session = Session::run(&["--size", "640x480"], &game);
    let files = place();
    let path = files.path().join("picture.ppm");
    let dump = ["--dump-ppm", path.to_str().unwrap()];
    let picture = |script: &str, seconds: &str| {
        let said = play(&session, script, seconds, &dump);
        (ppm(&path), json(&said))
    };
    // The title stands still for eleven seconds from when it is there. A busy machine shows the
    // empty window before it for as long, in which keys are lost: many colours are the title.
    let colours = |samples: &[u8]| samples.iter().collect::<std::collections::BTreeSet<_>>().len();
    let mut before = Vec::new();
    let title = eventually("the title", || {
        // Before its first picture there is nothing to play.
        if try_play(&session, "", "0.5", &dump).code != Some(0) {
            return None;
        }
        let now = ppm(&path);
        let same = !before.is_empty() && difference(&now, &before) == 0 && colours(&now) > 100;
        before.clone_from(&now);
        same.then_some(now)
    });
    let (menu, _) = picture("0.1s key KEY_ESC\n", "0.8");
    assert!(difference(&title, &menu) > 3000, "{}", difference(&title, &menu));
    // New game, episode, skill.
    let start = "\
        0.1s key KEY_ENTER\n\
        0.4s key KEY_ENTER\n\
        0.7s key KEY_ENTER\n";
    let (level, _) = picture(start, "3");
    assert!(difference(&menu, &level) > 20_000, "{}", difference(&menu, &level));
    // The view turns as long as a key is held. On a busy machine the level may still melt in, or
    // the game may have been too late for a key of the menu: one more key means nothing in a level.
    eventually("a view that stands until a key turns it", || {
        let different =
            |script: &str| picture(script, "2").1["different_pictures"].as_u64().unwrap();
        let stands = different("");
        let turns = different("0s key KEY_LEFT down\n");
        println!("{stands} pictures of a view that stands, {turns} of one that turns");
        let plays = turns > 30 && turns > 2 * stands;
        if !plays {
            picture("0s key KEY_ENTER\n", "0.5");
        }
        plays.then_some(())
    });
}
