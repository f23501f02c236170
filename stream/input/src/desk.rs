//! What a player has before him, put together: what each input does to keyboard and pointer, and
//! what is held.

use stratus_frame::MonoTime;
use stratus_frame::input::{InputEvent, Layout, PicturePoint};

use crate::action::Action;
use crate::keyboard::{Keyboard, KeymapError};
use crate::touch::{Step, Touch};
use crate::wheel::Wheel;

/// Says where a point of the picture lies on the output.
pub(crate) type Place<'a> = &'a dyn Fn(PicturePoint) -> Action;

/// What presses a button of the pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Mouse,
    Finger,
}

/// Keyboard, mouse and fingers. Gamepads are elsewhere: they are devices of the kernel's.
pub(crate) struct Desk {
    /// None where this host cannot make a keymap.
    keyboard: Option<Keyboard>,
    /// The layout of a player who has not told of another.
    usual: Layout,
    /// Who holds which buttons, in the order in which they were pressed. One is down as long as
    /// anybody holds it.
    buttons: Vec<(u16, By)>,
    wheel: Wheel,
    touch: Touch,
}

impl Desk {
    /// Nothing is held, and the keyboard has the layout `usual`.
    ///
    /// # Errors
    /// Beside a desk without it, why there is no such layout: keys are those of the layout `us`
    /// then, if there is that one.
    pub(crate) fn new(usual: &Layout) -> (Self, Option<KeymapError>) {
        let (keyboard, usual, error) = match Keyboard::new(usual) {
            Ok(keyboard) => (Some(keyboard), usual.clone(), None),
            Err(e) => (Keyboard::new(&Layout::default()).ok(), Layout::default(), Some(e)),
        };
        let (wheel, touch) = (Wheel::default(), Touch::default());
        (Self { keyboard, usual, buttons: Vec::new(), wheel, touch }, error)
    }

