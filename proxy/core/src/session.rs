//! One client's session: what comes from either side, and what goes to the other.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use stratus_protocols::wl_display;

use crate::globals::Globals;
use crate::objects::Objects;
use crate::pass::{Pass, Passed, Stopped};
use crate::queue::Lane;
use crate::review::Review;
use crate::{
    ClientId, Context, Direction, Hook, ObjectId, Place, Problem, Rules, Side, Transmit, Violation,
    Writer,
};

/// With this many bytes waiting to go to the compositor, the client is not read (back-pressure).
pub const REQUEST_QUEUE_LIMIT: u64 = 60 << 10;

/// With more than this many bytes waiting to go to the client, its session ends. Compositors
/// themselves end a client after some kilobytes; the room is for games that hang while they load.
pub const EVENT_QUEUE_CAP: u64 = 16 << 20;

/// More fds than this that belong to no message end a session. libwayland sends at most 28 ahead
/// of their messages.
pub const MAX_UNCLAIMED_FDS: usize = 256;

/// With this many fds waiting to go to the compositor, the client is not read: fds are fewer than
/// bytes, and all clients share the process' limit of them.
pub const REQUEST_FD_LIMIT: usize = 256;

/// With more fds than this waiting to go to the client, its session ends. A compositor sends one
/// when it offers a keyboard, a format table or a paste, so no game that hangs comes near.
pub const EVENT_FD_CAP: usize = 1024;

/// When a session is over, so many bytes that the client still sends are taken and thrown away: a
/// client that writes before it reads gets to hear why. One that goes on writing never reads.
const LAST_WORDS: usize = 4 << 20;

/// One client's session.
///
/// In go bytes and fds: receive into [`Session::spare`], tell [`Session::handle_received`], and
/// [`Session::handle_end`] when a side has no more; only while [`Session::wants_read`]. After each
/// change, out go bytes and fds: send what [`Session::poll_transmit`] gives and tell
/// [`Session::handle_transmitted`], for both sides, until there is nothing or the socket is full.
/// When [`Session::is_finished`], close both sides.
pub struct Session {
    client: ClientId,
    rules: Arc<Rules>,
    objects: Objects,
    globals: Globals,
    /// Towards the compositor.
    requests: Lane,
    /// Towards the client.
    events: Lane,
    /// Whether the client, and the compositor, may still send.
    client_speaks: bool,
    compositor_speaks: bool,
    /// Whether the client, and the compositor, can still receive.
    client_hears: bool,
    compositor_hears: bool,
    /// Nothing counts any more but what waits to go to the client.
    over: bool,
    /// Bytes that the client sent since.
    thrown_away: usize,
    /// Whether each message is shown to [`Hook::observe`].
    observed: bool,
}

impl Session {
    /// A session in which nothing was said.
    #[must_use]
    pub fn new(client: ClientId, rules: Arc<Rules>) -> Self {
        Self {
            client,
            rules,
            objects: Objects::new(),
            globals: Globals::default(),
            requests: Lane::new(),
            events: Lane::new(),
            client_speaks: true,
            compositor_speaks: true,
            client_hears: true,
            compositor_hears: true,
            over: false,
            thrown_away: 0,
            observed: false,
        }
    }

    /// Whose session it is.
    #[must_use]
    pub fn client(&self) -> ClientId {
        self.client
    }

    /// Whether from the next message on each is shown to [`Hook::observe`]. Nothing else changes.
    pub fn set_observed(&mut self, observed: bool) {
        self.observed = observed;
    }

    fn lane(&mut self, from: Side) -> &mut Lane {
        match from {
            Side::Client => &mut self.requests,
            Side::Compositor => &mut self.events,
        }
    }

    /// Where to receive bytes of `from` into. Empty only while [`Session::wants_read`] says no.
    pub fn spare(&mut self, from: Side) -> &mut [u8] {
        self.lane(from).spare(from == Side::Compositor)
    }

    /// Whether bytes of `from` are welcome.
    #[must_use]
    pub fn wants_read(&self, from: Side) -> bool {
        if self.over && from == Side::Client {
            return self.client_speaks && self.client_hears && self.events.waiting() > 0;
        }
        if self.over || !self.client_speaks || !self.compositor_speaks {
            return false;
        }
        match from {
            Side::Client => {
                self.compositor_hears
                    && self.requests.waiting() < REQUEST_QUEUE_LIMIT
                    && self.requests.waiting_fds() < REQUEST_FD_LIMIT
            }
            Side::Compositor => self.client_hears,
        }
    }

