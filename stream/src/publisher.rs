//! What the rest of the program says to a server's clients.

use std::sync::Arc;

use stratus_frame::input::Rumble;
use stratus_frame::sound::SoundPacket;
use stratus_frame::{CursorState, EncodedFrame, Size};

use crate::hub::{Hub, Screen};

/// The encoder's handle to the server. Cheap to clone; no call blocks or waits for the network.
#[derive(Clone)]
pub struct Publisher(Arc<Hub>);

impl Publisher {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }

    /// Ships `frame` to every viewer that has room for it and can decode it.
    ///
    /// A viewer without room misses it and all that build on it; when it has drained,
    /// [`ServerEvent::KeyframeWanted`] asks for a frame with which it can go on. While
    /// [`Publisher::ready`] says so, at least one viewer has room.
    pub fn publish(&self, frame: &EncodedFrame) {
        self.0.publish(frame);
    }

    /// The game's screen is another one from now on: who joins is told so, and more frames a second
    /// may be on their way.
    pub fn set_screen(&self, size: Size, millifps: u32) {
        self.0.set_screen(Screen { size, millifps });
    }

    /// Tells every viewer what the cursor is now. One that is slow misses what was in between.
    pub fn set_cursor(&self, state: CursorState) {
        self.0.set_cursor(state);
    }

    /// Sends a packet of sound to everybody, at once or not at all.
    pub fn send_sound(&self, packet: &SoundPacket) {
        self.0.send_sound(packet);
    }

    /// Tells the player what a gamepad's motors are to do now. Of one gamepad the newest counts.
    pub fn rumble(&self, rumble: Rumble) {
        self.0.set_rumble(rumble);
    }

    /// Tells the player what the game put into its clipboard, if texts are passed at all. The newest
    /// counts; what is above 1 MiB is cut off.
    pub fn set_clipboard(&self, text: &str) {
        self.0.set_clipboard(text);
    }

    /// Whether some viewer has room for a frame; false without viewers. While it is false, frames
    /// are best left where a newer one can replace them; [`ServerEvent::Ready`] tells its end.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.0.any_room()
    }

    /// Players and viewers let in and not yet gone.
    #[must_use]
    pub fn viewers(&self) -> usize {
        self.0.len()
    }
}
