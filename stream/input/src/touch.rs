//! Fingers as a pointer.
//!
//! wlroots has no virtual touch screen, so fingers do what they do on other touch screens without
//! one: one finger points with the left button pressed, a second one beside it scrolls, and two
//! that tap are the right button. As a finger may be the first of two, the button waits a moment
//! for the second, unless the finger moves or leaves before that.

use std::time::Duration;

use stratus_frame::MonoTime;
use stratus_frame::input::{PicturePoint, TouchPhase};

use crate::action::{Action, Axis, AxisSource};

/// How long a finger is waited for that may come beside the first.
const TOGETHER: Duration = Duration::from_millis(40);
/// The distance, in pixels of the picture, from which on a finger moves.
const SLACK: i64 = 10;
/// Two fingers that leave before this were a tap.
const TAP: Duration = Duration::from_millis(300);

const LEFT: u16 = 0x110;
const RIGHT: u16 = 0x111;

/// What a step of a finger leads to; the pointer's place is the caller's business.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// The pointer goes to this point of the picture.
    Point(PicturePoint),
    /// Something else.
    Do(Action),
}

#[derive(Clone, Copy, Debug)]
struct Finger {
    slot: u32,
    began: PicturePoint,
    at: PicturePoint,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// No finger, or none that still means anything.
    Idle,
    /// One finger, which may be joined by another until then.
    Waiting(Finger, MonoTime),
    /// One finger, with the left button.
    Pressing(Finger),
    /// Two fingers since then, and whether they scrolled.
    Pair(Finger, Finger, MonoTime, bool),
}

/// The fingers of a player.
#[derive(Debug)]
pub(crate) struct Touch {
    state: State,
    /// The fingers that are down, whether or not they mean anything.
    down: Vec<u32>,
}

/// More fingers than any hand has are not counted.
const MOST: usize = 16;

impl Default for Touch {
    fn default() -> Self {
        Self { state: State::Idle, down: Vec::new() }
    }
}

impl Touch {
    /// A finger did something.
    pub(crate) fn handle(
        &mut self,
        slot: u32,
        phase: TouchPhase,
        now: MonoTime,
        out: &mut Vec<Step>,
    ) {
        match phase {
            TouchPhase::Down(at) => {
                if self.down.contains(&slot) || self.down.len() == MOST {
                    return;
                }
                self.down.push(slot);
                self.press(Finger { slot, began: at, at }, now, out);
            }
            TouchPhase::Motion(at) => self.moved(slot, at, out),
            TouchPhase::Up => self.lift(slot, now, out),
            TouchPhase::Cancel => self.cancel(slot, out),
        }
    }

    fn press(&mut self, finger: Finger, now: MonoTime, out: &mut Vec<Step>) {
        self.state = match self.state {
            State::Idle if self.down.len() == 1 => {
                out.push(Step::Point(finger.at));
                out.push(Step::Do(Action::Frame));
                State::Waiting(finger, now.after(TOGETHER))
            }
            State::Waiting(first, _) => State::Pair(first, finger, now, false),
            other => other,
        };
    }

    fn moved(&mut self, slot: u32, at: PicturePoint, out: &mut Vec<Step>) {
        match &mut self.state {
            State::Waiting(finger, _) if finger.slot == slot => {
                finger.at = at;
                let far = |a: u32, b: u32| (i64::from(a) - i64::from(b)).abs() > SLACK;
                if far(finger.began.x, at.x) || far(finger.began.y, at.y) {
                    let finger = *finger;
                    self.begin_press(finger, out);
                }
            }
            State::Pressing(finger) if finger.slot == slot => {
                finger.at = at;
                out.push(Step::Point(at));
                out.push(Step::Do(Action::Frame));
            }
            State::Pair(a, b, _, scrolled) => {
                let finger = match (a.slot == slot, b.slot == slot) {
                    (true, _) => a,
                    (_, true) => b,
                    _ => return,
                };
                // Half of each finger's way, so that two that move together scroll by their way;
                // the content follows the fingers.
                let way = |from: u32, to: u32| (f64::from(from) - f64::from(to)) / 2.0;
                let by = (way(finger.at.x, at.x), way(finger.at.y, at.y));
                let far = |from: u32, to: u32| (i64::from(from) - i64::from(to)).abs() > SLACK;
                let begins = far(finger.began.x, at.x) || far(finger.began.y, at.y);
                finger.at = at;
                if *scrolled || begins {
                    *scrolled = true;
                    scroll(by, out);
                }
            }
            _ => {}
        }
    }

