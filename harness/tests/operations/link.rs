//! The client's socket with its habits: requests leave in pieces of odd sizes, fds early, and
//! events are read late and a few bytes at a time.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::time::Duration;

use stratus_harness::raw::{RawClient, RawEvent};

/// Fds that libwayland sends with one call at most.
const MAX_FDS: usize = 28;

/// How a client uses its socket. Each list is gone through again and again.
#[derive(Clone, Debug)]
pub(crate) struct Habits {
    /// Bytes sent at a time; 0 for all that there are.
    pub cuts: Vec<u16>,
    /// How many bytes before its message an fd may be sent.
    pub early: u16,
    /// Bytes read after each piece was sent; 0 for none.
    pub reads: Vec<u16>,
}

/// The socket, and what waits to be sent.
pub(crate) struct Link {
    raw: RawClient,
    out: Vec<u8>,
    /// Fds with the place of their message's first byte in `out`.
    fds: VecDeque<(usize, OwnedFd)>,
    habits: Habits,
    turns: usize,
    /// Where the messages begin whose fds were sent before them.
    ahead: Vec<usize>,
    /// The peer closed the connection.
    pub closed: bool,
}

impl Link {
    pub(crate) fn connect(path: &Path, habits: Habits) -> io::Result<Self> {
        let raw = RawClient::connect(path)?;
        let (out, fds, ahead) = (Vec::new(), VecDeque::new(), Vec::new());
        Ok(Self { raw, out, fds, habits, turns: 0, ahead, closed: false })
    }

    /// Queues a message.
    pub(crate) fn push(&mut self, bytes: &[u8], fds: impl IntoIterator<Item = OwnedFd>) {
        let at = self.out.len();
        self.fds.extend(fds.into_iter().map(|fd| (at, fd)));
        self.out.extend(bytes);
    }

    /// Sends what is queued, but for the last `keep` bytes.
    pub(crate) fn flush(&mut self, keep: usize) -> io::Result<()> {
        let end = self.out.len() - keep.min(self.out.len());
        let mut at = 0;
        while at < end && !self.closed {
            let turn = self.turns;
            self.turns += 1;
            let of = |list: &[u16]| list.get(turn % list.len().max(1)).copied().unwrap_or(0);
            let cut = match of(&self.habits.cuts) {
                0 => end,
                cut => end.min(at + usize::from(cut)),
            };
            let mut beside = Vec::new();
            self.ahead.retain(|place| *place >= at);
            while let Some((place, _)) = self.fds.front()
                && *place < cut + usize::from(self.habits.early)
                && beside.len() < MAX_FDS
                && (*place < cut || self.ahead.len() < MAX_FDS)
            {
                self.ahead.push(*place);
                beside.extend(self.fds.pop_front().map(|(_, fd)| fd));
            }
            // A message never goes without its fds: what does not fit goes with the next piece.
            let next_fd = self.fds.front().map_or(cut, |(place, _)| (*place).max(at + 1));
            let cut = cut.min(next_fd);
            let borrowed: Vec<_> = beside.iter().map(|fd| fd.as_fd()).collect();
            match self.raw.send(&self.out[at..cut], &borrowed) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.closed = true,
                Err(error) => return Err(error),
            }
            at = cut;
            let read = of(&self.habits.reads);
            if read > 0 {
                // An end that shows here shows again when events are awaited.
                self.raw.receive_some(usize::from(read))?;
            }
        }
        self.out.drain(..end);
        for (place, _) in &mut self.fds {
            *place = place.saturating_sub(end);
        }
        self.ahead.retain(|place| *place >= end);
        self.ahead.iter_mut().for_each(|place| *place -= end);
        Ok(())
    }

    /// The next event, or `None` if the peer closed the connection.
    pub(crate) fn event(&mut self, limit: Duration) -> io::Result<Option<RawEvent>> {
        let event = self.raw.event(limit)?;
        self.closed |= event.is_none();
        Ok(event)
    }

    /// The fd that came first of those not taken.
    pub(crate) fn take_fd(&mut self) -> Option<OwnedFd> {
        (!self.raw.fds.is_empty()).then(|| self.raw.fds.remove(0))
    }

    /// Fds received and not taken.
    pub(crate) fn fds_left(&self) -> usize {
        self.raw.fds.len()
    }
}
