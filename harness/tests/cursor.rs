//! The cursors of real programs, and of a puppet under a real compositor, as players are told them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod stage;

use std::process::{Child, Stdio};
use std::time::Duration;

use stratus_capture::{Capture, CaptureConfig};
use stratus_frame::{Arrival, CursorCell, CursorLook, CursorState, PointerBounds, Size, mailbox};
use stratus_harness::hand::Hand;
use stratus_harness::puppet::Puppet;
use stratus_harness::puppet::wayland_client::Proxy as _;
use stratus_harness::puppet::wayland_protocols::wp::pointer_constraints::zv1::client::zwp_pointer_constraints_v1::{
    Lifetime, ZwpPointerConstraintsV1,
};
use stratus_harness::sway::{Options, Sway};
use stratus_harness::watchdog::{Watchdog, wait_for};

use stage::{LIMIT, Proxied};

const SIZE: (u32, u32) = (640, 480);
const MIDDLE: (u32, u32) = (320, 240);

/// Sway, a capture in front of it, and a hand on its pointer.
struct Place {
    hand: Hand,
    proxied: Proxied,
    cursor: CursorCell,
    sway: Sway,
}

impl Place {
    fn new() -> Self {
        let sway = Sway::start(&Options { size: SIZE, ..Options::default() }).unwrap();
        let (told, cursor) = std::sync::mpsc::channel();
        let (post, slot) = mailbox();
        let proxied = Proxied::start(sway.runtime_dir(), sway.socket(), move |wakeup| {
            let config = CaptureConfig::new(Size::new(SIZE.0, SIZE.1));
            let capture = Capture::new(&config, post, wakeup.waker());
            told.send(capture.cursor()).unwrap();
            capture
        });
        std::thread::spawn(move || while !matches!(slot.wait(true, None), Arrival::Closed) {});
        let hand = Hand::new(sway.socket(), SIZE).unwrap();
        Self { hand, proxied, cursor: cursor.recv().unwrap(), sway }
    }

    /// Waves until the cursor is as it should be.
    fn until(&mut self, what: &str, wanted: impl Fn(&CursorState) -> bool) -> CursorState {
        let (hand, cursor) = (&mut self.hand, &self.cursor);
        let come = wait_for(what, LIMIT, || {
            let state = cursor.latest();
            if wanted(&state) {
                return Some(state);
            }
            hand.wave(MIDDLE).unwrap();
            None
        });
        come.unwrap_or_else(|e| panic!("{e}: {:?}", cursor.latest()))
    }

