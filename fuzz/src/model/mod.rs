//! What a session has to do, written down the plain and slow way.
//!
//! Nothing here is taken from the proxy but the interface tables and the policy for globals,
//! which are data. Messages are whole values, objects lie in a map, and what waits to go out is
//! a list of messages, each with its fds. The rules come from the wire format, from what
//! libwayland does with ids, and from what ARCHITECTURE.md promises.

mod objects;
mod pass;
mod stream;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use stratus_protocols::{InterfaceId, MessageDesc};
use stratus_proxy_core::{
    Direction, EVENT_FD_CAP, EVENT_QUEUE_CAP, GlobalPolicy, MAX_UNCLAIMED_FDS, Problem,
    REQUEST_FD_LIMIT, REQUEST_QUEUE_LIMIT, Side, Step,
};

pub use objects::{FIRST_SERVER, Objects, State, Thing};
pub use stream::Stream;

use crate::fds::Mark;
use crate::script::{Answer, Note, Own, Shown};

/// Why a session has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A header states a size below 8 or no multiple of 4.
    Size,
    /// No object has the id.
    Unknown,
    /// The client destroyed the object.
    Dead,
    /// The interface has no such message.
    Opcode,
    /// The arguments end too early or contradict themselves.
    Malformed,
    /// Not all fds of the message came.
    FewFds,
    /// Too many fds came that belong to no message.
    ManyFds,
    /// A new id of the other side.
    IdRange,
    /// A new id in use.
    IdTaken,
    /// A new id behind a gap.
    IdGap,
    /// A bind of what was not offered.
    Global,
    /// A bind of a version that was not offered.
    Version,
    /// The client leaves too much unread.
    Unread,
    /// The client leaves too many fds unread.
    UnreadFds,
}

impl Fault {
    /// Whether the proxy's word for it means the same.
    #[must_use]
    pub fn is(self, problem: &Problem) -> bool {
        match problem {
            Problem::Size(_) => self == Self::Size,
            Problem::UnknownObject => self == Self::Unknown,
            Problem::DeadObject => self == Self::Dead,
            Problem::UnknownOpcode(_) => self == Self::Opcode,
            Problem::Malformed => self == Self::Malformed,
            Problem::MissingFds { .. } => self == Self::FewFds,
            Problem::TooManyFds(_) => self == Self::ManyFds,
            Problem::NewIdRange(_) => self == Self::IdRange,
            Problem::NewIdTaken(_) => self == Self::IdTaken,
            Problem::NewIdGap(_) => self == Self::IdGap,
            Problem::UnknownGlobal { .. } => self == Self::Global,
            Problem::GlobalVersion { .. } => self == Self::Version,
            Problem::TooMuchUnread(_) => self == Self::Unread,
            Problem::TooManyFdsUnread(_) => self == Self::UnreadFds,
            Problem::TooManyObjects | Problem::TruncatedFds => false,
        }
    }

    /// The code of the `wl_display.error` that libwayland's server gives a client for this.
    fn code(self) -> u32 {
        match self {
            Self::Unknown | Self::Dead | Self::Global | Self::Version => 0,
            Self::ManyFds | Self::Unread | Self::UnreadFds => 2,
            _ => 1,
        }
    }
}

/// The end of a session: whose fault, what, and in which message (object and opcode).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Who is to blame.
    pub by: Side,
    /// What it did.
    pub fault: Fault,
    /// The message, its object's interface if the object is known.
    pub place: Option<(u32, u16, Option<InterfaceId>)>,
}

/// What one side sent, and what goes on to the other.
#[derive(Debug, Default)]
struct Lane {
    /// Bytes of which no whole message was made yet.
    received: Vec<u8>,
    /// Fds that belong to no message yet.
    unclaimed: VecDeque<Mark>,
    out: Stream,
}

/// One session.
pub struct Model {
    /// What both sides know of each other's objects.
    pub objects: Objects,
    /// What the compositor offers, by name: interface and version as the client sees them.
    pub globals: BTreeMap<u32, Option<(InterfaceId, u32)>>,
    /// Every `wl_fixes` that could once acknowledge removals.
    fixes: BTreeSet<u32>,
    lanes: [Lane; 2],
    speaks: [bool; 2],
    hears: [bool; 2],
    over: bool,
    /// What the client sent since then.
    thrown_away: usize,
    /// Fds that nobody gets.
    unwanted: Vec<Mark>,
    /// Whether a hook looks at the messages, and what it will say.
    hooked: bool,
    answers: VecDeque<Answer>,
    notes: Vec<Note>,
    observed: bool,
    policy: &'static GlobalPolicy,
}

/// The place of a side in an array.
#[must_use]
pub fn at(side: Side) -> usize {
    match side {
        Side::Client => 0,
        Side::Compositor => 1,
    }
}

