//! What a server serves, and what it holds its peers to.

use std::net::SocketAddr;
use std::time::Duration;

use stratus_frame::{Codec, Size};
use stratus_stream_core::token::{Token, Tokens};

use crate::certificate::{CertificateFiles, LONGEST_VALIDITY};

/// What every peer is held to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Viewers at once, beside the player.
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
    /// Time for which the place of a player whose connection broke is kept for it.
    pub grace: Duration,
    /// Connections at once that ask for the page.
    pub pages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            viewers: 8,
            strangers: 16,
            hello: Duration::from_secs(5),
            stall: Duration::from_secs(10),
            end: Duration::from_secs(1),
            grace: Duration::from_secs(30),
            pages: 32,
        }
    }
}

/// What a server serves, where, and to whom.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen, on UDP for the stream and on TCP for the page; port 0 takes one that is
    /// free on both.
    pub listen: SocketAddr,
    /// The host to name in the link, if players know the machine by another name or address than
    /// `listen`; needed to name anything useful when listening on 0.0.0.0 or ::.
    pub public_host: Option<String>,
    /// Who may join, and as what (see [`crate::random_token`]).
    pub tokens: Tokens,
    /// The certificate to show; without one, self-signed ones are made.
    pub certificate: Option<CertificateFiles>,
    /// How long each self-signed certificate is valid, at most 14 days; at half of that time the
    /// next one is made.
    pub certificate_validity: Duration,
    /// What is played, for people; at most 64 bytes of it are told.
    pub game: String,
    /// Whether texts are passed between the player's clipboard and the game's.
    pub clipboard: bool,
    /// Visible picture size at the start; [`crate::Publisher::set_screen`] changes it.
    pub size: Size,
    /// Nominal frame rate, frames in 1000 s: 60 fps is 60,000.
    pub millifps: u32,
    /// The codec of all frames.
    pub codec: Codec,
    /// What every peer is held to.
    pub limits: Limits,
}

impl ServerConfig {
    /// A stream of 1280x720 at 60 frames a second on a free port of the loopback address, for
    /// whoever has `player`.
    #[must_use]
    pub fn new(player: Token) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_host: None,
            tokens: Tokens { player, viewers: None },
            certificate: None,
            certificate_validity: LONGEST_VALIDITY,
            game: String::new(),
            clipboard: true,
            size: Size::new(1280, 720),
            millifps: 60_000,
            codec: Codec::H264,
            limits: Limits::default(),
        }
    }
}
