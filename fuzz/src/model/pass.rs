//! The way of one message through the model.

use stratus_protocols::{ArgumentType, InterfaceId, MessageDesc};
use stratus_proxy_core::{Direction, Side, Step, Visibility};

use super::{Fault, Model, State, at, messages};
use crate::script::{Answer, Note, Own, Shown, is_of_interest};

/// Reads arguments off the front of a message's body.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn uint(&mut self) -> Result<u32, Fault> {
        let (head, rest) = self.0.split_at_checked(4).ok_or(Fault::Malformed)?;
        self.0 = rest;
        Ok(super::word(head, 0))
    }

    /// A string or array: its length, then as many bytes, padded to words.
    fn array(&mut self) -> Result<&'a [u8], Fault> {
        let len = self.uint()? as usize;
        let padded = len.div_ceil(4) * 4;
        let (head, rest) = self.0.split_at_checked(padded).ok_or(Fault::Malformed)?;
        self.0 = rest;
        Ok(&head[..len])
    }

    /// A string that is not nil, without its NUL.
    fn string(&mut self) -> Result<&'a [u8], Fault> {
        match self.array()?.split_last() {
            Some((0, text)) => Ok(text),
            _ => Err(Fault::Malformed),
        }
    }
}

/// The new id in a body of this signature.
fn new_id(desc: &MessageDesc, body: &[u8]) -> Result<u32, Fault> {
    let mut reader = Reader(body);
    for argument in desc.signature {
        match argument {
            ArgumentType::NewId => return reader.uint(),
            ArgumentType::Fd => {}
            ArgumentType::Str(_) | ArgumentType::Array => {
                reader.array()?;
            }
            _ => {
                reader.uint()?;
            }
        }
    }
    Err(Fault::Malformed)
}

/// The client must not see it.
const HIDES: Wish = Wish { drops: true, changes: false };

/// What the proxy and the hook want of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wish {
    drops: bool,
    changes: bool,
}

impl Model {
    /// One whole message of `from`.
    pub(super) fn pass(
        &mut self,
        from: Side,
        sender: u32,
        opcode: u16,
        mut body: Vec<u8>,
    ) -> Result<(), Fault> {
        let direction = from.direction();
        let thing = self.objects.find(sender).ok_or(Fault::Unknown)?;
        if from == Side::Client && thing.state == State::Destroyed {
            return Err(Fault::Dead);
        }
        let all = messages(thing.interface, direction);
        let desc = all.get(usize::from(opcode)).ok_or(Fault::Opcode)?;
        let count = desc.signature.iter().filter(|a| matches!(a, ArgumentType::Fd)).count();
        let fds: Vec<_> = self.lanes[at(from)].unclaimed.iter().take(count).copied().collect();
        let shown = |body: &[u8]| Shown {
            direction,
            sender,
            interface: thing.interface,
            version: thing.version,
            opcode,
            body: body.to_vec(),
            fds: fds.clone(),
        };
        self.show(Step::Came, || shown(&body));
        if fds.len() < count {
            return Err(Fault::FewFds);
        }
        let child = desc.child_interface.and_then(|i| InterfaceId::find(i.name));
        if let Some(child) = child {
            let id = new_id(desc, &body)?;
            self.objects.create(from, id, child, thing.version)?;
        }
        let kind = (thing.interface, direction, desc.name);
        let hidden = self.play_role(kind, sender, &mut body)?;
        let mut wish = hidden;
        if !hidden.drops && self.hooked && is_of_interest(thing.interface, direction, opcode) {
            let data = self.objects.find(sender).map_or(0, |t| t.data);
            self.notes.push(Note::Asked(data, shown(&body)));
            let wants = self.ask_hook(direction, sender, &mut body)?;
            // The ids of both sides must stay the same, and fds have to go somewhere.
            let makes = |a: &ArgumentType| matches!(a, ArgumentType::NewId | ArgumentType::Fd);
            wish.drops = wants.drops && !desc.signature.iter().any(makes);
            wish.changes |= wants.changes;
        }
        match wish {
            Wish { drops: true, .. } => self.show(Step::Dropped, || shown(&body)),
            Wish { changes: true, .. } => self.show(Step::Changed, || shown(&body)),
            _ => {}
        }
        if desc.is_destructor {
            self.objects.end(from, sender);
        }
        if wish.drops {
            return Ok(());
        }
        if (thing.interface, direction, desc.name)
            == (InterfaceId::WlDisplay, Direction::Event, "delete_id")
        {
            let id = Reader(&body).uint()?;
            self.objects.delete(id);
        }
        let lane = &mut self.lanes[at(from)];
        lane.unclaimed.drain(..count);
        let mut bytes = super::message(sender, opcode, &[]);
        bytes[6..8].copy_from_slice(&(8 + body.len() as u16).to_ne_bytes());
        bytes.extend(body);
        lane.out.push(bytes, fds);
        self.over |= thing.interface == InterfaceId::WlDisplay
            && direction == Direction::Event
            && desc.name == "error";
        Ok(())
    }

