//! What a server serves, and what it holds its peers to.

use std::net::SocketAddr;
use std::time::Duration;

use stratus_frame::{Codec, Size};
use stratus_stream_core::token::Token;

/// What every peer is held to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Viewers at once.
    pub viewers: usize,
    /// Connections at once that have not said a good hello. Above half of them, addresses must
    /// be proven first (RFC 9000 section 8.1.2).
    pub strangers: usize,
    /// Time for the QUIC handshake and the hello together.
    pub hello: Duration,
    /// Time in which a frame must arrive before its viewer counts as stalled.
    pub stall: Duration,
    /// Time for viewers to take the last frames and the end.
    pub end: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            viewers: 8,
            strangers: 16,
            hello: Duration::from_secs(5),
            stall: Duration::from_secs(10),
            end: Duration::from_secs(1),
        }
    }
}

/// What a server serves, where, and to whom.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen (UDP); port 0 takes a free one.
    pub listen: SocketAddr,
    /// The host to name in the link, if players know the machine by another name or address than
    /// `listen`; needed to name anything useful when listening on 0.0.0.0 or ::.
    pub public_host: Option<String>,
    /// Who may join (see [`crate::random_token`]).
    pub token: Token,
    /// Visible picture size at the start; [`crate::Publisher::set_screen`] changes it.
    pub size: Size,
    /// Nominal frame rate, frames in 1000 s: 60 fps is 60,000.
    pub millifps: u32,
    /// The codec of all frames.
    pub codec: Codec,
    /// What every peer is held to.
    pub limits: Limits,
}
