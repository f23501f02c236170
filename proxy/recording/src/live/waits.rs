//! What a recorded client had heard before it spoke, and must hear again.
//!
//! Nobody knows which events a client waited for. It is enough to wait for all that had come
//! and that a compositor always sends: the ends of callbacks and the first capabilities of a
//! seat. What had come once comes again, because it was caused by what was said before.

use std::collections::HashMap;

use stratus_protocols::{InterfaceId, wl_buffer, wl_callback, wl_seat};
use stratus_proxy_core::ObjectId;

use super::heard::Heard;

/// How often each kind of event came to each object, of recording and compositor.
#[derive(Default)]
struct Count {
    recorded: u32,
    live: u32,
}

/// Events that were recorded, and which of them came again.
#[derive(Default)]
pub(super) struct Waits {
    counts: HashMap<(ObjectId, u16), Count>,
    /// Those that requests wait for.
    open: Vec<Awaited>,
}

struct Awaited {
    key: (ObjectId, u16),
    /// How often it has to come.
    needed: u32,
    name: String,
}

impl Waits {
    /// An event was recorded. The ids are those of the recording.
    pub(super) fn recorded(&mut self, event: &Heard) {
        let key = (event.sender, event.opcode);
        let count = self.counts.entry(key).or_default();
        count.recorded += 1;
        let awaited = match event.interface {
            InterfaceId::WlCallback => event.opcode == wl_callback::EVT_DONE_OPCODE,
            // Devices may come and go later; the first tells which there are.
            InterfaceId::WlSeat => {
                event.opcode == wl_seat::EVT_CAPABILITIES_OPCODE && count.recorded == 1
            }
            _ => false,
        };
        if awaited {
            self.open.push(Awaited { key, needed: count.recorded, name: event.name() });
        }
    }

    /// An event came from the compositor.
    pub(super) fn came(&mut self, sender: ObjectId, opcode: u16) {
        self.counts.entry((sender, opcode)).or_default().live += 1;
    }

    /// The name of an event that has to come before anything more is said.
    pub(super) fn missing(&mut self) -> Option<&str> {
        let counts = &self.counts;
        self.open.retain(|awaited| {
            counts.get(&awaited.key).is_some_and(|count| count.live < awaited.needed)
        });
        self.open.first().map(|awaited| awaited.name.as_str())
    }

    /// Whether the buffer was released as often as it was when it was recorded.
    pub(super) fn is_released(&self, buffer: ObjectId) -> bool {
        let count = self.counts.get(&(buffer, wl_buffer::EVT_RELEASE_OPCODE));
        count.is_none_or(|count| count.live >= count.recorded)
    }

    /// An id names another object from now on.
    pub(super) fn forget(&mut self, id: ObjectId) {
        self.counts.retain(|(sender, _), _| *sender != id);
        self.open.retain(|awaited| awaited.key.0 != id);
    }
}
