//! A gamepad's events as the state that the W3C's "standard gamepad" has.
//!
//! Codes mean what the kernel's gamepad specification says (Documentation/input/gamepad.rst),
//! which its drivers of the usual pads follow.

use stratus_frame::input::PadState;

/// Key codes of the standard gamepad's buttons, by their number. Pads whose directions are keys
/// have them here; most have a hat, which is two axes.
const BUTTONS: [u16; 17] = [
    0x130, // BTN_SOUTH
    0x131, // BTN_EAST
    0x134, // BTN_WEST
    0x133, // BTN_NORTH
    0x136, // BTN_TL
    0x137, // BTN_TR
    0x138, // BTN_TL2
    0x139, // BTN_TR2
    0x13a, // BTN_SELECT
    0x13b, // BTN_START
    0x13d, // BTN_THUMBL
    0x13e, // BTN_THUMBR
    0x220, // BTN_DPAD_UP
    0x221, // BTN_DPAD_DOWN
    0x222, // BTN_DPAD_LEFT
    0x223, // BTN_DPAD_RIGHT
    0x13c, // BTN_MODE
];
/// The buttons that triggers are.
const PULLED: [u32; 2] = [6, 7];
/// The buttons that a hat's two axes are, at their negative and positive ends.
const HAT_BUTTONS: [[u32; 2]; 2] = [[14, 15], [12, 13]];

/// `ABS_X`, `ABS_Y`, `ABS_RX` and `ABS_RY`.
const STICKS: [u16; 4] = [0, 1, 3, 4];
/// `ABS_Z` and `ABS_RZ`.
const TRIGGERS: [u16; 2] = [2, 5];
/// `ABS_HAT0X` and `ABS_HAT0Y`.
const HAT: [u16; 2] = [0x10, 0x11];

/// The ends of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) least: i32,
    pub(super) most: i32,
}

/// A pad as its events have made it.
#[derive(Clone, Debug)]
pub(super) struct Pad {
    pub(super) state: PadState,
    /// Microsoft's driver names the left of the four buttons north and the top one west, after
    /// their letters.
    xbox: bool,
    ranges: Vec<(u16, Range)>,
}

impl Pad {
    /// A pad in slot `pad`, with its axes' ranges.
    pub(super) fn new(pad: u8, xbox: bool, ranges: Vec<(u16, Range)>) -> Self {
        Self { state: PadState { pad, connected: true, ..PadState::default() }, xbox, ranges }
    }

    /// A button went down or up.
    pub(super) fn handle_key(&mut self, code: u16, pressed: bool) {
        let code = match (self.xbox, code) {
            (true, 0x133) => 0x134,
            (true, 0x134) => 0x133,
            (_, code) => code,
        };
        if let Some(button) = BUTTONS.iter().position(|c| *c == code) {
            self.press(button as u32, pressed);
        }
    }

    /// An axis moved.
    pub(super) fn handle_axis(&mut self, code: u16, value: i32) {
        let Some((_, range)) = self.ranges.iter().find(|(axis, _)| *axis == code) else { return };
        let part = range.part(value);
        if let Some(i) = STICKS.iter().position(|c| *c == code) {
            // From 0..=1 to the whole of 16 bits with a sign; the cast is exact but for rounding.
            self.state.axes[i] = (part * 65535.0 - 32768.0).round() as i16;
        } else if let Some(i) = TRIGGERS.iter().position(|c| *c == code) {
            self.state.triggers[i] = (part * 65535.0).round() as u16;
            // Browsers call a trigger pressed that is pulled at all; half keeps worn ones quiet.
            self.press(PULLED[i], part >= 0.5);
        } else if let Some(i) = HAT.iter().position(|c| *c == code) {
            let [less, more] = HAT_BUTTONS[i];
            self.press(less, value < 0);
            self.press(more, value > 0);
        }
    }

    fn press(&mut self, button: u32, pressed: bool) {
        let bit = 1 << button;
        if pressed {
            self.state.buttons |= bit;
        } else {
            self.state.buttons &= !bit;
        }
    }
}

impl Range {
    /// How far from the least to the most, 0 to 1.
    fn part(self, value: i32) -> f64 {
        let (least, most) = (f64::from(self.least), f64::from(self.most));
        if most <= least {
            return 0.0;
        }
        ((f64::from(value) - least) / (most - least)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pad(xbox: bool) -> Pad {
        let stick = Range { least: -32768, most: 32767 };
        let byte = Range { least: 0, most: 255 };
        let hat = Range { least: -1, most: 1 };
        Pad::new(2, xbox, vec![(0, stick), (1, stick), (3, byte), (5, byte), (16, hat), (17, hat)])
    }

    #[test]
    fn buttons_have_the_places_of_the_standard_gamepad() {
        // Kernel's code, and the W3C's button, of a pad that follows the specification.
        for (code, button) in
            [(0x130, 0), (0x131, 1), (0x134, 2), (0x133, 3), (0x13a, 8), (0x13c, 16), (0x222, 14)]
        {
            let mut pad = pad(false);
            pad.handle_key(code, true);
            assert_eq!(pad.state.buttons, 1 << button, "{code:#x}");
            pad.handle_key(code, false);
            assert_eq!(pad.state.buttons, 0);
        }
        let mut xbox = pad(true);
        // BTN_X is left of the four on it, which is button 2.
        xbox.handle_key(0x133, true);
        assert_eq!(xbox.state.buttons, 1 << 2);
        xbox.handle_key(0x2c0, true);
        assert_eq!(xbox.state.buttons, 1 << 2, "no button of the standard gamepad");
    }

    #[test]
    fn axes_reach_both_ends() {
        let mut pad = pad(false);
        pad.handle_axis(0, -32768);
        pad.handle_axis(1, 32767);
        pad.handle_axis(3, 255);
        assert_eq!(pad.state.axes, [-32768, 32767, 32767, 0]);
        pad.handle_axis(3, -70_000);
        assert_eq!(pad.state.axes[2], -32768, "beyond its range");
        pad.handle_axis(5, 255);
        assert_eq!((pad.state.triggers, pad.state.buttons), ([0, 65535], 1 << 7));
        pad.handle_axis(5, 20);
        assert_eq!((pad.state.triggers[1], pad.state.buttons), (20 * 257, 0));
        assert_eq!((pad.state.pad, pad.state.connected), (2, true));
    }

    #[test]
    fn a_hat_is_four_buttons() {
        let mut pad = pad(false);
        pad.handle_axis(16, -1);
        pad.handle_axis(17, 1);
        assert_eq!(pad.state.buttons, 1 << 14 | 1 << 13);
        pad.handle_axis(16, 1);
        assert_eq!(pad.state.buttons, 1 << 15 | 1 << 13);
        pad.handle_axis(16, 0);
        pad.handle_axis(17, 0);
        assert_eq!(pad.state.buttons, 0);
    }
}
