//! The way of messages through a session, in one direction.
//!
//! The usual message costs a look at its header, at its object and at one table entry, and stays
//! where it lies. All else (new ids, fds, destructors, registries, hooks) branches off from there.

use std::ops::Range;

use crate::globals::{Globals, Offered};
use crate::objects::{Objects, Sender};
use crate::queue::Lane;
use crate::session::Rules;
use crate::tables::{
    DESTROYS, FDS, HOOK, MessageInfo, NEW_ID, NewIdAt, ROLE, Role, descriptions, new_id_offset,
};
use crate::violation::{Place, Problem};
use crate::{
    Args, ClientId, Context, Direction, HEADER_LEN, Hook, Malformed, Message, ObjectId, Verdict,
};

/// Why messages stopped passing.
pub(crate) struct Stopped {
    pub(crate) place: Place,
    pub(crate) problem: Problem,
}

/// How a run over the received bytes ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// All whole messages passed.
    All,
    /// The compositor sent `wl_display.error`: nothing counts after it.
    Error,
}

/// A message whose header and object are in order.
#[derive(Clone, Copy)]
struct Found {
    id: ObjectId,
    opcode: u16,
    size: usize,
    sender: Sender,
    info: MessageInfo,
}

/// Lets messages of one direction pass.
pub(crate) struct Pass<'a, H: ?Sized> {
    pub(crate) client: ClientId,
    pub(crate) direction: Direction,
    pub(crate) now_ns: u64,
    pub(crate) rules: &'a Rules,
    pub(crate) objects: &'a mut Objects,
    pub(crate) globals: &'a mut Globals,
    pub(crate) lane: &'a mut Lane,
    pub(crate) other: &'a mut Lane,
    pub(crate) hook: &'a mut H,
    /// Where the bytes begin that passed and are not queued.
    pub(crate) run_start: usize,
    /// The message at hand.
    pub(crate) at: usize,
}

