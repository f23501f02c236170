//! What a gamepad's state is in the words of the kernel: those that the driver of Xbox pads uses
//! (`xpad`), so that every game and library that maps pads has this one.

use stratus_frame::input::PadState;

/// `EV_KEY` and `EV_ABS`.
pub(super) const EV_KEY: u16 = 0x01;
pub(super) const EV_ABS: u16 = 0x03;

/// The kernel's buttons, with their numbers in the standard gamepad.
pub(super) const BUTTONS: [(u32, u16); 11] = [
    (0, 0x130),
    (1, 0x131),
    (2, 0x133),
    (3, 0x134),
    (4, 0x136),
    (5, 0x137),
    (8, 0x13a),
    (9, 0x13b),
    (10, 0x13d),
    (11, 0x13e),
    (16, 0x13c),
];

/// `ABS_X`, `ABS_Y`, `ABS_RX`, `ABS_RY`: the sticks.
pub(super) const STICKS: [u16; 4] = [0x00, 0x01, 0x03, 0x04];
/// `ABS_Z`, `ABS_RZ`: the triggers, each with the button that it is as well.
pub(super) const TRIGGERS: [(u16, u32); 2] = [(0x02, 6), (0x05, 7)];
/// `ABS_HAT0X`, `ABS_HAT0Y`: the cross, with the buttons to either side.
pub(super) const HATS: [(u16, u32, u32); 2] = [(0x10, 14, 15), (0x11, 12, 13)];

/// An event of the kernel's: type, code and value.
pub(super) type Event = (u16, u16, i32);

/// Everything about a pad, as the kernel was told of it last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    buttons: [bool; BUTTONS.len()],
    sticks: [i32; STICKS.len()],
    triggers: [i32; TRIGGERS.len()],
    hats: [i32; HATS.len()],
}

impl Held {
    fn of(state: &PadState) -> Self {
        let is_down = |button: u32| state.buttons >> button & 1 == 1;
        let trigger = |i: usize| match (state.triggers[i], is_down(TRIGGERS[i].1)) {
            // A pad whose triggers are buttons.
            (0, true) => 255,
            (value, _) => i32::from(value >> 8),
        };
        let hat =
            |(_, less, more): (u16, u32, u32)| i32::from(is_down(more)) - i32::from(is_down(less));
        Self {
            buttons: BUTTONS.map(|(button, _)| is_down(button)),
            sticks: state.axes.map(i32::from),
            triggers: [trigger(0), trigger(1)],
            hats: HATS.map(hat),
        }
    }

    /// The events that lead from what was told last to `state`.
    pub(super) fn change(&mut self, state: &PadState) -> Vec<Event> {
        let old = std::mem::replace(self, Self::of(state));
        let mut events = Vec::new();
        for (i, (_, code)) in BUTTONS.into_iter().enumerate() {
            if old.buttons[i] != self.buttons[i] {
                events.push((EV_KEY, code, i32::from(self.buttons[i])));
            }
        }
        let axes = STICKS.into_iter().zip(old.sticks).zip(self.sticks);
        let triggers = TRIGGERS.into_iter().map(|(c, _)| c).zip(old.triggers).zip(self.triggers);
        let hats = HATS.into_iter().map(|(c, _, _)| c).zip(old.hats).zip(self.hats);
        for ((code, before), now) in axes.chain(triggers).chain(hats) {
            if before != now {
                events.push((EV_ABS, code, now));
            }
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_told_as_what_changed() {
        let mut held = Held::default();
        let mut state = PadState { connected: true, ..PadState::default() };
        assert_eq!(held.change(&state), []);
        // A, the cross to the left and down, the guide; the left trigger as a button.
        state.buttons = 1 | 1 << 14 | 1 << 13 | 1 << 16 | 1 << 6;
        state.axes = [-32_768, 32_767, 0, 5];
        state.triggers = [0, 0x8000];
        assert_eq!(
            held.change(&state),
            [
                (EV_KEY, 0x130, 1),
                (EV_KEY, 0x13c, 1),
                (EV_ABS, 0x00, -32_768),
                (EV_ABS, 0x01, 32_767),
                (EV_ABS, 0x04, 5),
                (EV_ABS, 0x02, 255),
                (EV_ABS, 0x05, 128),
                (EV_ABS, 0x10, -1),
                (EV_ABS, 0x11, 1),
            ]
        );
        assert_eq!(held.change(&state), []);
        let nothing = PadState { connected: true, ..PadState::default() };
        assert_eq!(held.change(&nothing).len(), 9);
        assert_eq!(held, Held::default());
    }

    #[test]
    fn every_button_of_the_standard_gamepad_does_something() {
        for button in 0..17 {
            let mut held = Held::default();
            let state = PadState { connected: true, buttons: 1 << button, ..PadState::default() };
            assert_eq!(held.change(&state).len(), 1, "{button}");
        }
    }
}
