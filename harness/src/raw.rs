//! A Wayland client that is nothing but a socket: bytes and fds by hand.
//!
//! For what no client library would send: garbage, halves of messages, fds that belong to no
//! message, ids that were never made.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// Fds that go with one system call at most.
const MAX_FDS: usize = 28;

/// Builds one message; its size is filled in by [`Wire::bytes`] unless [`Wire::claim`] lies.
#[derive(Clone, Debug)]
pub struct Wire {
    sender: u32,
    opcode: u16,
    claimed: Option<u16>,
    body: Vec<u8>,
}

impl Wire {
    /// A message to object `sender` with number `opcode` and no arguments yet.
    #[must_use]
    pub fn new(sender: u32, opcode: u16) -> Self {
        Self { sender, opcode, claimed: None, body: Vec::new() }
    }

    /// Adds one 32-bit argument: int, uint, fixed, object or new id.
    #[must_use]
    pub fn word(mut self, value: u32) -> Self {
        self.body.extend(value.to_ne_bytes());
        self
    }

    /// Adds a string with its closing NUL and padding.
    #[must_use]
    pub fn string(self, text: &str) -> Self {
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        self.array(&bytes)
    }

    /// Adds an array with its padding.
    #[must_use]
    pub fn array(mut self, bytes: &[u8]) -> Self {
        self = self.word(bytes.len() as u32);
        self.body.extend(bytes);
        self.body.resize(self.body.len().next_multiple_of(4), 0);
        self
    }

    /// States a size of `len` bytes in the header, whatever the true one is.
    #[must_use]
    pub fn claim(mut self, len: u16) -> Self {
        self.claimed = Some(len);
        self
    }

    /// The bytes as they go over the socket.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let len = self.claimed.map_or(self.body.len() as u32 + 8, u32::from);
        let mut bytes = self.sender.to_ne_bytes().to_vec();
        bytes.extend((len << 16 | u32::from(self.opcode)).to_ne_bytes());
        bytes.extend(&self.body);
        bytes
    }
}

/// One event as it came in; its fds lie in [`RawClient::fds`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEvent {
    /// The object it came from.
    pub sender: u32,
    /// Its number.
    pub opcode: u16,
    /// Its arguments.
    pub body: Vec<u8>,
}

impl RawEvent {
    /// 32-bit argument word `index`.
    #[must_use]
    pub fn word(&self, index: usize) -> Option<u32> {
        let bytes = self.body.get(index * 4..index * 4 + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?))
    }

    /// The string whose length stands in argument word `index`.
    #[must_use]
    pub fn string(&self, index: usize) -> Option<String> {
        let len = self.word(index)? as usize;
        let bytes = self.body.get(index * 4 + 4..index * 4 + 4 + len.checked_sub(1)?)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// `wl_display.error` as (object, code, message), if this is one.
    #[must_use]
    pub fn display_error(&self) -> Option<(u32, u32, String)> {
        if (self.sender, self.opcode) != (1, 0) {
            return None;
        }
        Some((self.word(0)?, self.word(1)?, self.string(2)?))
    }
}

/// The socket and what came out of it so far.
#[derive(Debug)]
pub struct RawClient {
    stream: UnixStream,
    unparsed: Vec<u8>,
    /// Fds received and not yet taken, in order.
    pub fds: Vec<OwnedFd>,
}

/// Goes on with a connection at the border of two messages.
impl From<UnixStream> for RawClient {
    fn from(stream: UnixStream) -> Self {
        Self { stream, unparsed: Vec::new(), fds: Vec::new() }
    }
}

impl RawClient {
    /// Connects to the Wayland socket at `path`.
    ///
    /// # Errors
    /// As the kernel says.
    pub fn connect(path: &Path) -> io::Result<Self> {
        Ok(Self { stream: UnixStream::connect(path)?, unparsed: Vec::new(), fds: Vec::new() })
    }

    /// The socket itself, for what this type does not offer.
    #[must_use]
    pub fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Sends bytes as they are, with fds beside the first of them.
    ///
    /// # Errors
    /// As the kernel says, `EPIPE` without a signal if the peer is gone.
    pub fn send(&self, mut bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut beside = fds;
        while !bytes.is_empty() {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if !beside.is_empty() && !control.push(SendAncillaryMessage::ScmRights(beside)) {
                return Err(io::Error::other(format!("more than {MAX_FDS} fds at once")));
            }
            let slices = [IoSlice::new(bytes)];
            let sent = sendmsg(&self.stream, &slices, &mut control, SendFlags::NOSIGNAL)?;
            bytes = &bytes[sent..];
            beside = &[];
        }
        Ok(())
    }

    /// Sends one message without fds.
    ///
    /// # Errors
    /// As for [`RawClient::send`].
    pub fn message(&self, message: &Wire) -> io::Result<()> {
        self.send(&message.bytes(), &[])
    }

