//! Recordings of what passes: from the start of a session, or from when somebody asks for one.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stratus_frame::MonoTime;
use stratus_recording::{Facts, Kept, Options, Place, Recorder, Recording, Taken};
use stratus_trace::{Answer, Command};

use crate::failure::chain;
use crate::options::Settings;

/// The name of the control socket's command. Its argument is a [`RecordTo`] as JSON; it answers
/// with one line when the recording has ended, which it does when the peer hangs up.
pub const RECORD: &str = "record";

/// How soon a peer hears that its recording ended by itself.
const LOOK: Duration = Duration::from_millis(200);

/// Names of the facts that a recording is given.
pub mod facts {
    /// The version of Stratus.
    pub const VERSION: &str = "stratus";
    /// Size of the picture, as in `1280x720`.
    pub const SIZE: &str = "size";
    /// Frames a second that the game was told.
    pub const FPS: &str = "fps";
    /// `on` or `off`.
    pub const CAPTURE: &str = "capture";
    /// Globals shown although hidden by default, with commas.
    pub const ALLOW: &str = "allow-global";
    /// Globals hidden although shown by default, with commas.
    pub const HIDE: &str = "hide-global";
}

/// Where to record to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RecordTo {
    /// The file; absolute for a process that runs elsewhere.
    pub path: PathBuf,
    /// Whether a file that is there is replaced.
    pub overwrite: bool,
    /// The most bytes that the file may have.
    pub max_bytes: u64,
}

/// Starts recordings in one place.
#[derive(Clone)]
pub struct Records {
    place: Place,
    facts: Facts,
}

impl Records {
    /// Recordings of the proxy that observes through `place` and was set up like this.
    pub(super) fn new(place: Place, settings: &Settings) -> Self {
        let capture = if settings.capture { "on" } else { "off" };
        let facts = [
            (facts::VERSION, env!("CARGO_PKG_VERSION").to_owned()),
            (facts::SIZE, settings.size.to_string()),
            (facts::FPS, settings.fps.to_string()),
            (facts::CAPTURE, capture.to_owned()),
            (facts::ALLOW, settings.allow_globals.join(",")),
            (facts::HIDE, settings.hide_globals.join(",")),
        ];
        let facts = facts.map(|(name, value)| (name.to_owned(), value)).into();
        Self { place, facts }
    }

    /// Records the clients that connect from now on.
    ///
    /// # Errors
    /// Why that cannot be, in words.
    pub fn start(&self, to: &RecordTo) -> Result<Recording, String> {
        let options = Options {
            overwrite: to.overwrite,
            max_bytes: to.max_bytes,
            facts: self.facts.clone(),
            ..Options::default()
        };
        // Before a file is made, or another's is replaced.
        if self.place.is_taken() {
            return Err(Taken.to_string());
        }
        let (recorder, recording) =
            Recorder::create(&to.path, &options, MonoTime::now()).map_err(|e| chain(&e))?;
        self.place.put(recorder).map_err(|e| e.to_string())?;
        Ok(recording)
    }
}

impl Records {
    /// Ends what is recorded, because nothing passes any more.
    pub(super) fn end(&self) {
        self.place.clear();
    }
}

impl Command for Records {
    fn begin(&self, arguments: &str) -> Result<Answer, String> {
        let to: RecordTo =
            serde_json::from_str(arguments).map_err(|e| format!("in the arguments: {e}"))?;
        let recording = self.start(&to)?;
        Ok(Box::new(move |peer| record_while_connected(peer, recording)))
    }
}

/// The peer says that it has enough by closing its side for writing.
fn record_while_connected(mut peer: UnixStream, recording: Recording) {
    let mut ignored = [0; 64];
    if let Err(e) = peer.set_read_timeout(Some(LOOK)) {
        tracing::warn!("cannot watch who records: {e}");
    }
    while !recording.has_ended() {
        match peer.read(&mut ignored) {
            Ok(0) => break,
            Ok(_) => {}
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let kept = recording.finish();
    let text = kept.as_ref().map_or_else(|| "the recording is lost".to_owned(), Kept::to_string);
    // It may be gone.
    let _ = writeln!(peer, "{text}");
    let _ = peer.shutdown(Shutdown::Both);
}
