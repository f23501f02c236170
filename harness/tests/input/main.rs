//! A player's input under a real Sway: what games and terminals hear of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod clipboard;
mod listener;
mod silence;
mod terminal;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stratus_frame::input::{
    Input, InputEvent, InputMark, Layout, PadState, PicturePoint, TouchPhase, WheelSource,
};
use stratus_frame::{MonoTime, Size};
use stratus_harness::sway::{Options, Sway};
use stratus_harness::watchdog::{Watchdog, wait_for};
use stratus_input::Injector;

use listener::{Listener, Said};

const SIZE: (u32, u32) = (640, 480);
const LIMIT: Duration = Duration::from_secs(20);

const BUTTON_LEFT: u16 = 0x110;
const BUTTON_EXTRA: u16 = 0x114;
const ESCAPE: u16 = 1;
const KEY_A: u16 = 30;
const LEFT_SHIFT: u16 = 42;

/// A player at a compositor.
struct Hands {
    injector: Injector,
    mark: InputMark,
    last: u64,
}

impl Hands {
    fn at(socket: &Path) -> Self {
        Self::with_layout(socket, "us")
    }

    fn with_layout(socket: &Path, layout: &str) -> Self {
        let (mark, layout): (_, Layout) = (InputMark::default(), layout.parse().unwrap());
        let injector =
            Injector::start(socket.to_owned(), layout, mark.clone(), Arc::new(|_| {})).unwrap();
        Self { injector, mark, last: 0 }
    }

    fn give(&mut self, event: InputEvent) {
        self.last += 1;
        self.injector.input(Input { id: self.last, time: MonoTime::now(), event });
    }

    fn key(&mut self, code: u16, pressed: bool) {
        self.give(InputEvent::Key { code, pressed });
    }

    /// Keys, one after the other, all down before the first goes up again.
    fn chord(&mut self, codes: &[u16]) {
        codes.iter().for_each(|code| self.key(*code, true));
        codes.iter().rev().for_each(|code| self.key(*code, false));
    }

    fn point(&mut self, x: u32, y: u32, size: (u32, u32)) {
        let size = Size::new(size.0, size.1);
        self.give(InputEvent::PointerAt(PicturePoint { x, y, size }));
    }

    fn button(&mut self, code: u16, pressed: bool) {
        self.give(InputEvent::Button { code, pressed });
    }

    /// Waits until all of it was given.
    fn settle(&self) {
        wait_for("inputs to be given", LIMIT, || {
            (self.injector.stats().given() >= self.last).then_some(())
        })
        .unwrap();
    }
}

fn sway() -> Sway {
    Sway::start(&Options { size: SIZE, ..Options::default() }).unwrap()
}

#[test]
fn a_game_finds_keyboard_and_pointer_at_once_and_hears_what_the_player_does() {
    let _watchdog = Watchdog::start("a game's input", Duration::from_secs(120));
    let sway = sway();
    let mut hands = Hands::at(sway.socket());
    let mut game = Listener::open(sway.socket()).unwrap();
    // The pointer goes to the very pixel, also where the picture was scaled.
    hands.point(11, 22, SIZE);
    game.hear_until(&Said::At(11.0, 22.0)).unwrap();
    hands.point(320, 240, (1280, 960));
    // Sway's mode is known for long by then: such a picture is of a window that is too large.
    let said = game.hear_until(&Said::At(320.0, 240.0)).unwrap();
    assert_eq!(said.len(), 1, "{said:?}");
    for code in BUTTON_LEFT..=BUTTON_EXTRA {
        for pressed in [true, true, false, false] {
            hands.button(code, pressed);
        }
    }
    let buttons: Vec<Said> = (0x110..=0x114)
        .flat_map(|code| [Said::Button(code, true), Said::Button(code, false)])
        .collect();
    assert_eq!(game.hear_until(&Said::Button(0x114, false)).unwrap(), buttons);
    // Keys by their places; a key that is pressed again was pressed before.
    let keymaps = game.keymaps();
    hands.key(KEY_A, true);
    hands.chord(&[KEY_A]);
    hands.key(LEFT_SHIFT, true);
    hands.key(LEFT_SHIFT, false);
    let said = game.hear_until(&Said::Key(42, false)).unwrap();
    let keys: Vec<&Said> = said.iter().filter(|s| matches!(s, Said::Key(..))).collect();
    assert_eq!(
        keys,
        [&Said::Key(30, true), &Said::Key(30, false), &Said::Key(42, true), &Said::Key(42, false)]
    );
    assert!(said.iter().any(|s| matches!(s, Said::Modifiers(1, 0, _, 0))), "{said:?}");
    assert_eq!(game.keymaps(), keymaps, "the keymap stays");
    hands.give(InputEvent::Layout("de".parse().unwrap()));
    hands.chord(&[KEY_A]);
    game.hear_until(&Said::Key(30, false)).unwrap();
    assert_eq!(game.keymaps(), keymaps + 1);
    hands.settle();
    assert_eq!(hands.mark.newest(), hands.last);
}