    /// What the proxy itself does with a message: hides it, changes its version, or nothing.
    fn play_role(
        &mut self,
        kind: (InterfaceId, Direction, &str),
        sender: u32,
        body: &mut [u8],
    ) -> Result<Wish, Fault> {
        let len = body.len();
        let mut reader = Reader(body);
        match kind {
            (InterfaceId::WlRegistry, Direction::Request, "bind") => {
                let (name, asked) = (reader.uint()?, reader.string()?.to_vec());
                let (version, id) = (reader.uint()?, reader.uint()?);
                let offer = self.globals.get(&name).copied().flatten();
                let (interface, offered) = offer.ok_or(Fault::Global)?;
                if interface.name().as_bytes() != asked {
                    return Err(Fault::Global);
                }
                if version == 0 || version > offered {
                    return Err(Fault::Version);
                }
                self.objects.create(Side::Client, id, interface, version)?;
                if interface == InterfaceId::WlFixes && version >= 2 {
                    self.fixes.insert(id);
                }
            }
            (InterfaceId::WlFixes, Direction::Request, "destroy_registry") => {
                let registry = reader.uint()?;
                if self.is_registry(registry) {
                    self.objects.end(Side::Client, registry);
                }
            }
            (InterfaceId::WlRegistry, Direction::Event, "global") => {
                let (name, interface) = (reader.uint()?, reader.string()?);
                let interface = InterfaceId::ALL.iter().find(|i| i.name().as_bytes() == interface);
                let at = len - reader.0.len();
                let version = reader.uint()?;
                let shown = interface.copied().filter(|i| self.is_shown(*i));
                let shown = shown.map(|i| (i, version.min(i.interface().version)));
                self.globals.insert(name, shown);
                let Some((_, shown)) = shown else { return Ok(HIDES) };
                body[at..at + 4].copy_from_slice(&shown.to_ne_bytes());
                return Ok(Wish { drops: false, changes: shown != version });
            }
            (InterfaceId::WlRegistry, Direction::Event, "global_remove") => {
                let name = reader.uint()?;
                let shown = self.globals.get(&name).copied().flatten();
                if shown.is_some() {
                    return Ok(Wish::default());
                }
                self.acknowledge(sender, name);
                return Ok(HIDES);
            }
            (InterfaceId::WlDisplay, Direction::Event, "error") => {
                reader.uint()?;
                reader.uint()?;
                let text = reader.array()?;
                if !text.is_empty() && text.last() != Some(&0) {
                    return Err(Fault::Malformed);
                }
            }
            _ => {}
        }
        Ok(Wish::default())
    }

    /// The compositor waits until every client that can has acknowledged the removal of a global,
    /// also of one that the client never heard of (`wl_fixes.ack_global_remove`).
    fn acknowledge(&mut self, registry: u32, name: u32) {
        let fixes = self.fixes.iter().copied().find(|id| {
            let thing = self.objects.find(*id);
            thing.is_some_and(|t| {
                t.interface == InterfaceId::WlFixes && t.version >= 2 && t.state == State::Alive
            })
        });
        if !self.globals.contains_key(&name) || !self.is_registry(registry) {
            return;
        }
        let messages = InterfaceId::WlFixes.interface().requests;
        let opcode = messages.iter().position(|m| m.name == "ack_global_remove");
        if let (Some(sender), Some(opcode)) = (fixes, opcode) {
            let words = vec![registry, name];
            self.say_own(Direction::Request, &Own { sender, opcode: opcode as u16, words });
        }
    }

    /// Whether a registry of that id lives.
    fn is_registry(&self, id: u32) -> bool {
        let thing = self.objects.find(id);
        thing.is_some_and(|t| t.interface == InterfaceId::WlRegistry && t.state == State::Alive)
    }

    fn is_shown(&self, interface: InterfaceId) -> bool {
        self.policy.of(interface.name()).visibility == Visibility::Forwarded
    }

    /// What the hook does with a message.
    fn ask_hook(
        &mut self,
        direction: Direction,
        sender: u32,
        body: &mut [u8],
    ) -> Result<Wish, Fault> {
        let Some(answer) = self.answers.pop_front() else { return Ok(Wish::default()) };
        match answer {
            Answer::Forward => {}
            Answer::Drop => return Ok(HIDES),
            Answer::Patch(word, value) => {
                let place = body.get_mut(word * 4..word * 4 + 4).ok_or(Fault::Malformed)?;
                place.copy_from_slice(&value.to_ne_bytes());
                return Ok(Wish { drops: false, changes: true });
            }
            Answer::Fail => return Err(Fault::Malformed),
            Answer::Data(data) => self.objects.set_data(sender, data),
            Answer::Say { request, event, drops } => {
                self.say_in_order(direction, request.as_ref(), event.as_ref());
                return Ok(Wish { drops, changes: false });
            }
        }
        Ok(Wish::default())
    }

    /// Messages that go the way of the one at hand stand in front of it.
    fn say_in_order(&mut self, at_hand: Direction, request: Option<&Own>, event: Option<&Own>) {
        let both = [(Direction::Request, request), (Direction::Event, event)];
        for first in [true, false] {
            for (direction, own) in both {
                if let Some(own) = own.filter(|_| (direction == at_hand) == first) {
                    self.say_own(direction, own);
                }
            }
        }
    }
}
