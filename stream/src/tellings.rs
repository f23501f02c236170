//! What the player is told of gamepads and of the clipboard.

use stratus_frame::input::MAX_PADS;
use stratus_stream_core::clipboard::parts;
use stratus_stream_core::message::{Message, Role};
use tokio::sync::watch;

use crate::hub::Wishes;

/// What was told to one client, and what is still to be said of a text that was begun.
pub(crate) struct Tellings {
    role: Role,
    clipboard: bool,
    rumble: [u64; MAX_PADS as usize],
    text: u64,
    rest: Option<Box<dyn Iterator<Item = Message> + Send>>,
}

impl Tellings {
    /// For a client that joins now: what was said before is not for it.
    pub(crate) fn new(wishes: &mut watch::Receiver<Wishes>, role: Role, clipboard: bool) -> Self {
        let now = wishes.borrow_and_update();
        let rumble = now.rumble.map(|pad| pad.map_or(0, |(made, _)| made));
        let text = now.clipboard.as_ref().map_or(0, |(made, _)| *made);
        Self { role, clipboard, rumble, text, rest: None }
    }

    /// The next message, if there is one: a motor's before a part of a text, of which the newest
    /// begins when the one before has ended. Viewers hear nothing.
    pub(crate) fn poll(&mut self, wishes: &mut watch::Receiver<Wishes>) -> Option<Message> {
        if self.role != Role::Player {
            return None;
        }
        let now = wishes.borrow_and_update();
        for (told, wish) in self.rumble.iter_mut().zip(&now.rumble) {
            if let Some((made, rumble)) = wish.filter(|(made, _)| made != told) {
                *told = made;
                return Some(Message::Rumble(rumble));
            }
        }
        if let Some(part) = self.rest.as_mut().and_then(Iterator::next) {
            return Some(part);
        }
        self.rest = None;
        let (made, text) = now.clipboard.as_ref().filter(|(made, _)| *made != self.text)?;
        self.text = *made;
        if !self.clipboard {
            return None;
        }
        self.rest = Some(Box::new(parts(text)));
        self.rest.as_mut().and_then(Iterator::next)
    }
}