    fn lift(&mut self, slot: u32, now: MonoTime, out: &mut Vec<Step>) {
        self.down.retain(|s| *s != slot);
        match self.state {
            State::Waiting(finger, _) if finger.slot == slot => {
                self.begin_press(finger, out);
                self.end_press(out);
            }
            State::Pressing(finger) if finger.slot == slot => self.end_press(out),
            State::Pair(a, b, since, scrolled) if [a.slot, b.slot].contains(&slot) => {
                if scrolled {
                    stop(out);
                } else if now.since(since) < TAP {
                    for pressed in [true, false] {
                        out.push(Step::Do(Action::Button { code: RIGHT, pressed }));
                        out.push(Step::Do(Action::Frame));
                    }
                }
                // The finger that is left means nothing any more.
                self.state = State::Idle;
            }
            _ => {}
        }
    }

    fn cancel(&mut self, slot: u32, out: &mut Vec<Step>) {
        self.down.retain(|s| *s != slot);
        let part = match self.state {
            State::Idle => false,
            State::Waiting(finger, _) | State::Pressing(finger) => finger.slot == slot,
            State::Pair(a, b, ..) => [a.slot, b.slot].contains(&slot),
        };
        if part {
            self.end(out);
        }
    }

    /// All fingers are lifted, and what they only might have begun does not happen.
    pub(crate) fn release(&mut self, out: &mut Vec<Step>) {
        self.down.clear();
        self.end(out);
    }

    fn end(&mut self, out: &mut Vec<Step>) {
        match self.state {
            State::Pressing(_) => self.end_press(out),
            State::Pair(_, _, _, true) => stop(out),
            _ => {}
        }
        self.state = State::Idle;
    }

    /// When to call [`Touch::handle_timeout`].
    pub(crate) fn poll_timeout(&self) -> Option<MonoTime> {
        match self.state {
            State::Waiting(_, until) => Some(until),
            _ => None,
        }
    }

    /// Nobody joined the finger in time.
    pub(crate) fn handle_timeout(&mut self, now: MonoTime, out: &mut Vec<Step>) {
        if let State::Waiting(finger, until) = self.state
            && now >= until
        {
            self.begin_press(finger, out);
        }
    }

    fn begin_press(&mut self, finger: Finger, out: &mut Vec<Step>) {
        // Where it came down is where it presses: a drag begins there.
        out.push(Step::Do(Action::Button { code: LEFT, pressed: true }));
        out.push(Step::Do(Action::Frame));
        if finger.at != finger.began {
            out.push(Step::Point(finger.at));
            out.push(Step::Do(Action::Frame));
        }
        self.state = State::Pressing(finger);
    }

    fn end_press(&mut self, out: &mut Vec<Step>) {
        out.push(Step::Do(Action::Button { code: LEFT, pressed: false }));
        out.push(Step::Do(Action::Frame));
        self.state = State::Idle;
    }
}

fn scroll((x, y): (f64, f64), out: &mut Vec<Step>) {
    for (axis, value) in [(Axis::Vertical, y), (Axis::Horizontal, x)] {
        if value != 0.0 {
            let source = AxisSource::Finger;
            out.push(Step::Do(Action::Scroll { axis, value, notches: None, source }));
        }
    }
    out.push(Step::Do(Action::Frame));
}

fn stop(out: &mut Vec<Step>) {
    for axis in [Axis::Vertical, Axis::Horizontal] {
        out.push(Step::Do(Action::ScrollStop { axis }));
    }
    out.push(Step::Do(Action::Frame));
}

#[cfg(test)]
mod tests {
    use stratus_frame::Size;

    use super::*;

    fn at(x: u32, y: u32) -> PicturePoint {
        PicturePoint { x, y, size: Size::new(100, 100) }
    }

