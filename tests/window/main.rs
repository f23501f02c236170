//! `stratus play` with its window, as a client of a Sway of its own, which shows what a player
//! would see.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clipboard;
mod pointer;
mod reconnect;
mod relay;
mod stage;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;
use stratus_harness::hand::Hand;
use stratus_harness::keyboard::Keyboard;
use stratus_harness::picture::Picture;
use stratus_harness::puppet::Puppet;
use stratus_harness::watchdog::Watchdog;

use stage::{GAME, SCREEN, Stage, markers, number, session};
use support::{Session, eventually};

const CTRL: u32 = 29;
const ALT: u32 = 56;
const SHIFT: u32 = 42;
const F11: u32 = 87;
const Q: u32 = 16;
const S: u32 = 31;

/// Lit pixels outside of the rectangle where the game is.
fn lit_outside(picture: &Picture, (x, y): (u32, u32), (width, height): (u32, u32)) -> usize {
    let inside = |px: u32, py: u32| (x..x + width).contains(&px) && (y..y + height).contains(&py);
    let all = (0..picture.size.1).flat_map(|py| (0..picture.size.0).map(move |px| (px, py)));
    all.filter(|(px, py)| !inside(*px, *py))
        .filter(|(px, py)| picture.pixel(*px, *py).unwrap() != [0, 0, 0])
        .count()
}

#[test]
fn the_game_is_seen_pixel_for_pixel_with_black_around_and_figures_over_it() {
    let _watchdog = Watchdog::start("a window", Duration::from_secs(120));
    let (session, game) = markers(GAME, 30.0);
    let stage = Stage::new(&session.link, &["--resize", "keep", "--scale", "integer"]);
    let middle = ((SCREEN.0 - GAME.0) / 2, (SCREEN.1 - GAME.1) / 2);
    let first = stage.number_at(middle, GAME);
    eventually("the game moves", || {
        number(&stage.look(), middle, GAME).filter(|&later| later > first)
    });
    assert_eq!(lit_outside(&stage.look(), middle, GAME), 0, "the bars are black");

    let mut keyboard = Keyboard::new(stage.display.socket()).unwrap();
    let chord = [CTRL, ALT, SHIFT, S];
    eventually("figures are shown", || {
        // The window may not have the keyboard yet.
        keyboard.chord(&chord).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        (lit_outside(&stage.look(), middle, GAME) > 500).then_some(())
    });
    keyboard.chord(&chord).unwrap();
    eventually("figures are gone", || {
        (lit_outside(&stage.look(), middle, GAME) == 0).then_some(())
    });

    assert_eq!(stage.window()["fullscreen_mode"], 0);
    keyboard.chord(&[F11]).unwrap();
    eventually("it fills the screen", || (stage.window()["fullscreen_mode"] == 1).then_some(()));
    stage.display.message(&["output HEADLESS-1 mode --custom 800x600@60Hz"]).unwrap();
    stage.number_at((80, 60), GAME);
    keyboard.chord(&[CTRL, ALT, SHIFT, Q]).unwrap();
    assert_eq!(stage.end().0, Some(0));
    game.stop().unwrap();
}

#[test]
fn the_game_follows_the_window_and_a_picture_of_another_shape_is_fitted() {
    let _watchdog = Watchdog::start("a window", Duration::from_secs(120));
    let (mut session, game) = markers(GAME, 30.0);
    let kept = Stage::new(&session.link, &["--resize", "keep"]);
    // 640x480 in 1000x700: 933x700, 33 pixels from the left.
    eventually("the picture reaches top and bottom", || {
        let picture = kept.look();
        let is_lit = |x, y| picture.pixel(x, y).unwrap().iter().any(|c| *c > 24);
        let lit = (33..966).filter(|x| is_lit(*x, 2) || is_lit(*x, 697)).count();
        (lit > 400 && lit_outside(&picture, (33, 0), (933, 700)) == 0).then_some(())
    });
    drop(kept);

    let stage = Stage::new(&session.link, &[]);
    stage.number_at((0, 0), SCREEN);
    stage.display.message(&["output HEADLESS-1 mode --custom 800x600@60Hz"]).unwrap();
    stage.number_at((0, 0), (800, 600));

    // The end of the session stays readable until the window is closed.
    session.signal(Signal::SIGTERM);
    session.wait();
    let bright = |p: &Picture| p.rgb.chunks(3).filter(|c| c.iter().all(|v| *v > 240)).count();
    eventually("the end is told", || {
        let picture = stage.look();
        let darkest = picture.rgb.iter().filter(|v| **v < 64).count();
        (darkest > picture.rgb.len() * 8 / 10 && bright(&picture) > 100).then_some(())
    });
    let mut keyboard = Keyboard::new(stage.display.socket()).unwrap();
    let mut stage = stage;
    let ended = eventually("the player ends", || {
        // The window may not have the keyboard yet, and the display ends with nobody.
        keyboard.chord(&[CTRL, ALT, SHIFT, Q]).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        stage.player.try_wait().unwrap()
    });
    assert_eq!(ended.code(), Some(0));
    let _ = game.stop();
}

