//! What waits to go to one side: a list of messages, each with its fds.

use std::collections::VecDeque;

use crate::fds::Mark;

/// One message on its way.
#[derive(Debug)]
struct Whole {
    bytes: Vec<u8>,
    /// Those that have not gone yet.
    fds: Vec<Mark>,
}

/// The proxy's own `wl_display.error`, whose text is its own business.
#[derive(Debug)]
struct Error {
    object: u32,
    code: u32,
    /// What left of it.
    told: Vec<u8>,
}

/// Messages in the order in which they have to leave.
#[derive(Debug, Default)]
pub struct Stream {
    messages: VecDeque<Whole>,
    /// Bytes of the first message that left.
    gone: usize,
    waiting: u64,
    fds: usize,
    /// Behind all messages.
    error: Option<Error>,
}

impl Stream {
    /// Bytes that wait. An error of the proxy's own counts as one byte until all of it left.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting + u64::from(self.error.is_some())
    }

    /// Fds that wait.
    #[must_use]
    pub fn fd_count(&self) -> usize {
        self.fds
    }

    /// Whether the proxy's own error stands at the end.
    #[must_use]
    pub fn ends_in_error(&self) -> bool {
        self.error.is_some()
    }

    pub(super) fn push(&mut self, bytes: Vec<u8>, fds: Vec<Mark>) {
        self.waiting += bytes.len() as u64;
        self.fds += fds.len();
        self.messages.push_back(Whole { bytes, fds });
    }

    /// `wl_display.error(object, code, …)`.
    pub(super) fn push_error(&mut self, object: u32, code: u32) {
        self.error = Some(Error { object, code, told: Vec::new() });
    }

    /// Nobody will read it. Answers with the fds that nobody needs any more.
    pub(super) fn discard(&mut self) -> Vec<Mark> {
        let all = std::mem::take(self);
        all.messages.into_iter().flat_map(|m| m.fds).collect()
    }

    /// All fds that have not gone, and where in the waiting bytes their messages begin.
    fn fd_places(&self) -> impl Iterator<Item = (u64, Mark)> + '_ {
        let mut start = 0u64;
        self.messages.iter().enumerate().flat_map(move |(n, m)| {
            let here = start;
            start += (m.bytes.len() - if n == 0 { self.gone } else { 0 }) as u64;
            m.fds.iter().map(move |fd| (here, *fd))
        })
    }

    /// The proxy offers these bytes and fds.
    ///
    /// # Panics
    /// If they are not what has to come next.
    pub fn check_offer(&self, bytes: &[u8], fds: &[Mark]) {
        let expected: Vec<(u64, Mark)> = self.fd_places().take(fds.len()).collect();
        let marks: Vec<Mark> = expected.iter().map(|(_, m)| *m).collect();
        assert_eq!(fds, marks, "fds leave in order");
        for (place, fd) in expected {
            assert!(place < bytes.len() as u64, "{fd:?} goes ahead of what is offered");
        }
        let mut rest = bytes;
        let mut skip = self.gone;
        for message in &self.messages {
            let known = &message.bytes[skip..];
            let len = known.len().min(rest.len());
            assert!(rest[..len] == known[..len], "bytes do not leave as they came");
            rest = &rest[len..];
            skip = 0;
            if rest.is_empty() {
                return;
            }
        }
        assert!(self.error.is_some(), "{} bytes leave that nobody sent", rest.len());
    }

    /// These first bytes of the offer left, and with them all offered `fds`.
    ///
    /// # Panics
    /// If an fd is late, or if what the client was told of its end is no `wl_display.error`.
    pub fn leave(&mut self, bytes: &[u8], fds: &[Mark]) {
        for message in self.messages.iter_mut().filter(|m| !m.fds.is_empty()) {
            message.fds.retain(|fd| !fds.contains(fd));
        }
        self.fds -= fds.len();
        let mut rest = bytes;
        while let Some(first) = self.messages.front() {
            let begun = rest.is_empty() || first.fds.is_empty();
            assert!(begun, "an fd leaves with its message's first byte at the latest");
            let left = first.bytes.len() - self.gone;
            if rest.len() < left {
                break;
            }
            rest = &rest[left..];
            self.gone = 0;
            self.messages.pop_front();
        }
        if let Some(error) = self.error.as_mut().filter(|_| self.messages.is_empty()) {
            self.waiting = 0;
            error.told.extend_from_slice(rest);
            if error.is_told() {
                self.error = None;
            }
            return;
        }
        self.gone += rest.len();
        self.waiting -= bytes.len() as u64;
    }
}

impl Error {
    /// Whether all of it was told.
    fn is_told(&self) -> bool {
        let told = &self.told;
        if told.len() < 8 {
            return false;
        }
        let size = (super::word(told, 1) >> 16) as usize;
        assert!(told.len() <= size, "bytes leave behind the error");
        if told.len() < size {
            return false;
        }
        let words = [0, 2, 3].map(|n| super::word(told, n));
        assert_eq!(words, [1, self.object, self.code], "display, object and code of the error");
        assert_eq!(super::word(told, 1) as u16, 0, "the opcode of the error");
        let len = super::word(told, 4) as usize;
        assert_eq!(size, 20 + len.next_multiple_of(4), "the error's text fits");
        assert!(len > 1 && told[19 + len] == 0, "the error says something");
        true
    }
}
