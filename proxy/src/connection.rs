//! One client: its session, its two sockets, and what the loop waits for on each.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use rustix::event::epoll::{self, EventData, EventFlags};
use stratus_frame::MonoTime;
use stratus_proxy_core::{Hook, Session, Side};

use crate::socket::{receive, send};

/// One socket of a client.
struct End {
    stream: Option<UnixStream>,
    /// What the epoll is asked for; empty: the socket is not in it, because a socket that was
    /// hung up is reported for ever even to those who ask for nothing.
    asked: EventFlags,
    /// The last send found the socket full.
    full: bool,
    token: u64,
}

impl End {
    fn new(stream: Option<UnixStream>, token: u64) -> Self {
        Self { stream, asked: EventFlags::empty(), full: false, token }
    }

    fn ask(&mut self, epoll: &OwnedFd, wanted: EventFlags) -> io::Result<()> {
        let Some(stream) = self.stream.as_ref().filter(|_| self.asked != wanted) else {
            return Ok(());
        };
        let data = EventData::new_u64(self.token);
        if wanted.is_empty() {
            epoll::delete(epoll, stream)?;
        } else if self.asked.is_empty() {
            epoll::add(epoll, stream, data, wanted)?;
        } else {
            epoll::modify(epoll, stream, data, wanted)?;
        }
        self.asked = wanted;
        Ok(())
    }
}

/// One client's connection through the proxy.
pub(crate) struct Connection {
    pub(crate) session: Session,
    client: End,
    compositor: End,
    /// Why there is no compositor. The client hears it in answer to its first request: closing
    /// before that would break the pipe under its writing, and it would never read the reason.
    refusal: Option<String>,
    /// Whether the hook was told that this client is gone.
    pub(crate) is_gone: bool,
}

impl Connection {
    /// `tokens` name the two sockets in the epoll. Instead of a compositor there may be a reason
    /// to refuse the client.
    pub(crate) fn new(
        session: Session,
        client: UnixStream,
        compositor: Result<UnixStream, String>,
        tokens: [u64; 2],
    ) -> Self {
        let (compositor, refusal) = match compositor {
            Ok(compositor) => (Some(compositor), None),
            Err(reason) => (None, Some(reason)),
        };
        Self {
            session,
            client: End::new(Some(client), tokens[0]),
            compositor: End::new(compositor, tokens[1]),
            refusal,
            is_gone: false,
        }
    }

    /// Closes the way to the compositor if it has no further use. The client may leave what was
    /// said to it unread for ever, and its windows must not stay as long.
    pub(crate) fn let_go_of_compositor(&mut self) {
        if self.session.is_over() {
            // Closing takes the socket out of the epoll: no other fd leads to it.
            self.compositor.stream = None;
        }
    }

    fn end(&mut self, side: Side) -> &mut End {
        match side {
            Side::Client => &mut self.client,
            Side::Compositor => &mut self.compositor,
        }
    }

    /// Something can be read from `side`, or it hung up. Reads once: what is left is reported
    /// again, and other clients have their turn before.
    pub(crate) fn handle_readable<H: Hook>(
        &mut self,
        side: Side,
        fds: &mut Vec<OwnedFd>,
        hook: &mut H,
    ) {
        let end = match side {
            Side::Client => &self.client,
            Side::Compositor => &self.compositor,
        };
        let Some(stream) = end.stream.as_ref().filter(|_| self.session.wants_read(side)) else {
            return;
        };
        let received = match receive(stream, self.session.spare(side), fds) {
            Ok(received) => received,
            Err(e)
                if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) =>
            {
                return;
            }
            Err(e) => {
                // A peer that died with data of ours unread: ECONNRESET comes instead of an end.
                tracing::debug!("client {}: reading the {side}: {e}", self.session.client().0);
                return self.session.handle_end(side);
            }
        };
        let now = MonoTime::now().as_nanos();
        if received.lost_fds && !self.session.is_over() {
            fds.clear();
            let violation = self.session.handle_lost_fds(side, now, hook);
            tracing::warn!("{violation}");
        } else if received.len == 0 {
            self.session.handle_end(side);
        } else if let Some(reason) = self.refusal.take() {
            fds.clear();
            self.session.refuse(&reason, now, hook);
        } else {
            let result = self.session.handle_received(side, received.len, fds, now, hook);
            if let Err(violation) = result {
                tracing::warn!("{violation}");
            }
        }
    }

    /// The socket of `side` has room again.
    pub(crate) fn handle_writable(&mut self, side: Side) {
        self.end(side).full = false;
    }

    /// Sends what waits, to both sides, as far as there is room.
    pub(crate) fn flush(&mut self) {
        for side in [Side::Compositor, Side::Client] {
            while !self.end(side).full && self.send_some(side) {}
        }
    }

    /// Whether something was sent and more may follow.
    fn send_some(&mut self, side: Side) -> bool {
        let end = match side {
            Side::Client => &mut self.client,
            Side::Compositor => &mut self.compositor,
        };
        let Some(transmit) = self.session.poll_transmit(side) else { return false };
        let Some(stream) = &end.stream else {
            self.session.handle_deaf(side);
            return false;
        };
        let wanted = transmit.len();
        match send(stream, &transmit) {
            Ok(sent) => {
                self.session.handle_transmitted(side, sent);
                // After a short write the socket is full; asking again would only say so.
                end.full = sent < wanted;
                !end.full
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                end.full = true;
                false
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => true,
            Err(e) => {
                tracing::debug!("client {}: writing to the {side}: {e}", self.session.client().0);
                self.session.handle_deaf(side);
                false
            }
        }
    }

    /// Tells the epoll what this connection waits for now.
    pub(crate) fn update_interest(&mut self, epoll: &OwnedFd) -> io::Result<()> {
        for side in [Side::Client, Side::Compositor] {
            let mut wanted = EventFlags::empty();
            if self.session.wants_read(side) {
                wanted |= EventFlags::IN;
            }
            if self.end(side).full && self.session.waiting(side) > 0 {
                wanted |= EventFlags::OUT;
            }
            self.end(side).ask(epoll, wanted)?;
        }
        Ok(())
    }
}
