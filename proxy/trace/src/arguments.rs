//! The arguments of a message, read by its signature.

use stratus_protocols::{ArgumentType, InterfaceId, wl_display, wl_registry};
use stratus_proxy_core::{Args, Direction, Malformed, ObjectId};

use crate::enums::{self, Namer};
use crate::step::Shown;

/// One argument.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Int(i32, Option<String>),
    Uint(u32, Option<String>),
    /// The raw bits of a 24.8 number.
    Fixed(i32),
    Text(Option<&'a [u8]>),
    Object(Option<(ObjectId, Option<InterfaceId>)>),
    /// An object that the message makes, and the name of its interface.
    NewId(ObjectId, Option<&'a [u8]>),
    /// An array, and the names of its words if it is one of enums.
    Array(&'a [u8], Option<Vec<String>>),
    Fd,
}

/// All arguments of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Values<'a> {
    pub(crate) values: Vec<Value<'a>>,
    /// They end before the signature does, or contradict it; the values before that are there.
    pub(crate) malformed: bool,
    /// Bytes behind the last argument, which nobody reads.
    pub(crate) surplus: usize,
}

/// Arrays with more words than this are told by their length only.
const MOST_WORDS: usize = 16;

pub(crate) fn read<'a>(shown: &Shown<'a>) -> Values<'a> {
    let mut reader = Reader {
        shown,
        args: Args::new(shown.body, &[]),
        fds: shown.fds,
        left: shown.body.len(),
        text: None,
        object: None,
    };
    let signature = shown.description().map_or(&[][..], |d| d.signature);
    let mut values = Vec::with_capacity(signature.len());
    for (index, argument) in signature.iter().enumerate() {
        match reader.value(index, *argument) {
            Ok(value) => values.push(value),
            Err(Malformed) => return Values { values, malformed: true, surplus: 0 },
        }
    }
    Values { values, malformed: false, surplus: reader.left }
}

struct Reader<'s, 'a> {
    shown: &'s Shown<'a>,
    args: Args<'a>,
    fds: u8,
    /// Bytes that have not been read.
    left: usize,
    /// The last string and the last object, for arguments that depend on them.
    text: Option<&'a [u8]>,
    object: Option<InterfaceId>,
}

impl<'a> Reader<'_, 'a> {
    fn value(&mut self, index: usize, argument: ArgumentType) -> Result<Value<'a>, Malformed> {
        Ok(match argument {
            ArgumentType::Int => {
                let value = self.word()?.cast_signed();
                Value::Int(value, self.name(index, value.cast_unsigned()))
            }
            ArgumentType::Uint => {
                let value = self.word()?;
                Value::Uint(value, self.name(index, value))
            }
            ArgumentType::Fixed => Value::Fixed(self.word()?.cast_signed()),
            ArgumentType::Str(_) => {
                let text = self.args.string()?;
                // The length, the text with its NUL, and padding; nil is the length alone.
                self.left -= 4 + text.map_or(0, |t| (t.len() + 1).next_multiple_of(4));
                self.text = text;
                Value::Text(text)
            }
            ArgumentType::Object(_) => {
                let id = ObjectId(self.word()?);
                let interface = self.shown.interface_of(id);
                self.object = interface;
                Value::Object((id != ObjectId::NULL).then_some((id, interface)))
            }
            ArgumentType::NewId => {
                let id = ObjectId(self.word()?);
                Value::NewId(id, self.child())
            }
            ArgumentType::Array => {
                let bytes = self.args.array()?;
                self.left -= 4 + bytes.len().next_multiple_of(4);
                Value::Array(bytes, self.words(index, bytes))
            }
            ArgumentType::Fd => {
                self.fds = self.fds.checked_sub(1).ok_or(Malformed)?;
                Value::Fd
            }
        })
    }

    fn word(&mut self) -> Result<u32, Malformed> {
        let word = self.args.uint()?;
        self.left -= 4;
        Ok(word)
    }

    fn name(&self, index: usize, value: u32) -> Option<String> {
        let Shown { interface, direction, opcode, .. } = *self.shown;
        self.namer(interface, direction, opcode, index)?(value)
    }

    fn namer(
        &self,
        interface: InterfaceId,
        direction: Direction,
        opcode: u16,
        index: usize,
    ) -> Option<Namer> {
        let error = (InterfaceId::WlDisplay, Direction::Event, wl_display::EVT_ERROR_OPCODE, 1);
        if (interface, direction, opcode, index) == error {
            // The code is of the object's interface.
            return enums::errors(self.object?);
        }
        enums::argument(interface, direction, opcode, index)
    }

    /// The interface of the object that the message makes: the signature has it, but for `bind`,
    /// whose arguments have it.
    fn child(&self) -> Option<&'a [u8]> {
        let Shown { interface, direction, opcode, .. } = *self.shown;
        let bind = (InterfaceId::WlRegistry, Direction::Request, wl_registry::REQ_BIND_OPCODE);
        if (interface, direction, opcode) == bind {
            return self.text;
        }
        let child = self.shown.description()?.child_interface?;
        Some(child.name.as_bytes())
    }

    fn words(&self, index: usize, bytes: &[u8]) -> Option<Vec<String>> {
        let Shown { interface, direction, opcode, .. } = *self.shown;
        let namer = enums::array(interface, direction, opcode, index)?;
        if bytes.len() / 4 > MOST_WORDS {
            return None;
        }
        let words = bytes.chunks_exact(4).map(|w| u32::from_ne_bytes([w[0], w[1], w[2], w[3]]));
        Some(words.map(|word| namer(word).unwrap_or_else(|| word.to_string())).collect())
    }
}
