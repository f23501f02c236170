//! What the rest of a player tells its window, from any thread, and what the window wants.

use stratus_frame::input::{Input, PadState, Rumble};
use stratus_frame::{CursorState, Size};
use winit::event_loop::EventLoopProxy;

use crate::panel::Notice;
use crate::picture::{Latest, Shown};

/// What a window is told.
#[derive(Debug)]
pub(crate) enum Tell {
    /// A picture waits to be taken.
    Picture,
    Cursor(CursorState),
    Notice(Option<Notice>),
    /// A server was joined that knows nothing of the player yet.
    Joined,
    Overlay(Vec<String>),
    Title(String),
    /// The game copied this.
    Copied(String),
    /// The player's clipboard holds this.
    Pasted(String),
    Pad(PadState),
    Rumble(Rumble),
    Close,
}

/// What the window asks of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The player did something.
    Input(Input),
    /// The window has this many pixels now, and the game is to follow.
    Resize(Size),
    /// The player gives this text to the game's clipboard.
    Clipboard(String),
    /// Figures are wanted from now on, or no longer.
    Overlay(bool),
}

/// Speaks to a window. Clones speak to the same one; what is said to one that is gone is lost.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) picture: Latest<Shown>,
    pub(crate) proxy: EventLoopProxy<Tell>,
}

impl Handle {
    pub(crate) fn new(proxy: EventLoopProxy<Tell>) -> Self {
        Self { picture: Latest::default(), proxy }
    }

    pub(crate) fn tell(&self, what: Tell) {
        let _ = self.proxy.send_event(what);
    }

    /// Shows a picture, in place of one that the window has not come to.
    pub fn show(&self, shown: Shown) {
        if self.picture.put(shown).is_none() {
            self.tell(Tell::Picture);
        }
    }

    /// The game's cursor is this from now on.
    pub fn cursor(&self, state: CursorState) {
        self.tell(Tell::Cursor(state));
    }

    /// A server was joined: it is told what it cannot know, such as the keyboard's layout.
    pub fn joined(&self) {
        self.tell(Tell::Joined);
    }

    /// Says something over the picture, or no longer.
    pub fn notice(&self, notice: Option<Notice>) {
        self.tell(Tell::Notice(notice));
    }

    /// The figures of the overlay; headings do not begin with a space.
    pub fn overlay(&self, lines: Vec<String>) {
        self.tell(Tell::Overlay(lines));
    }

    /// Names the window.
    pub fn title(&self, title: String) {
        self.tell(Tell::Title(title));
    }

    /// The game copied a text: the player may take it.
    pub fn copied(&self, text: String) {
        self.tell(Tell::Copied(text));
    }

    /// The game wants a gamepad's motors to run.
    pub fn rumble(&self, rumble: Rumble) {
        self.tell(Tell::Rumble(rumble));
    }

    /// Closes the window.
    pub fn close(&self) {
        self.tell(Tell::Close);
    }
}