    fn start(&self, program: &[&str]) -> Running {
        let folder = self.sway.runtime_dir();
        let child = self
            .sway
            .client("setpriv", self.proxied.socket())
            .args(["--pdeathsig", "KILL"])
            .args(program)
            .env("HOME", folder)
            .env("XDG_CONFIG_HOME", folder)
            .env("GDK_BACKEND", "wayland")
            .env("SDL_VIDEODRIVER", "wayland")
            .env("SDL_AUDIODRIVER", "dummy")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("NO_AT_BRIDGE", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start a program through setpriv");
        Running(child)
    }
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_client_is_told_of_byte_for_byte_and_its_lock_as_sway_grants_it() {
    let _watchdog = Watchdog::start("a puppet's cursor", Duration::from_secs(120));
    let mut place = Place::new();
    let mut puppet = Puppet::connect(place.proxied.socket()).unwrap();
    let window = puppet.window("cursor").unwrap();
    let back = puppet.paint(SIZE, [90, 90, 90, 255]).unwrap();
    puppet.show(&window.surface, &back.buffer);
    let pointer = puppet.pointer().unwrap();
    puppet.settle().unwrap();
    place.hand.wave(MIDDLE).unwrap();
    let entered = |heard: &stratus_harness::puppet::Heard| {
        heard.pointed.as_ref().is_some_and(|p| p.over.as_ref() == Some(&window.surface))
    };
    puppet.wait("the pointer", LIMIT, entered).unwrap();
    let serial = puppet.heard.pointed.as_ref().unwrap().serial;
    assert_eq!(place.cursor.latest(), CursorState::default());

    let pixels: Vec<u8> = (0..24 * 16 * 4).map(|i| (i * 7 % 251) as u8).collect();
    let drawn = puppet.picture((24, 16), &pixels).unwrap();
    let surface = puppet.surface().unwrap();
    pointer.set_cursor(serial, Some(&surface), 5, 7);
    puppet.show(&surface, &drawn.buffer);
    // Whatever is drawn after the commit is not what was committed.
    puppet.settle().unwrap();
    drawn.fill([1, 2, 3, 4]).unwrap();
    let CursorLook::Image { image, shown, hotspot } = place.cursor.latest().look else {
        panic!("{:?}", place.cursor.latest());
    };
    assert_eq!((image.size, shown, hotspot), (Size::new(24, 16), Size::new(24, 16), (5, 7)));
    assert!(image.bgra == pixels, "the bytes of the client's buffer");
    let released = |heard: &stratus_harness::puppet::Heard| heard.releases(&drawn.buffer) >= 1;
    surface.attach(None, 0, 0);
    surface.commit();
    puppet.wait("the cursor's buffer", LIMIT, released).unwrap();
    assert_eq!(place.cursor.latest().look, CursorLook::Hidden);

    let constraints: ZwpPointerConstraintsV1 = puppet.bind(1).unwrap();
    let queue = puppet.queue().clone();
    let life = Lifetime::Persistent;
    let lock = constraints.lock_pointer(&window.surface, &pointer, None, life, &queue, ());
    puppet.settle().unwrap();
    let id = lock.id();
    puppet.wait("the lock", LIMIT, |heard| heard.is_active(&id)).unwrap();
    let locked = |hint| PointerBounds::Locked { hint };
    assert_eq!(place.cursor.latest().bounds, locked(None));
    lock.set_cursor_position_hint(10.0, 20.5);
    window.surface.commit();
    puppet.settle().unwrap();
    assert_eq!(place.cursor.latest().bounds, locked(Some((2560, 5248))));
    lock.destroy();
    puppet.settle().unwrap();
    assert_eq!(place.cursor.latest().bounds, PointerBounds::Free);
}

#[test]
fn terminals_and_toolkits_have_images_or_shapes_with_a_hotspot_inside() {
    let _watchdog = Watchdog::start("cursors of programs", Duration::from_secs(180));
    for program in [&["foot", "--config=/dev/null", "sleep", "600"][..], &["galculator"]] {
        let mut place = Place::new();
        let _running = place.start(program);
        let known = |state: &CursorState| {
            matches!(state.look, CursorLook::Image { .. } | CursorLook::Shape(_))
        };
        let state = place.until(program[0], known);
        println!("{}: {state:?}", program[0]);
        if let CursorLook::Image { image, shown, hotspot: (x, y) } = state.look {
            let Size { width, height } = shown;
            assert!(width >= 8 && height >= 8, "{program:?}: {shown}");
            assert!((0..width as i32).contains(&x) && (0..height as i32).contains(&y));
            let alphas = image.bgra.chunks_exact(4).map(|pixel| pixel[3]);
            let opaque = alphas.filter(|alpha| *alpha == 255).count();
            assert!(opaque >= 8 && opaque < image.bgra.len() / 4, "{program:?}: {opaque} pixels");
        }
    }
}

#[test]
fn a_game_that_grabs_the_mouse_locks_the_pointer_and_hides_it() {
    let _watchdog = Watchdog::start("a game's lock", Duration::from_secs(120));
    let mut place = Place::new();
    let wad = "/usr/share/games/doom/freedoom1.wad";
    let doom = ["/usr/games/chocolate-doom", "-iwad", wad, "-nosound", "-warp", "1", "1"];
    let _running = place.start(&doom);
    let grabbed = |state: &CursorState| {
        matches!(state.bounds, PointerBounds::Locked { .. }) && state.look == CursorLook::Hidden
    };
    println!("chocolate-doom: {:?}", place.until("the game's lock", grabbed));
}
