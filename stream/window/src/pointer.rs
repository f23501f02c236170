//! Pointer, wheel and fingers, from the window's pixels to the picture's.

use stratus_frame::input::{InputEvent, PicturePoint, TouchPhase, WheelSource};
use winit::dpi::PhysicalPosition;
use winit::event::{MouseButton, MouseScrollDelta, TouchPhase as Phase};

use crate::letterbox::Letterbox;

/// The fingers that are followed at once.
const FINGERS: usize = 16;

/// A button's code in `linux/input-event-codes.h`.
pub(crate) fn button(button: MouseButton) -> Option<u16> {
    match button {
        MouseButton::Left => Some(0x110),
        MouseButton::Right => Some(0x111),
        MouseButton::Middle => Some(0x112),
        MouseButton::Back => Some(0x113),
        MouseButton::Forward => Some(0x114),
        MouseButton::Other(_) => None,
    }
}

/// The point of the picture at a point of the window.
pub(crate) fn point(place: &Letterbox, at: PhysicalPosition<f64>) -> PicturePoint {
    let (x, y) = place.to_picture(at.x, at.y);
    PicturePoint { x, y, size: place.picture }
}

/// A distance in the units that are sent, and what is left of it for the next.
#[derive(Debug, Default)]
struct Steps {
    left: f64,
}

impl Steps {
    fn take(&mut self, distance: f64) -> i32 {
        let sum = self.left + distance;
        if !sum.is_finite() {
            return 0;
        }
        // The clamp makes the cast exact but for rounding.
        let whole = sum.trunc().clamp(-1e9, 1e9);
        self.left = sum.fract();
        whole as i32
    }
}

/// What is kept between events of the pointer.
#[derive(Debug, Default)]
pub(crate) struct Motion {
    by: [Steps; 2],
    notches: [Steps; 2],
    pixels: [Steps; 2],
    /// Where in the window the pointer is, while it is there.
    here: Option<PhysicalPosition<f64>>,
    /// Where in the picture the game was told that it is.
    last: Option<PicturePoint>,
}

impl Motion {
    /// The pointer is at this point of the window.
    pub(crate) fn handle_move(&mut self, to: PhysicalPosition<f64>) {
        self.here = Some(to);
    }

    /// The pointer is over the window no more.
    pub(crate) fn handle_leave(&mut self) {
        self.here = None;
        self.forget();
    }

    /// What the game is to hear of the pointer's place; nothing if it is not over the window, or
    /// at the pixel that was told last.
    pub(crate) fn tell(&mut self, place: &Letterbox) -> Option<InputEvent> {
        let point = point(place, self.here?);
        (self.last.replace(point) != Some(point)).then_some(InputEvent::PointerAt(point))
    }

    /// The game may have its pointer elsewhere than it was told.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }

    /// The pointer moved by so many pixels.
    pub(crate) fn by(&mut self, (dx, dy): (f64, f64)) -> Option<InputEvent> {
        let [x, y] = &mut self.by;
        let (dx, dy) = (x.take(dx * 256.0), y.take(dy * 256.0));
        (dx != 0 || dy != 0).then_some(InputEvent::PointerBy { dx, dy })
    }

    /// The wheel turned, or fingers slid. winit counts the content's way: up and left when
    /// negative, which is down and right for the view.
    pub(crate) fn wheel(
        &mut self,
        delta: MouseScrollDelta,
        phase: Phase,
        scale: f64,
    ) -> Option<InputEvent> {
        let (dx, dy, source) = match delta {
            MouseScrollDelta::LineDelta(x, y) => {
                let [sideways, down] = &mut self.notches;
                let (x, y) = (f64::from(-x) * 120.0, f64::from(-y) * 120.0);
                (sideways.take(x), down.take(y), WheelSource::Wheel)
            }
            MouseScrollDelta::PixelDelta(by) => {
                let [sideways, down] = &mut self.pixels;
                let (x, y) = (-by.x / scale * 256.0, -by.y / scale * 256.0);
                (sideways.take(x), down.take(y), WheelSource::Finger)
            }
        };
        let lifted = source == WheelSource::Finger && phase == Phase::Ended;
        (dx != 0 || dy != 0 || lifted).then_some(InputEvent::Wheel { dx, dy, source })
    }
}

/// Fingers by slots, which are few where winit's numbers are any.
#[derive(Debug, Default)]
pub(crate) struct Fingers([Option<u64>; FINGERS]);

impl Fingers {
    /// What a finger did; nothing for one too many.
    pub(crate) fn handle(
        &mut self,
        finger: u64,
        phase: Phase,
        at: PicturePoint,
    ) -> Option<InputEvent> {
        let known = self.0.iter().position(|f| *f == Some(finger));
        let slot = match phase {
            Phase::Started => known.or_else(|| self.0.iter().position(Option::is_none))?,
            Phase::Moved | Phase::Ended | Phase::Cancelled => known?,
        };
        self.0[slot] = matches!(phase, Phase::Started | Phase::Moved).then_some(finger);
        let phase = match phase {
            Phase::Started => TouchPhase::Down(at),
            Phase::Moved => TouchPhase::Motion(at),
            Phase::Ended => TouchPhase::Up,
            Phase::Cancelled => TouchPhase::Cancel,
        };
        Some(InputEvent::Touch { slot: u32::try_from(slot).unwrap_or(0), phase })
    }