    /// What makes new devices the same as these.
    pub(crate) fn introduce(&mut self, out: &mut Vec<Action>) {
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.introduce(out);
        }
    }

    /// What an input does. Gamepads do nothing here.
    pub(crate) fn handle(
        &mut self,
        event: &InputEvent,
        now: MonoTime,
        place: Place<'_>,
        out: &mut Vec<Action>,
    ) {
        match event {
            InputEvent::Key { code, pressed } => {
                if let Some(keyboard) = &mut self.keyboard {
                    keyboard.key(*code, *pressed, out);
                }
            }
            InputEvent::Text(text) => {
                if let Some(keyboard) = &mut self.keyboard {
                    keyboard.text(text, out);
                }
            }
            InputEvent::PointerAt(point) => out.extend([place(*point), Action::Frame]),
            InputEvent::PointerBy { dx, dy } => {
                let pixels = |fixed: i32| f64::from(fixed) / 256.0;
                out.extend([Action::MoveBy { dx: pixels(*dx), dy: pixels(*dy) }, Action::Frame]);
            }
            InputEvent::Button { code, pressed } => {
                self.button(*code, *pressed, By::Mouse, out);
            }
            InputEvent::Wheel { dx, dy, source } => self.wheel.scroll(*dx, *dy, *source, out),
            InputEvent::Touch { slot, phase } => {
                let mut steps = Vec::new();
                self.touch.handle(*slot, *phase, now, &mut steps);
                self.follow(steps, place, out);
            }
            InputEvent::Layout(layout) => self.set_layout(layout, out),
            InputEvent::Release => self.release(place, out),
            InputEvent::Gamepad(_) => {}
        }
    }

    fn button(&mut self, code: u16, pressed: bool, by: By, out: &mut Vec<Action>) {
        let is_down = |buttons: &[(u16, By)]| buttons.iter().any(|(c, _)| *c == code);
        let was_down = is_down(&self.buttons);
        self.buttons.retain(|held| *held != (code, by));
        if pressed {
            self.buttons.push((code, by));
        }
        if is_down(&self.buttons) != was_down {
            out.extend([Action::Button { code, pressed }, Action::Frame]);
        }
    }

    fn set_layout(&mut self, layout: &Layout, out: &mut Vec<Action>) {
        let Some(keyboard) = &mut self.keyboard else { return };
        match keyboard.set_layout(layout, out) {
            Ok(()) => tracing::debug!(%layout, "the player's layout"),
            Err(e) => tracing::warn!("the keyboard keeps the layout {}: {e}", keyboard.layout()),
        }
    }

    /// A finger's steps.
    fn follow(&mut self, steps: Vec<Step>, place: Place<'_>, out: &mut Vec<Action>) {
        for step in steps {
            match step {
                Step::Point(point) => out.push(place(point)),
                Step::Do(Action::Button { code, pressed }) => {
                    self.button(code, pressed, By::Finger, out);
                }
                Step::Do(action) => out.push(action),
            }
        }
    }

    /// When to call [`Desk::handle_timeout`].
    pub(crate) fn poll_timeout(&self) -> Option<MonoTime> {
        self.touch.poll_timeout()
    }

    pub(crate) fn handle_timeout(
        &mut self,
        now: MonoTime,
        place: Place<'_>,
        out: &mut Vec<Action>,
    ) {
        let mut steps = Vec::new();
        self.touch.handle_timeout(now, &mut steps);
        self.follow(steps, place, out);
    }

    /// Lets everything go.
    pub(crate) fn release(&mut self, place: Place<'_>, out: &mut Vec<Action>) {
        let mut steps = Vec::new();
        self.touch.release(&mut steps);
        self.follow(steps, place, out);
        while let Some((code, by)) = self.buttons.last().copied() {
            self.button(code, false, by, out);
        }
        self.wheel.stop(out);
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.release(out);
        }
    }

    /// Lets everything go and forgets the player.
    pub(crate) fn reset(&mut self, place: Place<'_>, out: &mut Vec<Action>) {
        self.release(place, out);
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.reset(out);
        }
        let usual = self.usual.clone();
        self.set_layout(&usual, out);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use stratus_frame::Size;
    use stratus_frame::input::{TouchPhase, WheelSource};

    use super::*;

    fn place(point: PicturePoint) -> Action {
        let PicturePoint { x, y, size } = point;
        Action::MoveTo { x, y, width: size.width, height: size.height }
    }

    /// Whatever a player does, after a release as much went up as down.
    #[test]
    fn after_a_release_nothing_is_held() {
        let (mut desk, error) = Desk::new(&"de".parse().unwrap());
        assert_eq!(error, None);
        let at = PicturePoint { x: 1, y: 2, size: Size::new(3, 4) };
        let mut events = vec![
            InputEvent::Wheel { dx: 0, dy: 256, source: WheelSource::Finger },
            InputEvent::Touch { slot: 1, phase: TouchPhase::Down(at) },
            InputEvent::PointerAt(at),
            InputEvent::Text("é".into()),
        ];
        events.extend((1..100).map(|code| InputEvent::Key { code, pressed: true }));
        events.extend((0x110..=0x114).map(|code| InputEvent::Button { code, pressed: true }));
        let (mut out, mut ms) = (Vec::new(), 0);
        for event in events.iter().chain(&events).chain([&InputEvent::Release]) {
            ms += 50;
            let now = MonoTime::from_nanos(ms * 1_000_000);
            desk.handle_timeout(now, &place, &mut out);
            desk.handle(event, now, &place, &mut out);
        }
        let keys = |down: bool| {
            let of = |a: &Action| match a {
                Action::Key { code, pressed } | Action::Button { code, pressed } => {
                    (*pressed == down).then_some(*code)
                }
                _ => None,
            };
            let mut codes: Vec<u16> = out.iter().filter_map(of).collect();
            codes.sort_unstable();
            codes
        };
        assert_eq!(keys(true), keys(false));
        assert!(keys(true).len() >= 99 + 5);
        assert!(out.iter().any(|a| matches!(a, Action::ScrollStop { .. })));
        out.clear();
        desk.reset(&place, &mut out);
        assert!(!out.iter().any(|a| matches!(a, Action::Key { .. } | Action::Button { .. })));
    }

    #[test]
    fn a_finger_lets_go_only_what_it_holds_itself() {
        let (mut desk, _) = Desk::new(&Layout::default());
        let at = PicturePoint { x: 1, y: 2, size: Size::new(3, 4) };
        let mouse = |pressed| InputEvent::Button { code: 0x110, pressed };
        let touch = |phase| InputEvent::Touch { slot: 1, phase };
        let (down, up) = (touch(TouchPhase::Down(at)), touch(TouchPhase::Up));
        let mut play = |events: &[&InputEvent]| {
            let mut out = Vec::new();
            for event in events {
                desk.handle(event, MonoTime::from_nanos(1), &place, &mut out);
            }
            let is = |a: &Action| match a {
                Action::Button { code: 0x110, pressed } => Some(*pressed),
                _ => None,
            };
            out.iter().filter_map(is).collect::<Vec<bool>>()
        };
        assert_eq!(play(&[&down, &up]), [true, false], "a tap");
        assert_eq!(play(&[&mouse(true), &down, &up]), [true], "a tap while the mouse drags");
        assert_eq!(play(&[&mouse(false)]), [false]);
        let far = touch(TouchPhase::Motion(PicturePoint { x: 99, ..at }));
        assert_eq!(play(&[&down, &far, &mouse(true), &mouse(false)]), [true], "a finger drags");
        assert_eq!(play(&[&up]), [false]);
    }

    #[test]
    fn a_layout_that_this_host_lacks_becomes_us() {
        let (mut desk, error) = Desk::new(&"nosuchlayout".parse().unwrap());
        assert!(error.unwrap().to_string().contains("nosuchlayout"));
        let mut out = Vec::new();
        desk.introduce(&mut out);
        assert!(matches!(&out[..], [Action::Keymap(_), Action::Modifiers(_)]));
    }
}
