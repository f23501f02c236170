//! What the devices do: the words between those that decide and the one that talks to the
//! compositor.

/// A direction of scrolling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    Vertical,
    Horizontal,
}

/// How something was scrolled, as `wl_pointer.axis_source` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AxisSource {
    /// By whole notches.
    Wheel,
    /// By parts of notches.
    Continuous,
    /// By a finger, which stops.
    Finger,
}

/// One step of a device.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// The keyboard has this keymap from now on, in XKB's text format.
    Keymap(String),
    /// A key of the keyboard, as evdev numbers them.
    Key { code: u16, pressed: bool },
    /// The state of the keyboard's modifiers, as `wl_keyboard.modifiers` has it.
    Modifiers(Modifiers),
    /// The pointer goes to this part of the output's width and height.
    MoveTo { x: u32, y: u32, width: u32, height: u32 },
    /// The pointer goes so many pixels further.
    MoveBy { dx: f64, dy: f64 },
    /// A button of the pointer.
    Button { code: u16, pressed: bool },
    /// So many pixels are scrolled, and so many notches if it was by notches.
    Scroll { axis: Axis, value: f64, notches: Option<i32>, source: AxisSource },
    /// The finger that scrolled was lifted.
    ScrollStop { axis: Axis },
    /// What the pointer did since the last of these happened at once.
    Frame,
}

impl Action {
    /// The bytes that it takes, about.
    pub(crate) fn weight(&self) -> usize {
        let text = if let Self::Keymap(text) = self { text.len() } else { 0 };
        size_of::<Self>() + text
    }
}

/// Masks of XKB's real modifiers, and the group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Modifiers {
    pub(crate) depressed: u32,
    pub(crate) latched: u32,
    pub(crate) locked: u32,
    pub(crate) group: u32,
}