    /// All are let go.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use stratus_frame::Size;

    use super::*;
    use crate::letterbox::Scale;

    #[test]
    fn the_same_pixel_is_told_once() {
        let place = Letterbox::new(Size::new(200, 100), Size::new(100, 50), Scale::Fit);
        let mut motion = Motion::default();
        let mut at = |x, y| {
            motion.handle_move(PhysicalPosition::new(x, y));
            motion.tell(&place)
        };
        let point = |x, y| PicturePoint { x, y, size: Size::new(100, 50) };
        assert_eq!(at(10.0, 8.0), Some(InputEvent::PointerAt(point(5, 4))));
        assert_eq!(at(11.9, 9.9), None);
        assert_eq!(at(12.0, 9.9), Some(InputEvent::PointerAt(point(6, 4))));
        motion.forget();
        assert_eq!(motion.tell(&place), Some(InputEvent::PointerAt(point(6, 4))));
        assert_eq!(motion.tell(&place), None);
    }

    #[test]
    fn where_the_pointer_stands_is_known_before_there_is_a_picture_and_in_another() {
        let mut motion = Motion::default();
        let window = Size::new(200, 100);
        let picture = |size| Letterbox::new(window, size, Scale::Fit);
        let (small, large) = (Size::new(100, 50), Size::new(400, 200));
        assert_eq!(motion.tell(&picture(small)), None, "it is not over the window");
        motion.handle_move(PhysicalPosition::new(10.0, 8.0));
        let point = |x, y, size| Some(InputEvent::PointerAt(PicturePoint { x, y, size }));
        assert_eq!(motion.tell(&picture(small)), point(5, 4, small));
        assert_eq!(motion.tell(&picture(large)), point(20, 16, large));
        motion.handle_leave();
        assert_eq!(motion.tell(&picture(small)), None);
    }

    #[test]
    fn parts_of_steps_are_not_lost() {
        let mut motion = Motion::default();
        let mut sum = 0;
        for _ in 0..1000 {
            if let Some(InputEvent::PointerBy { dx, dy }) = motion.by((0.001, 0.0)) {
                assert_eq!(dy, 0);
                sum += dx;
            }
        }
        assert!((255..=256).contains(&sum), "{sum}");
        assert_eq!(motion.by((f64::NAN, f64::INFINITY)), None);
        assert_eq!(motion.by((-1.5, 2.0)), Some(InputEvent::PointerBy { dx: -384, dy: 512 }));
    }

    #[test]
    fn wheels_turn_the_other_way_and_fingers_are_lifted() {
        let mut motion = Motion::default();
        let wheel = |dx, dy, source| Some(InputEvent::Wheel { dx, dy, source });
        let down = MouseScrollDelta::LineDelta(0.0, -1.0);
        assert_eq!(motion.wheel(down, Phase::Moved, 1.0), wheel(0, 120, WheelSource::Wheel));
        let slide = MouseScrollDelta::PixelDelta(PhysicalPosition::new(-4.0, 3.0));
        assert_eq!(motion.wheel(slide, Phase::Moved, 2.0), wheel(512, -384, WheelSource::Finger));
        let still = MouseScrollDelta::PixelDelta(PhysicalPosition::new(0.0, 0.0));
        assert_eq!(motion.wheel(still, Phase::Moved, 2.0), None);
        assert_eq!(motion.wheel(still, Phase::Ended, 2.0), wheel(0, 0, WheelSource::Finger));
    }

    #[test]
    fn fingers_keep_their_slots() {
        let mut fingers = Fingers::default();
        let at = PicturePoint { x: 1, y: 2, size: Size::new(9, 9) };
        let touch = |slot, phase| Some(InputEvent::Touch { slot, phase });
        assert_eq!(fingers.handle(77, Phase::Started, at), touch(0, TouchPhase::Down(at)));
        assert_eq!(fingers.handle(9, Phase::Started, at), touch(1, TouchPhase::Down(at)));
        assert_eq!(fingers.handle(77, Phase::Ended, at), touch(0, TouchPhase::Up));
        assert_eq!(fingers.handle(77, Phase::Moved, at), None);
        assert_eq!(fingers.handle(9, Phase::Moved, at), touch(1, TouchPhase::Motion(at)));
        assert_eq!(fingers.handle(5, Phase::Started, at), touch(0, TouchPhase::Down(at)));
        for finger in 100..100 + FINGERS as u64 - 2 {
            assert!(fingers.handle(finger, Phase::Started, at).is_some());
        }
        assert_eq!(fingers.handle(6, Phase::Started, at), None, "one too many");
    }
}
