//! The Wayland proxy without sockets: bytes and fds in, bytes and fds out.
//!
//! A [`Session`] stands between one client and the compositor. It finds the borders of the
//! messages, keeps the list of objects, hides globals, lets a [`Hook`] look at the few messages
//! that the hook asked for, and sends everything else on as it came: out of the receive buffer,
//! never decoded, never copied. There is no socket, no clock and no thread here; the crate
//! `stratus-proxy` puts those around it.
//!
//! Read in this order: [`Session`] (what goes in and out), `pass` (the way of a message),
//! [`Hook`], `objects`, `globals` and `policy`, `queue`, [`Observer`].
#![forbid(unsafe_code)]

mod globals;
mod hook;
mod memory;
mod message;
mod objects;
mod observe;
mod pass;
mod policy;
mod queue;
mod review;
mod rules;
mod session;
mod tables;
mod violation;

pub use hook::{ClientId, Context, Direction, Hook, Interest, Object, PassThrough, Verdict};
pub use message::{Args, HEADER_LEN, MAX_MESSAGE_LEN, Malformed, Message, ObjectId, Writer};
pub use observe::{Observed, Observer, Seen, Step};
pub use policy::{GlobalNameError, GlobalPolicy, Ruling, Visibility};
pub use queue::{MAX_FDS_OUT, Transmit};
pub use rules::Rules;
pub use session::{
    EVENT_FD_CAP, EVENT_QUEUE_CAP, MAX_UNCLAIMED_FDS, REQUEST_FD_LIMIT, REQUEST_QUEUE_LIMIT,
    Session,
};
pub use violation::{Place, Problem, Side, Violation};
