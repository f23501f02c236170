//! What a session decides about its capture.

use std::time::Duration;

use stratus_frame::Size;

/// Settings of one session at its start; [`crate::CaptureControl`] changes the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureConfig {
    /// The stream's size in pixels, which the game is told as that of its only screen.
    pub size: Size,
    /// The screen's refresh rate in mHz (`wl_output.mode`), e.g. 60000.
    pub refresh_mhz: u32,
    /// How long a release of the compositor may be kept from the game because a frame is still
    /// read. Then it goes out, and the frame is marked torn.
    pub hold_deadline: Duration,
    /// While nobody watches, the time between ends of frame callbacks that a game hears; `None`
    /// lets them pass as they come.
    pub idle_interval: Option<Duration>,
    /// Which of the compositor's formats the game is offered, in shared and in GPU memory.
    pub formats: Formats,
}

/// Pixel formats that games are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Formats {
    /// Those that encoders take as they are: `argb8888` and `xrgb8888`.
    #[default]
    Direct,
    /// Those that must be converted first as well: ten bits a channel, or red and blue the other
    /// way round. The stream has eight bits all the same, and each frame costs a conversion more.
    All,
}

impl CaptureConfig {
    /// `size` at 60 Hz with a hold deadline of 100 ms; nobody is slowed down.
    #[must_use]
    pub const fn new(size: Size) -> Self {
        Self {
            size,
            refresh_mhz: 60_000,
            hold_deadline: Duration::from_millis(100),
            idle_interval: None,
            formats: Formats::Direct,
        }
    }
}
