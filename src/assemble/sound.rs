//! From the games' sound to the players.

use std::path::{Path, PathBuf};

use stratus_audio::{SoundServer, SoundSink};
use stratus_frame::sound::SoundPacket;
use stratus_stream::Publisher;

use crate::failure::chain;
use crate::options::Settings;

/// The session's sound server; none where sound is not taken.
pub struct Sound(Option<SoundServer>);

impl Sound {
    /// Starts the server in `directory`, if there are players to be told and sound is wanted.
    /// A session that cannot have one goes on without.
    #[must_use]
    pub fn start(settings: &Settings, directory: &Path, publisher: Option<Publisher>) -> Self {
        let Some(publisher) = publisher.filter(|_| settings.sound) else { return Self(None) };
        match SoundServer::start(directory, ToPlayers(publisher)) {
            Ok(server) => Self(Some(server)),
            Err(e) => {
                tracing::warn!("games are not heard: {}", chain(&e));
                Self(None)
            }
        }
    }

    /// What games need in their environment to be heard.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.0.as_ref().map(|server| server.environment().to_vec()).unwrap_or_default()
    }
}

/// Where the sound server of the session with this socket in `directory` lies. A directory that
/// others use has one of their own in `pulse`.
#[must_use]
pub fn sound_directory(directory: &Path, socket: &str) -> PathBuf {
    directory.join(format!("{socket}.pulse"))
}

/// The packets' way to the players.
struct ToPlayers(Publisher);

impl SoundSink for ToPlayers {
    fn is_heard(&self) -> bool {
        self.0.viewers() > 0
    }

    fn deliver(&mut self, packet: SoundPacket) {
        self.0.send_sound(&packet);
    }
}
