//! A session and its model, side by side: each is given the same, and both must agree.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::{Arc, LazyLock};

use stratus_proxy_core::{
    ClientId, Context, Direction, GlobalPolicy, Hook, Interest, MAX_FDS_OUT, Malformed, Message,
    ObjectId, Rules, Session, Side, Verdict,
};

use crate::fds::{Maker, Mark};
use crate::model::{End, Model, State, Thing, at};
use crate::script::{Answer, Own, Scripted};

/// The most that may be received at once while requests wait; more would grow with what a client
/// sends.
const MAX_REQUEST_ROOM: usize = 128 << 10;

/// As it comes, and with what its user may change.
static POLICIES: [LazyLock<GlobalPolicy>; 2] = [
    LazyLock::new(GlobalPolicy::default),
    LazyLock::new(|| {
        let mut policy = GlobalPolicy::default();
        policy.allow("wp_drm_lease_device_v1").expect("a global with a table");
        policy.hide("wl_shell").expect("a global");
        for unfit in ["wl_surface", "vendor_secret_v1"] {
            let error = policy.allow(unfit).expect_err("nothing to show");
            assert!(error.to_string().contains(unfit) && policy.hide(unfit).is_err());
        }
        policy
    }),
];
/// For each policy, without a hook and with one.
static RULES: LazyLock<[[Arc<Rules>; 2]; 2]> = LazyLock::new(|| {
    let interests = Scripted::default().interests();
    [&POLICIES[0], &POLICIES[1]]
        .map(|policy| [&[][..], &interests].map(|i| Arc::new(Rules::new(i, (**policy).clone()))))
});

/// What one peer sent and the session has not received.
#[derive(Debug, Default)]
struct Wire {
    bytes: VecDeque<u8>,
    /// Which byte each fd comes with, counted from the first that is still here.
    fds: VecDeque<(usize, Mark, OwnedFd)>,
}

/// A session and its model.
pub struct Pair {
    session: Session,
    hook: Scripted,
    /// What the session is compared with.
    pub model: Model,
    /// Where fds come from.
    pub maker: Maker,
    wires: [Wire; 2],
    now: u64,
}

impl Pair {
    /// A session in which nothing was said; with a hook or without, under one of two policies.
    #[must_use]
    pub fn new(hooked: bool, policy: usize) -> Self {
        let rules = &RULES[policy][usize::from(hooked)];
        Self {
            session: Session::new(ClientId(3), Arc::clone(rules)),
            hook: Scripted::default(),
            model: Model::new(hooked, &POLICIES[policy]),
            maker: Maker::default(),
            wires: Default::default(),
            now: 1,
        }
    }

    /// A peer writes into its socket. The fds come with the first of the bytes.
    pub fn write(&mut self, from: Side, bytes: &[u8], fds: Vec<(Mark, OwnedFd)>) {
        let wire = &mut self.wires[at(from)];
        let place = wire.bytes.len();
        wire.fds.extend(fds.into_iter().map(|(mark, fd)| (place, mark, fd)));
        wire.bytes.extend(bytes);
    }

    /// The session receives at most `most` of the bytes that `from` wrote.
    pub fn receive(&mut self, from: Side, most: usize) {
        if !self.session.wants_read(from) {
            return;
        }
        let wire = &mut self.wires[at(from)];
        let spare = self.session.spare(from);
        assert!(!spare.is_empty(), "there is room while {from} is welcome");
        assert!(from == Side::Compositor || spare.len() <= MAX_REQUEST_ROOM);
        let len = wire.bytes.len().min(most).min(spare.len());
        if len == 0 {
            return;
        }
        let bytes: Vec<u8> = wire.bytes.drain(..len).collect();
        spare[..len].copy_from_slice(&bytes);
        let (mut fds, mut marks) = (Vec::new(), Vec::new());
        let come = wire.fds.iter().take_while(|(place, _, _)| *place < len).count();
        for (_, mark, fd) in wire.fds.drain(..come) {
            fds.push(fd);
            marks.push(mark);
        }
        for (place, _, _) in &mut wire.fds {
            *place -= len;
        }
        self.now += 1;
        let result = self.session.handle_received(from, len, &mut fds, self.now, &mut self.hook);
        assert!(fds.is_empty(), "the session takes all fds");
        let expected = self.model.receive(from, &bytes, &marks);
        let got = result.err().map(|v| {
            let place = v.place.map(|p| (p.object.0, p.opcode, p.interface));
            let direction = v.place.map(|p| p.direction);
            assert!(direction.is_none_or(|d| d == from.direction()), "the way of the message");
            let fault = expected.map(|e| e.fault).filter(|f| f.is(&v.problem));
            let fault = fault.unwrap_or_else(|| panic!("{v}, but the model says {expected:?}"));
            assert!(!v.to_string().is_empty());
            End { by: v.fault, fault, place }
        });
        assert_eq!(got, expected, "how the session went on");
        self.check();
    }

