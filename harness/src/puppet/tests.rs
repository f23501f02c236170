//! Tests of the puppet: what it is told to show is what Sway shows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use wayland_client::protocol::wl_output::Transform;

use super::*;
use crate::compositor::{Compositor, Config};
use crate::sway::{Options, Sway};
use crate::watchdog::{Watchdog, wait_for};

const BLUE: [u8; 4] = [255, 0, 0, 255];
const GREEN: [u8; 4] = [0, 255, 0, 255];
const RED: [u8; 4] = [0, 0, 255, 255];
const CLEAR: [u8; 4] = [0; 4];

/// The colours that Sway shows at these places, as B G R, once they are those.
fn expect(puppet: &mut Puppet, sway: &Sway, wanted: &[((usize, usize), [u8; 4])]) {
    puppet.settle().unwrap();
    let mut screen = sway.screen().unwrap();
    let mut seen = Vec::new();
    let come = wait_for("the colours", Duration::from_secs(10), || {
        let picture = screen.capture().unwrap();
        let at = |(x, y): (usize, usize)| {
            let i = (y * picture.size.0 as usize + x) * 3;
            [picture.rgb[i + 2], picture.rgb[i + 1], picture.rgb[i], 255]
        };
        seen = wanted.iter().map(|(place, _)| (*place, at(*place))).collect();
        (seen == wanted).then_some(())
    });
    assert!(come.is_ok(), "{seen:?} is not {wanted:?}");
}

#[test]
fn sway_shows_the_tree_that_was_made() {
    let _watchdog = Watchdog::start("a puppet's tree", Duration::from_secs(60));
    let sway = Sway::start(&Options { size: (320, 240), ..Options::default() }).unwrap();
    // Its background is grey in Sway 1.7 and black in 1.10.
    let [b, g, r] = [2, 1, 0].map(|i| sway.screen().unwrap().capture().unwrap().rgb[i]);
    let empty = [b, g, r, 255];
    let mut puppet = Puppet::connect(sway.socket()).unwrap();
    let window = puppet.window("puppet").unwrap();
    window.toplevel.set_fullscreen(None);
    puppet.settle().unwrap();
    let back = puppet.paint((320, 240), BLUE).unwrap();
    puppet.show(&window.surface, &back.buffer);

    // A subsurface of 20x10 buffer pixels, turned by 90 degrees, doubled by its viewport.
    let child = puppet.surface().unwrap();
    let sub = puppet.subsurface(&child, &window.surface).unwrap();
    let viewport = puppet.viewport(&child).unwrap();
    let (mut rows, half) = (GREEN.repeat(20 * 5), RED.repeat(20 * 5));
    rows.extend(half);
    let picture = puppet.picture((20, 10), &rows).unwrap();
    child.set_buffer_transform(Transform::_90);
    viewport.set_destination(20, 40);
    sub.set_position(100, 50);
    puppet.show(&child, &picture.buffer);
    window.surface.commit();
    // The client turned its content counter-clockwise: the buffer's top shows on the right.
    expect(
        &mut puppet,
        &sway,
        &[((5, 5), BLUE), ((102, 60), RED), ((117, 60), GREEN), ((121, 60), BLUE)],
    );

    // Desynchronized, it changes without its parent; below, it is covered.
    sub.set_desync();
    picture.fill(GREEN).unwrap();
    puppet.show(&child, &picture.buffer);
    expect(&mut puppet, &sway, &[((102, 60), GREEN)]);
    sub.place_below(&window.surface);
    window.surface.commit();
    expect(&mut puppet, &sway, &[((117, 60), BLUE)]);

    let popup = puppet.popup(&window.xdg_surface, (200, 100), (40, 30)).unwrap();
    assert_eq!(puppet.heard.size(&popup.xdg_surface), Some((40, 30)));
    let menu = puppet.paint((40, 30), RED).unwrap();
    puppet.show(&popup.surface, &menu.buffer);
    expect(&mut puppet, &sway, &[((205, 105), RED), ((245, 105), BLUE)]);
    popup.popup.destroy();
    popup.xdg_surface.destroy();

    puppet.unmap(&window);
    expect(&mut puppet, &sway, &[((5, 5), empty)]);
    let window = puppet.window("another").unwrap();
    let other = puppet.paint((320, 240), GREEN).unwrap();
    puppet.show(&window.surface, &other.buffer);
    let dialog = puppet.dialog("dialog", &window).unwrap();
    let small = puppet.paint((50, 40), RED).unwrap();
    puppet.show(&dialog.surface, &small.buffer);
    expect(&mut puppet, &sway, &[((5, 5), GREEN), ((160, 120), RED)]);
    assert!(puppet.pixel([0, 0, 0, u32::MAX]).is_ok() || sway_is_old(&sway));
}

/// Whether Sway has no single-pixel buffers (wlroots before 0.17).
fn sway_is_old(sway: &Sway) -> bool {
    let version = sway.message(&["-t", "get_version"]).unwrap();
    ["1.7", "1.8"].iter().any(|old| version.contains(&format!("\"human_readable\": \"{old}")))
}

#[test]
fn releases_and_callbacks_are_heard_and_errors_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { pace: crate::compositor::Pace::AtOnce, ..Config::default() };
    let compositor = Compositor::start(&folder.path().join("w"), config).unwrap();
    let mut puppet = Puppet::connect(compositor.socket()).unwrap();
    let window = puppet.window("puppet").unwrap();
    let paint = puppet.paint((20, 10), CLEAR).unwrap();
    assert!(paint.write(&[0; 4]).is_err());
    let callback = puppet.frame(&window.surface);
    puppet.show(&window.surface, &paint.buffer);
    puppet.settle().unwrap();
    assert!(puppet.heard.is_done(&callback));
    assert_eq!(puppet.heard.releases(&paint.buffer), 1);
    puppet.unmap(&window);
    puppet.map(&window).unwrap();
    puppet.show(&window.surface, &paint.buffer);
    puppet.settle().unwrap();
    assert_eq!(puppet.heard.releases(&paint.buffer), 2);
    assert!(puppet.wait("nothing", Duration::ZERO, |_| false).is_err());
    compositor.protocol_error(0);
    let error = puppet.idle(LIMIT).unwrap_err().to_string();
    assert!(error.contains("protocol error"), "{error}");
}
