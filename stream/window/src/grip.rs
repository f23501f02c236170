//! The pointer held for a game that wants it, and what it looks like.

use stratus_frame::{CursorState, PointerBounds};
use winit::event_loop::ActiveEventLoop;
use winit::window::{Cursor, CursorGrabMode, CustomCursor, Window};

use crate::cursor::{Image, Look, grab, look};

/// A window as far as it holds the pointer.
pub(crate) trait Holder {
    /// Holds it in this way, if the display can.
    fn grab(&self, mode: CursorGrabMode) -> Result<(), String>;
    /// Shows a cursor, or none.
    fn show(&self, visible: bool);
}

impl Holder for Window {
    fn grab(&self, mode: CursorGrabMode) -> Result<(), String> {
        self.set_cursor_grab(mode).map_err(|e| e.to_string())
    }

    fn show(&self, visible: bool) {
        self.set_cursor_visible(visible);
    }
}

/// What was last asked of the window, so that nothing is asked twice.
#[derive(Debug)]
pub(crate) struct Grip {
    state: CursorState,
    look: Look,
    mode: CursorGrabMode,
    /// Whether the player plays in the window. X11 gives the pointer to windows without the focus
    /// too, so nothing may be asked for them.
    focused: bool,
    /// The player wants the pointer free, whatever the game wants.
    freed: bool,
}

impl Default for Grip {
    fn default() -> Self {
        Self {
            state: CursorState::default(),
            look: Look::Icon(winit::window::CursorIcon::Default),
            mode: CursorGrabMode::None,
            focused: false,
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
    pub(crate) fn free(&mut self, window: &impl Holder) {
        self.freed = true;
        self.hold(window);
    }

    /// The player plays on, or the window can hold the pointer again.
    pub(crate) fn take(&mut self, window: &impl Holder) {
        self.focused = true;
        self.freed = false;
        self.hold(window);
    }

    /// The window lost the focus, and with it the pointer.
    pub(crate) fn lose(&mut self, window: &impl Holder) {
        self.focused = false;
        self.hold(window);
    }

    /// Whether the game has the pointer's motion and not its place.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(self.state.bounds, PointerBounds::Locked { .. })
            && self.mode != CursorGrabMode::None
    }

    /// Whether the game's pointer stays where it is although the player's moves over the window:
    /// the game has it locked, and the player uses theirs for something else.
    pub(crate) fn is_left(&self) -> bool {
        matches!(self.state.bounds, PointerBounds::Locked { .. }) && (self.freed || !self.focused)
    }

    fn hold(&mut self, window: &impl Holder) {
        let held = self.focused && !self.freed;
        let wanted = if held { grab(&self.state.bounds) } else { CursorGrabMode::None };
        self.grab(window, wanted);
        self.show(window);
    }

    fn grab(&mut self, window: &impl Holder, wanted: CursorGrabMode) {
        if self.mode == wanted {
            return;
        }
        // Where the display cannot hold the pointer still (X11), it is kept inside: its motion
        // comes all the same.
        let fallback = CursorGrabMode::Confined;
        self.mode = match window.grab(wanted) {
            Ok(()) => wanted,
            Err(_) if wanted == CursorGrabMode::Locked => match window.grab(fallback) {
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

    fn show(&self, window: &impl Holder) {
        window.show(!self.is_locked() && (self.freed || self.look != Look::Hidden));
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A window on a display that gives the pointer to whoever asks, as X11 does.
    struct Willing(Cell<CursorGrabMode>);

    impl Holder for Willing {
        fn grab(&self, mode: CursorGrabMode) -> Result<(), String> {
            if mode == CursorGrabMode::Locked {
                return Err("this display only keeps it inside".into());
            }
            self.0.set(mode);
            Ok(())
        }

        fn show(&self, _: bool) {}
    }

    #[test]
    fn the_pointer_is_held_only_while_the_window_has_the_focus() {
        let window = Willing(Cell::new(CursorGrabMode::None));
        let mut grip = Grip::default();
        let locks =
            CursorState { bounds: PointerBounds::Locked { hint: None }, ..CursorState::default() };
        let tell = |grip: &mut Grip, state: &CursorState| {
            grip.state = state.clone();
            grip.hold(&window);
        };
        tell(&mut grip, &locks);
        assert_eq!(window.0.get(), CursorGrabMode::None, "nobody plays in it yet");
        assert!(!grip.is_locked());
        grip.take(&window);
        assert_eq!(window.0.get(), CursorGrabMode::Confined);
        assert!(grip.is_locked() && !grip.is_left());
        grip.lose(&window);
        assert!(grip.is_left(), "motion over the window is not the game's");
        assert_eq!(window.0.get(), CursorGrabMode::None);
        // The game goes on meanwhile, as while it loads.
        tell(&mut grip, &CursorState::default());
        tell(&mut grip, &locks);
        assert_eq!(window.0.get(), CursorGrabMode::None, "the player is in another window");
        assert!(!grip.is_locked());
        grip.free(&window);
        assert_eq!(window.0.get(), CursorGrabMode::None);
        assert!(grip.is_left());
        grip.take(&window);
        assert_eq!(window.0.get(), CursorGrabMode::Confined);
        assert!(!grip.is_left());
    }
}