/// The messages of an interface that go this way.
#[must_use]
pub fn messages(interface: InterfaceId, direction: Direction) -> &'static [MessageDesc] {
    match direction {
        Direction::Request => interface.interface().requests,
        Direction::Event => interface.interface().events,
    }
}

/// A message with arguments of 32 bits.
#[must_use]
pub fn message(sender: u32, opcode: u16, words: &[u32]) -> Vec<u8> {
    let size = 8 + 4 * words.len() as u32;
    let head = [sender, size << 16 | u32::from(opcode)];
    head.iter().chain(words).flat_map(|w| w.to_ne_bytes()).collect()
}

impl Model {
    /// A session in which nothing was said.
    #[must_use]
    pub fn new(hooked: bool, policy: &'static GlobalPolicy) -> Self {
        Self {
            objects: Objects::new(),
            globals: BTreeMap::new(),
            fixes: BTreeSet::new(),
            lanes: Default::default(),
            speaks: [true; 2],
            hears: [true; 2],
            over: false,
            thrown_away: 0,
            unwanted: Vec::new(),
            hooked,
            answers: VecDeque::new(),
            notes: Vec::new(),
            observed: false,
            policy,
        }
    }

    /// Whether nothing counts any more but what waits for the client.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The hook will answer this to the next message that it sees and has no answer for.
    pub fn plan(&mut self, answer: Answer) {
        self.answers.push_back(answer);
    }

    /// What the hook must have been shown since the last question.
    pub fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Whether somebody is shown every message.
    pub fn observe(&mut self, observed: bool) {
        self.observed = observed;
    }

    /// A message is shown to who observes, if anybody does.
    fn show(&mut self, step: Step, shown: impl FnOnce() -> Shown) {
        if self.observed {
            self.notes.push(Note::Seen(step, shown()));
        }
    }

    /// The same for a message of the hook's or the proxy's own, if there is such a message.
    fn show_own(&mut self, direction: Direction, sender: u32, opcode: u16, body: &[u8]) {
        let Some(thing) = self.objects.find(sender) else { return };
        let (interface, version) = (thing.interface, thing.version);
        if usize::from(opcode) >= messages(interface, direction).len() {
            return;
        }
        let is_error = direction == Direction::Event && (sender, opcode) == (1, 0);
        let len = if is_error { body.len().min(8) } else { body.len() };
        let body = body[..len].to_vec();
        let fds = Vec::new();
        let shown = || Shown { direction, sender, interface, version, opcode, body, fds };
        self.show(Step::Own, shown);
    }

    /// What waits to go to `to`.
    pub fn out(&mut self, to: Side) -> &mut Stream {
        &mut self.lanes[at(to.other())].out
    }

    /// Whether `side` can still receive.
    #[must_use]
    pub fn hears(&self, side: Side) -> bool {
        self.hears[at(side)]
    }

    /// Whether the session may read `from`.
    #[must_use]
    pub fn wants_read(&self, from: Side) -> bool {
        let out = &self.lanes[0].out;
        let full = out.waiting() >= REQUEST_QUEUE_LIMIT || out.fd_count() >= REQUEST_FD_LIMIT;
        let room = from == Side::Compositor || !full;
        if self.over {
            // It may be writing before it reads why it was ended.
            let [client, _] = self.hears;
            let untold = self.lanes[1].out.waiting() > 0;
            return from == Side::Client && self.speaks[0] && client && untold;
        }
        self.speaks == [true; 2] && self.hears(from.other()) && room
    }

