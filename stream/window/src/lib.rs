//! The native player's window: shows pictures, draws the game's cursor and figures over them, and
//! turns what the player does into input.
//!
//! A window knows neither network nor decoder. [`Window::new`] must be called on the process' main
//! thread and gives a [`Handle`], by which other threads show pictures; [`Window::run`] takes the
//! main thread until the window is closed, and calls back with what the player wants.

mod app;
mod canvas;
mod clipboard;
mod cursor;
mod error;
mod figures;
mod grip;
mod handle;
mod kernel;
mod keys;
mod letterbox;
mod pads;
mod paint;
mod panel;
mod picture;
mod pointer;
mod resample;
mod screen;
mod text;
mod window;

pub use error::WindowError;
pub use figures::{Durations, Figures};
pub use handle::{Handle, Wish};
pub use kernel::Filter;
pub use letterbox::{Letterbox, Scale};
pub use panel::Notice;
pub use picture::{I420, Picture, Samples, Shown};
pub use window::{Options, Window};
