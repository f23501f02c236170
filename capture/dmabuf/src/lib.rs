//! Reads the pixels of dmabufs: mapped where their bytes are visible, imported where they are not.
//!
//! It knows planes, formats and fences, and no Wayland: `stratus-capture` says what the client
//! made of them. A [`Description`] holds the client's numbers; [`Reader::open`] checks them and
//! makes a [`Picture`], which can be read from any thread, as often as one likes.
//!
//! Opening does nothing that waits. How the pixels are had is decided at the first read, in the
//! reader's thread, because that may load a GPU driver. See `exporter` for the choice.

mod cache;
mod device;
mod exporter;
mod fence;
mod format;
mod layout;
mod memory;
mod picture;
mod reader;
mod sync_unsafe;

pub use format::{INVALID, LINEAR, pixel_format};
pub use layout::{Description, MAX_PLANES, Plane, Rejected};
pub use picture::{Failure, Picture};
pub use reader::Reader;
