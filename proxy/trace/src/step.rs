//! What a tap hands over: bytes that stand for one step of one message, to be read elsewhere.
//!
//! The observer is called on the proxy's thread and may keep nothing that it is shown. So it
//! copies what a line needs: the arguments as they lie on the wire, how many fds came, and the
//! interfaces of the objects among the arguments, which nobody could look up later.

use stratus_protocols::{ArgumentType, InterfaceId, MessageDesc};
use stratus_proxy_core::{ClientId, Direction, ObjectId, Seen, Step};

/// A step of a message, as the tap copied it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown<'a> {
    /// Whose session it is.
    pub client: ClientId,
    /// When, in CLOCK_MONOTONIC nanoseconds.
    pub now_ns: u64,
    /// Which way the message goes.
    pub direction: Direction,
    /// What happened to it.
    pub step: Step,
    /// Its object.
    pub sender: ObjectId,
    /// The interface of its object.
    pub interface: InterfaceId,
    /// The version of its object.
    pub version: u32,
    /// Which message of the interface.
    pub opcode: u16,
    /// How many fds came with it.
    pub fds: u8,
    /// The interfaces of the objects among its arguments.
    pub(crate) named: Named<'a>,
    /// The arguments on the wire.
    pub body: &'a [u8],
}

impl Shown<'_> {
    /// The table's row of this message; `None` if the interface has no such message.
    pub(crate) fn description(&self) -> Option<&'static MessageDesc> {
        messages(self.interface, self.direction).get(usize::from(self.opcode))
    }

    /// The interface of an object among the arguments, if the session knew it.
    #[must_use]
    pub fn interface_of(&self, id: ObjectId) -> Option<InterfaceId> {
        self.named.of(id)
    }
}

/// The messages of an interface in one direction.
pub(crate) fn messages(id: InterfaceId, direction: Direction) -> &'static [MessageDesc] {
    match direction {
        Direction::Request => id.interface().requests,
        Direction::Event => id.interface().events,
    }
}

/// Objects and their interfaces, six bytes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named<'a>(&'a [u8]);

impl Named<'_> {
    fn of(&self, id: ObjectId) -> Option<InterfaceId> {
        let mut all = self.0.chunks_exact(6);
        let found = all.find(|entry| entry[..4] == id.0.to_le_bytes())?;
        InterfaceId::ALL.get(usize::from(u16::from_le_bytes([found[4], found[5]]))).copied()
    }
}

/// One thing that a feed tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A client is there: it connected, or was connected when the feed began.
    Added {
        /// The client.
        client: ClientId,
        /// When, in CLOCK_MONOTONIC nanoseconds.
        now_ns: u64,
        /// Its process, where known.
        process: Option<u32>,
    },
    /// Something happened to a message.
    Message(Shown<'a>),
    /// A client's session ended.
    Gone {
        /// The client.
        client: ClientId,
        /// When, in CLOCK_MONOTONIC nanoseconds.
        now_ns: u64,
    },
}

/// Bytes that no tap wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not what a tap writes")]
pub struct Unreadable;

const ADDED: u8 = 0;
const GONE: u8 = 1;
const MESSAGE: u8 = 2;

const DIRECTIONS: [Direction; 2] = [Direction::Request, Direction::Event];
const STEPS: [Step; 4] = [Step::Came, Step::Changed, Step::Dropped, Step::Own];

pub(crate) fn write_added(out: &mut Vec<u8>, client: ClientId, now_ns: u64, process: Option<u32>) {
    out.push(ADDED);
    out.extend_from_slice(&client.0.to_le_bytes());
    out.extend_from_slice(&now_ns.to_le_bytes());
    // No process has the id 0.
    out.extend_from_slice(&process.unwrap_or(0).to_le_bytes());
}

pub(crate) fn write_gone(out: &mut Vec<u8>, client: ClientId, now_ns: u64) {
    out.push(GONE);
    out.extend_from_slice(&client.0.to_le_bytes());
    out.extend_from_slice(&now_ns.to_le_bytes());
}

