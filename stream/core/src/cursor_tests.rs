//! Tests of the cursor's way from a feed to a store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::message::Messages;

fn image(id: u64, size: Size) -> CursorState {
    let bgra: Vec<u8> =
        (0..size.width * size.height * 4).map(|i| (u64::from(i) + id) as u8).collect();
    let image = Arc::new(CursorImage { id: CursorId(id), size, bgra: bgra.into() });
    let look = CursorLook::Image { image, shown: size, hotspot: (-1, 3) };
    CursorState { look, ..CursorState::default() }
}

/// Both sides, and the bytes between them.
#[derive(Default)]
struct Way {
    feed: CursorFeed,
    messages: Messages,
    store: CursorStore,
    seen: CursorState,
    bytes: usize,
    count: usize,
}

impl Way {
    /// Sends what may be sent at `now`.
    fn send(&mut self, state: &CursorState, now: MonoTime) {
        while let Some(message) = self.feed.poll(state, now) {
            let mut out = BytesMut::new();
            message.encode(&mut out);
            self.bytes += out.len();
            self.count += 1;
            self.messages.handle_bytes(&out);
            match self.messages.poll().unwrap().expect("a message") {
                Message::CursorImage(part) => self.store.handle_part(&part).unwrap(),
                Message::Cursor(sent) => self.seen = self.store.handle_cursor(&sent).unwrap(),
                other => panic!("{other:?}"),
            }
        }
    }
}

fn seconds(s: f64) -> MonoTime {
    MonoTime::from_nanos(((s + 100.0) * 1e9) as u64)
}

#[test]
fn an_image_goes_once_whole_and_is_then_named() {
    let mut way = Way::default();
    let (large, small) = (image(1, Size::new(256, 256)), image(2, Size::new(3, 5)));
    way.send(&large, seconds(0.0));
    assert_eq!(way.seen, large);
    assert_eq!(way.count, 256 * 256 * 4 / MAX_PART + 1);
    let after_first = way.bytes;
    way.send(&small, seconds(10.0));
    way.send(&large, seconds(20.0));
    assert_eq!(way.seen, large);
    assert!(way.bytes < after_first + 400, "{} after {after_first}", way.bytes);
    way.send(&large, seconds(30.0));
    assert_eq!(way.count, 256 * 256 * 4 / MAX_PART + 1 + 2 + 1, "nothing new, nothing sent");
}

#[test]
fn both_sides_forget_the_same_images() {
    let mut way = Way::default();
    let size = Size::new(2, 2);
    for round in 0..3 {
        for id in 1..=KEPT_IMAGES as u64 + 5 {
            let state = image(id, size);
            way.send(&state, seconds(f64::from(round) * 100.0 + id as f64));
            assert_eq!(way.seen, state);
        }
    }
    assert_eq!(way.store.kept.len(), KEPT_IMAGES);
}

#[test]
fn a_storm_of_new_images_is_bounded_and_its_last_arrives() {
    let mut way = Way::default();
    let size = Size::new(256, 256);
    let mut id = 0;
    // Ten seconds of 240 new images a second.
    for step in 0..2400 {
        id += 1;
        way.send(&image(id, size), seconds(f64::from(step) / 240.0));
    }
    // 256 KiB a second, two seconds' worth at once, and the one that was begun.
    assert!(way.bytes <= 13 * 260 * 1024, "{} bytes", way.bytes);
    let due = way.feed.poll_timeout().expect("the last waits");
    let last = image(id, size);
    assert_ne!(way.seen, last);
    way.send(&last, due);
    assert_eq!(way.seen, last);
}

#[test]
fn every_look_and_bound_survives_the_way() {
    let looks = [
        CursorLook::Hidden,
        CursorLook::Shape("nw-resize".into()),
        image(9, Size::new(1, 1)).look,
        CursorLook::Unknown,
    ];
    let bounds = [
        PointerBounds::Locked { hint: None },
        PointerBounds::Locked { hint: Some((i32::MIN, 256)) },
        PointerBounds::Confined,
        PointerBounds::Free,
    ];
    let mut way = Way::default();
    for (n, (look, bounds)) in looks.iter().zip(bounds).enumerate() {
        let state = CursorState { look: look.clone(), bounds };
        way.send(&state, seconds(n as f64));
        assert_eq!(way.seen, state);
    }
    let huge = image(10, Size::new(1, 1));
    let CursorLook::Image { image, hotspot, .. } = huge.look else { panic!() };
    let shown = Size::new(u32::MAX, 0);
    let look = CursorLook::Image { image, shown, hotspot };
    way.send(&CursorState { look, ..CursorState::default() }, seconds(9.0));
    let CursorLook::Image { shown, .. } = way.seen.look else { panic!() };
    assert_eq!(shown, Size::new(MAX_SIDE, 1));
}

#[test]
fn parts_out_of_order_and_unknown_images_are_refused() {
    let part = |id, offset, len| CursorPart {
        id: CursorId(id),
        size: Size::new(2, 2),
        offset,
        bgra: vec![0; len].into(),
    };
    let mut store = CursorStore::default();
    assert!(store.handle_part(&part(1, 4, 4)).is_err(), "the first part is missing");
    let mut store = CursorStore::default();
    store.handle_part(&part(1, 0, 8)).unwrap();
    assert!(store.handle_part(&part(2, 8, 8)).is_err(), "another image in between");
    let mut store = CursorStore::default();
    store.handle_part(&part(1, 0, 8)).unwrap();
    store.handle_part(&part(1, 8, 8)).unwrap();
    assert!(store.handle_part(&part(1, 0, 16)).is_err(), "it is kept already");
    let look = |id| SentLook::Image { id: CursorId(id), shown: Size::new(2, 2), hotspot: (0, 0) };
    let sent = |id| SentCursor { look: look(id), bounds: PointerBounds::Free };
    assert!(store.handle_cursor(&sent(1)).is_ok());
    assert!(store.handle_cursor(&sent(2)).is_err());
}
