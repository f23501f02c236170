//! The proxy without sockets, under construction.
mod hook;
mod message;
mod objects;

pub use hook::{ClientId, Context, Direction, Hook, Interest, Object, Verdict};
pub use message::{Args, HEADER_LEN, MAX_MESSAGE_LEN, Malformed, Message, ObjectId, Writer};
