//! Reads a recording, whoever wrote it: record by record, up to its end or to where it was cut.

use std::io::{self, Read};

use crate::block::{Found, MAJOR, Unpacker};
use crate::fact::{BYTE_ORDER, OUR_BYTE_ORDER};
use crate::record::{EndReason, Record, What, is_known, outline};

/// Why a recording cannot be read any further.
#[derive(Debug, thiserror::Error)]
#[error("at byte {offset}: {problem}")]
pub struct Error {
    /// Where in the file: the start of the block, or of the file.
    pub offset: u64,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a recording.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It does not start like one.
    #[error("this is no recording of Stratus")]
    NotARecording,
    /// It is of a version that cannot be read.
    #[error("it has format {major}.{minor}; this Stratus reads format {MAJOR}")]
    Version {
        /// Its major version.
        major: u16,
        /// Its minor version.
        minor: u16,
    },
    /// It was made on a machine of the other byte order.
    #[error("its messages are in {0}-endian byte order, which is not this machine's")]
    ByteOrder(String),
    /// A block states a length that no block has, or another one than it has.
    #[error("a block of {packed} bytes that hold {plain} cannot be: the file is damaged")]
    BlockLength {
        /// Compressed, in bytes.
        packed: usize,
        /// Plain, in bytes.
        plain: usize,
    },
    /// A block does not decompress to what its checksum says.
    #[error("the block does not fit its checksum: the file is damaged")]
    Damaged,
    /// A record within the block is none.
    #[error("the record at byte {within} of the block's content is malformed")]
    Record {
        /// Where in the block's plain bytes.
        within: usize,
    },
    /// The file cannot be read.
    #[error("reading failed: {0}")]
    Io(#[from] io::Error),
}

/// How a recording ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// In order.
    Ended {
        /// Why.
        reason: EndReason,
        /// In words.
        text: String,
        /// How many messages the writer counted.
        messages: u64,
    },
    /// The file ends with a whole block, but nobody ended the recording.
    Unfinished,
    /// The file ends within the block that starts at this byte; all before it was read.
    Cut(u64),
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ended { reason: EndReason::Finished, .. } => f.write_str("it was ended in order"),
            Self::Ended { text, .. } => write!(f, "it ended early: {text}"),
            Self::Unfinished => f.write_str("it was never ended: its recorder was killed"),
            Self::Cut(at) => {
                write!(f, "the file is cut off: what begins at byte {at} is incomplete")
            }
        }
    }
}

/// Reads records.
pub struct Reader<R> {
    blocks: Unpacker<R>,
    minor: u16,
    /// Where the next record starts in the block at hand.
    at: usize,
    skipped: u64,
    ending: Option<Ending>,
}

impl<R: Read> Reader<R> {
    /// Looks at the start of a recording. Reads in pieces of some bytes: give it a buffered reader.
    ///
    /// # Errors
    /// [`Error`] if it is none, or of a version that this one cannot read.
    pub fn new(from: R) -> Result<Self, Error> {
        let (blocks, minor) = Unpacker::open(from)?;
        Ok(Self { blocks, minor, at: 0, skipped: 0, ending: None })
    }

    /// The next record; `None` at the end, of which [`Reader::ending`] tells more. Records of
    /// kinds that a newer minor version added are left out and counted.
    ///
    /// # Errors
    /// [`Error`] where the file is damaged. What came before was good; nothing comes after.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, Error> {
        let Some(at) = self.find_known()? else { return Ok(None) };
        let (offset, plain) = (self.blocks.start, &self.blocks.plain[at..self.at]);
        let error = |problem| Error { offset, problem };
        let failed = match Record::read(plain) {
            None => error(Problem::Record { within: at }),
            Some(Record { what: What::End { reason, text, messages }, .. }) => {
                self.ending = Some(Ending::Ended { reason, text: text.to_owned(), messages });
                self.at = usize::MAX;
                return Ok(None);
            }
            Some(Record { what: What::Fact { name: BYTE_ORDER, value }, .. })
                if value != OUR_BYTE_ORDER =>
            {
                error(Problem::ByteOrder(value.to_owned()))
            }
            Some(_) => return Ok(Record::read(&self.blocks.plain[at..self.at])),
        };
        self.give_up();
        Err(failed)
    }

    /// Where the next record of a known kind starts in the block at hand; `self.at` is then where
    /// it ends. `None` at the end of the recording.
    fn find_known(&mut self) -> Result<Option<usize>, Error> {
        loop {
            if self.at >= self.blocks.plain.len() {
                if self.ending.is_some() || !self.next_block()? {
                    return Ok(None);
                }
                continue;
            }
            let at = self.at;
            let Some((kind, len)) = outline(&self.blocks.plain[at..]) else {
                let offset = self.blocks.start;
                self.give_up();
                return Err(Error { offset, problem: Problem::Record { within: at } });
            };
            self.at = at + len;
            if is_known(kind) {
                return Ok(Some(at));
            }
            self.skipped += 1;
        }
    }

    /// `Ok(false)` at the end.
    fn next_block(&mut self) -> Result<bool, Error> {
        self.at = 0;
        let found = self.blocks.advance().inspect_err(|_| {
            self.ending = Some(Ending::Unfinished);
        })?;
        let ending = match found {
            Found::Block => return Ok(true),
            Found::End => Ending::Unfinished,
            Found::Cut => Ending::Cut(self.blocks.start),
        };
        self.ending = Some(ending);
        Ok(false)
    }

    fn give_up(&mut self) {
        self.blocks.plain.clear();
        self.ending = Some(Ending::Unfinished);
    }

    /// The minor version of the format that it was written in.
    #[must_use]
    pub fn minor(&self) -> u16 {
        self.minor
    }

    /// How many records were of kinds that are not known here.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// How the recording ended, as soon as [`Reader::next_record`] gave `None`.
    #[must_use]
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// Bytes of the file that were read and belong to whole blocks.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.blocks.next
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
