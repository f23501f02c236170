//! What a server tells of its viewers.

use std::net::SocketAddr;

use stratus_frame::input::Input;
use stratus_stream_core::message::{ClientStats, Refusal, Resize, Role};

/// Numbers the clients of a server in the order in which they joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewerId(pub u64);

/// What happened. Told on the network thread or from within [`crate::Publisher::publish`]; the receiver
/// must return soon and must not wait for the server.
#[derive(Clone, Debug)]
pub enum ServerEvent {
    /// A client is in.
    Joined {
        /// Its number.
        viewer: ViewerId,
        /// Whether it plays or watches.
        role: Role,
        /// What it calls itself; a stranger's text.
        name: String,
        /// Where it is.
        remote: SocketAddr,
    },
    /// The player is gone, or comes anew: whatever it had pressed must be let go. Told before the
    /// [`ServerEvent::Joined`] of a player that follows.
    PlayerLeft,
    /// A client is gone.
    Left {
        /// Its number.
        viewer: ViewerId,
        /// Why, for people.
        why: String,
    },
    /// Somebody was turned away, before or after joining.
    Refused {
        /// Where it is.
        remote: SocketAddr,
        /// What it was told.
        refusal: Refusal,
    },
    /// A viewer cannot go on without a keyframe: a new one, one that skipped frames, or one that
    /// said so. Limited to four a second for each viewer.
    KeyframeWanted,
    /// [`crate::Publisher::ready`] turned true.
    Ready,
    /// The player did something. In order, at most 4000 a second in the long run.
    Input {
        /// The player's number.
        viewer: ViewerId,
        /// What it did.
        input: Input,
    },
    /// The player pasted this text, at most 1 MiB.
    Clipboard(String),
    /// The player wants the game to have another screen. Limited to 30 a
    /// second; the newest wish counts.
    Resize {
        /// Its number.
        viewer: ViewerId,
        /// What it wants; the size is 1 to 16384 pixels a side, the rate any.
        resize: Resize,
    },
    /// A viewer's report.
    Stats {
        /// Its number.
        viewer: ViewerId,
        /// What it counted.
        stats: ClientStats,
    },
}