    /// All that `from` wrote is received.
    pub fn receive_all(&mut self, from: Side) {
        while !self.wires[at(from)].bytes.is_empty() && self.session.wants_read(from) {
            self.receive(from, usize::MAX);
        }
    }

    /// The hook will answer this to a message that it sees.
    pub fn plan(&mut self, answer: Answer) {
        self.hook.answers.push_back(answer.clone());
        self.model.plan(answer);
    }

    /// The hook says something that no message caused.
    pub fn inject(&mut self, own: Vec<(Direction, Own)>) {
        self.model.inject(&own);
        self.hook.injections = own;
        self.session.inject(self.now, &mut self.hook);
        self.hook.injections.clear();
        self.check();
    }

    /// The socket to `to` has room for `room` bytes of what is offered next. Answers whether
    /// something was.
    pub fn transmit(&mut self, to: Side, room: usize) -> bool {
        if !self.model.hears(to) {
            return false;
        }
        let stream = self.model.out(to);
        let Some(transmit) = self.session.poll_transmit(to) else {
            assert_eq!(stream.waiting(), 0, "what waits for {to} is offered");
            return false;
        };
        let bytes = transmit.slices().concat_slices();
        let fds: Vec<Mark> = transmit.fds().iter().map(Mark::of).collect();
        assert!(!bytes.is_empty() && transmit.slices().iter().all(|s| !s.is_empty()));
        assert_eq!(transmit.len(), bytes.len());
        assert!(fds.len() <= MAX_FDS_OUT);
        stream.check_offer(&bytes, &fds);
        let len = bytes.len().min(room);
        self.session.handle_transmitted(to, len);
        if len > 0 {
            stream.leave(&bytes[..len], &fds);
            assert!(fds.iter().all(|fd| fd.is_closed()), "what was sent on is closed here");
        }
        self.check();
        true
    }

    /// All that waits for `to` is sent.
    pub fn transmit_all(&mut self, to: Side) {
        while self.transmit(to, usize::MAX) {}
    }

    /// `side` closes its socket.
    pub fn close(&mut self, side: Side) {
        self.session.handle_end(side);
        self.model.close(side);
        self.take_unwanted();
    }

    /// `side` reads no more.
    pub fn deafen(&mut self, side: Side) {
        self.session.handle_deaf(side);
        self.model.deafen(side);
        self.take_unwanted();
    }

    /// Whoever runs the session takes and closes the fds that nobody gets.
    pub fn take_unwanted(&mut self) {
        let mut fds = Vec::new();
        self.session.take_unwanted_fds(&mut fds);
        let mut got: Vec<Mark> = fds.iter().map(Mark::of).collect();
        let mut expected = self.model.take_unwanted();
        got.sort_unstable();
        expected.sort_unstable();
        assert_eq!(got, expected, "the fds that nobody gets");
        drop(fds);
        self.check();
    }

    /// The kernel lost fds of `from`.
    pub fn lose_fds(&mut self, from: Side) {
        let violation = self.session.handle_lost_fds(from, self.now, &mut self.hook);
        assert_eq!((violation.fault, violation.place), (from, None));
        self.model.lose_fds(from);
        self.check();
    }

    /// There is no compositor to talk to.
    pub fn refuse(&mut self) {
        self.session.refuse("there is none", self.now, &mut self.hook);
        self.model.refuse();
        self.check();
    }

