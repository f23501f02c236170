//! The player's input, from the server to the game, and what comes back of it: rumble and what was
//! copied.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stratus_frame::input::{InputEvent, InputMark};
use stratus_input::{Clipboard, Injector};
use stratus_stream::{Publisher, ServerEvent};

use crate::failure::Failure;
use crate::options::Settings;

/// What gives input to the game. Clones share it. Before [`Hands::reach`], and where frames are
/// not taken, inputs come to nothing.
#[derive(Clone, Default)]
pub(super) struct Hands(Arc<Mutex<Devices>>);

#[derive(Default)]
struct Devices {
    injector: Option<Injector>,
    clipboard: Option<Clipboard>,
}

impl Hands {
    fn lock(&self) -> MutexGuard<'_, Devices> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes keyboard and pointer at the compositor whose socket is `upstream`. When this returns
    /// they are there, so that a game that starts then finds them.
    ///
    /// # Errors
    /// A [`Failure`] if there are no threads for it. A compositor that has no such devices is told
    /// of in the log.
    pub(super) fn reach(
        &self,
        settings: &Settings,
        upstream: &Path,
        mark: InputMark,
        publisher: Publisher,
    ) -> Result<(), Failure> {
        let failed = |e| Failure::new("start the thread of the player's input", e);
        let to_player = publisher.clone();
        let on_rumble = Arc::new(move |rumble| to_player.rumble(rumble));
        let layout = settings.keyboard_layout.clone();
        let injector = Injector::start(upstream.to_owned(), layout, mark, on_rumble);
        let injector = injector.map_err(failed)?;
        let clipboard = if settings.clipboard {
            let on_copy = Arc::new(move |text: String| publisher.set_clipboard(&text));
            Some(Clipboard::start(upstream.to_owned(), on_copy).map_err(failed)?)
        } else {
            None
        };
        *self.lock() = Devices { injector: Some(injector), clipboard };
        Ok(())
    }

    /// Passes on what concerns input.
    pub(super) fn handle(&self, event: &ServerEvent) {
        let devices = self.lock();
        match event {
            ServerEvent::Input { input, .. } => {
                if let Some(clipboard) = &devices.clipboard
                    && is_gesture(&input.event)
                {
                    clipboard.gesture();
                }
                if let Some(injector) = &devices.injector {
                    injector.input(input.clone());
                }
            }
            ServerEvent::PlayerLeft => {
                if let Some(clipboard) = &devices.clipboard {
                    clipboard.player_left();
                }
                if let Some(injector) = &devices.injector {
                    injector.player_left();
                }
            }
            ServerEvent::Clipboard(text) => {
                if let Some(clipboard) = &devices.clipboard {
                    clipboard.set(text.clone());
                }
            }
            _ => {}
        }
    }

    /// Lets everything go and takes the devices away, while the compositor is still there.
    pub(super) fn end(&self) {
        let devices = std::mem::take(&mut *self.lock());
        // Outside the lock: their threads end first, and may tell somebody of it.
        drop(devices);
    }
}

/// Whether the player may have copied something by this.
fn is_gesture(event: &InputEvent) -> bool {
    matches!(
        event,
        InputEvent::Key { pressed: true, .. }
            | InputEvent::Button { .. }
            | InputEvent::Touch { .. }
            | InputEvent::Gamepad(_)
    )
}
