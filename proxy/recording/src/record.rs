//! The inner layer of a recording: its records.
//!
//! A record is its kind (one byte), the client, the time in nanoseconds since the recording began
//! and the length of the rest, each in LEB128, and then the rest. A reader knows the length of a
//! kind that it does not know, and skips it; it also ignores what stands behind the fields that
//! it knows.

use stratus_proxy_core::Direction;

use crate::fds::FdKind;
use crate::varint::{Fields, put, put_bytes};

/// No record's rest is longer. Contents of files are cut into pieces of [`MAX_CONTENT`].
pub(crate) const MAX_REST: usize = 1 << 20;
/// The longest content of one record.
pub(crate) const MAX_CONTENT: usize = 64 << 10;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Whose it is, see [`stratus_proxy_core::ClientId`]; 0 for what is nobody's.
    pub client: u64,
    /// Nanoseconds since the recording began.
    pub time_ns: u64,
    /// What happened.
    pub what: What<'a>,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// Something about the recording as a whole.
    Fact {
        /// What it is about.
        name: &'a str,
        /// What it says.
        value: &'a str,
    },
    /// A client connected.
    Connected {
        /// Its process; 0 if not known.
        pid: u32,
        /// The name of its program, as the kernel knows it; empty if not known.
        program: &'a str,
    },
    /// Its session ended.
    Gone,
    /// A whole message as its sender wrote it, in the byte order of the recording machine.
    Message {
        /// Which way it went.
        direction: Direction,
        /// The files that came with it.
        fds: Vec<u32>,
        /// Header and arguments.
        bytes: &'a [u8],
    },
    /// A file that the next message brings.
    File {
        /// Its number in this recording.
        file: u32,
        /// What it is.
        kind: FdKind,
        /// Its size in bytes; 0 where it has none.
        size: u64,
    },
    /// A file has another size now.
    Size {
        /// Its number.
        file: u32,
        /// Its size in bytes.
        size: u64,
    },
    /// From the next message on, a file holds these bytes. What was never told is 0.
    Content {
        /// Its number.
        file: u32,
        /// Where, in bytes from its start.
        offset: u64,
        /// What.
        bytes: &'a [u8],
    },
    /// Content that the next message shows and that was not kept.
    Missing {
        /// The file.
        file: u32,
        /// Where it starts.
        offset: u64,
        /// How many bytes.
        len: u64,
        /// Why.
        why: &'a str,
    },
    /// No message will refer to the file any more.
    Closed {
        /// Its number.
        file: u32,
    },
    /// The last record of a recording that was ended in order.
    End {
        /// Why it ended.
        reason: EndReason,
        /// The reason in words.
        text: &'a str,
        /// How many messages there are.
        messages: u64,
    },
}

/// Why a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Whoever recorded was done.
    Finished,
    /// It reached the size that it was allowed.
    SizeLimit,
    /// Compression or the disk could not keep up.
    Overrun,
    /// Writing failed.
    WriteError,
    /// Something that a newer version knows.
    Other,
}

const FACT: u8 = 1;
const CONNECTED: u8 = 2;
const GONE: u8 = 3;
const MESSAGE: u8 = 4;
const FILE: u8 = 5;
const SIZE: u8 = 6;
const CONTENT: u8 = 7;
const MISSING: u8 = 8;
const CLOSED: u8 = 9;
const END: u8 = 10;

impl EndReason {
    fn number(self) -> u8 {
        match self {
            Self::Finished => 0,
            Self::SizeLimit => 1,
            Self::Overrun => 2,
            Self::WriteError => 3,
            Self::Other => u8::MAX,
        }
    }

    fn of(number: u8) -> Self {
        match number {
            0 => Self::Finished,
            1 => Self::SizeLimit,
            2 => Self::Overrun,
            3 => Self::WriteError,
            _ => Self::Other,
        }
    }
}