    fn check(&mut self) {
        let notes = std::mem::take(&mut self.hook.notes);
        assert_eq!(notes, self.model.take_notes(), "what the hook is shown");
        self.check_flags();
        for side in [Side::Client, Side::Compositor] {
            if !self.model.hears(side) {
                continue;
            }
            let stream = self.model.out(side);
            let waiting = self.session.waiting(side);
            if stream.ends_in_error() {
                assert!(waiting >= stream.waiting(), "the error waits");
            } else {
                assert_eq!(waiting, stream.waiting(), "bytes that wait for {side}");
            }
        }
    }

    /// From now on somebody is shown every message, or nobody.
    pub fn observe(&mut self, observed: bool) {
        self.session.set_observed(observed);
        self.model.observe(observed);
    }

    fn check_flags(&self) {
        for side in [Side::Client, Side::Compositor] {
            let (is, shall) = (self.session.wants_read(side), self.model.wants_read(side));
            assert_eq!(is, shall, "whether {side} is welcome");
        }
        assert_eq!(self.session.is_closing(), self.model.is_closing(), "whether it is closing");
        assert_eq!(self.session.is_over(), self.model.is_over(), "whether it is over");
        assert_eq!(self.session.is_finished(), self.model.is_finished(), "whether it is finished");
    }

    /// Compares what is known of every object, and of some ids that are none.
    pub fn check_objects(&mut self) {
        let objects = &self.model.objects;
        let mut ids: Vec<u32> = objects.all.keys().copied().collect();
        for id in objects.all.keys().copied().chain([0, 0x8000_0000, u32::MAX]) {
            ids.extend([id.wrapping_add(1), id.wrapping_sub(1), id]);
        }
        let mut probe = Probe { ids, seen: Vec::new() };
        self.session.inject(self.now, &mut probe);
        let expected: Vec<_> = probe
            .ids
            .iter()
            .filter_map(|&id| self.model.objects.find(id).map(|t| (id, told(t))))
            .collect();
        // A session that is over shows nothing any more.
        if self.model.is_over() {
            assert!(probe.seen.is_empty());
        } else {
            assert_eq!(probe.seen, expected, "the objects");
        }
    }

    /// Lets both sides read what is left, and ends the session.
    pub fn finish(mut self) {
        self.check_objects();
        for side in [Side::Client, Side::Compositor] {
            self.receive_all(side);
            self.transmit_all(side);
        }
        self.take_unwanted();
        let Self { session, maker, wires, .. } = self;
        drop((session, wires));
        maker.assert_all_closed();
    }
}

/// Interface, version, whether it is dead, and the hook's data.
type Told = (stratus_protocols::InterfaceId, u32, bool, u64);

fn told(thing: Thing) -> Told {
    (thing.interface, thing.version, thing.state != State::Alive, thing.data)
}

/// Looks at objects.
struct Probe {
    ids: Vec<u32>,
    seen: Vec<(u32, Told)>,
}

impl Hook for Probe {
    fn interests(&self) -> Vec<Interest> {
        Vec::new()
    }

    fn request(&mut self, _: &mut Context<'_>, _: &mut Message<'_>) -> Result<Verdict, Malformed> {
        Ok(Verdict::Forward)
    }

    fn event(&mut self, _: &mut Context<'_>, _: &mut Message<'_>) -> Result<Verdict, Malformed> {
        Ok(Verdict::Forward)
    }

    fn inject(&mut self, cx: &mut Context<'_>) {
        let seen = self.ids.iter().filter_map(|&id| {
            let o = cx.object(ObjectId(id))?;
            Some((id, (o.interface, o.version, o.destroyed, o.data)))
        });
        self.seen = seen.collect();
    }
}

/// Joins the pieces of an offer.
trait ConcatSlices {
    fn concat_slices(&self) -> Vec<u8>;
}

impl ConcatSlices for [std::io::IoSlice<'_>] {
    fn concat_slices(&self) -> Vec<u8> {
        self.iter().flat_map(|s| s.iter().copied()).collect()
    }
}
