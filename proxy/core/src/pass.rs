//! The way of messages through a session, in one direction.
//!
//! The usual message costs a look at its header, at its object and at one table entry, and stays
//! where it lies. All else (new ids, fds, destructors, registries, hooks) branches off from there.

use std::ops::Range;

use stratus_protocols::{InterfaceId, wl_fixes};

use crate::globals::{Gate, Globals, Offered};
use crate::message::parse_header;
use crate::objects::{Objects, Sender};
use crate::queue::Lane;
use crate::review::Review;
use crate::tables::{
    DESTROYS, FDS, FREES, HOOK, MessageInfo, NEW_ID, NewIdAt, OBSERVE, ROLE, Role, Tables, UNKNOWN,
    descriptions, new_id_offset,
};
use crate::violation::{Place, Problem};
use crate::{
    Args, ClientId, Context, Direction, HEADER_LEN, Hook, Malformed, Message, ObjectId, Seen, Step,
    Verdict, Writer,
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

/// What the proxy and the hook made of a message; of two outcomes the greater counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// It goes on.
    AsItIs,
    /// It goes on with other bytes.
    Changed,
    /// It ends here.
    Dropped,
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

/// Lets messages of one direction pass: requests, or else events. The compiler makes the way of
/// each without asking at every turn which of the two it is.
pub(crate) struct Pass<'a, H: ?Sized, const REQUESTS: bool> {
    pub(crate) client: ClientId,
    pub(crate) now_ns: u64,
    pub(crate) tables: &'a Tables,
    pub(crate) gate: &'a Gate,
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

impl<H: Hook + ?Sized, const REQUESTS: bool> Pass<'_, H, REQUESTS> {
    const DIRECTION: Direction = if REQUESTS { Direction::Request } else { Direction::Event };

    /// Passes all whole messages, and queues them.
    pub(crate) fn run(mut self) -> Result<Passed, Box<Stopped>> {
        let result = self.pass_all();
        self.lane.queue_received(self.run_start, self.at);
        self.lane.checked = self.at;
        result
    }

    fn pass_all(&mut self) -> Result<Passed, Box<Stopped>> {
        while let Some(found) = self.pass_usual()? {
            match self.act(found) {
                Ok(Passed::All) => self.at += found.size,
                Ok(Passed::Error) => {
                    self.at += found.size;
                    return Ok(Passed::Error);
                }
                Err(problem) => return Err(self.stopped(found.id, found.opcode, *problem)),
            }
        }
        Ok(Passed::All)
    }

    /// Passes messages until one asks for more than the list of objects, or is not whole.
    fn pass_usual(&mut self) -> Result<Option<Found>, Box<Stopped>> {
        let mut rest = &self.lane.received[self.at..self.lane.filled];
        let ended = loop {
            let Some(header) = rest.first_chunk() else { break Ok(None) };
            let (id, opcode, size) = parse_header(*header);
            if size < HEADER_LEN || !size.is_multiple_of(4) {
                break Err(self.stopped(id, opcode, Problem::Size(size as u16)));
            }
            let Some((message, later)) = rest.split_at_checked(size) else { break Ok(None) };
            let Some(sender) = self.objects.sender(id, Self::DIRECTION) else {
                break Err(self.stopped(id, opcode, self.objects.why_not(id)));
            };
            let info = self.tables.info(Self::DIRECTION, sender.interface(), opcode);
            let body = &message[HEADER_LEN..];
            // Those with one flag come with every frame callback and every roundtrip.
            let done = match (info.flags, info.new_id) {
                (0, _) => Ok(()),
                (DESTROYS, _) => {
                    sender.end(Self::DIRECTION);
                    Ok(())
                }
                (NEW_ID, NewIdAt::Word(word)) => {
                    let made = (info.child, sender.version());
                    register(self.objects, Self::DIRECTION, made, body, usize::from(word) * 4)
                }
                (FREES, _) => free(self.objects, body),
                (UNKNOWN.., _) => Err(Problem::UnknownOpcode(opcode).into()),
                _ => {
                    let sender = sender.facts();
                    break Ok(Some(Found { id, opcode, size, sender, info }));
                }
            };
            if let Err(problem) = done {
                break Err(self.stopped(id, opcode, *problem));
            }
            rest = later;
        };
        self.at = self.lane.filled - rest.len();
        ended
    }

    #[cold]
    fn stopped(&self, object: ObjectId, opcode: u16, problem: Problem) -> Box<Stopped> {
        let interface = self.objects.lookup(object).map(|o| o.interface);
        let place = Place { object, interface, opcode, direction: Self::DIRECTION };
        Box::new(Stopped { place, problem })
    }

    /// Does what an unusual message asks for, in this order: it is shown to who observes, its fds
    /// are counted, its new object is registered, the proxy and then the hook have their say, what
    /// they changed is shown, it ends objects, it goes on.
    #[inline(never)]
    fn act(&mut self, found: Found) -> Result<Passed, Box<Problem>> {
        let info = found.info;
        let fds = usize::from(info.fds);
        if info.flags & OBSERVE != 0 {
            self.show(found, Step::Came);
        }
        if info.flags & FDS != 0 {
            self.require_fds(fds)?;
        }
        if info.flags & NEW_ID != 0 {
            self.register(found)?;
        }
        let mut outcome = Outcome::AsItIs;
        if info.flags & ROLE != 0 {
            outcome = self.play_role(found)?;
        }
        if outcome != Outcome::Dropped && info.flags & HOOK != 0 {
            outcome = outcome.max(self.ask_hook(found)?);
        }
        if info.flags & OBSERVE != 0 {
            match outcome {
                Outcome::AsItIs => {}
                Outcome::Changed => self.show(found, Step::Changed),
                Outcome::Dropped => self.show(found, Step::Dropped),
            }
        }
        if info.flags & DESTROYS != 0 {
            self.objects.end(found.id, Self::DIRECTION);
        }
        if outcome == Outcome::Dropped {
            self.lane.queue_received(self.run_start, self.at);
            self.run_start = self.at + found.size;
            return Ok(Passed::All);
        }
        if info.flags & FREES != 0 {
            free(self.objects, &self.lane.received[self.body(found)])?;
        }
        if fds > 0 {
            let place = self.lane.end() + (self.at - self.run_start) as u64;
            self.lane.claim_fds(fds, place);
        }
        Ok(if info.role == Role::Error { Passed::Error } else { Passed::All })
    }

    fn require_fds(&self, wanted: usize) -> Result<(), Problem> {
        let found = self.lane.unclaimed_fds();
        if found < wanted { Err(Problem::MissingFds { wanted, found }) } else { Ok(()) }
    }

    fn body(&self, found: Found) -> Range<usize> {
        self.at + HEADER_LEN..self.at + found.size
    }

    /// Registers the object that a message with a typed new id makes. It has the version of its
    /// maker (Wayland protocol, "Versioning").
    fn register(&mut self, found: Found) -> Result<(), Box<Problem>> {
        let Found { sender, opcode, info, .. } = found;
        let body = &self.lane.received[self.body(found)];
        let at = match info.new_id {
            NewIdAt::Word(word) => usize::from(word) * 4,
            NewIdAt::Behind => {
                let messages = descriptions(sender.interface, Self::DIRECTION);
                let message = messages.get(usize::from(opcode));
                message.and_then(|m| new_id_offset(m, body)).ok_or(Problem::Malformed)?
            }
        };
        register(self.objects, Self::DIRECTION, (info.child, sender.version), body, at)
    }

    fn play_role(&mut self, found: Found) -> Result<Outcome, Problem> {
        let body = self.body(found);
        let args = Args::new(&self.lane.received[body.clone()], &[]);
        match found.info.role {
            Role::Bind => {
                let bind = self.globals.bind(args)?;
                let made = self.objects.create_by_client(bind.id, bind.interface, bind.version);
                made.map_err(|problem| *problem)?;
                self.globals.bound(bind);
            }
            Role::Global => match self.globals.offer(args, self.gate)? {
                Offered::AsItIs => {}
                Offered::Clamped { at, version } => {
                    let at = body.start + at;
                    self.lane.received[at..at + 4].copy_from_slice(&version.to_ne_bytes());
                    return Ok(Outcome::Changed);
                }
                Offered::Hidden => return Ok(Outcome::Dropped),
            },
            Role::GlobalRemove => {
                let name = args.clone().uint()?;
                if !self.globals.is_shown(name) {
                    self.acknowledge(found.id, name);
                    return Ok(Outcome::Dropped);
                }
            }
            Role::RegistryEnds => {
                let registry = args.clone().object()?;
                // Anything else is the client's mistake, which the compositor tells it of.
                if self.is_registry(registry) {
                    self.objects.end(registry, Direction::Request);
                }
            }
            Role::Error => self.log_error(args)?,
            Role::None => {}
        }
        Ok(Outcome::AsItIs)
    }

    fn is_registry(&self, id: ObjectId) -> bool {
        let object = self.objects.lookup(id);
        object.is_some_and(|o| o.interface == InterfaceId::WlRegistry && !o.destroyed)
    }

    /// Says in the client's place that it will not bind global `name`, of whose removal `registry`
    /// does not hear.
    fn acknowledge(&mut self, registry: ObjectId, name: u32) {
        let acknowledger = self.globals.acknowledger(name, self.objects);
        let Some(fixes) = acknowledger.filter(|_| self.is_registry(registry)) else { return };
        let start = self.other.own.len();
        let opcode = wl_fixes::REQ_ACK_GLOBAL_REMOVE_OPCODE;
        Writer::message(&mut self.other.own, fixes, opcode, |w| {
            w.object(registry).uint(name);
        });
        self.other.queue_own(start);
        self.review(Direction::Request, start);
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

    fn ask_hook(&mut self, found: Found) -> Result<Outcome, Problem> {
        let (before, other_before) = (self.lane.own.len(), self.other.own.len());
        let body = self.body(found);
        let (body, fds, own) = self.lane.message_parts(body, usize::from(found.info.fds));
        let (requests, events) = match Self::DIRECTION {
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
        let mut message =
            Message { sender, interface, version, opcode, data, body, fds, patched: false };
        let verdict = match Self::DIRECTION {
            Direction::Request => self.hook.request(&mut cx, &mut message),
            Direction::Event => self.hook.event(&mut cx, &mut message),
        };
        let forwarded = if message.patched { Outcome::Changed } else { Outcome::AsItIs };
        if self.lane.own.len() > before {
            self.lane.queue_received(self.run_start, self.at);
            self.run_start = self.at;
            self.lane.queue_own(before);
            self.review(Self::DIRECTION, before);
        }
        if self.other.own.len() > other_before {
            self.other.queue_own(other_before);
            self.review(Self::DIRECTION.opposite(), other_before);
        }
        let verdict = verdict?;
        let carries = found.info.flags & (FDS | NEW_ID) != 0 || found.info.role == Role::Bind;
        if verdict == Verdict::Drop && carries {
            let place = self.stopped(found.id, found.opcode, Problem::Malformed).place;
            tracing::error!("a hook drops {place}, which carries a new id or an fd; it goes on");
            return Ok(forwarded);
        }
        Ok(if verdict == Verdict::Drop { Outcome::Dropped } else { forwarded })
    }

    /// Takes note of what the hook queued for `direction`, from `start` of our own bytes on.
    fn review(&mut self, direction: Direction, start: usize) {
        let lane = if direction == Self::DIRECTION { &self.lane } else { &self.other };
        let mut review = Review {
            client: self.client,
            now_ns: self.now_ns,
            tables: self.tables,
            objects: self.objects,
            hook: self.hook,
        };
        review.run(direction, &lane.own[start..]);
    }

    /// Shows the message at hand to who observes.
    fn show(&mut self, found: Found, step: Step) {
        let fds = usize::from(found.info.fds).min(self.lane.unclaimed_fds());
        let body = self.body(found);
        let (body, fds, _) = self.lane.message_parts(body, fds);
        self.hook.observe(&Seen {
            client: self.client,
            now_ns: self.now_ns,
            direction: Self::DIRECTION,
            step,
            sender: found.id,
            interface: found.sender.interface,
            version: found.sender.version,
            opcode: found.opcode,
            body,
            fds,
            objects: self.objects,
        });
    }
}

/// Registers an object of this interface and version, whose id stands `at` so many bytes of `body`.
#[inline]
fn register(
    objects: &mut Objects,
    direction: Direction,
    (interface, version): (InterfaceId, u32),
    body: &[u8],
    at: usize,
) -> Result<(), Box<Problem>> {
    let id = id_at(body, at).ok_or(Problem::Malformed)?;
    match direction {
        Direction::Request => objects.create_by_client(id, interface, version),
        Direction::Event => objects.create_by_server(id, interface, version),
    }
}

/// `wl_display.delete_id(id)`.
#[inline]
fn free(objects: &mut Objects, body: &[u8]) -> Result<(), Box<Problem>> {
    objects.delete_id(id_at(body, 0).ok_or(Problem::Malformed)?);
    Ok(())
}

#[inline]
fn id_at(body: &[u8], at: usize) -> Option<ObjectId> {
    let word = body.get(at..)?.first_chunk()?;
    Some(ObjectId(u32::from_ne_bytes(*word)))
}