impl<H: Hook + ?Sized> Pass<'_, H> {
    /// Passes all whole messages, and queues them.
    pub(crate) fn run(mut self) -> Result<Passed, Stopped> {
        let result = self.pass_all();
        self.lane.queue_received(self.run_start, self.at);
        self.lane.checked = self.at;
        result
    }

    fn pass_all(&mut self) -> Result<Passed, Stopped> {
        loop {
            let rest = &self.lane.received[self.at..self.lane.filled];
            let Some(&[a, b, c, d, e, f, g, h]) = rest.first_chunk::<HEADER_LEN>() else {
                return Ok(Passed::All);
            };
            let id = ObjectId(u32::from_ne_bytes([a, b, c, d]));
            let word = u32::from_ne_bytes([e, f, g, h]);
            let opcode = word as u16;
            let size = (word >> 16) as usize;
            if size < HEADER_LEN || !size.is_multiple_of(4) {
                return Err(self.stopped(id, opcode, Problem::Size(size as u16)));
            }
            if size > rest.len() {
                return Ok(Passed::All);
            }
            let sender = match self.direction {
                Direction::Request => self.objects.request_target(id),
                Direction::Event => self.objects.event_source(id),
            };
            let sender = sender.map_err(|problem| self.stopped(id, opcode, problem))?;
            let info = self
                .rules
                .tables
                .info(self.direction, sender.interface, opcode)
                .ok_or_else(|| self.stopped(id, opcode, Problem::UnknownOpcode(opcode)))?;
            if info.flags != 0 {
                let found = Found { id, opcode, size, sender, info };
                self.act(found).map_err(|problem| self.stopped(id, opcode, problem))?;
                if info.role == Role::Error {
                    self.at += size;
                    return Ok(Passed::Error);
                }
            }
            self.at += size;
        }
    }

    #[cold]
    fn stopped(&self, object: ObjectId, opcode: u16, problem: Problem) -> Stopped {
        let interface = self.objects.lookup(object).map(|o| o.interface);
        Stopped { place: Place { object, interface, opcode, direction: self.direction }, problem }
    }

    /// Does what an unusual message asks for, in this order: its fds are counted, its new object
    /// is registered, the proxy and then the hook have their say, it ends objects, it goes on.
    fn act(&mut self, found: Found) -> Result<(), Problem> {
        let info = found.info;
        let fds = usize::from(info.fds);
        let unclaimed = self.lane.unclaimed_fds();
        if unclaimed < fds {
            return Err(Problem::MissingFds { wanted: fds, found: unclaimed });
        }
        if info.flags & NEW_ID != 0 {
            self.register(found)?;
        }
        let mut verdict = Verdict::Forward;
        if info.flags & ROLE != 0 {
            verdict = self.play_role(found)?;
        }
        if verdict == Verdict::Forward && info.flags & HOOK != 0 {
            verdict = self.ask_hook(found)?;
        }
        if info.flags & DESTROYS != 0 {
            match self.direction {
                Direction::Request => self.objects.destroyed_by_client(found.id),
                Direction::Event => self.objects.ended_by_server(found.id),
            }
        }
        if verdict == Verdict::Drop {
            self.lane.queue_received(self.run_start, self.at);
            self.run_start = self.at + found.size;
            return Ok(());
        }
        if info.role == Role::DeleteId {
            self.objects.delete_id(self.args(found).object()?);
        }
        self.lane.claim_fds(fds, self.lane.end() + (self.at - self.run_start) as u64);
        Ok(())
    }

    fn body(&self, found: Found) -> Range<usize> {
        self.at + HEADER_LEN..self.at + found.size
    }

    fn args(&self, found: Found) -> Args<'_> {
        Args::new(&self.lane.received[self.body(found)], &[])
    }

    /// Registers the object that a message with a typed new id makes. It has the version of its
    /// maker (Wayland protocol, "Versioning").
    fn register(&mut self, found: Found) -> Result<(), Problem> {
        let body = &self.lane.received[self.body(found)];
        let at = match found.info.new_id {
            NewIdAt::Word(word) => usize::from(word) * 4,
            NewIdAt::Behind => {
                let messages = descriptions(found.sender.interface, self.direction);
                let message = messages.get(usize::from(found.opcode)).ok_or(Problem::Malformed)?;
                new_id_offset(message, body).ok_or(Problem::Malformed)?
            }
        };
        let id = Args::new(body.get(at..).unwrap_or_default(), &[]).object()?;
        let (child, version) = (found.info.child, found.sender.version);
        match self.direction {
            Direction::Request => self.objects.create_by_client(id, child, version),
            Direction::Event => self.objects.create_by_server(id, child, version),
        }
    }

    fn play_role(&mut self, found: Found) -> Result<Verdict, Problem> {
        let body = self.body(found);
        let args = Args::new(&self.lane.received[body.clone()], &[]);
        match found.info.role {
            Role::Bind => {
                let bind = self.globals.bind(args)?;
                self.objects.create_by_client(bind.id, bind.interface, bind.version)?;
            }
            Role::Global => match self.globals.offer(args, &self.rules.gate)? {
                Offered::AsItIs => {}
                Offered::Clamped { at, version } => {
                    let at = body.start + at;
                    self.lane.received[at..at + 4].copy_from_slice(&version.to_ne_bytes());
                }
                Offered::Hidden => return Ok(Verdict::Drop),
            },
            Role::GlobalRemove => {
                if !self.globals.is_shown(args.clone().uint()?) {
                    return Ok(Verdict::Drop);
                }
            }
            Role::Error => self.log_error(args)?,
            Role::DeleteId | Role::None => {}
        }
        Ok(Verdict::Forward)
    }

    /// `wl_display.error(object_id, code, message)`.
    fn log_error(&self, mut args: Args<'_>) -> Result<(), Malformed> {
        let object = args.object()?;
        let code = args.uint()?;
        let text = String::from_utf8_lossy(args.string()?.unwrap_or_default());
        let interface =
            self.objects.lookup(object).map_or("unknown object", |o| o.interface.name());
        tracing::warn!(
            "client {}: the compositor ended it: {interface}@{object}, code {code}: {text}",
            self.client.0
        );
        Ok(())
    }

    fn ask_hook(&mut self, found: Found) -> Result<Verdict, Problem> {
        let (before, other_before) = (self.lane.own.len(), self.other.own.len());
        let body = self.body(found);
        let (body, fds, own) = self.lane.message_parts(body, usize::from(found.info.fds));
        let (requests, events) = match self.direction {
            Direction::Request => (own, &mut self.other.own),
            Direction::Event => (&mut self.other.own, own),
        };
        let mut cx = Context {
            client: self.client,
            now_ns: self.now_ns,
            objects: self.objects,
            requests,
            events,
        };
        let Sender { interface, version, data } = found.sender;
        let (sender, opcode) = (found.id, found.opcode);
        let mut message = Message { sender, interface, version, opcode, data, body, fds };
        let verdict = match self.direction {
            Direction::Request => self.hook.request(&mut cx, &mut message),
            Direction::Event => self.hook.event(&mut cx, &mut message),
        };
        if self.lane.own.len() > before {
            self.lane.queue_received(self.run_start, self.at);
            self.run_start = self.at;
            self.lane.queue_own(before);
            review(self.rules, self.objects, self.direction, &self.lane.own[before..]);
        }
        if self.other.own.len() > other_before {
            self.other.queue_own(other_before);
            let direction = self.direction.opposite();
            review(self.rules, self.objects, direction, &self.other.own[other_before..]);
        }
        let verdict = verdict?;
        let carries = found.info.flags & (FDS | NEW_ID) != 0 || found.info.role == Role::Bind;
        if verdict == Verdict::Drop && carries {
            let place = self.stopped(found.id, found.opcode, Problem::Malformed).place;
            tracing::error!("a hook drops {place}, which carries a new id or an fd; it goes on");
            return Ok(Verdict::Forward);
        }
        Ok(verdict)
    }
}

/// Takes note of messages that a hook queued: a `delete_id` of its own frees the id like the
/// compositor's, and messages that would part the ids of the two sides are reported as our bug.
pub(crate) fn review(rules: &Rules, objects: &mut Objects, direction: Direction, mut own: &[u8]) {
    while let Some(&[a, b, c, d, e, f, g, h]) = own.first_chunk::<HEADER_LEN>() {
        let id = ObjectId(u32::from_ne_bytes([a, b, c, d]));
        let word = u32::from_ne_bytes([e, f, g, h]);
        let (opcode, size) = (word as u16, (word >> 16) as usize);
        let Some((message, rest)) = own.split_at_checked(size.max(HEADER_LEN)) else { return };
        own = rest;
        let info =
            objects.lookup(id).and_then(|o| rules.tables.info(direction, o.interface, opcode));
        match info {
            Some(info) if info.role == Role::DeleteId => {
                if let Ok(id) = Args::new(&message[HEADER_LEN..], &[]).object() {
                    objects.delete_id(id);
                }
            }
            Some(info) if info.flags & (FDS | NEW_ID) != 0 || info.role == Role::Bind => {
                tracing::error!(
                    "a hook queued message {opcode} of object {id}, which carries a new id or an fd"
                );
            }
            Some(_) => {}
            None => {
                tracing::error!(
                    "a hook queued message {opcode} of object {id}, which there is not"
                );
            }
        }
    }
}
