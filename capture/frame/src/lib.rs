//! Values that cross the borders between Stratus' crates.
//!
//! `capture` makes a [`Frame`] at `wl_surface.commit` and puts it into the latest-wins
//! [`mailbox`]; the encoding pipeline takes it, reads its pixels, drops its [`Hold`] and makes an
//! [`EncodedFrame`], which `stream` ships. Beside the frames goes the cursor, in a
//! [`CursorCell`], and the [`sound`]; the other way goes the player's [`input`]. Nothing here knows
//! Wayland, FFmpeg or a socket.

mod cursor;
mod damage;
mod encoded;
mod frame;
mod geometry;
mod hold;
pub mod input;
mod mailbox;
pub mod sound;
mod time;

pub use cursor::{
    CursorCell, CursorId, CursorImage, CursorLook, CursorState, MAX_CURSOR_PIXELS, MAX_CURSOR_SIDE,
    PointerBounds,
};
pub use damage::Damage;
pub use encoded::{Codec, EncodedFrame};
pub use frame::{Frame, FrameId, PixelFormat, PixelView, Pixels, ReadError};
pub use geometry::{Rect, Size};
pub use hold::{Hold, HoldKey, Released};
pub use input::InputMark;
pub use mailbox::{Arrival, Nudge, Post, Replaced, Slot, mailbox};
pub use time::{MonoTime, Stamps};
