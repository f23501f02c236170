//! Storms of input.

#![allow(clippy::unwrap_used, clippy::panic)]

use stratus_frame::Size;
use stratus_frame::input::{PadState, PicturePoint};

use super::*;

fn at(ms: u64) -> MonoTime {
    MonoTime::from_nanos(1_000_000_000 + ms * 1_000_000)
}

fn by(id: u64, dx: i32) -> Input {
    Input { id, time: at(0), event: InputEvent::PointerBy { dx, dy: -dx } }
}

fn key(id: u64) -> Input {
    let event = InputEvent::Key { code: 30, pressed: id.is_multiple_of(2) };
    Input { id, time: at(0), event }
}

fn touch(id: u64, slot: u32, phase: TouchPhase) -> Input {
    Input { id, time: at(0), event: InputEvent::Touch { slot, phase } }
}

fn motion(x: u32) -> TouchPhase {
    TouchPhase::Motion(PicturePoint { x, y: 0, size: Size::new(100, 100) })
}

/// What waits, as if time did not matter.
fn drain(queue: &mut InputQueue) -> Vec<Input> {
    let mut now = at(1_000_000);
    let mut all = Vec::new();
    loop {
        now = now.after(GAP);
        match queue.poll(now) {
            Some(input) => all.push(input),
            None => return all,
        }
    }
}

#[test]
fn what_is_taken_at_once_passes_as_it_is() {
    let mut queue = InputQueue::default();
    for id in 1..=1000 {
        queue.handle_input(by(id, 1));
        assert_eq!(queue.poll(at(id)), Some(by(id, 1)));
        assert_eq!(queue.poll_timeout(), None);
    }
}

#[test]
fn a_storm_of_motion_becomes_one_and_keys_between_stay() {
    let mut queue = InputQueue::default();
    for id in 1..=10_000 {
        queue.handle_input(if id % 100 == 0 { key(id) } else { by(id, 1) });
    }
    assert_eq!(queue.waiting.len(), 200);
    let all = drain(&mut queue);
    assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id), "ids rise");
    assert_eq!(all.iter().filter(|i| matches!(i.event, InputEvent::Key { .. })).count(), 100);
    assert_eq!(all[0], Input { id: 99, ..by(99, 99) });
}

#[test]
fn the_rate_is_bounded_and_a_burst_is_not_delayed() {
    let mut queue = InputQueue::default();
    let mut given = 0;
    for id in 1..=20_000u64 {
        // Twenty a millisecond, none of which can be merged.
        let now = at(id / 20);
        while queue.is_full() {
            // Whoever reads waits.
            let input = queue.poll(queue.poll_timeout().unwrap().max(now)).unwrap();
            assert_eq!(input.id, given + 1);
            given += 1;
        }
        queue.handle_input(key(id));
        while let Some(input) = queue.poll(now) {
            assert_eq!(input.id, given + 1, "no key is lost");
            given += 1;
            if id <= 200 {
                assert_eq!(input.id, id, "a burst passes at once");
            }
        }
    }
    let mut queue = InputQueue::default();
    (1..=300).for_each(|id| queue.handle_input(key(id)));
    assert!(queue.is_full());
    let at_once = std::iter::from_fn(|| queue.poll(at(0))).count();
    assert!((256..=258).contains(&at_once), "{at_once}");
    let due = queue.poll_timeout().unwrap();
    assert!(due > at(0) && due < at(1));
    assert!(queue.poll(due).is_some());
}

#[test]
fn fingers_that_move_at_once_are_merged_each() {
    let mut queue = InputQueue::default();
    for id in 1..=20 {
        queue.handle_input(touch(id, (id % 2) as u32, motion(id as u32)));
    }
    queue.handle_input(touch(21, 0, TouchPhase::Up));
    queue.handle_input(touch(22, 1, motion(50)));
    let all = drain(&mut queue);
    let expected =
        [touch(19, 1, motion(19)), touch(20, 0, motion(20)), touch(21, 0, TouchPhase::Up)];
    assert_eq!(all[..3], expected);
    assert_eq!(all[3], touch(22, 1, motion(50)), "not past a finger that is lifted");
}

#[test]
fn what_happened_between_is_never_merged_away() {
    let wheel = |id, dy, source| {
        let event = InputEvent::Wheel { dx: 0, dy, source };
        Input { id, time: at(0), event }
    };
    let pad = |id, buttons, x| {
        let state = PadState { connected: true, buttons, axes: [x, 0, 0, 0], ..Default::default() };
        Input { id, time: at(0), event: InputEvent::Gamepad(state) }
    };
    let mut queue = InputQueue::default();
    let finger = WheelSource::Finger;
    for input in [
        wheel(1, 120, WheelSource::Wheel),
        wheel(2, 120, WheelSource::Wheel),
        wheel(3, 256, finger),
        wheel(4, -256, finger),
        wheel(5, 0, finger),
        wheel(6, 10, finger),
        pad(7, 0, 1),
        pad(8, 0, 2),
        pad(9, 1, 2),
        pad(10, 0, 2),
    ] {
        queue.handle_input(input);
    }
    let kept: Vec<u64> = drain(&mut queue).iter().map(|i| i.id).collect();
    assert_eq!(kept, [2, 3, 4, 5, 6, 8, 9, 10]);
}
