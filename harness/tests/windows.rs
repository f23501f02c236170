//! Several windows of several connections: the player sees the one that Sway shows and that has
//! the focus, whichever comes and goes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code, reason = "each test uses its part")]
#[path = "oracle/kept.rs"]
mod kept;
mod stage;

use std::time::Duration;

use serde_json::Value;
use stratus_capture::CaptureConfig;
use stratus_frame::Size;
use stratus_harness::puppet::{Paint, Puppet, Window};
use stratus_harness::screencopy::Screen;
use stratus_harness::sway::{Options, Sway};
use stratus_harness::watchdog::{Watchdog, wait_for};

use kept::Kept;
use stage::Proxied;

const SIZE: (u32, u32) = (640, 360);
const PATIENCE: Duration = Duration::from_secs(20);

/// A Sway, and what is captured in front of it.
struct Place {
    screen: Screen,
    kept: Kept,
    proxied: Proxied,
    sway: Sway,
}

impl Place {
    fn new() -> Self {
        let config = "default_border none\ndefault_floating_border none\n\
                      focus_on_window_activation focus";
        let options = Options { size: SIZE, config: config.to_owned(), ..Options::default() };
        let sway = Sway::start(&options).unwrap();
        let config = CaptureConfig::new(Size::new(SIZE.0, SIZE.1));
        let (proxied, slot, _) = Proxied::capturing(sway.runtime_dir(), sway.socket(), config);
        Self { screen: sway.screen().unwrap(), kept: Kept::start(slot), proxied, sway }
    }

    fn connect(&self) -> Puppet {
        Puppet::connect(self.proxied.socket()).unwrap()
    }

    /// Waits until Sway shows `corner` in the corner and `middle` in the middle of its screen, and
    /// the very same picture is captured; then one of `titles` has the focus. Meanwhile `clients`
    /// acknowledge what they are told, as all do.
    #[track_caller]
    fn shows(
        &mut self,
        clients: &mut [&mut Puppet],
        titles: &[&str],
        (corner, middle): ([u8; 3], [u8; 3]),
    ) {
        let mut last = String::new();
        let same = wait_for("the same picture", PATIENCE, || {
            clients.iter_mut().for_each(|client| client.settle().unwrap());
            let shown = self.screen.capture().ok()?;
            let captured = self.kept.picture();
            let seen = [shown.pixel(2, 2), shown.pixel(SIZE.0 / 2, SIZE.1 / 2)];
            let of = |p: &stratus_harness::picture::Picture| {
                [p.pixel(2, 2), p.pixel(SIZE.0 / 2, SIZE.1 / 2)]
            };
            let same = captured.as_ref().is_some_and(|c| c.size == shown.size && *c == shown);
            last = format!("Sway {seen:?}, captured {:?}", captured.as_ref().map(of));
            (same && seen == [Some(corner), Some(middle)]).then_some(())
        });
        assert!(same.is_ok(), "{titles:?}: {last}");
        let focused = self.focused();
        assert!(focused.as_deref().is_some_and(|t| titles.contains(&t)), "{titles:?}: {focused:?}");
        assert_eq!(self.kept.complaints(), [""; 0]);
    }

    /// The title of the window that has Sway's focus.
    fn focused(&self) -> Option<String> {
        fn find(node: &Value) -> Option<String> {
            if node["focused"] == true && node["pid"].is_number() {
                return node["name"].as_str().map(str::to_owned);
            }
            let children = ["nodes", "floating_nodes"].into_iter();
            children.filter_map(|of| node[of].as_array()).flatten().find_map(find)
        }
        let tree = self.sway.message(&["-t", "get_tree"]).unwrap();
        find(&serde_json::from_str(&tree).unwrap())
    }
}

/// A window full of one colour.
fn window(puppet: &mut Puppet, title: &str, bgra: [u8; 4]) -> (Window, Paint) {
    let window = puppet.window(title).unwrap();
    let paint = puppet.paint(SIZE, bgra).unwrap();
    puppet.show(&window.surface, &paint.buffer);
    puppet.settle().unwrap();
    (window, paint)
}

#[test]
fn the_player_sees_the_window_that_has_the_focus() {
    let _watchdog = Watchdog::start("windows", PATIENCE * 6);
    let mut place = Place::new();
    let (red, green, blue, white) = ([255, 0, 0], [0, 255, 0], [0, 0, 255], [255; 3]);
    let mut launcher = place.connect();
    let _shown = window(&mut launcher, "launcher", [0, 0, 255, 255]);
    place.shows(&mut [&mut launcher], &["launcher"], (red, red));

    // A game of another connection comes on top, and opens a second window.
    let mut game = place.connect();
    let _main = window(&mut game, "game", [255, 0, 0, 255]);
    place.shows(&mut [&mut launcher, &mut game], &["game"], (blue, blue));
    let (second, _paint) = window(&mut game, "second", [0, 255, 0, 255]);
    place.shows(&mut [&mut launcher, &mut game], &["second"], (green, green));

    // A dialog stands over it, and goes.
    let dialog = game.dialog("dialog", &second).unwrap();
    let paint = game.paint((200, 100), [255; 4]).unwrap();
    game.show(&dialog.surface, &paint.buffer);
    game.settle().unwrap();
    // Older Sways leave the focus with a fullscreen window.
    place.shows(&mut [&mut launcher, &mut game], &["dialog", "second"], (green, white));
    dialog.toplevel.destroy();
    dialog.xdg_surface.destroy();
    dialog.surface.destroy();
    game.settle().unwrap();
    place.shows(&mut [&mut launcher, &mut game], &["second"], (green, green));

    // The second window goes, then the whole game.
    second.toplevel.destroy();
    second.xdg_surface.destroy();
    second.surface.destroy();
    game.settle().unwrap();
    place.shows(&mut [&mut launcher, &mut game], &["game"], (blue, blue));
    drop(game);
    place.shows(&mut [&mut launcher], &["launcher"], (red, red));
    drop(launcher);
    place.proxied.stop();
    place.kept.join();
}