    /// Whether no message passes any more.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.over || !self.speaks[0]
    }

    /// Whether there is nothing left to do.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let [client_hears, compositor_hears] = self.hears;
        let [client_speaks, _] = self.speaks;
        let told = |from: Side| self.lanes[at(from)].out.waiting() == 0;
        if !client_hears && !compositor_hears {
            true
        } else if self.over {
            // All that counts is that the client hears the rest, if it can.
            !client_hears || told(Side::Compositor)
        } else {
            !client_speaks && told(Side::Client)
        }
    }

    /// Bytes and fds of `from` came in. Answers with the end of the session if that is what
    /// they lead to.
    pub fn receive(&mut self, from: Side, bytes: &[u8], fds: &[Mark]) -> Option<End> {
        if self.over {
            self.unwanted.extend(fds);
            self.thrown_away += bytes.len();
            if self.thrown_away > 4 << 20 {
                // One that goes on writing never reads.
                self.deafen(from);
            }
            return None;
        }
        let lane = &mut self.lanes[at(from)];
        lane.received.extend_from_slice(bytes);
        lane.unclaimed.extend(fds);
        let received = std::mem::take(&mut lane.received);
        let mut rest = &received[..];
        let end = loop {
            let Some((head, _)) = rest.split_at_checked(8) else { break None };
            let (sender, word) = (word(head, 0), word(head, 1));
            let (size, opcode) = (word >> 16, word as u16);
            if size < 8 || size % 4 != 0 {
                break Some((sender, opcode, Fault::Size));
            }
            let Some((whole, behind)) = rest.split_at_checked(size as usize) else { break None };
            if let Err(fault) = self.pass(from, sender, opcode, whole[8..].to_vec()) {
                break Some((sender, opcode, fault));
            }
            rest = behind;
            if self.over {
                return None;
            }
        };
        self.lanes[at(from)].received = rest.to_vec();
        if let Some((sender, opcode, fault)) = end {
            let interface = self.objects.find(sender).map(|t| t.interface);
            return Some(self.end(from, fault, Some((sender, opcode, interface))));
        }
        self.keep_limits(from)
    }

    fn keep_limits(&mut self, from: Side) -> Option<End> {
        for side in [Side::Client, Side::Compositor] {
            if !self.hears(side) {
                self.discard(side);
            }
        }
        if self.lanes[at(from)].unclaimed.len() > MAX_UNCLAIMED_FDS {
            return Some(self.end(from, Fault::ManyFds, None));
        }
        let out = self.out(Side::Client);
        let fault = match (out.waiting() > EVENT_QUEUE_CAP, out.fd_count() > EVENT_FD_CAP) {
            (true, _) => Fault::Unread,
            (false, true) => Fault::UnreadFds,
            (false, false) => return None,
        };
        // It would not read why either.
        self.over = true;
        self.discard(Side::Client);
        Some(End { by: Side::Client, fault, place: None })
    }

    /// Ends the session. The client hears why, with the code of `wl_display.error` if it is to
    /// blame and `implementation` if not. The registry complains of binds, the display of the rest.
    fn end(
        &mut self,
        by: Side,
        fault: Fault,
        place: Option<(u32, u16, Option<InterfaceId>)>,
    ) -> End {
        let registry = by == Side::Client && matches!(fault, Fault::Global | Fault::Version);
        let object = place.filter(|_| registry);
        let code = if by == Side::Client { fault.code() } else { 3 };
        self.say_error(object.map_or(1, |(object, _, _)| object), code);
        self.forget_unclaimed();
        End { by, fault, place }
    }

    /// The kernel lost fds on their way. `by` is the side that sent them.
    pub fn lose_fds(&mut self, by: Side) {
        if !self.over {
            self.say_error(1, if by == Side::Client { 2 } else { 3 });
            self.forget_unclaimed();
        }
    }

    /// The session ends before it began.
    pub fn refuse(&mut self) {
        self.say_error(1, 3);
    }

    fn say_error(&mut self, object: u32, code: u32) {
        self.over = true;
        self.out(Side::Client).push_error(object, code);
        let start = message(1, 0, &[object, code]);
        self.show_own(Direction::Event, 1, 0, &start[8..]);
    }

    /// `side` closed its socket.
    pub fn close(&mut self, side: Side) {
        self.speaks[at(side)] = false;
        self.over |= side == Side::Compositor;
        self.deafen(side);
    }

    /// `side` reads nothing more.
    pub fn deafen(&mut self, side: Side) {
        self.hears[at(side)] = false;
        self.discard(side);
    }

    /// Nobody will read what waits for `to`.
    fn discard(&mut self, to: Side) {
        let fds = self.out(to).discard();
        self.unwanted.extend(fds);
    }

    /// No message comes any more for fds that came ahead of theirs.
    fn forget_unclaimed(&mut self) {
        for lane in &mut self.lanes {
            self.unwanted.extend(lane.unclaimed.drain(..));
        }
    }

    /// The fds that nobody gets, since the last question; all that are left of a session that is
    /// finished.
    pub fn take_unwanted(&mut self) -> Vec<Mark> {
        if self.is_finished() {
            self.discard(Side::Client);
            self.discard(Side::Compositor);
            self.forget_unclaimed();
        }
        std::mem::take(&mut self.unwanted)
    }

    /// The hook sends messages that no message caused.
    pub fn inject(&mut self, own: &[(Direction, Own)]) {
        if self.over {
            return;
        }
        for wanted in [Direction::Request, Direction::Event] {
            for (direction, own) in own {
                if *direction == wanted {
                    self.say_own(*direction, own);
                }
            }
        }
    }

    /// A message of the hook's own goes out; its `delete_id` counts like the compositor's.
    fn say_own(&mut self, direction: Direction, own: &Own) {
        let to = if direction == Direction::Request { Side::Compositor } else { Side::Client };
        let bytes = own.bytes();
        self.show_own(direction, own.sender, own.opcode, &bytes[8..]);
        self.out(to).push(bytes, Vec::new());
        let deletes = direction == Direction::Event && (own.sender, own.opcode) == (1, 1);
        if let Some(&id) = own.words.first().filter(|_| deletes) {
            self.objects.delete(id);
        }
    }
}

/// Word `n` of `bytes`, which are long enough.
fn word(bytes: &[u8], n: usize) -> u32 {
    let word = bytes[n * 4..n * 4 + 4].try_into().expect("four bytes");
    u32::from_ne_bytes(word)
}
