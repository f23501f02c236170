//! `stratus/1` over native QUIC and WebTransport: the server that ships encoded frames, with the
//! page for browsers, and the receiving side.
//!
//! The rules are in `docs/protocol.md`, what can be decided without a socket is in
//! `stratus-stream-core`; here are endpoints, streams and tasks.
//!
//! - [`Server`] owns a thread; the encoder talks to it through a [`Publisher`], which never blocks.
//! - [`Player`] lives in the caller's tokio runtime and yields frames in decode order.

mod accept;
mod certificate;
mod config;
mod connect;
mod connection;
mod control;
mod event;
mod frames;
mod hub;
mod identity;
mod inputs;
mod listen;
mod page;
mod pin;
mod player;
mod publisher;
mod pump;
mod receive;
mod refusal;
mod sent_input;
mod server;
mod session;
mod sounds;
mod tellings;
mod transport;
mod validity;

pub use certificate::{CertificateError, CertificateFiles};
pub use config::{Limits, ServerConfig};
pub use connect::{ConnectError, PlayerConfig};
pub use event::{ServerEvent, ViewerId};
pub use identity::random_token;
pub use player::{Player, PlayerEvent};
pub use publisher::Publisher;
pub use receive::ReceivedFrame;
pub use server::{ServeError, Server};
pub use stratus_stream_core as core;
