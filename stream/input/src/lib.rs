//! Gives a player's input to the game, through devices of its own at the compositor.
//!
//! [`Injector`] owns a thread with a connection of its own to the compositor, where it has a
//! virtual keyboard (`zwp_virtual_keyboard_v1`) and a virtual pointer (`zwlr_virtual_pointer_v1`);
//! gamepads are made in the kernel (uinput). [`Clipboard`] owns another, for texts. What decides is
//! apart from what talks: `keyboard`, `text`, `touch`, `wheel`, `place` and `desk` make actions of
//! inputs without a compositor, `seat` does them. Neither thread waits for a compositor that does not
//! answer longer than `line` allows.

mod action;
mod clipboard;
mod desk;
mod injector;
mod keyboard;
mod line;
mod names;
mod pads;
mod place;
mod queue;
mod seat;
mod stats;
mod text;
mod touch;
mod wheel;
mod worker;

pub use clipboard::{Clipboard, OnCopy};
pub use injector::{Injector, OnRumble};
pub use names::code_named;
pub use pads::{UinputError, check_uinput};
pub use stats::InputStats;