pub(crate) fn write_message(out: &mut Vec<u8>, seen: &Seen<'_>) {
    out.push(MESSAGE);
    out.extend_from_slice(&seen.client.0.to_le_bytes());
    out.extend_from_slice(&seen.now_ns.to_le_bytes());
    out.push(u8::from(seen.direction == Direction::Event));
    out.push(STEPS.iter().position(|s| *s == seen.step).unwrap_or(0) as u8);
    out.extend_from_slice(&seen.sender.0.to_le_bytes());
    out.extend_from_slice(&(seen.interface as u16).to_le_bytes());
    out.extend_from_slice(&seen.version.to_le_bytes());
    out.extend_from_slice(&seen.opcode.to_le_bytes());
    // No message has more than 28.
    out.push(seen.fds().len() as u8);
    let count_at = out.len();
    out.push(0);
    let mut count = 0;
    for_each_object(seen, |id| {
        let Some(object) = seen.object(id).filter(|_| count < u8::MAX) else { return };
        out.extend_from_slice(&id.0.to_le_bytes());
        out.extend_from_slice(&(object.interface as u16).to_le_bytes());
        count += 1;
    });
    out[count_at] = count;
    out.extend_from_slice(&(seen.body().len() as u32).to_le_bytes());
    out.extend_from_slice(seen.body());
}

/// Calls `object` with every object among the arguments; ends early where they do.
fn for_each_object(seen: &Seen<'_>, mut object: impl FnMut(ObjectId)) {
    let messages = messages(seen.interface, seen.direction);
    let Some(message) = messages.get(usize::from(seen.opcode)) else { return };
    let last = message.signature.iter().rposition(|a| matches!(a, ArgumentType::Object(_)));
    let Some(last) = last else { return };
    let mut args = seen.args();
    for argument in &message.signature[..=last] {
        let read = match argument {
            ArgumentType::Object(_) => args.object().map(&mut object),
            ArgumentType::Str(_) | ArgumentType::Array => args.array().map(drop),
            ArgumentType::Fd => Ok(()),
            _ => args.uint().map(drop),
        };
        if read.is_err() {
            return;
        }
    }
}

/// Takes the next record off `bytes`; `None` at their end.
///
/// # Errors
/// [`Unreadable`] if they are not what a tap wrote.
pub(crate) fn read<'a>(bytes: &mut &'a [u8]) -> Result<Option<Record<'a>>, Unreadable> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let kind = word::<1>(bytes)?[0];
    let client = ClientId(u64::from_le_bytes(word(bytes)?));
    let now_ns = u64::from_le_bytes(word(bytes)?);
    match kind {
        ADDED => {
            let process = Some(u32::from_le_bytes(word(bytes)?)).filter(|process| *process > 0);
            Ok(Some(Record::Added { client, now_ns, process }))
        }
        GONE => Ok(Some(Record::Gone { client, now_ns })),
        MESSAGE => read_message(bytes, client, now_ns).map(|m| Some(Record::Message(m))),
        _ => Err(Unreadable),
    }
}

fn read_message<'a>(
    bytes: &mut &'a [u8],
    client: ClientId,
    now_ns: u64,
) -> Result<Shown<'a>, Unreadable> {
    let [direction, step] = word(bytes)?;
    let sender = ObjectId(u32::from_le_bytes(word(bytes)?));
    let interface = usize::from(u16::from_le_bytes(word(bytes)?));
    let version = u32::from_le_bytes(word(bytes)?);
    let opcode = u16::from_le_bytes(word(bytes)?);
    let [fds, named] = word(bytes)?;
    let named = Named(take(bytes, usize::from(named) * 6)?);
    let len = u32::from_le_bytes(word(bytes)?);
    let body = take(bytes, len as usize)?;
    Ok(Shown {
        client,
        now_ns,
        direction: *DIRECTIONS.get(usize::from(direction)).ok_or(Unreadable)?,
        step: *STEPS.get(usize::from(step)).ok_or(Unreadable)?,
        sender,
        interface: *InterfaceId::ALL.get(interface).ok_or(Unreadable)?,
        version,
        opcode,
        fds,
        named,
        body,
    })
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Result<&'a [u8], Unreadable> {
    let (head, rest) = bytes.split_at_checked(len).ok_or(Unreadable)?;
    *bytes = rest;
    Ok(head)
}

fn word<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Unreadable> {
    let (head, rest) = bytes.split_first_chunk().ok_or(Unreadable)?;
    *bytes = rest;
    Ok(*head)
}
