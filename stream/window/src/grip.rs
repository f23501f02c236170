//! The pointer held for a game that wants it, and what it looks like.

use stratus_frame::{CursorState, PointerBounds};
use winit::event_loop::ActiveEventLoop;
use winit::window::{Cursor, CursorGrabMode, CustomCursor, Window};

use crate::cursor::{Image, Look, grab, look};

/// What was last asked of the window, so that nothing is asked twice.
#[derive(Debug)]
pub(crate) struct Grip {
    state: CursorState,
    look: Look,
    mode: CursorGrabMode,
    /// The player wants the pointer free, whatever the game wants.
    freed: bool,
}

impl Default for Grip {
    fn default() -> Self {
        Self {
            state: CursorState::default(),
            look: Look::Icon(winit::window::CursorIcon::Default),
            mode: CursorGrabMode::None,
            freed: false,
        }
    }
}

impl Grip {
    /// The game's cursor is another. `factor` is the pixels of a cursor to one of the picture.
    pub(crate) fn handle_state(
        &mut self,
        state: CursorState,
        events: &ActiveEventLoop,
        window: &Window,
        factor: f64,
    ) {
        self.state = state;
        self.handle_factor(events, window, factor);
        self.hold(window);
    }

    /// The picture is shown in another size, and so is its cursor.
    pub(crate) fn handle_factor(&mut self, events: &ActiveEventLoop, window: &Window, factor: f64) {
        let look = look(&self.state, factor);
        if look == self.look {
            return;
        }
        let cursor = match &look {
            Look::Hidden => None,
            Look::Icon(icon) => Some(Cursor::Icon(*icon)),
            Look::Image(image) => Some(custom(image, events)),
        };
        if let Some(cursor) = cursor {
            window.set_cursor(cursor);
        }
        self.look = look;
        self.show(window);
    }

    /// The player wants the pointer back.
    pub(crate) fn free(&mut self, window: &Window) {
        self.freed = true;
        self.hold(window);
    }

    /// The player plays on, or the window can hold the pointer again.
    pub(crate) fn take(&mut self, window: &Window) {
        self.freed = false;
        self.hold(window);
    }

    /// The window lost the focus, and with it the pointer.
    pub(crate) fn lose(&mut self, window: &Window) {
        self.grab(window, CursorGrabMode::None);
        self.show(window);
    }

    /// Whether the game has the pointer's motion and not its place.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(self.state.bounds, PointerBounds::Locked { .. })
            && self.mode != CursorGrabMode::None
    }

    fn hold(&mut self, window: &Window) {
        let wanted = if self.freed { CursorGrabMode::None } else { grab(&self.state.bounds) };
        self.grab(window, wanted);
        self.show(window);
    }

    fn grab(&mut self, window: &Window, wanted: CursorGrabMode) {
        if self.mode == wanted {
            return;
        }
        // Where the display cannot hold the pointer still (X11), it is kept inside: its motion
        // comes all the same.
        let fallback = CursorGrabMode::Confined;
        self.mode = match window.set_cursor_grab(wanted) {
            Ok(()) => wanted,
            Err(_) if wanted == CursorGrabMode::Locked => match window.set_cursor_grab(fallback) {
                Ok(()) => CursorGrabMode::Locked,
                Err(why) => {
                    tracing::debug!("the pointer cannot be held: {why}");
                    CursorGrabMode::None
                }
            },
            Err(why) => {
                tracing::debug!("the pointer cannot be kept inside: {why}");
                CursorGrabMode::None
            }
        };
    }

    fn show(&self, window: &Window) {
        window.set_cursor_visible(!self.is_locked() && (self.freed || self.look != Look::Hidden));
    }
}

fn custom(image: &Image, events: &ActiveEventLoop) -> Cursor {
    let ((width, height), (x, y)) = (image.size, image.hotspot);
    match CustomCursor::from_rgba(image.rgba.clone(), width, height, x, y) {
        Ok(source) => Cursor::Custom(events.create_custom_cursor(source)),
        Err(why) => {
            tracing::debug!("the game's cursor cannot be shown: {why}");
            Cursor::default()
        }
    }
}
