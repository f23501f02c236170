//! One wire message, its arguments, and the writing of new ones.
//!
//! Layout (Wayland wire format): object id `u32`, then `size << 16 | opcode` `u32`, then the
//! arguments, each padded to 32 bits, all in the machine's byte order.

use std::os::fd::{BorrowedFd, OwnedFd};

use stratus_protocols::InterfaceId;

/// Bytes of the header of a message.
pub const HEADER_LEN: usize = 8;

/// The largest size that a header's 16 bits can state as a multiple of 4.
pub const MAX_MESSAGE_LEN: usize = 65_532;

/// The id of an object; 0 is no object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub u32);

impl ObjectId {
    /// No object.
    pub const NULL: Self = Self(0);
    /// `wl_display`, which exists from the start.
    pub const DISPLAY: Self = Self(1);
    /// The first id that a compositor gives; all below it are given by the client.
    pub const FIRST_SERVER: Self = Self(0xff00_0000);

    /// Whether the compositor gives this id.
    #[must_use]
    pub const fn is_server(self) -> bool {
        self.0 >= Self::FIRST_SERVER.0
    }
}

impl std::fmt::Display for ObjectId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Object, opcode and size, as they stand in the first eight bytes of a message.
#[inline]
pub(crate) fn parse_header(header: [u8; HEADER_LEN]) -> (ObjectId, u16, usize) {
    // One load; the word of the object comes first in memory.
    let both = u64::from_ne_bytes(header);
    let (id, word) = if cfg!(target_endian = "little") {
        (both as u32, (both >> 32) as u32)
    } else {
        ((both >> 32) as u32, both as u32)
    };
    (ObjectId(id), word as u16, (word >> 16) as usize)
}

/// Arguments that end before the signature does, or contradict it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its arguments do not fit its signature")]
pub struct Malformed;

/// A message whose header has been checked: its size is true and its fds are there.
///
/// Its arguments have not been checked; [`Args`] does that while it reads them.
pub struct Message<'a> {
    /// The object that it is sent to (a request) or from (an event).
    pub sender: ObjectId,
    /// The interface of that object.
    pub interface: InterfaceId,
    /// The version that the object was made with.
    pub version: u32,
    /// Which message of the interface.
    pub opcode: u16,
    /// What the hook stored with the sender, see [`crate::Context::set_data`]; 0 if nothing.
    pub data: u64,
    pub(crate) body: &'a mut [u8],
    pub(crate) fds: &'a [OwnedFd],
    pub(crate) patched: bool,
}

impl Message<'_> {
    /// The arguments, from the first.
    #[must_use]
    pub fn args(&self) -> Args<'_> {
        Args::new(self.body, self.fds)
    }

    /// The bytes of all arguments, as they are on the wire.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body
    }

    /// How many fds came with it.
    #[must_use]
    pub fn fd_count(&self) -> usize {
        self.fds.len()
    }

    /// Overwrites argument word `word` (32-bit words counted from the first argument) where it
    /// stands; only sensible behind fixed-size arguments.
    ///
    /// # Errors
    /// [`Malformed`] if the message is shorter than that.
    pub fn patch(&mut self, word: usize, value: u32) -> Result<(), Malformed> {
        let at = self.body.get_mut(word * 4..word * 4 + 4).ok_or(Malformed)?;
        at.copy_from_slice(&value.to_ne_bytes());
        self.patched = true;
        Ok(())
    }
}

/// Reads arguments one after the other, in the order of the signature.
#[derive(Clone)]
pub struct Args<'a> {
    body: &'a [u8],
    fds: &'a [OwnedFd],
}

impl<'a> Args<'a> {
    /// Reads `body`, the bytes behind a message's header, and the fds that belong to it.
    #[must_use]
    pub fn new(body: &'a [u8], fds: &'a [OwnedFd]) -> Self {
        Self { body, fds }
    }

    /// Bytes that have not been read.
    pub(crate) fn rest(&self) -> usize {
        self.body.len()
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.body.split_at_checked(len).ok_or(Malformed)?;
        self.body = rest;
        Ok(head)
    }

