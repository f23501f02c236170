//! The player's clipboard and the game's, joined only when the player says so.

use std::sync::mpsc::{Sender, channel};
use std::thread;

use stratus_frame::input::MAX_CLIPBOARD;

use crate::handle::{Handle, Tell};

enum Ask {
    /// Tell what the player's clipboard holds.
    Read,
    /// Put this into it.
    Write(String),
}

/// What the game copied last, and a way to the player's clipboard. That is on a thread of its own,
/// since who copied something may take long to hand it out.
pub(crate) struct Clipboard {
    asks: Option<Sender<Ask>>,
    copied: Option<String>,
}

impl Clipboard {
    /// Without `allowed` nothing goes either way.
    pub(crate) fn new(allowed: bool, handle: Handle) -> Self {
        let asks = allowed.then(|| {
            let (asks, asked) = channel();
            let work = move || {
                // Opened when it is first needed, and kept: under X11 and Wayland alike, who
                // copied must live to hand it out.
                let mut open = None;
                for ask in asked {
                    if let Err(why) = answer(&mut open, ask, &handle) {
                        tracing::warn!("the clipboard cannot be used: {why}");
                        open = None;
                    }
                }
            };
            // Without a thread the asks go nowhere, which is said where one is made.
            let _ = thread::Builder::new().name("stratus-clipboard".into()).spawn(work);
            asks
        });
        Self { asks, copied: None }
    }

    /// The game copied a text.
    pub(crate) fn handle_copied(&mut self, text: String) {
        self.copied = Some(text);
    }

    /// The player's text is to go to the game; [`Tell::Pasted`] brings it.
    pub(crate) fn give(&self) {
        self.ask(Ask::Read);
    }

    /// The game's text is to go to the player's clipboard.
    pub(crate) fn take(&self) {
        match &self.copied {
            Some(text) => self.ask(Ask::Write(text.clone())),
            None => tracing::info!("the game has copied nothing yet"),
        }
    }

    fn ask(&self, ask: Ask) {
        match &self.asks {
            None => tracing::info!("the clipboard is off (--no-clipboard)"),
            Some(asks) if asks.send(ask).is_err() => {
                tracing::warn!("the clipboard cannot be used: it has no thread");
            }
            Some(_) => {}
        }
    }
}

fn answer(
    open: &mut Option<arboard::Clipboard>,
    ask: Ask,
    handle: &Handle,
) -> Result<(), arboard::Error> {
    let clipboard = match open {
        Some(clipboard) => clipboard,
        None => open.insert(arboard::Clipboard::new()?),
    };
    match ask {
        Ask::Write(text) => clipboard.set_text(text),
        Ask::Read => {
            let text = clipboard.get_text()?;
            if text.len() > MAX_CLIPBOARD {
                tracing::warn!("the clipboard holds {} bytes, too many to give", text.len());
            } else {
                handle.tell(Tell::Pasted(text));
            }
            Ok(())
        }
    }
}
