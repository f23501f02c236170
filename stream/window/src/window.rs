//! A window from its making to its end.

use stratus_frame::Size;
use stratus_frame::input::Layout;
use winit::event_loop::{ControlFlow, EventLoop};

use crate::app::App;
use crate::error::WindowError;
use crate::figures::Figures;
use crate::handle::{Handle, Tell, Wish};
use crate::kernel::Filter;
use crate::letterbox::Scale;

/// How a window looks and what it does.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its title until it is told another.
    pub title: String,
    /// The size that it asks for, in pixels; tiling compositors give another.
    pub size: Size,
    /// How large the picture is shown in it.
    pub scale: Scale,
    /// How the picture is scaled.
    pub filter: Filter,
    /// Whether it begins in full screen.
    pub fullscreen: bool,
    /// Whether the game is to have the window's size.
    pub follow: bool,
    /// Whether texts may go between the clipboards of game and player.
    pub clipboard: bool,
    /// The layout of the player's keyboard, if it is known.
    pub layout: Option<Layout>,
}

/// A window that is not shown yet.
#[derive(Debug)]
pub struct Window {
    events: EventLoop<Tell>,
    handle: Handle,
}

impl Window {
    /// Connects to the display. Must be called on the main thread, once in a process.
    ///
    /// # Errors
    /// [`WindowError::Display`] if there is none.
    pub fn new() -> Result<(Self, Handle), WindowError> {
        let events = EventLoop::with_user_event()
            .build()
            .map_err(|e| WindowError::Display(e.to_string()))?;
        events.set_control_flow(ControlFlow::Wait);
        let handle = Handle::new(events.create_proxy());
        Ok((Self { events, handle: handle.clone() }, handle))
    }

    /// Shows the window until it is closed, and calls `wish` with what the player wants; it must
    /// return soon.
    ///
    /// # Errors
    /// [`WindowError`] if the window could not be made, drawn on or kept.
    pub fn run(
        self,
        options: Options,
        wish: impl FnMut(Wish) + 'static,
    ) -> Result<Figures, WindowError> {
        let Self { events, handle } = self;
        let mut app = App::new(options, handle, Box::new(wish));
        events.run_app(&mut app).map_err(|e| WindowError::Gone(e.to_string()))?;
        app.finish()
    }
}