    /// `len` bytes of `from` lie in [`Session::spare`], and `fds` came with them (they are taken).
    /// `now_ns` is the moment in CLOCK_MONOTONIC nanoseconds.
    ///
    /// # Errors
    /// [`Violation`] if the session cannot go on. The client's `wl_display.error` is queued.
    pub fn handle_received<H: Hook + ?Sized>(
        &mut self,
        from: Side,
        len: usize,
        fds: &mut Vec<OwnedFd>,
        now_ns: u64,
        hook: &mut H,
    ) -> Result<(), Violation> {
        if self.over {
            self.lane(from).give_up_fds(fds.drain(..));
            self.throw_away(len);
            return Ok(());
        }
        let lane = self.lane(from);
        lane.accept_fds(fds);
        lane.note_received(len);
        let passed = match from {
            Side::Client => self.pass::<H, true>(now_ns, hook),
            Side::Compositor => self.pass::<H, false>(now_ns, hook),
        };
        match passed {
            Ok(Passed::All) => self.check_limits(from, now_ns, hook),
            Ok(Passed::Error) => {
                self.over = true;
                Ok(())
            }
            Err(stopped) => {
                let Stopped { place, problem } = *stopped;
                Err(self.fail(from, Some(place), problem, now_ns, hook))
            }
        }
    }

    /// Lets what was received pass: requests, or else events.
    fn pass<H: Hook + ?Sized, const REQUESTS: bool>(
        &mut self,
        now_ns: u64,
        hook: &mut H,
    ) -> Result<Passed, Box<Stopped>> {
        let (lane, other) = if REQUESTS {
            (&mut self.requests, &mut self.events)
        } else {
            (&mut self.events, &mut self.requests)
        };
        let at = lane.checked;
        let pass = Pass::<H, REQUESTS> {
            client: self.client,
            now_ns,
            tables: self.rules.tables(self.observed),
            gate: &self.rules.gate,
            objects: &mut self.objects,
            globals: &mut self.globals,
            lane,
            other,
            hook,
            run_start: at,
            at,
        };
        pass.run()
    }

    fn check_limits<H: Hook + ?Sized>(
        &mut self,
        from: Side,
        now_ns: u64,
        hook: &mut H,
    ) -> Result<(), Violation> {
        if !self.client_hears {
            self.events.discard();
        }
        if !self.compositor_hears {
            self.requests.discard();
        }
        let unclaimed = self.lane(from).unclaimed_fds();
        if unclaimed > MAX_UNCLAIMED_FDS {
            return Err(self.fail(from, None, Problem::TooManyFds(unclaimed), now_ns, hook));
        }
        let (unread, fds) = (self.events.waiting(), self.events.waiting_fds());
        let problem = if unread > EVENT_QUEUE_CAP {
            Problem::TooMuchUnread(unread)
        } else if fds > EVENT_FD_CAP {
            Problem::TooManyFdsUnread(fds)
        } else {
            return Ok(());
        };
        // It would not read what we have to say about it either.
        self.over = true;
        self.events.discard();
        Err(Violation { client: self.client, fault: Side::Client, place: None, problem })
    }

    /// The client sends on although its session is over.
    fn throw_away(&mut self, len: usize) {
        self.thrown_away = self.thrown_away.saturating_add(len);
        if self.thrown_away > LAST_WORDS {
            self.client_hears = false;
            self.events.discard();
        }
    }

    /// Whether nothing counts any more but what waits to go to the client. The compositor need not
    /// stay connected: it should not wait with the end of a client that does not read why it ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The kernel lost fds of `from` (MSG_CTRUNC).
    pub fn handle_lost_fds<H: Hook + ?Sized>(
        &mut self,
        from: Side,
        now_ns: u64,
        hook: &mut H,
    ) -> Violation {
        self.fail(from, None, Problem::TruncatedFds, now_ns, hook)
    }

    /// Ends the session: the client hears why, behind all that is queued for it.
    fn fail<H: Hook + ?Sized>(
        &mut self,
        fault: Side,
        place: Option<Place>,
        problem: Problem,
        now_ns: u64,
        hook: &mut H,
    ) -> Violation {
        const IMPLEMENTATION: u32 = 3;
        let code = match fault {
            Side::Client => problem.display_code(),
            Side::Compositor => IMPLEMENTATION,
        };
        let violation = Violation { client: self.client, fault, place, problem };
        let object = place
            .map(|p| p.object)
            .filter(|_| fault == Side::Client && violation.problem.blames_object())
            .unwrap_or(ObjectId::DISPLAY);
        if !self.over {
            self.over = true;
            self.say_error(object, code, &violation.to_string(), now_ns, hook);
            self.requests.give_up_unclaimed_fds();
            self.events.give_up_unclaimed_fds();
        }
        violation
    }

    /// Ends the session before it began, because there is no compositor to talk to: the client
    /// hears `reason` in a `wl_display.error`.
    pub fn refuse<H: Hook + ?Sized>(&mut self, reason: &str, now_ns: u64, hook: &mut H) {
        const IMPLEMENTATION: u32 = 3;
        self.over = true;
        self.say_error(ObjectId::DISPLAY, IMPLEMENTATION, reason, now_ns, hook);
    }

