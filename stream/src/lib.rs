//! `stratus/1` over native QUIC: the server that ships encoded frames, and the receiving side.
//!
//! The rules are in `docs/protocol.md`, what can be decided without a socket is in
//! `stratus-stream-core`; here are endpoints, streams and tasks.
//!
//! - [`Server`] owns a thread; the encoder talks to it through a [`Publisher`], which never blocks.
//! - [`Player`] lives in the caller's tokio runtime and yields frames in decode order.

mod accept;
mod config;
mod connect;
mod event;
mod hub;
mod identity;
mod pin;
mod player;
mod pump;
mod receive;
mod refusal;
mod server;
mod session;
mod transport;

pub use config::{Limits, ServerConfig};
pub use connect::{ConnectError, PlayerConfig};
pub use event::{ServerEvent, ViewerId};
pub use hub::Publisher;
pub use identity::random_token;
pub use player::{Player, PlayerEvent};
pub use receive::ReceivedFrame;
pub use server::{ServeError, Server};
pub use stratus_stream_core as core;
