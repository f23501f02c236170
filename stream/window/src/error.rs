//! Why there is no window.

use thiserror::Error;

/// Why a window could not be made, or had to close.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WindowError {
    /// There is no display, or it does not answer.
    #[error("no display can be opened: {0}")]
    Display(String),
    /// The display server gave no window.
    #[error("the display server gave no window: {0}")]
    Window(String),
    /// The window cannot be drawn on.
    #[error("the window cannot be drawn on: {0}")]
    Surface(String),
    /// A picture could not be converted: a bug of ours.
    #[error("the picture cannot be drawn: {0}")]
    Paint(String),
    /// The connection to the display ended.
    #[error("the display is gone: {0}")]
    Gone(String),
}