    fn say_error<H: Hook + ?Sized>(
        &mut self,
        object: ObjectId,
        code: u32,
        text: &str,
        now_ns: u64,
        hook: &mut H,
    ) {
        let start = self.events.own.len();
        let opcode = wl_display::EVT_ERROR_OPCODE;
        Writer::message(&mut self.events.own, ObjectId::DISPLAY, opcode, |w| {
            w.object(object).uint(code).string(text);
        });
        self.events.queue_own(start);
        self.review(Direction::Event, start, now_ns, hook);
    }

    /// Takes note of messages of our own towards one side, from `start` of them on.
    fn review<H: Hook + ?Sized>(
        &mut self,
        direction: Direction,
        start: usize,
        now_ns: u64,
        hook: &mut H,
    ) {
        let lane = match direction {
            Direction::Request => &self.requests,
            Direction::Event => &self.events,
        };
        let mut review = Review {
            client: self.client,
            now_ns,
            tables: self.rules.tables(self.observed),
            objects: &mut self.objects,
            hook,
        };
        review.run(direction, &lane.own[start..]);
    }

    /// `from` will send nothing more (end of file). What it sent before still goes on.
    pub fn handle_end(&mut self, from: Side) {
        let lane = self.lane(from);
        let rest = lane.filled - lane.checked;
        match from {
            Side::Client => {
                self.client_speaks = false;
                self.client_hears = false;
                self.events.discard();
            }
            Side::Compositor => {
                self.compositor_speaks = false;
                self.compositor_hears = false;
                self.requests.discard();
            }
        }
        let was_over = self.over;
        self.over |= from == Side::Compositor;
        if rest > 0 && !was_over {
            tracing::debug!("client {}: the {from} ended within a message", self.client.0);
        }
    }

    /// `to` will read nothing more (broken pipe). What it sent may still be read.
    pub fn handle_deaf(&mut self, to: Side) {
        match to {
            Side::Client => self.client_hears = false,
            Side::Compositor => self.compositor_hears = false,
        }
        self.lane(to.other()).discard();
    }

    /// Lets `hook` queue messages that no message caused.
    pub fn inject<H: Hook + ?Sized>(&mut self, now_ns: u64, hook: &mut H) {
        if self.over {
            return;
        }
        let (requests, events) = (self.requests.own.len(), self.events.own.len());
        hook.inject(&mut Context {
            client: self.client,
            now_ns,
            objects: &mut self.objects,
            requests: &mut self.requests.own,
            events: &mut self.events.own,
        });
        self.requests.queue_own(requests);
        self.review(Direction::Request, requests, now_ns, hook);
        self.events.queue_own(events);
        self.review(Direction::Event, events, now_ns, hook);
    }

    /// What goes to `to` next. Ask again only after [`Session::handle_transmitted`].
    pub fn poll_transmit(&mut self, to: Side) -> Option<Transmit<'_>> {
        self.lane(to.other()).poll_transmit()
    }

    /// The first `len` bytes (not 0) and all fds of the last [`Session::poll_transmit`] for `to`
    /// are sent; with 0, nothing is.
    pub fn handle_transmitted(&mut self, to: Side, len: usize) {
        self.lane(to.other()).handle_transmitted(len);
    }

    pub(crate) fn take_fds(&mut self, to: Side) -> impl Iterator<Item = OwnedFd> {
        self.lane(to.other()).take_offered()
    }

    /// Bytes that wait to go to `to`.
    #[must_use]
    pub fn waiting(&self, to: Side) -> u64 {
        match to {
            Side::Client => self.events.waiting(),
            Side::Compositor => self.requests.waiting(),
        }
    }

    /// Whether no message passes any more: a side ended, or the session did. What waits may still
    /// be sent, but the hook has seen the last of this client.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.over || !self.client_speaks
    }

    /// The fds that nobody gets, for the caller to close where it may take long: closing a socket
    /// with SO_LINGER waits for its peer. When the session is finished, these are all there are.
    pub fn take_unwanted_fds(&mut self, fds: &mut Vec<OwnedFd>) {
        let finished = self.is_finished();
        for lane in [&mut self.requests, &mut self.events] {
            if finished {
                lane.discard();
                lane.give_up_unclaimed_fds();
            }
            fds.extend(lane.take_unwanted_fds());
        }
    }

    /// Whether both sides can be closed: one has ended and the other has what was left.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        if !self.client_hears && !self.compositor_hears {
            return true;
        }
        if self.over {
            return self.events.waiting() == 0 || !self.client_hears;
        }
        !self.client_speaks && self.requests.waiting() == 0
    }
}
