//! Wayland messages as lines: for people in the form of `WAYLAND_DEBUG`, for programs as JSON.
//!
//! A [`Tap`] watches a proxy's sessions and hands what it sees, as bytes, to any number of
//! [`Feed`]s, each with a bounded queue: whoever reads too slowly loses lines and is told how
//! many; the proxy never waits. A [`Printer`] makes lines of it on the reader's thread. The
//! [`ControlSocket`] lets other processes of the same user attach to a running proxy.
//!
//! Read in this order: `step` (what is handed over), `tap`, `arguments` and `enums`, `text` and
//! `json`, `filter`, `printer`, `control`.
#![forbid(unsafe_code)]

mod arguments;
mod clock;
mod control;
mod enums;
mod filter;
mod json;
mod printer;
mod serve;
mod step;
mod tap;
mod text;

pub use clock::Times;
pub use control::{
    Answer, Attached, CannotAttach, Command, Commands, ControlSocket, attach, control_path,
};
pub use filter::{BadPattern, Filter, Pattern};
pub use printer::{Format, Options, Printer};
pub use serve::{TRACE, TraceCommand};
pub use step::{Record, Shown, Unreadable};
pub use tap::{Batch, Closer, Feed, Hub, QUEUE_LIMIT, Tap};
