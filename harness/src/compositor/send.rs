//! Sending events by name.

use std::ffi::CString;
use std::os::fd::RawFd;

use wayland_backend::protocol::{Argument, Message};
use wayland_backend::server::{Handle, ObjectId};
use wayland_backend::smallvec::SmallVec;

/// An argument of an event.
pub type Arg = Argument<ObjectId, RawFd>;

/// An unsigned argument.
#[must_use]
pub fn uint(value: u32) -> Arg {
    Argument::Uint(value)
}

/// A signed argument.
#[must_use]
pub fn int(value: i32) -> Arg {
    Argument::Int(value)
}

/// An object as argument.
#[must_use]
pub fn object(id: &ObjectId) -> Arg {
    Argument::Object(id.clone())
}

/// Words as an array argument.
#[must_use]
pub fn array(words: &[u32]) -> Arg {
    Argument::Array(Box::new(words.iter().flat_map(|word| word.to_ne_bytes()).collect()))
}

/// A string argument.
#[must_use]
pub fn text(value: &str) -> Arg {
    // Our own strings hold no NUL; an empty string stands in for one that did.
    Argument::Str(Some(Box::new(CString::new(value).unwrap_or_default())))
}

/// Sends event `name` to object `to`, if that still lives and its version has the event.
/// Returns whether it was sent.
pub fn event(
    handle: &Handle,
    to: &ObjectId,
    name: &str,
    args: impl IntoIterator<Item = Arg>,
) -> bool {
    let events = to.interface().events;
    let Some(opcode) = events.iter().position(|event| event.name == name) else {
        tracing::error!("{} has no event {name}", to.interface().name);
        return false;
    };
    let Ok(info) = handle.object_info(to.clone()) else { return false };
    if info.version < events[opcode].since {
        return false;
    }
    let args: SmallVec<_> = args.into_iter().collect();
    // An interface has far fewer than 65,536 events.
    let opcode = opcode as u16;
    handle.send_event(Message { sender_id: to.clone(), opcode, args }).is_ok()
}
