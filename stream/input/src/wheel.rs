//! Scrolling.
//!
//! `zwlr_virtual_pointer_v1` knows whole notches only (`axis_discrete`), from which compositors
//! make `wl_pointer.axis_value120`, and distances without notches. So whole notches go as such,
//! and parts of them as distances of a device that scrolls continuously, each once: a part that
//! was told as a distance is not counted into a notch later.

use stratus_frame::input::WheelSource;

use crate::action::{Action, Axis, AxisSource};

/// Units in a notch.
const NOTCH: i32 = 120;
/// The pixels that a notch scrolls: what libinput's degrees make them for most mice.
const NOTCH_PIXELS: f64 = 15.0;

/// What scrolls.
#[derive(Debug, Default)]
pub(crate) struct Wheel {
    /// The directions in which a finger scrolls.
    finger: [bool; 2],
}

impl Wheel {
    pub(crate) fn scroll(&mut self, dx: i32, dy: i32, source: WheelSource, out: &mut Vec<Action>) {
        let axes = [(Axis::Vertical, dy), (Axis::Horizontal, dx)];
        if source == WheelSource::Finger && (dx, dy) == (0, 0) {
            return self.stop(out);
        }
        for (i, (axis, by)) in axes.into_iter().enumerate().filter(|(_, (_, by))| *by != 0) {
            let (value, notches, source) = match source {
                WheelSource::Wheel => {
                    let whole = (by % NOTCH == 0).then_some(by / NOTCH);
                    let source = whole.map_or(AxisSource::Continuous, |_| AxisSource::Wheel);
                    (f64::from(by) / f64::from(NOTCH) * NOTCH_PIXELS, whole, source)
                }
                WheelSource::Finger => {
                    self.finger[i] = true;
                    (f64::from(by) / 256.0, None, AxisSource::Finger)
                }
            };
            out.push(Action::Scroll { axis, value, notches, source });
        }
        if (dx, dy) != (0, 0) {
            out.push(Action::Frame);
        }
    }

    /// The finger is lifted.
    pub(crate) fn stop(&mut self, out: &mut Vec<Action>) {
        let fingers = std::mem::take(&mut self.finger);
        for (axis, scrolled) in [Axis::Vertical, Axis::Horizontal].into_iter().zip(fingers) {
            if scrolled {
                out.push(Action::ScrollStop { axis });
            }
        }
        if fingers.contains(&true) {
            out.push(Action::Frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scroll(wheel: &mut Wheel, dx: i32, dy: i32, source: WheelSource) -> Vec<Action> {
        let mut out = Vec::new();
        wheel.scroll(dx, dy, source, &mut out);
        out
    }

    #[test]
    fn whole_notches_are_notches_and_parts_are_distances() {
        let mut wheel = Wheel::default();
        let scrolled =
            |axis, value, notches, source| Action::Scroll { axis, value, notches, source };
        assert_eq!(
            scroll(&mut wheel, 0, -240, WheelSource::Wheel),
            [scrolled(Axis::Vertical, -30.0, Some(-2), AxisSource::Wheel), Action::Frame]
        );
        assert_eq!(
            scroll(&mut wheel, 120, 30, WheelSource::Wheel),
            [
                scrolled(Axis::Vertical, 3.75, None, AxisSource::Continuous),
                scrolled(Axis::Horizontal, 15.0, Some(1), AxisSource::Wheel),
                Action::Frame
            ]
        );
        assert_eq!(scroll(&mut wheel, 0, 0, WheelSource::Wheel), []);
    }

    #[test]
    fn a_finger_stops_what_it_scrolled() {
        let mut wheel = Wheel::default();
        assert_eq!(scroll(&mut wheel, 0, 0, WheelSource::Finger), []);
        let down = scroll(&mut wheel, 0, 640, WheelSource::Finger);
        let source = AxisSource::Finger;
        let expected = Action::Scroll { axis: Axis::Vertical, value: 2.5, notches: None, source };
        assert_eq!(down, [expected, Action::Frame]);
        let stop = [Action::ScrollStop { axis: Axis::Vertical }, Action::Frame];
        assert_eq!(scroll(&mut wheel, 0, 0, WheelSource::Finger), stop);
        assert_eq!(scroll(&mut wheel, 0, 0, WheelSource::Finger), []);
    }
}
