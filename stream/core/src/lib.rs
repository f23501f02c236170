//! The stream protocol `stratus/1` without a socket, a clock, a codec or a runtime.
//!
//! `docs/protocol.md` is the wire format's law; this crate is one implementation of it.
//!
//! - [`wire`]: framing, limits and checked reading; [`message`] and [`header`]: what is framed.
//! - [`input`], [`input_queue`] and [`clipboard`]: what goes from the player to the game, and back.
//! - [`token`] and [`link`]: who may join, and the one line that a player needs.
//! - [`greeting`] and [`viewer`]: the server's state for a peer before and after its hello;
//!   [`place`]: that of the one place of a player.
//! - [`order`], [`clock`] and [`latency`]: the player's state; [`cursor`]: that of both for the
//!   cursor; [`sound`]: datagrams of sound.
//!
//! Every type here takes bytes and times as arguments; nothing sleeps, allocates by a peer's
//! number beyond the limits in [`wire`], or panics whatever a peer sends.

mod base64url;
pub mod clipboard;
pub mod clock;
pub mod cursor;
pub mod greeting;
pub mod header;
mod hello;
pub mod input;
pub mod input_queue;
pub mod latency;
pub mod link;
pub mod message;
pub mod order;
pub mod place;
mod reason;
pub mod sound;
pub mod token;
pub mod viewer;
pub mod wire;

/// The version that this crate speaks, as it stands in hello and welcome.
pub const VERSION: u16 = 1;

/// The ALPN name (RFC 7301) of the native transport. It names framing, hello and refusal, which
/// stay the same for as long as it does; all else follows [`VERSION`].
pub const ALPN: &[u8] = b"stratus/1";
