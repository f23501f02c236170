//! Tests of the mailbox.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::*;
use crate::{Damage, FrameId, Hold, PixelView, Pixels, ReadError, Rect, Size, Stamps};

struct NoPixels;
impl Pixels for NoPixels {
    fn read(&self, _: &mut dyn FnMut(PixelView<'_>)) -> Result<(), ReadError> {
        Ok(())
    }
}

fn frame(id: u64, x: u32) -> Frame {
    let size = Size::new(10, 10);
    let mut damage = Damage::none(size);
    damage.add(Rect { x, y: 0, width: 1, height: 1 });
    Frame {
        id: FrameId(id),
        stamps: Stamps::default(),
        newest_input: 0,
        size,
        damage,
        pixels: Arc::new(NoPixels),
        torn: Arc::new(AtomicBool::new(false)),
        hold: Hold::none(),
    }
}

#[test]
fn the_newest_wins_and_inherits_damage() {
    let (post, slot) = mailbox();
    assert!(matches!(post.put(frame(1, 1)), Replaced::Nothing));
    let Replaced::Waiting(old) = post.put(frame(2, 5)) else { panic!("1 was not replaced") };
    assert_eq!(old.id, FrameId(1));
    let Arrival::Frame(new) = slot.wait(true, None) else { panic!("no frame") };
    assert_eq!(new.id, FrameId(2));
    let mut xs: Vec<u32> = new.damage.rects().map(|r| r.x).collect();
    xs.sort_unstable();
    assert_eq!(xs, [1, 5]);
    assert!(matches!(slot.wait(true, Some(Duration::ZERO)), Arrival::TimedOut));
}

#[test]
fn frames_stay_replaceable_while_not_accepted() {
    let (post, slot) = mailbox();
    post.put(frame(1, 1));
    assert!(matches!(slot.wait(false, Some(Duration::ZERO)), Arrival::TimedOut));
    assert!(matches!(post.put(frame(2, 1)), Replaced::Waiting(_)));
    assert_eq!(post.with_waiting(|f| f.id), Some(FrameId(2)));
    assert_eq!(post.retract().map(|f| f.id), Some(FrameId(2)));
    assert!(post.with_waiting(|f| f.id).is_none());
}

#[test]
fn nudges_and_ends_wake_a_sleeper() {
    let (post, slot) = mailbox();
    let nudge = slot.nudge();
    let sleeper = std::thread::spawn(move || {
        let first = slot.wait(true, None);
        let second = slot.wait(true, None);
        let third = slot.wait(true, None);
        (first, second, third)
    });
    nudge.nudge();
    std::thread::sleep(Duration::from_millis(5));
    post.put(frame(7, 0));
    std::thread::sleep(Duration::from_millis(5));
    drop(post);
    let (first, second, third) = sleeper.join().expect("sleeper");
    assert!(matches!(first, Arrival::Nudged));
    assert!(matches!(second, Arrival::Frame(f) if f.id == FrameId(7)));
    assert!(matches!(third, Arrival::Closed));
}

#[test]
fn a_gone_encoder_hands_frames_back() {
    let (post, slot) = mailbox();
    post.put(frame(1, 1));
    drop(slot);
    assert!(post.with_waiting(|_| ()).is_none());
    assert!(matches!(post.put(frame(2, 1)), Replaced::Closed(f) if f.id == FrameId(2)));
}
