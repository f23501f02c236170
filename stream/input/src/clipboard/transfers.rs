//! Texts on their way through pipes, none of which may keep anybody waiting.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags};
use stratus_frame::MonoTime;
use stratus_frame::input::MAX_CLIPBOARD;

/// How long a program may take to write or read a text.
const PATIENCE: Duration = Duration::from_secs(2);
/// Programs that may read at once; none needs more than one or two.
const READERS: usize = 16;

/// A text that is being read of a program.
struct Receiving {
    pipe: File,
    bytes: Vec<u8>,
    until: MonoTime,
}

/// A text that is being written to a program.
struct Sending {
    pipe: File,
    text: Arc<str>,
    sent: usize,
    until: MonoTime,
}

/// Everything that is under way.
#[derive(Default)]
pub(super) struct Transfers {
    receiving: Option<Receiving>,
    sending: Vec<Sending>,
}

fn without_waiting(pipe: OwnedFd) -> io::Result<File> {
    let flags = fcntl(pipe.as_fd(), FcntlArg::F_GETFL)?;
    let flags = OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK;
    fcntl(pipe.as_fd(), FcntlArg::F_SETFL(flags))?;
    Ok(File::from(pipe))
}

impl Transfers {
    /// Reads a text from `pipe`, in place of one that is read now.
    pub(super) fn receive(&mut self, pipe: OwnedFd, now: MonoTime) {
        let until = now.after(PATIENCE);
        self.receiving =
            without_waiting(pipe).ok().map(|pipe| Receiving { pipe, bytes: Vec::new(), until });
    }

    /// Writes `text` into `pipe`; one too many finds its pipe closed.
    pub(super) fn send(&mut self, text: Arc<str>, pipe: OwnedFd, now: MonoTime) {
        if self.sending.len() < READERS
            && let Ok(pipe) = without_waiting(pipe)
        {
            self.sending.push(Sending { pipe, text, sent: 0, until: now.after(PATIENCE) });
        }
    }

    /// Goes on as far as nobody has to be waited for. A text that was read whole.
    pub(super) fn go_on(&mut self, now: MonoTime) -> Option<String> {
        self.sending.retain_mut(|sending| sending.until > now && sending.goes_on());
        let receiving = self.receiving.as_mut()?;
        if receiving.until <= now {
            tracing::debug!("the game takes too long to say what it copied");
            self.receiving = None;
            return None;
        }
        let over = receiving.goes_on()?;
        let bytes = std::mem::take(&mut receiving.bytes);
        self.receiving = None;
        match over {
            Ok(()) => String::from_utf8(bytes).ok().filter(|text| !text.is_empty()),
            Err(error) => {
                tracing::debug!(%error, "what the game copied is not taken");
                None
            }
        }
    }

    /// When [`Transfers::go_on`] has something to do although no pipe has.
    pub(super) fn poll_timeout(&self) -> Option<MonoTime> {
        let sending = self.sending.iter().map(|s| s.until);
        self.receiving.iter().map(|r| r.until).chain(sending).min()
    }

    /// The pipes, with what is waited for.
    pub(super) fn fds(&self) -> impl Iterator<Item = PollFd<'_>> {
        let reads = self.receiving.iter().map(|r| PollFd::new(r.pipe.as_fd(), PollFlags::POLLIN));
        reads.chain(self.sending.iter().map(|s| PollFd::new(s.pipe.as_fd(), PollFlags::POLLOUT)))
    }
}

impl Receiving {
    /// Reads what is there; how it ended, if it did.
    fn goes_on(&mut self) -> Option<io::Result<()>> {
        let mut chunk = [0; 16 * 1024];
        loop {
            match self.pipe.read(&mut chunk) {
                Ok(0) => return Some(Ok(())),
                Ok(n) if self.bytes.len() + n > MAX_CLIPBOARD => {
                    let what = format!("it has more than {MAX_CLIPBOARD} bytes");
                    return Some(Err(io::Error::other(what)));
                }
                Ok(n) => self.bytes.extend_from_slice(&chunk[..n]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return None,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Some(Err(e)),
            }
        }
    }
}

impl Sending {
    /// Writes what fits; whether there is more.
    fn goes_on(&mut self) -> bool {
        while self.sent < self.text.len() {
            match self.pipe.write(&self.text.as_bytes()[self.sent..]) {
                Ok(0) => return false,
                Ok(n) => self.sent += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return true,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use nix::unistd::pipe;

    use super::*;

    const START: MonoTime = MonoTime::from_nanos(1);

    #[test]
    fn a_text_longer_than_a_pipe_arrives_in_pieces() {
        let text: Arc<str> = "aé€".repeat(100_000).into();
        let ((from, to), mut transfers) = (pipe().unwrap(), Transfers::default());
        transfers.receive(from, START);
        transfers.send(Arc::clone(&text), to, START);
        let got = (0..1000).find_map(|_| transfers.go_on(START)).expect("it arrives");
        assert!(*got == *text && transfers.poll_timeout().is_none());
    }

    #[test]
    fn what_is_too_long_too_slow_or_no_text_is_dropped() {
        let mut transfers = Transfers::default();
        let ((from, to), late) = (pipe().unwrap(), START.after(PATIENCE));
        transfers.receive(from, START);
        assert_eq!(transfers.go_on(late), None);
        assert!(transfers.poll_timeout().is_none(), "nobody waits any more");
        drop(to);
        for bytes in [vec![b'x'; MAX_CLIPBOARD + 1], vec![0xff], vec![]] {
            let (from, to) = pipe().unwrap();
            transfers.receive(from, START);
            let writer = std::thread::spawn(move || File::from(to).write_all(&bytes));
            while transfers.poll_timeout().is_some() {
                assert_eq!(transfers.go_on(START), None);
            }
            let _ = writer.join().unwrap();
        }
        // A program that does not read what it asked for.
        let (_from, to) = pipe().unwrap();
        transfers.send("x".repeat(1 << 20).into(), to, START);
        transfers.go_on(START);
        assert_eq!(transfers.fds().count(), 1);
        transfers.go_on(late);
        assert_eq!(transfers.fds().count(), 0);
    }
}
