//! What a session in the middle of a replay makes of bytes: whole messages with their meaning.

use std::ops::Range;

use stratus_protocols::{ArgumentType, InterfaceId, MessageDesc};
use stratus_proxy_core::{
    Context, Direction, Hook, Interest, Malformed, Message, ObjectId, Seen, Step, Verdict,
};

/// One message that was said.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) direction: Direction,
    pub(super) sender: ObjectId,
    pub(super) interface: InterfaceId,
    pub(super) opcode: u16,
    /// Its arguments.
    pub(super) body: Vec<u8>,
}

/// A hook that lets all pass and keeps what came.
#[derive(Default)]
pub(super) struct Inbox(pub(super) Vec<Heard>);

impl Hook for Inbox {
    fn interests(&self) -> Vec<Interest> {
        Vec::new()
    }

    fn request(&mut self, _: &mut Context<'_>, _: &mut Message<'_>) -> Result<Verdict, Malformed> {
        Ok(Verdict::Forward)
    }

    fn event(&mut self, _: &mut Context<'_>, _: &mut Message<'_>) -> Result<Verdict, Malformed> {
        Ok(Verdict::Forward)
    }

    fn observes(&self) -> bool {
        true
    }

    fn observe(&mut self, seen: &Seen<'_>) {
        if seen.step == Step::Came {
            self.0.push(Heard {
                direction: seen.direction,
                sender: seen.sender,
                interface: seen.interface,
                opcode: seen.opcode,
                body: seen.body().to_vec(),
            });
        }
    }
}

impl Heard {
    pub(super) fn is(&self, interface: InterfaceId, opcode: u16) -> bool {
        self.interface == interface && self.opcode == opcode
    }

    fn description(&self) -> Option<&'static MessageDesc> {
        let table = self.interface.interface();
        let messages = match self.direction {
            Direction::Request => table.requests,
            Direction::Event => table.events,
        };
        messages.get(usize::from(self.opcode))
    }

    /// Its name, as in `wl_surface@5.commit`.
    pub(super) fn name(&self) -> String {
        let name = self.description().map_or("?", |message| message.name);
        format!("{}@{}.{name}", self.interface, self.sender)
    }

    pub(super) fn carries_fds(&self) -> bool {
        self.description().is_some_and(|message| message.signature.contains(&ArgumentType::Fd))
    }

    /// Argument word `index`.
    pub(super) fn word(&self, index: usize) -> Option<u32> {
        let at = index.checked_mul(4)?;
        let bytes = self.body.get(at..)?.first_chunk()?;
        Some(u32::from_ne_bytes(*bytes))
    }

    /// Overwrites an argument word.
    pub(super) fn patch(&mut self, at: usize, value: u32) {
        if let Some(word) = self.body.get_mut(at..at + 4) {
            word.copy_from_slice(&value.to_ne_bytes());
        }
    }

    /// The string that starts at byte `at`, and the bytes that it takes with its length.
    pub(super) fn string(&self, at: usize) -> Option<(&[u8], Range<usize>)> {
        let len = self.word(at / 4)? as usize;
        let text = self.body.get(at + 4..)?.get(..len)?;
        let end = (at + 4).checked_add(len.checked_next_multiple_of(4)?)?;
        Some((text.strip_suffix(&[0]).unwrap_or(text), at..end))
    }

    /// The places and values of all arguments of a kind that name objects.
    fn objects(&self, kind: ArgumentType) -> Vec<(usize, ObjectId)> {
        let Some(message) = self.description() else { return Vec::new() };
        let mut found = Vec::new();
        let mut at = 0;
        for argument in message.signature {
            match argument {
                ArgumentType::Fd => continue,
                ArgumentType::Str(_) | ArgumentType::Array => {
                    let Some((_, range)) = self.string(at) else { break };
                    at = range.end;
                    continue;
                }
                argument if *argument == kind => {
                    let Some(id) = self.word(at / 4) else { break };
                    if id != 0 {
                        found.push((at, ObjectId(id)));
                    }
                }
                _ => {}
            }
            at += 4;
        }
        found
    }

    /// The objects that it names.
    pub(super) fn named(&self) -> Vec<(usize, ObjectId)> {
        self.objects(ArgumentType::Object(stratus_protocols::AllowNull::No))
            .into_iter()
            .chain(self.objects(ArgumentType::Object(stratus_protocols::AllowNull::Yes)))
            .collect()
    }

    /// The objects that it makes.
    pub(super) fn made(&self) -> Vec<ObjectId> {
        self.objects(ArgumentType::NewId).into_iter().map(|(_, id)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use stratus_protocols::{wl_data_device, wl_registry};
    use stratus_proxy_core::Writer;

    use super::*;

    fn request(interface: InterfaceId, opcode: u16, args: impl FnOnce(&mut Writer<'_>)) -> Heard {
        let mut bytes = Vec::new();
        Writer::message(&mut bytes, ObjectId(2), opcode, args);
        let body = bytes.split_off(8);
        Heard { direction: Direction::Request, sender: ObjectId(2), interface, opcode, body }
    }

    #[test]
    fn objects_are_found_behind_strings_and_nil_is_none() {
        let bind = request(InterfaceId::WlRegistry, wl_registry::REQ_BIND_OPCODE, |w| {
            w.uint(5).string("wl_seat").uint(7).object(ObjectId(9));
        });
        assert_eq!(bind.made(), [ObjectId(9)]);
        assert_eq!(bind.string(4).unwrap().0, b"wl_seat");
        let start_drag = wl_data_device::REQ_START_DRAG_OPCODE;
        let drag = request(InterfaceId::WlDataDevice, start_drag, |w| {
            w.object(ObjectId(0)).object(ObjectId(3)).object(ObjectId(4)).uint(77);
        });
        let mut named = drag.named();
        named.sort_unstable();
        assert_eq!(named, [(4, ObjectId(3)), (8, ObjectId(4))]);
        assert_eq!(drag.name(), "wl_data_device@2.start_drag");
    }

    #[test]
    fn arguments_that_are_not_there_are_not_read() {
        let opcode = wl_registry::REQ_BIND_OPCODE;
        let mut bind = request(InterfaceId::WlRegistry, opcode, |w| {
            w.uint(5).uint(u32::MAX);
        });
        assert!(bind.made().is_empty() && bind.string(4).is_none());
        bind.body.truncate(2);
        bind.patch(0, 1);
        assert!(bind.word(0).is_none() && bind.named().is_empty());
    }
}