#[test]
fn wheels_and_fingers_scroll_and_touch_is_a_pointer() {
    let _watchdog = Watchdog::start("scrolling", Duration::from_secs(120));
    let sway = sway();
    let mut hands = Hands::at(sway.socket());
    let mut game = Listener::open(sway.socket()).unwrap();
    hands.point(100, 100, SIZE);
    game.hear_until(&Said::At(100.0, 100.0)).unwrap();
    let wheel = |dx, dy, source| InputEvent::Wheel { dx, dy, source };
    hands.give(wheel(0, -240, WheelSource::Wheel));
    let notches = Said::Notches(0, -240);
    let said = game.hear_until(&notches).unwrap();
    assert!(said.contains(&Said::Source(0)), "{said:?}");
    let said = [said, game.hear_for(Duration::from_millis(50)).unwrap()].concat();
    assert_eq!(said.iter().filter(|s| **s == Said::Axis(0, -30.0)).count(), 1, "{said:?}");
    // A part of a notch scrolls its part.
    hands.give(wheel(60, 0, WheelSource::Wheel));
    let said = game.hear_until(&Said::Axis(1, 7.5)).unwrap();
    assert!(said.contains(&Said::Source(2)), "{said:?}");
    assert!(!said.iter().any(|s| matches!(s, Said::Notches(..))), "{said:?}");
    hands.give(wheel(0, 640, WheelSource::Finger));
    let said = game.hear_until(&Said::Axis(0, 2.5)).unwrap();
    assert!(said.contains(&Said::Source(1)), "{said:?}");
    hands.give(wheel(0, 0, WheelSource::Finger));
    game.hear_until(&Said::Stop(0)).unwrap();
    // A finger: a tap is a click where it was.
    let at = PicturePoint { x: 50, y: 60, size: Size::new(SIZE.0, SIZE.1) };
    hands.give(InputEvent::Touch { slot: 9, phase: TouchPhase::Down(at) });
    hands.give(InputEvent::Touch { slot: 9, phase: TouchPhase::Up });
    let said = game.hear_until(&Said::Button(0x110, false)).unwrap();
    let tap = [Said::At(50.0, 60.0), Said::Button(0x110, true), Said::Button(0x110, false)];
    assert_eq!(said, tap);
    // One that stays presses by itself.
    hands.give(InputEvent::Touch { slot: 1, phase: TouchPhase::Down(at) });
    game.hear_until(&Said::Button(0x110, true)).unwrap();
    hands.give(InputEvent::Release);
    game.hear_until(&Said::Button(0x110, false)).unwrap();
}

#[test]
fn a_locked_pointer_hears_how_far_it_was_moved() {
    let _watchdog = Watchdog::start("a locked pointer", Duration::from_secs(120));
    let sway = sway();
    let mut hands = Hands::at(sway.socket());
    let mut game = Listener::open(sway.socket()).unwrap();
    hands.point(100, 100, SIZE);
    game.hear_until(&Said::At(100.0, 100.0)).unwrap();
    game.lock_pointer().unwrap();
    for (dx, dy) in [(256, -512), (128, 0), (1_000_000, -1)] {
        hands.give(InputEvent::PointerBy { dx, dy });
    }
    let last = Said::By(3906.25, -1.0 / 256.0);
    let said = game.hear_until(&last).unwrap();
    assert_eq!(said, [Said::By(1.0, -2.0), Said::By(0.5, 0.0), last], "and it stands still");
}