impl What<'_> {
    fn kind(&self) -> u8 {
        match self {
            Self::Fact { .. } => FACT,
            Self::Connected { .. } => CONNECTED,
            Self::Gone => GONE,
            Self::Message { .. } => MESSAGE,
            Self::File { .. } => FILE,
            Self::Size { .. } => SIZE,
            Self::Content { .. } => CONTENT,
            Self::Missing { .. } => MISSING,
            Self::Closed { .. } => CLOSED,
            Self::End { .. } => END,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Fact { name, value } => {
                put_bytes(out, name.as_bytes());
                put_bytes(out, value.as_bytes());
            }
            Self::Connected { pid, program } => {
                put(out, u64::from(*pid));
                put_bytes(out, program.as_bytes());
            }
            Self::Gone => {}
            Self::Message { direction, fds, bytes } => {
                out.push(match direction {
                    Direction::Request => 0,
                    Direction::Event => 1,
                });
                put(out, fds.len() as u64);
                fds.iter().for_each(|file| put(out, u64::from(*file)));
                put_bytes(out, bytes);
            }
            Self::File { file, kind, size } => {
                put(out, u64::from(*file));
                out.push(kind.number());
                put(out, *size);
            }
            Self::Size { file, size } => {
                put(out, u64::from(*file));
                put(out, *size);
            }
            Self::Content { file, offset, bytes } => {
                put(out, u64::from(*file));
                put(out, *offset);
                put_bytes(out, bytes);
            }
            Self::Missing { file, offset, len, why } => {
                put(out, u64::from(*file));
                put(out, *offset);
                put(out, *len);
                put_bytes(out, why.as_bytes());
            }
            Self::Closed { file } => put(out, u64::from(*file)),
            Self::End { reason, text, messages } => {
                out.push(reason.number());
                put_bytes(out, text.as_bytes());
                put(out, *messages);
            }
        }
    }
}

impl<'a> What<'a> {
    /// `None` if the fields are not there.
    fn read(kind: u8, rest: &'a [u8]) -> Option<Self> {
        let mut f = Fields(rest);
        let what = match kind {
            FACT => Self::Fact { name: f.text()?, value: f.text()? },
            CONNECTED => Self::Connected { pid: f.u32()?, program: f.text()? },
            GONE => Self::Gone,
            MESSAGE => {
                let direction = match f.byte()? {
                    0 => Direction::Request,
                    1 => Direction::Event,
                    _ => return None,
                };
                let count = f.u64()?;
                // One sendmsg may carry 253 (SCM_MAX_FD), and no message has that many.
                if count > 253 {
                    return None;
                }
                let fds = (0..count).map(|_| f.u32()).collect::<Option<_>>()?;
                Self::Message { direction, fds, bytes: f.bytes()? }
            }
            FILE => {
                Self::File { file: f.u32()?, kind: FdKind::of_number(f.byte()?), size: f.u64()? }
            }
            SIZE => Self::Size { file: f.u32()?, size: f.u64()? },
            CONTENT => Self::Content { file: f.u32()?, offset: f.u64()?, bytes: f.bytes()? },
            MISSING => {
                Self::Missing { file: f.u32()?, offset: f.u64()?, len: f.u64()?, why: f.text()? }
            }
            CLOSED => Self::Closed { file: f.u32()? },
            END => {
                Self::End { reason: EndReason::of(f.byte()?), text: f.text()?, messages: f.u64()? }
            }
            _ => return None,
        };
        Some(what)
    }
}

impl<'a> Record<'a> {
    /// Appends the record. `scratch` is room to work in.
    pub(crate) fn write(&self, out: &mut Vec<u8>, scratch: &mut Vec<u8>) {
        scratch.clear();
        self.what.write(scratch);
        out.push(self.what.kind());
        put(out, self.client);
        put(out, self.time_ns);
        put_bytes(out, scratch);
    }

    /// Reads a whole record of a known kind.
    pub(crate) fn read(plain: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(plain);
        let kind = fields.byte()?;
        let (client, time_ns) = (fields.u64()?, fields.u64()?);
        Some(Self { client, time_ns, what: What::read(kind, fields.bytes()?)? })
    }
}

/// Kind and length of the first record of `plain`, whatever its kind is.
pub(crate) fn outline(plain: &[u8]) -> Option<(u8, usize)> {
    let mut fields = Fields(plain);
    let kind = fields.byte()?;
    let (_client, _time_ns) = (fields.u64()?, fields.u64()?);
    fields.bytes().filter(|rest| rest.len() <= MAX_REST)?;
    Some((kind, plain.len() - fields.0.len()))
}

/// Whether [`Record::read`] can read it.
pub(crate) fn is_known(kind: u8) -> bool {
    (FACT..=END).contains(&kind)
}

/// How many of these whole records are messages.
pub(crate) fn count_messages(mut records: &[u8]) -> u64 {
    let mut count = 0;
    while let Some((kind, len)) = outline(records) {
        count += u64::from(kind == MESSAGE);
        records = &records[len..];
    }
    count
}