#[test]
fn what_is_typed_in_the_window_reaches_the_game() {
    let _watchdog = Watchdog::start("typing in a window", Duration::from_secs(120));
    let files = support::place();
    let (ready, typed) = (files.path().join("ready"), files.path().join("typed"));
    let script = format!(
        "touch {}; while read -r line; do echo \"$line\" >> {}; done",
        ready.display(),
        typed.display()
    );
    let foot = ["foot", "--config=/dev/null", "sh", "-c", &script];
    let session = Session::run(&["--size", "640x480"], &foot);
    eventually("the shell in foot", || ready.exists().then_some(()));
    let stage = Stage::new(&session.link, &["--keyboard-layout", "us", "--json"]);
    let mut keyboard = Keyboard::new(stage.display.socket()).unwrap();
    let read = || fs::read_to_string(&typed).unwrap_or_default();
    eventually(&format!("a line\n{}\n{}", stage.log(), session.log()), || {
        // The window may not have the keyboard yet, nor the game its own.
        keyboard.chord(&[28]).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        read().contains('\n').then_some(())
    });
    // Keys of a QWERTY keyboard: a, Shift and e, l, l, o; then Return.
    keyboard.chord(&[30]).unwrap();
    keyboard.chord(&[SHIFT, 18]).unwrap();
    for code in [38, 38, 24, 28] {
        keyboard.chord(&[code]).unwrap();
    }
    eventually(&format!("what was typed\n{}", session.log()), || {
        read().ends_with("\naEllo\n").then_some(())
    });
    let title = stage.window()["name"].to_string();
    assert!(title.contains("Stratus"), "{title}");

    for _ in 0..40 {
        keyboard.chord(&[30]).unwrap();
        std::thread::sleep(Duration::from_millis(40));
    }
    keyboard.chord(&[CTRL, ALT, SHIFT, Q]).unwrap();
    let (code, said) = stage.end();
    assert_eq!(code, Some(0));
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    let answers = &report["window"]["spans"][2];
    println!("{answers}");
    assert_eq!(answers["span"], "input -> answer drawn");
    assert!(answers["samples"].as_u64() >= Some(20), "{report}");
}

#[test]
fn what_is_pointed_at_is_the_pixel_under_the_pointer() {
    let _watchdog = Watchdog::start("pointing in a window", Duration::from_secs(120));
    let (session, socket) = session(GAME);
    let mut game = Puppet::connect(&socket).unwrap();
    let _pointer = game.pointer().unwrap();
    let window = game.window("pointed").unwrap();
    let paint = game.paint(GAME, [0, 200, 0, 255]).unwrap();
    game.show(&window.surface, &paint.buffer);
    game.settle().unwrap();
    // 640x480 in 1000x700: 933x700, 33 pixels from the left.
    let stage = Stage::new(&session.link, &["--resize", "keep"]);
    let mut hand = Hand::new(stage.display.socket(), SCREEN).unwrap();
    eventually("the game is seen", || {
        let [r, g, b] = stage.look().pixel(500, 350)?;
        (r < 40 && g > 150 && b < 40).then_some(())
    });
    for (at, pixel) in
        [((500, 350), (320.0, 240.0)), ((5, 700 - 70), (0.0, 432.0)), ((33 + 700, 7), (480.0, 5.0))]
    {
        eventually(&format!("{at:?} is {pixel:?}\n{}", session.log()), || {
            hand.wave(at).unwrap();
            hand.point(at).unwrap();
            game.idle(Duration::from_millis(100)).unwrap();
            let (x, y) = game.heard.pointed.as_ref()?.at;
            let near = |a: f64, b: f64| (a - b).abs() <= 1.5;
            (near(x, pixel.0) && near(y, pixel.1)).then_some(())
        });
    }
}

#[test]
fn pictures_are_drawn_as_they_come_and_measured() {
    let _watchdog = Watchdog::start("measuring a window", Duration::from_secs(120));
    let size = (1280, 720);
    let (session, game) = markers(size, 60.0);
    let stage = Stage::on(size, &session.link, &["--resize", "keep", "--seconds", "5", "--json"]);
    let log = stage.log.clone();
    let kept = stage.display.runtime_dir().to_owned();
    stage.number_at((0, 0), size);
    let (code, said) = stage.end();
    let report: serde_json::Value =
        serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said:?} {kept:?} {log:?}"));
    for stage in report["stages"].as_array().unwrap() {
        println!("{}: p50 {} µs, p95 {} µs", stage["stage"], stage["p50_us"], stage["p95_us"]);
    }
    let window = &report["window"];
    println!("{window}");
    let (decoded, drawn) = (report["frames_decoded"].as_u64(), window["drawn"].as_u64());
    let (decoded, drawn) = (decoded.unwrap(), drawn.unwrap());
    assert!(drawn > 30 && drawn <= decoded, "{drawn} of {decoded} are drawn");
    // Two cores carry game, encoder, decoder and two compositors.
    assert!(drawn * 2 > decoded, "{drawn} of {decoded} are drawn");
    let spans = window["spans"].as_array().unwrap();
    assert!(spans[0]["p50_us"].as_f64() >= spans[1]["p50_us"].as_f64(), "{spans:?}");
    assert!(code.is_some_and(|c| c == 0 || report["not_sent"].as_u64() > Some(0)), "{report}");
    game.stop().unwrap();
}
