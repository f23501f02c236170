//! Where and why a replay does not go on.

use std::io;
use std::time::Duration;

use stratus_proxy_core::Violation;

use crate::fds::FdKind;
use crate::files::NoFile;

/// A replay cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("at message {message}: {problem}")]
pub struct Stuck {
    /// Which message of the recording, counted from 1.
    pub message: u64,
    /// When it was recorded, in nanoseconds since the recording began; 0 between two messages.
    pub time_ns: u64,
    /// Why.
    pub problem: Problem,
}

/// Why a replay cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The compositor cannot be reached.
    #[error("the compositor cannot be reached: {0}")]
    Connect(io::Error),
    /// The connection failed.
    #[error("the connection to the compositor failed: {0}")]
    Connection(io::Error),
    /// The compositor closed the connection.
    #[error("the compositor closed the connection")]
    HungUp,
    /// `wl_display.error`.
    #[error("the compositor refused it: {object}, code {code}: {text}")]
    Refused {
        /// The object that it is about.
        object: String,
        /// The error's number, of that object's interface.
        code: u32,
        /// What the compositor says.
        text: String,
    },
    /// The client binds a global that the compositor does not have.
    #[error("the client binds {interface}, which this compositor does not offer")]
    NoGlobal {
        /// The global's interface.
        interface: String,
    },
    /// The compositor is too old.
    #[error("the client binds version {wanted} of {interface}; this compositor has {offered}")]
    OldGlobal {
        /// The global's interface.
        interface: String,
        /// What the client binds.
        wanted: u32,
        /// What there is.
        offered: u32,
    },
    /// An event did not come.
    #[error("waited {waited:?} for {what}, which did not come")]
    NeverCame {
        /// The event.
        what: String,
        /// How long.
        waited: Duration,
    },
    /// Recordings do not hold this.
    #[error("the client shows or sends what recordings do not hold: {}", kind_name(*.0))]
    NotKept(FdKind),
    /// What was recorded breaks the protocol.
    #[error("the recorded session breaks the protocol here: {0}")]
    Recorded(Violation),
    /// What the compositor says breaks the protocol.
    #[error("the session breaks the protocol here: {0}")]
    Live(Violation),
    /// A file is not there.
    #[error(transparent)]
    File(#[from] NoFile),
    /// The recording speaks for a client that did not connect.
    #[error("the recording speaks for client {0}, which is not connected")]
    NoClient(u64),
}

fn kind_name(kind: FdKind) -> &'static str {
    match kind {
        FdKind::Dmabuf => "pictures in GPU memory",
        FdKind::SyncFile => "fences of a GPU",
        FdKind::Device => "a device",
        _ => "a file of an unknown kind",
    }
}

/// What a replay did not send, because it would be wrong here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Requests on objects of devices that the compositor does not have.
    pub without_object: u64,
    /// Answers to `configure` events that the compositor did not send again.
    pub acks: u64,
    /// Buffers that were shown again although the compositor had not released them yet, as it
    /// had when they were recorded.
    pub early_buffers: u64,
}

impl std::fmt::Display for LeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [
            (self.without_object, "requests to objects that this compositor does not have"),
            (self.acks, "answers to configures that did not come"),
            (self.early_buffers, "waits for releases that did not come"),
        ];
        let said = parts.iter().filter(|(count, _)| *count > 0);
        let text: Vec<String> = said.map(|(count, what)| format!("{count} {what}")).collect();
        f.write_str(&text.join(", "))
    }
}