    /// What comes of steps of fingers: time in ms, finger, phase.
    fn play(steps: &[(u64, u32, TouchPhase)]) -> Vec<Step> {
        let (mut touch, mut out) = (Touch::default(), Vec::new());
        for (ms, slot, phase) in steps {
            let now = MonoTime::from_nanos(1 + ms * 1_000_000);
            if touch.poll_timeout().is_some_and(|due| due <= now) {
                touch.handle_timeout(now, &mut out);
            }
            touch.handle(*slot, *phase, now, &mut out);
        }
        out.retain(|step| *step != Step::Do(Action::Frame));
        out
    }

    fn button(code: u16, pressed: bool) -> Step {
        Step::Do(Action::Button { code, pressed })
    }

    #[test]
    fn a_tap_is_a_click_where_it_was() {
        let tap = play(&[(0, 5, TouchPhase::Down(at(3, 4))), (10, 5, TouchPhase::Up)]);
        assert_eq!(tap, [Step::Point(at(3, 4)), button(LEFT, true), button(LEFT, false)]);
    }

    #[test]
    fn a_finger_that_stays_or_moves_drags() {
        let down = (0, 1, TouchPhase::Down(at(10, 10)));
        let stays = play(&[down, (50, 1, TouchPhase::Motion(at(11, 10)))]);
        assert_eq!(stays, [Step::Point(at(10, 10)), button(LEFT, true), Step::Point(at(11, 10))]);
        let moves = play(&[
            down,
            (5, 1, TouchPhase::Motion(at(15, 10))),
            (9, 1, TouchPhase::Motion(at(30, 10))),
            (99, 1, TouchPhase::Up),
        ]);
        let drag = [button(LEFT, true), Step::Point(at(30, 10)), button(LEFT, false)];
        assert_eq!(moves, [&[Step::Point(at(10, 10))][..], &drag].concat());
    }

    #[test]
    fn two_fingers_scroll_without_a_click_and_one_that_is_left_does_nothing() {
        let steps = play(&[
            (0, 1, TouchPhase::Down(at(10, 50))),
            (20, 2, TouchPhase::Down(at(20, 50))),
            (30, 1, TouchPhase::Motion(at(10, 30))),
            (30, 2, TouchPhase::Motion(at(20, 30))),
            (40, 1, TouchPhase::Up),
            (50, 2, TouchPhase::Motion(at(90, 90))),
            (60, 2, TouchPhase::Up),
        ]);
        let by = Action::Scroll {
            axis: Axis::Vertical,
            value: 10.0,
            notches: None,
            source: AxisSource::Finger,
        };
        let stops =
            [Axis::Vertical, Axis::Horizontal].map(|axis| Step::Do(Action::ScrollStop { axis }));
        let scrolls = [Step::Point(at(10, 50)), Step::Do(by.clone()), Step::Do(by)];
        assert_eq!(steps, [&scrolls[..], &stops].concat());
    }

    #[test]
    fn two_fingers_that_tap_are_the_right_button() {
        let tap = |long| {
            play(&[
                (0, 1, TouchPhase::Down(at(10, 50))),
                (20, 2, TouchPhase::Down(at(20, 50))),
                (long, 2, TouchPhase::Up),
                (long, 1, TouchPhase::Up),
            ])
        };
        let click = [Step::Point(at(10, 50)), button(RIGHT, true), button(RIGHT, false)];
        assert_eq!(tap(100), click);
        assert_eq!(tap(500), click[..1], "too long for a tap");
    }

    #[test]
    fn nothing_stays_pressed_whatever_fingers_do() {
        let held = [(0, 1, TouchPhase::Down(at(1, 1))), (60, 1, TouchPhase::Motion(at(2, 2)))];
        let cancelled = play(&[&held[..], &[(70, 1, TouchPhase::Cancel)]].concat());
        assert_eq!(cancelled.last(), Some(&button(LEFT, false)));
        let twice = play(&[&held[..], &held[..1], &[(70, 1, TouchPhase::Up)]].concat());
        assert_eq!(twice.iter().filter(|s| **s == button(LEFT, true)).count(), 1);
        assert_eq!(twice.last(), Some(&button(LEFT, false)));
        let (mut touch, mut out) = (Touch::default(), Vec::new());
        touch.handle(1, TouchPhase::Down(at(1, 1)), MonoTime::from_nanos(1), &mut out);
        touch.handle_timeout(MonoTime::from_nanos(1_000_000_000), &mut out);
        touch.release(&mut out);
        assert!(out.contains(&button(LEFT, false)) && touch.poll_timeout().is_none());
    }
}
