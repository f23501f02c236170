//! What clever peers say: messages out of the interface tables, most of them valid.

use std::os::fd::OwnedFd;

use stratus_protocols::{AllowNull, ArgumentType, InterfaceId, MessageDesc};
use stratus_proxy_core::Side;

use crate::fds::{Maker, Mark};
use crate::input::Input;
use crate::model::{Model, State, message, messages};

/// One message on its way into a socket.
pub struct Said {
    /// The message.
    pub bytes: Vec<u8>,
    /// What comes with it.
    pub fds: Vec<(Mark, OwnedFd)>,
}

/// A message under construction.
struct Draft<'a, 'b> {
    from: Side,
    model: &'a Model,
    maker: &'a mut Maker,
    input: &'a mut Input<'b>,
    body: Vec<u8>,
    fds: Vec<(Mark, OwnedFd)>,
}

/// One message of `from`, chosen by `input`.
pub fn say(from: Side, model: &Model, maker: &mut Maker, input: &mut Input<'_>) -> Said {
    let choice = input.byte();
    let mut draft = Draft { from, model, maker, input, body: Vec::new(), fds: Vec::new() };
    let head = match (from, choice) {
        (Side::Client, 0..=31) => draft.bind(),
        (Side::Compositor, 0..=31) => draft.global(),
        (Side::Compositor, 32..=95) => draft.delete_id(),
        _ => draft.any(),
    };
    let (mut sender, mut opcode) = head.unwrap_or((1, 0));
    let Draft { mut body, mut fds, .. } = draft;
    let damage = input.byte();
    match damage {
        224 => opcode = u16::from(input.byte()),
        225 => sender = input.number(),
        226 => body.truncate(body.len().saturating_sub(4)),
        227 => drop(fds.pop()),
        228 => fds.extend(maker.make()),
        229 if !body.is_empty() => {
            let at = input.below(body.len());
            body[at] ^= 1 << (input.byte() & 7);
        }
        230 => body.extend([0; 8]),
        231 if input.byte() == 0xee => fds.extend((0..260).map_while(|_| maker.make())),
        _ => {}
    }
    let mut bytes = message(sender, opcode, &[]);
    let mut size = 8 + body.len() as u16;
    match damage {
        240 => size = size.wrapping_add(4),
        241 => size = size.wrapping_sub(4),
        242 => size |= 2,
        243 => size = u16::from(input.byte()),
        _ => {}
    }
    bytes[6..8].copy_from_slice(&size.to_ne_bytes());
    bytes.extend(body);
    Said { bytes, fds }
}

impl Draft<'_, '_> {
    fn word(&mut self, word: u32) {
        self.body.extend(word.to_ne_bytes());
    }

    /// Bytes with their length in front and padding behind.
    fn array(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u32);
        self.body.extend(bytes);
        self.body.resize(self.body.len().next_multiple_of(4), 0);
    }

    fn string(&mut self, text: &[u8]) {
        self.array(&[text, &[0]].concat());
    }

    /// Some object of an interface that has such messages.
    fn object_of(&mut self, interface: InterfaceId) -> Option<u32> {
        let all: Vec<u32> = self
            .model
            .objects
            .all
            .iter()
            .filter(|(_, t)| t.interface == interface)
            .map(|(id, _)| *id)
            .collect();
        (!all.is_empty()).then(|| *self.input.pick(&all))
    }

    fn bind(&mut self) -> Option<(u32, u16)> {
        let registry = self.object_of(InterfaceId::WlRegistry)?;
        let all: Vec<(u32, (InterfaceId, u32))> =
            self.model.globals.iter().filter_map(|(n, g)| Some((*n, (*g)?))).collect();
        if all.is_empty() {
            return None;
        }
        let (name, (interface, version)) = *self.input.pick(&all);
        self.word(name);
        self.string(interface.name().as_bytes());
        let lower = u32::from(self.input.byte() & 3);
        self.word(version.saturating_sub(lower));
        self.new_id();
        Some((registry, 0))
    }

    fn global(&mut self) -> Option<(u32, u16)> {
        let registry = self.object_of(InterfaceId::WlRegistry)?;
        let name = self.input.byte() & 31;
        self.word(u32::from(name));
        let interface = InterfaceId::ALL[self.input.below(InterfaceId::ALL.len())];
        let choice = self.input.byte();
        if choice == 255 {
            self.string(b"vendor_secret_v1");
        } else {
            self.string(interface.name().as_bytes());
        }
        self.word(match choice {
            0..=199 => interface.version(),
            _ => u32::from(choice & 15),
        });
        Some((registry, 0))
    }

    fn delete_id(&mut self) -> Option<(u32, u16)> {
        let all = &self.model.objects.all;
        let dead: Vec<u32> =
            all.iter().filter(|(_, t)| t.state != State::Alive).map(|(id, _)| *id).collect();
        let id = if dead.is_empty() { self.input.number() } else { *self.input.pick(&dead) };
        self.word(id);
        Some((1, 1))
    }

    /// Any message of any object.
    fn any(&mut self) -> Option<(u32, u16)> {
        let direction = self.from.direction();
        let can = |t: &crate::model::Thing| !messages(t.interface, direction).is_empty();
        let all: Vec<u32> =
            self.model.objects.all.iter().filter(|(_, t)| can(t)).map(|(id, _)| *id).collect();
        let sender = *self.input.pick(&all);
        let thing = self.model.objects.find(sender)?;
        let descriptions = messages(thing.interface, direction);
        let opcode = self.input.below(descriptions.len());
        self.arguments(&descriptions[opcode]);
        Some((sender, opcode as u16))
    }

    fn arguments(&mut self, desc: &MessageDesc) {
        for argument in desc.signature {
            match argument {
                ArgumentType::Int | ArgumentType::Uint | ArgumentType::Fixed => {
                    let number = self.input.number();
                    self.word(number);
                }
                ArgumentType::Str(null) => match self.input.byte() {
                    255 if *null == AllowNull::Yes => self.word(0),
                    254 => self.array(b"no end"),
                    n => {
                        let text = vec![b'a' + (n & 15); usize::from(n >> 2)];
                        self.string(&text);
                    }
                },
                ArgumentType::Object(_) => {
                    let all: Vec<u32> = self.model.objects.all.keys().copied().collect();
                    let id = *self.input.pick(&all);
                    self.word(id);
                }
                ArgumentType::NewId => self.new_id(),
                ArgumentType::Array => {
                    let len = usize::from(self.input.byte() & 63);
                    let bytes = self.input.bytes(len).to_vec();
                    self.array(&bytes);
                }
                ArgumentType::Fd => self.fds.extend(self.maker.make()),
            }
        }
    }

    /// The id that a new object of this side gets.
    fn new_id(&mut self) {
        let objects = &self.model.objects;
        let next = objects.next(self.from);
        let id = match self.input.byte() {
            // A freed one, if there is one.
            0..=127 if self.from == Side::Client => {
                (2..next).find(|id| !objects.all.contains_key(id)).unwrap_or(next)
            }
            n @ 0..=63 => next.saturating_sub(u32::from(n)).max(crate::model::FIRST_SERVER),
            250 => next + 1,
            251 => next - 1,
            252 => self.input.number(),
            253 => crate::model::FIRST_SERVER,
            _ => next,
        };
        self.word(id);
    }
}
