//! The pointer over the window: where its clicks land, and how a game holds it.

use std::path::Path;
use std::time::Duration;

use stratus_harness::hand::Hand;
use stratus_harness::keyboard::Keyboard;
use stratus_harness::puppet::wayland_client::Proxy as _;
use stratus_harness::puppet::wayland_client::protocol::wl_pointer::WlPointer;
use stratus_harness::puppet::wayland_protocols::wp::pointer_constraints::zv1::client::zwp_locked_pointer_v1::ZwpLockedPointerV1;
use stratus_harness::puppet::wayland_protocols::wp::pointer_constraints::zv1::client::zwp_pointer_constraints_v1::{
    Lifetime, ZwpPointerConstraintsV1,
};
use stratus_harness::puppet::wayland_protocols::wp::relative_pointer::zv1::client::zwp_relative_pointer_manager_v1::ZwpRelativePointerManagerV1;
use stratus_harness::puppet::{Paint, Puppet, Window};
use stratus_harness::sway;
use stratus_harness::watchdog::Watchdog;

use crate::stage::{GAME, SCREEN, Stage, session};
use crate::support::{PATIENCE, Session, eventually};

/// `BTN_LEFT`
const LEFT: u32 = 0x110;
/// The place of a pointer that moves without a word.
const UNKNOWN: (f64, f64) = (-1.0, -1.0);
const GREEN: [u8; 4] = [0, 200, 0, 255];
/// How far the display's pointer is moved at a time while the game has it.
const STEP: (f64, f64) = (10.0, -6.0);

/// A game that is all green, and hears what its pointer does.
struct Game {
    puppet: Puppet,
    pointer: WlPointer,
    window: Window,
    _paint: Paint,
}

impl Game {
    fn show(socket: &Path) -> Self {
        let mut puppet = Puppet::connect(socket).unwrap();
        let pointer = puppet.pointer().unwrap();
        let window = puppet.window("pointed").unwrap();
        let paint = puppet.paint(GAME, GREEN).unwrap();
        puppet.show(&window.surface, &paint.buffer);
        puppet.settle().unwrap();
        Self { puppet, pointer, window, _paint: paint }
    }

    /// Waits for the pointer of a player's hand at this point of the display.
    fn await_pointer(&mut self, hand: &mut Hand, point: (u32, u32), pixel: (f64, f64)) {
        eventually("the pointer is over the game", || {
            hand.wave(point).unwrap();
            hand.point(point).unwrap();
            self.puppet.idle(Duration::from_millis(100)).unwrap();
            near(self.at()?, pixel).then_some(())
        });
    }

    /// Waits for a click of the player's hand, which must be at this pixel.
    fn await_click(&mut self, hand: &mut Hand, pixel: (f64, f64)) {
        let mut heard = self.puppet.heard.pressed.len();
        let (button, at) = eventually(&format!("a click at {pixel:?}"), || {
            // The window may not know yet that the pointer is free.
            hand.click(LEFT).unwrap();
            self.puppet.idle(Duration::from_millis(100)).unwrap();
            let new = &self.puppet.heard.pressed[heard..];
            heard += new.len();
            new.iter().find(|(_, at)| *at != UNKNOWN).copied()
        });
        assert_eq!(button, LEFT);
        assert!(near(at, pixel), "{at:?} is not {pixel:?}");
    }

    fn at(&self) -> Option<(f64, f64)> {
        self.puppet.heard.pointed.as_ref().map(|pointed| pointed.at)
    }

    /// Locks the pointer, and waits until it is.
    fn lock(&mut self) -> ZwpLockedPointerV1 {
        let constraints: ZwpPointerConstraintsV1 = self.puppet.bind(1).unwrap();
        let queue = self.puppet.queue().clone();
        let life = Lifetime::Persistent;
        let surface = &self.window.surface;
        let lock = constraints.lock_pointer(surface, &self.pointer, None, life, &queue, ());
        surface.commit();
        let id = lock.id();
        self.puppet.wait("the lock", PATIENCE, |heard| heard.is_active(&id)).unwrap();
        lock
    }

    /// How far its pointer was moved in all, once nothing more comes.
    fn moved(&mut self) -> (f64, f64) {
        loop {
            let before = self.puppet.heard.moved;
            self.puppet.idle(Duration::from_millis(200)).unwrap();
            if self.puppet.heard.moved == before {
                return before;
            }
        }
    }
}

fn near(a: (f64, f64), b: (f64, f64)) -> bool {
    (a.0 - b.0).abs() <= 2.0 && (a.1 - b.1).abs() <= 2.0
}

/// Waits until the picture of a [`Game`] is at this point of the display.
fn green_at(stage: &Stage, (x, y): (u32, u32)) {
    eventually(&format!("the game at {x}, {y}\n{}", stage.log()), || {
        let [r, g, b] = stage.look().pixel(x, y)?;
        (r < 40 && g > 150 && b < 40).then_some(())
    });
}