/// What is held when a player goes, by each way to go.
#[test]
fn everything_is_let_go_when_the_player_goes() {
    let _watchdog = Watchdog::start("letting go", Duration::from_secs(120));
    let sway = sway();
    let mut hands = Hands::at(sway.socket());
    let mut game = Listener::open(sway.socket()).unwrap();
    hands.point(100, 100, SIZE);
    game.hear_until(&Said::At(100.0, 100.0)).unwrap();
    let hold = |hands: &mut Hands, game: &mut Listener| {
        hands.key(LEFT_SHIFT, true);
        hands.key(KEY_A, true);
        hands.button(BUTTON_LEFT, true);
        game.hear_until(&Said::Button(0x110, true)).unwrap();
    };
    let let_go = |game: &mut Listener| {
        // Shift is no modifier any more; NumLock stays.
        let ups = [Said::Key(30, false), Said::Key(42, false), Said::Button(0x110, false)];
        game.hear_all(&[&ups[..], &[Said::Modifiers(0, 0, 16, 0)]].concat()).unwrap();
    };
    hold(&mut hands, &mut game);
    hands.give(InputEvent::Release);
    let_go(&mut game);
    hold(&mut hands, &mut game);
    hands.injector.player_left();
    let_go(&mut game);
    wait_for("the mark", LIMIT, || (hands.mark.newest() == 0).then_some(())).unwrap();
    hold(&mut hands, &mut game);
    drop(hands);
    let_go(&mut game);
}

#[test]
fn no_input_reaches_another_session_and_floods_reach_their_own() {
    let _watchdog = Watchdog::start("two sessions", Duration::from_secs(120));
    let (one, other) = (sway(), sway());
    let mut hands = Hands::at(one.socket());
    // The other's devices are there as well, so that its game hears of them.
    let _others = Hands::at(other.socket());
    let mut game = Listener::open(one.socket()).unwrap();
    let mut bystander = Listener::open(other.socket()).unwrap();
    bystander.hear_for(Duration::from_millis(100)).unwrap();
    // More than a second's worth of the worst player, as fast as the game can listen.
    let mut said = Vec::new();
    for i in 0..3000 {
        hands.point(i % SIZE.0, i % SIZE.1, SIZE);
        hands.chord(&[KEY_A]);
        if i % 100 == 99 {
            hands.chord(&[ESCAPE]);
            said.extend(game.hear_until(&Said::Key(1, false)).unwrap());
        }
    }
    hands.settle();
    let downs = said.iter().filter(|s| **s == Said::Key(30, true)).count();
    assert_eq!(downs, 3000, "no key is lost");
    let said = bystander.hear_for(Duration::from_millis(100)).unwrap();
    assert_eq!(said, [], "the other session's game");
    let stats = hands.injector.stats();
    assert_eq!((stats.given(), stats.lost()), (hands.last, 0));
    assert!(stats.delay(50) > Duration::ZERO);
    println!("received to written: p50 {:?}, p95 {:?}", stats.delay(50), stats.delay(95));
}

#[test]
fn play_goes_on_without_gamepads_and_without_a_compositor() {
    let _watchdog = Watchdog::start("missing devices", Duration::from_secs(60));
    let sway = sway();
    let mut hands = Hands::at(sway.socket());
    let mut game = Listener::open(sway.socket()).unwrap();
    // Whether or not this host makes gamepads, keys come behind them.
    for buttons in 0..3 {
        let state = PadState { connected: true, buttons, ..PadState::default() };
        hands.give(InputEvent::Gamepad(state));
    }
    hands.chord(&[KEY_A]);
    game.hear_until(&Said::Key(30, false)).unwrap();
    sway.crash();
    hands.chord(&[KEY_A]);
    let nowhere = Path::new("/nonexistent/wayland-0");
    let mut lost = Hands::at(nowhere);
    lost.key(KEY_A, true);
    wait_for("an input to be lost", LIMIT, || (lost.injector.stats().lost() == 1).then_some(()))
        .unwrap();
}