    /// Waits for the next event. `None` means that the peer closed the connection.
    ///
    /// # Errors
    /// `TimedOut` after `limit`, or as the kernel says.
    pub fn event(&mut self, limit: Duration) -> io::Result<Option<RawEvent>> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(event) = self.parse()? {
                return Ok(Some(event));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let mut ready = [PollFd::new(self.stream.as_fd(), PollFlags::POLLIN)];
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            if poll(&mut ready, timeout)? == 0 && left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if ready[0].any() == Some(true) && self.receive(usize::MAX, RecvFlags::empty())? == 0 {
                return Ok(None);
            }
        }
    }

    /// Reads on until the peer closes the connection and returns all events until then.
    ///
    /// # Errors
    /// `TimedOut` if it stays open for `limit`.
    pub fn events_until_closed(&mut self, limit: Duration) -> io::Result<Vec<RawEvent>> {
        let deadline = Instant::now() + limit;
        let mut events = Vec::new();
        while let Some(event) = self.event(deadline.saturating_duration_since(Instant::now()))? {
            events.push(event);
        }
        Ok(events)
    }

    /// Asks for a `wl_display.sync` answer as object `id` and waits for it.
    ///
    /// # Errors
    /// `TimedOut`, or `UnexpectedEof` if the peer closed the connection instead.
    pub fn sync(&mut self, id: u32, limit: Duration) -> io::Result<Vec<RawEvent>> {
        self.message(&Wire::new(1, 0).word(id))?;
        let mut before = Vec::new();
        loop {
            match self.event(limit)? {
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
                Some(event) if event.sender == id => return Ok(before),
                Some(event) => before.push(event),
            }
        }
    }

    /// Receives at most `most` bytes, and the fds beside them, if there are any now. Says how many
    /// bytes came, or `None` if the peer closed the connection.
    ///
    /// # Errors
    /// As the kernel says.
    pub fn receive_some(&mut self, most: usize) -> io::Result<Option<usize>> {
        match self.receive(most, RecvFlags::DONTWAIT) {
            Ok(0) => Ok(None),
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Some(0)),
            Err(error) => Err(error),
        }
    }

    /// The next event of those that were received whole.
    ///
    /// # Errors
    /// If an event states an impossible size.
    pub fn parse(&mut self) -> io::Result<Option<RawEvent>> {
        let Some(header) = self.unparsed.get(..8) else { return Ok(None) };
        let word = |at: usize| u32::from_ne_bytes([0, 1, 2, 3].map(|i| header[at + i]));
        let (sender, len, opcode) = (word(0), (word(4) >> 16) as usize, word(4) as u16);
        if len < 8 {
            return Err(io::Error::other(format!("an event states a size of {len} bytes")));
        }
        if self.unparsed.len() < len {
            return Ok(None);
        }
        let body = self.unparsed[8..len].to_vec();
        self.unparsed.drain(..len);
        Ok(Some(RawEvent { sender, opcode, body }))
    }

    fn receive(&mut self, most: usize, how: RecvFlags) -> io::Result<usize> {
        let mut bytes = [0; 16 * 1024];
        let most = most.min(bytes.len());
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut slices = [IoSliceMut::new(&mut bytes[..most])];
        let flags = RecvFlags::CMSG_CLOEXEC | how;
        let received = match recvmsg(&self.stream, &mut slices, &mut control, flags) {
            Ok(received) => received,
            // A peer that closes with our bytes unread resets the connection.
            Err(rustix::io::Errno::CONNRESET) => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                self.fds.extend(fds);
            }
        }
        let count = received.bytes;
        self.unparsed.extend_from_slice(&bytes[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::compositor::{Compositor, Config};

    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn messages_have_the_layout_of_the_protocol() {
        let bytes = Wire::new(2, 0).word(7).string("wl_shm").word(1).bytes();
        let words: Vec<u32> =
            bytes.chunks(4).map(|b| u32::from_ne_bytes(b.try_into().unwrap())).collect();
        let text = [u32::from_ne_bytes(*b"wl_s"), u32::from_ne_bytes(*b"hm\0\0")];
        assert_eq!(words, [2, 28 << 16, 7, 7, text[0], text[1], 1]);
        assert_eq!(Wire::new(1, 3).claim(4).bytes()[4..], (4u32 << 16 | 3).to_ne_bytes());
    }

    #[test]
    fn a_registry_by_hand_lists_what_the_compositor_offers() {
        let folder = tempfile::tempdir().unwrap();
        let compositor = Compositor::start(&folder.path().join("w"), Config::default()).unwrap();
        let mut client = RawClient::connect(compositor.socket()).unwrap();
        client.message(&Wire::new(1, 1).word(2)).unwrap();
        let events = client.sync(3, LIMIT).unwrap();
        let names: Vec<_> = events.iter().filter(|e| e.sender == 2).map(|e| e.string(1)).collect();
        assert!(names.contains(&Some("wl_shm".to_owned())), "{names:?}");
    }

    #[test]
    fn garbage_ends_the_connection() {
        let folder = tempfile::tempdir().unwrap();
        let compositor = Compositor::start(&folder.path().join("w"), Config::default()).unwrap();
        let mut client = RawClient::connect(compositor.socket()).unwrap();
        client.message(&Wire::new(77, 9).word(1)).unwrap();
        assert_eq!(client.events_until_closed(LIMIT).unwrap(), []);
        assert_eq!(compositor.seen().disconnected, 1);
    }

    #[test]
    fn fds_travel_beside_the_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let compositor = Compositor::start(&folder.path().join("w"), Config::default()).unwrap();
        let mut client = RawClient::connect(compositor.socket()).unwrap();
        client.message(&Wire::new(1, 1).word(2)).unwrap();
        let events = client.sync(3, LIMIT).unwrap();
        let shm = events.iter().find(|e| e.string(1).as_deref() == Some("wl_shm")).unwrap();
        let name = shm.word(0).unwrap();
        client.message(&Wire::new(2, 0).word(name).string("wl_shm").word(1).word(4)).unwrap();
        let file = tempfile::tempfile().unwrap();
        let pool = Wire::new(4, 0).word(5).word(4096);
        client.send(&pool.bytes(), &[file.as_fd()]).unwrap();
        client.sync(6, LIMIT).unwrap();
        let pools = compositor.with_seen(|seen| seen.count("wl_shm", "create_pool"));
        assert_eq!(pools, 1, "{:?}", compositor.seen().requests);
    }
}
