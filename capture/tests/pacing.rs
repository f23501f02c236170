//! Frame callbacks while somebody watches, and while nobody does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod driver;

use std::time::Duration;

use driver::{Said, Window, World, word};
use stratus_capture::Screen;
use stratus_frame::Size;
use stratus_protocols::{wl_callback, wl_display, wl_surface};
use stratus_proxy_core::ObjectId;

const TICK: Duration = Duration::from_millis(100);
/// Between pictures of the compositor, a little more than 16 ms.
const PICTURE: Duration = Duration::from_nanos(16_666_667);
const DONE: u16 = wl_callback::EVT_DONE_OPCODE;
const DELETE_ID: u16 = wl_display::EVT_DELETE_ID_OPCODE;

fn unwatched(interval: Option<Duration>) -> (World, Window) {
    let mut w = World::with_idle_interval(interval);
    let c = w.connect();
    let window = w.window(c);
    let buffer = w.buffer(c, 1);
    w.show(window, buffer);
    w.control.set_watched(false);
    w.settle();
    (w, window)
}

/// The game asks when to draw its next picture.
fn ask(w: &mut World, window: Window) -> ObjectId {
    let id = w.clients[window.client].new_id();
    w.request(window.client, window.surface, wl_surface::REQ_FRAME_OPCODE, |m| {
        m.object(id);
    });
    w.commit(window.client, window.surface);
    w.clients[window.client].forget();
    id
}

/// The compositor says that it is time.
fn end(w: &mut World, window: Window, id: ObjectId, time: u32) {
    w.event(window.client, id, DONE, |m| {
        m.uint(time);
    });
    w.event(window.client, ObjectId::DISPLAY, DELETE_ID, |m| {
        m.object(id);
    });
}

/// What the game hears: of a callback's end with its time, or of an id's.
fn heard(w: &mut World, window: Window) -> Vec<(ObjectId, u16, i32)> {
    let all: Vec<Said> = std::mem::take(&mut w.clients[window.client].events);
    all.iter().map(|s| (s.sender, s.opcode, word(s, 0))).collect()
}

fn ended(id: ObjectId, time: i32) -> Vec<(ObjectId, u16, i32)> {
    vec![(id, DONE, time), (ObjectId::DISPLAY, DELETE_ID, id.0.cast_signed())]
}

#[test]
fn callbacks_pass_at_once_while_somebody_watches_or_nobody_is_to_be_slowed() {
    for interval in [None, Some(Duration::ZERO), Some(TICK)] {
        let (mut w, window) = unwatched(interval);
        if interval == Some(TICK) {
            w.control.set_watched(true);
            w.settle();
        }
        let id = ask(&mut w, window);
        end(&mut w, window, id, 5);
        assert_eq!(heard(&mut w, window), ended(id, 5), "{interval:?}");
        assert_eq!(w.stats.kept_callbacks.value(), 0);
    }
}

#[test]
fn a_game_that_nobody_watches_ticks_slowly() {
    let (mut w, window) = unwatched(Some(TICK));
    let mut pictures = 0;
    let mut id = ask(&mut w, window);
    let mut asked = true;
    for _ in 0..600 {
        w.pass(PICTURE);
        if asked {
            let time = (w.now / 1_000_000) as u32;
            end(&mut w, window, id, time);
            asked = false;
        }
        let heard = heard(&mut w, window);
        if !heard.is_empty() {
            // The time told is that of the compositor's end, moved on in whole milliseconds.
            let now = (w.now / 1_000_000) as i32;
            assert!(heard == ended(id, now) || heard == ended(id, now - 1), "{heard:?} at {now}");
            w.clients[window.client].forget();
            pictures += 1;
            id = ask(&mut w, window);
            asked = true;
        }
    }
    // Ten seconds, at ten a second.
    assert!((95..=101).contains(&pictures), "{pictures}");
    assert_eq!(w.stats.done_to_commit.count(), pictures);
}

#[test]
fn an_id_is_free_only_when_its_end_was_heard_whatever_lies_between() {
    let (mut w, window) = unwatched(Some(TICK));
    let id = ask(&mut w, window);
    w.event(window.client, id, DONE, |m| {
        m.uint(5);
    });
    assert_eq!(heard(&mut w, window), []);
    // The callback goes, and its id is deleted after.
    w.pass(TICK);
    let heard_first = heard(&mut w, window);
    assert_eq!(heard_first.len(), 1);
    assert_eq!((heard_first[0].0, heard_first[0].1), (id, DONE));
    w.delete_id(window.client, id);
    assert_eq!(heard(&mut w, window), [(ObjectId::DISPLAY, DELETE_ID, id.0.cast_signed())]);
    // The id serves anew.
    assert_eq!(ask(&mut w, window), id);
    end(&mut w, window, id, 7);
    assert_eq!(heard(&mut w, window), []);
    w.pass(TICK);
    assert_eq!(heard(&mut w, window).len(), 2);
}

#[test]
fn who_comes_to_watch_and_who_resizes_let_all_go() {
    for resizes in [false, true] {
        let (mut w, window) = unwatched(Some(TICK));
        let (first, second) = (ask(&mut w, window), ask(&mut w, window));
        end(&mut w, window, first, 5);
        end(&mut w, window, second, 5);
        assert_eq!(heard(&mut w, window), []);
        if resizes {
            let size = Size::new(320, 200);
            w.control.resize(Screen { size, refresh_mhz: 60_000 }).unwrap();
        } else {
            w.control.set_watched(true);
        }
        w.settle();
        let mut all = heard(&mut w, window);
        all.retain(|(sender, ..)| [first, second, ObjectId::DISPLAY].contains(sender));
        assert_eq!(all, [ended(first, 5), ended(second, 5)].concat());
        assert_eq!(w.deadline(), None, "nothing is left to wait for");
    }
}

#[test]
fn callbacks_of_others_and_of_surfaces_that_go_leave_nothing() {
    let (mut w, window) = unwatched(Some(TICK));
    let c = window.client;
    // wl_display.sync makes a callback as well; nobody waits for it.
    let sync = w.clients[c].new_id();
    w.request(c, ObjectId::DISPLAY, wl_display::REQ_SYNC_OPCODE, |m| {
        m.object(sync);
    });
    w.clients[c].forget();
    end(&mut w, window, sync, 3);
    assert_eq!(heard(&mut w, window).len(), 2);
    // The compositor ends callbacks of a destroyed surface without a word.
    let surface = w.surface(c);
    let id = w.clients[c].new_id();
    w.request(c, surface, wl_surface::REQ_FRAME_OPCODE, |m| {
        m.object(id);
    });
    w.destroy(c, surface, wl_surface::REQ_DESTROY_OPCODE);
    w.clients[c].forget();
    w.delete_id(c, id);
    assert_eq!(heard(&mut w, window).len(), 1);
    // A client that goes takes what is kept for it along.
    let id = ask(&mut w, window);
    end(&mut w, window, id, 5);
    w.disconnect(c);
    w.pass(TICK);
    assert_eq!(w.deadline(), None);
}