/// A display whose pointer neither leaves a window to be hidden nor gives it the focus.
fn display_that_lets_the_pointer_be(session: &Session) -> Stage {
    let config = "focus_follows_mouse no\nseat * hide_cursor 0\n".to_owned();
    let options = sway::Options { size: SCREEN, config, ..sway::Options::default() };
    Stage::under(&options, &session.link, &["--resize", "keep"])
}

/// Moves the display's pointer until the game hears of it as it was moved.
fn until_it_moves_as_the_hand(game: &mut Game, hand: &mut Hand) {
    eventually("the pointer's motion is the game's", || {
        let before = game.moved();
        hand.push(STEP).unwrap();
        let after = game.moved();
        ((after.0 - before.0, after.1 - before.1) == STEP).then_some(())
    });
}

#[test]
fn a_game_holds_the_pointer_as_long_as_the_window_has_the_focus() {
    let _watchdog = Watchdog::start("holding a pointer", Duration::from_secs(180));
    let (session, socket) = session(GAME);
    let mut game = Game::show(&socket);
    let relative: ZwpRelativePointerManagerV1 = game.puppet.bind(1).unwrap();
    relative.get_relative_pointer(&game.pointer, game.puppet.queue(), ());
    let stage = display_that_lets_the_pointer_be(&session);
    // Without a keyboard there is no focus.
    let _keyboard = Keyboard::new(stage.display.socket()).unwrap();
    let mut hand = Hand::new(stage.display.socket(), SCREEN).unwrap();
    green_at(&stage, (500, 350));
    let pixel = (148.8, 240.0);
    game.await_pointer(&mut hand, (250, 350), pixel);

    let lock = game.lock();
    until_it_moves_as_the_hand(&mut game, &mut hand);
    let before = game.moved();
    for _ in 0..20 {
        hand.push(STEP).unwrap();
    }
    let after = game.moved();
    assert_eq!((after.0 - before.0, after.1 - before.1), (STEP.0 * 20.0, STEP.1 * 20.0));

    // Let go, the pointer is where it was held: both the display's and the game's.
    lock.destroy();
    game.puppet.settle().unwrap();
    let before = game.at().unwrap();
    let at = eventually("the pointer is the player's again", || {
        hand.push((2.0, 0.0)).unwrap();
        game.puppet.idle(Duration::from_millis(100)).unwrap();
        game.at().filter(|at| *at != before)
    });
    // The first steps were made before the window held it.
    assert!((at.0 - pixel.0).abs() < 50.0 && (at.1 - pixel.1).abs() < 30.0, "{at:?}");

    let _lock = game.lock();
    until_it_moves_as_the_hand(&mut game, &mut hand);
    // Another window comes, right of it, and takes the focus: it gets the pointer as well.
    let mut other = Puppet::connect(stage.display.socket()).unwrap();
    let _pointer = other.pointer().unwrap();
    let window = other.window("other").unwrap();
    let paint = other.paint((500, 700), [200, 0, 0, 255]).unwrap();
    other.show(&window.surface, &paint.buffer);
    other.settle().unwrap();
    eventually("the focus is elsewhere", || (stage.window()["focused"] == false).then_some(()));
    eventually("the pointer is free", || {
        hand.point((900, 350)).unwrap();
        other.idle(Duration::from_millis(100)).unwrap();
        other.heard.pointed.as_ref()?.over.as_ref().map(drop)
    });
    let before = game.moved();
    for _ in 0..5 {
        hand.push(STEP).unwrap();
    }
    assert_eq!(game.moved(), before, "what is done in another window is not the game's");

    hand.point((250, 350)).unwrap();
    stage.display.message(&["[app_id=stratus] focus"]).unwrap();
    until_it_moves_as_the_hand(&mut game, &mut hand);
}

#[test]
fn clicks_land_under_a_pointer_that_stands_still() {
    let _watchdog = Watchdog::start("clicking in a window", Duration::from_secs(120));
    let (session, socket) = session(GAME);
    let stage = display_that_lets_the_pointer_be(&session);
    let _keyboard = Keyboard::new(stage.display.socket()).unwrap();
    let mut hand = Hand::new(stage.display.socket(), SCREEN).unwrap();
    // The pointer comes before the first picture, of which it could point at a pixel.
    stage.window();
    hand.wave((200, 100)).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    hand.point((733, 7)).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let mut game = Game::show(&socket);
    green_at(&stage, (500, 350));
    // 640x480 in 1000x700: 933x700, 33 pixels from the left.
    game.await_click(&mut hand, (480.0, 4.8));

    // The game's compositor puts its own pointer where the game let it go, without a word.
    let lock = game.lock();
    lock.set_cursor_position_hint(100.0, 300.0);
    game.window.surface.commit();
    game.puppet.settle().unwrap();
    game.puppet.heard.pointed.as_mut().unwrap().at = UNKNOWN;
    lock.destroy();
    game.await_click(&mut hand, (480.0, 4.8));
}