    /// An unsigned integer, an enum, a serial or any other `uint`.
    ///
    /// # Errors
    /// [`Malformed`] past the end, as for all readers here.
    pub fn uint(&mut self) -> Result<u32, Malformed> {
        let word = self.take(4)?;
        Ok(u32::from_ne_bytes([word[0], word[1], word[2], word[3]]))
    }

    /// A signed integer or the raw bits of a 24.8 `fixed`.
    ///
    /// # Errors
    /// [`Malformed`] past the end.
    pub fn int(&mut self) -> Result<i32, Malformed> {
        self.uint().map(u32::cast_signed)
    }

    /// An object or a typed new id; [`ObjectId::NULL`] for nil.
    ///
    /// # Errors
    /// [`Malformed`] past the end.
    pub fn object(&mut self) -> Result<ObjectId, Malformed> {
        self.uint().map(ObjectId)
    }

    /// An array's bytes.
    ///
    /// # Errors
    /// [`Malformed`] past the end.
    pub fn array(&mut self) -> Result<&'a [u8], Malformed> {
        let len = usize::try_from(self.uint()?).map_err(|_| Malformed)?;
        let padded = len.checked_next_multiple_of(4).ok_or(Malformed)?;
        Ok(&self.take(padded)?[..len])
    }

    /// A string's bytes without the closing NUL; `None` for nil. Wayland promises UTF-8 but
    /// clients have been seen to send others, so they stay bytes.
    ///
    /// # Errors
    /// [`Malformed`] past the end or without the NUL.
    pub fn string(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        match self.array()? {
            [] => Ok(None),
            [text @ .., 0] => Ok(Some(text)),
            _ => Err(Malformed),
        }
    }

    /// A file descriptor, lent; keep a copy with [`BorrowedFd::try_clone_to_owned`].
    ///
    /// # Errors
    /// [`Malformed`] if the signature has no further one.
    pub fn fd(&mut self) -> Result<BorrowedFd<'a>, Malformed> {
        use std::os::fd::AsFd;
        let (first, rest) = self.fds.split_first().ok_or(Malformed)?;
        self.fds = rest;
        Ok(first.as_fd())
    }
}

/// Appends one message to a byte queue, argument by argument.
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Writes a whole message: header, then what `args` adds. The size is filled in at the end.
    ///
    /// # Panics
    /// In debug builds if the message grows past [`MAX_MESSAGE_LEN`]: only our own messages come
    /// here, and their sizes are known.
    pub fn message(
        out: &'a mut Vec<u8>,
        sender: ObjectId,
        opcode: u16,
        args: impl FnOnce(&mut Writer<'_>),
    ) {
        let start = out.len();
        out.extend_from_slice(&sender.0.to_ne_bytes());
        out.extend_from_slice(&[0; 4]);
        args(&mut Writer { out });
        let len = out.len() - start;
        debug_assert!(len <= MAX_MESSAGE_LEN);
        let word = (len as u32) << 16 | u32::from(opcode);
        out[start + 4..start + HEADER_LEN].copy_from_slice(&word.to_ne_bytes());
    }

    /// Adds a `uint`.
    pub fn uint(&mut self, value: u32) -> &mut Self {
        self.out.extend_from_slice(&value.to_ne_bytes());
        self
    }

    /// Adds an `int`.
    pub fn int(&mut self, value: i32) -> &mut Self {
        self.uint(value.cast_unsigned())
    }

    /// Adds an object.
    pub fn object(&mut self, id: ObjectId) -> &mut Self {
        self.uint(id.0)
    }

    /// Adds an array.
    pub fn array(&mut self, bytes: &[u8]) -> &mut Self {
        self.uint(bytes.len() as u32);
        self.out.extend_from_slice(bytes);
        self.pad()
    }

    /// Adds a string with its NUL.
    pub fn string(&mut self, text: &str) -> &mut Self {
        self.uint(text.len() as u32 + 1);
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(0);
        self.pad()
    }

    fn pad(&mut self) -> &mut Self {
        // A message starts at a multiple of 4 in its queue, so padding the queue pads the message.
        self.out.resize(self.out.len().next_multiple_of(4), 0);
        self
    }
}
