//! Random legal sessions, cut at random places on the way in and on the way out, come out as
//! they went in: the same bytes, the same fds in the same order, each fd no later than its message.
//! An observer that comes and goes between the pieces changes none of that, and is shown each
//! message that became whole while it watched.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::VecDeque;

use proptest::prelude::*;
use stratus_proxy_core::{Observed, Observer, PassThrough, Seen, Session, Side, Step};
use support::*;

/// One thing that a peer does, with numbers to choose among what there is.
#[derive(Clone, Debug)]
enum Op {
    CreateSurface,
    Damage(usize),
    Commit(usize),
    DestroySurface(usize),
    DeleteId,
    CreatePool,
    Sync,
    Keymap,
    Enter(usize),
    Title(usize, String),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => Just(Op::CreateSurface),
        4 => any::<usize>().prop_map(Op::Damage),
        4 => any::<usize>().prop_map(Op::Commit),
        1 => any::<usize>().prop_map(Op::DestroySurface),
        2 => Just(Op::DeleteId),
        2 => Just(Op::CreatePool),
        2 => Just(Op::Sync),
        2 => Just(Op::Keymap),
        3 => any::<usize>().prop_map(Op::Enter),
        1 => (any::<usize>(), ".{0,40}").prop_map(|(n, s)| Op::Title(n, s)),
    ]
}

/// The reference: which ids both peers hold, and what they would say next.
struct Peers {
    surfaces: Vec<u32>,
    /// Destroyed, or ended by an event; the compositor may delete these.
    ended: VecDeque<u32>,
    free: Vec<u32>,
    next: u32,
    fds: u8,
}

/// A message, from whom, and the marks of its fds.
struct Said {
    from: Side,
    bytes: Vec<u8>,
    fds: Vec<u8>,
}

impl Peers {
    /// As [`set_up`] leaves them, with a keyboard (7), a shell (8) and its window (9, 10).
    fn new() -> Self {
        Self { surfaces: vec![4], ended: VecDeque::new(), free: Vec::new(), next: 11, fds: 0 }
    }

    fn new_id(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        })
    }

    fn fd(&mut self) -> Vec<u8> {
        self.fds = self.fds.wrapping_add(1);
        vec![self.fds]
    }

    fn surface(&self, n: usize) -> u32 {
        self.surfaces[n % self.surfaces.len()]
    }

    fn perform(&mut self, op: &Op) -> Vec<Said> {
        let request = |bytes| Said { from: Side::Client, bytes, fds: Vec::new() };
        let event = |bytes| Said { from: Side::Compositor, bytes, fds: Vec::new() };
        match op {
            Op::CreateSurface => {
                let id = self.new_id();
                self.surfaces.push(id);
                vec![request(message(3, 0, &[id]))]
            }
            Op::Damage(n) => vec![request(message(self.surface(*n), 2, &[1, 2, 3, 4]))],
            Op::Commit(n) => vec![request(message(self.surface(*n), 6, &[]))],
            Op::DestroySurface(n) if self.surfaces.len() > 1 => {
                let id = self.surfaces.remove(1 + n % (self.surfaces.len() - 1));
                self.ended.push_back(id);
                // The compositor speaks of it before it hears.
                vec![request(message(id, 0, &[])), event(message(id, 0, &[3]))]
            }
            Op::DeleteId => match self.ended.pop_front() {
                Some(id) => {
                    self.free.push(id);
                    vec![event(delete_id(id))]
                }
                None => Vec::new(),
            },
            Op::CreatePool => {
                let id = self.new_id();
                let fds = self.fd();
                self.ended.push_back(id);
                let create = Said { from: Side::Client, bytes: message(5, 0, &[id, 4096]), fds };
                vec![create, request(message(id, 1, &[]))]
            }
            Op::Sync => {
                let id = self.new_id();
                self.ended.push_back(id);
                vec![request(sync(id)), event(message(id, 0, &[5]))]
            }
            Op::Keymap => {
                let fds = self.fd();
                vec![Said { from: Side::Compositor, bytes: message(7, 0, &[1, 99]), fds }]
            }
            Op::Enter(n) => vec![event(message(self.surface(*n), 0, &[3]))],
            Op::Title(n, title) => {
                vec![request(message(10, 2 + (n % 2) as u16, &text(title)))]
            }
            Op::DestroySurface(_) => Vec::new(),
        }
    }
}

/// What came out on one side.
#[derive(Default)]
struct Out {
    bytes: Vec<u8>,
    fds: Vec<u8>,
}

impl Out {
    /// Takes at most `most` bytes of one transmission.
    fn take_some(&mut self, s: &mut Session, to: Side, most: usize) -> bool {
        let Some(transmit) = s.poll_transmit(to) else { return false };
        let bytes: Vec<u8> = transmit.slices().iter().flat_map(|b| b.iter().copied()).collect();
        let fds: Vec<_> = transmit.fds().iter().map(|fd| fd.try_clone().unwrap()).collect();
        let len = bytes.len().min(most);
        self.bytes.extend_from_slice(&bytes[..len]);
        self.fds.extend(fds.into_iter().map(mark_of));
        s.handle_transmitted(to, len);
        true
    }

    /// Whether each fd came with the first byte of its message at the latest.
    fn fds_in_time(&self, places: &[usize]) -> bool {
        let due = places.iter().filter(|place| **place < self.bytes.len()).count();
        self.fds.len() >= due
    }
}

/// Where in the stream of one side the messages of its fds begin.
fn places(said: &[Said], from: Side) -> Vec<usize> {
    let mut at = 0;
    let mut places = Vec::new();
    for one in said.iter().filter(|one| one.from == from) {
        places.extend(one.fds.iter().map(|_| at));
        at += one.bytes.len();
    }
    places
}

fn start() -> Session {
    let mut s = session_with_surface();
    pass(&mut s, Side::Compositor, &global(2, 9, "xdg_wm_base", 3));
    let requests = [
        message(6, 1, &[7]),
        bind(2, 9, "xdg_wm_base", 3, 8),
        message(8, 2, &[9, 4]),
        message(9, 1, &[10]),
    ];
    pass(&mut s, Side::Client, &requests.concat());
    s.take(Side::Client);
    s.take(Side::Compositor);
    s
}

/// What one side says in a row: from whom, its bytes, and at which of them each fd belongs.
type Stretch = (Side, Vec<u8>, Vec<(usize, u8)>);

/// Joins what one side says in a row, remembering at which byte each fd belongs.
fn joined(said: &[Said]) -> Vec<Stretch> {
    let mut all: Vec<Stretch> = Vec::new();
    for one in said {
        if all.last().is_none_or(|(from, _, _)| *from != one.from) {
            all.push((one.from, Vec::new(), Vec::new()));
        }
        let (_, bytes, fds) = all.last_mut().unwrap();
        fds.extend(one.fds.iter().map(|mark| (bytes.len(), *mark)));
        bytes.extend_from_slice(&one.bytes);
    }
    all
}

/// Keeps each message as it came, with the number of its fds.
#[derive(Default)]
struct Keeps {
    requests: Vec<(Vec<u8>, usize)>,
    events: Vec<(Vec<u8>, usize)>,
}

impl Keeps {
    fn of(&mut self, from: Side) -> &mut Vec<(Vec<u8>, usize)> {
        match from {
            Side::Client => &mut self.requests,
            Side::Compositor => &mut self.events,
        }
    }
}

impl Observer for Keeps {
    fn active(&self) -> bool {
        true
    }

    fn seen(&mut self, seen: &Seen<'_>) {
        assert_eq!(seen.step, Step::Came);
        let words = seen.body().chunks(4).map(|w| u32::from_ne_bytes(w.try_into().unwrap()));
        let message = message(seen.sender.0, seen.opcode, &words.collect::<Vec<_>>());
        let from = if seen.direction == Side::Client.direction() {
            Side::Client
        } else {
            Side::Compositor
        };
        self.of(from).push((message, seen.fds().len()));
    }
}

/// The messages of one side of which the last byte lies in one of these parts of its stream.
fn whole_within(
    said: &[Said],
    from: Side,
    parts: &[(Side, usize, usize)],
) -> Vec<(Vec<u8>, usize)> {
    let mut at = 0;
    let mut whole = Vec::new();
    for one in said.iter().filter(|one| one.from == from) {
        at += one.bytes.len();
        if parts.iter().any(|(side, start, end)| *side == from && *start < at && at <= *end) {
            whole.push((one.bytes.clone(), one.fds.len()));
        }
    }
    whole
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_gives_the_same(
        ops in prop::collection::vec(op(), 1..80),
        cuts in prop::collection::vec((1usize..60, 0usize..90, any::<bool>()), 1..40),
    ) {
        let mut peers = Peers::new();
        let said: Vec<Said> = ops.iter().flat_map(|op| peers.perform(op)).collect();
        let mut s = start();
        let mut cuts = cuts.into_iter().cycle();
        let (mut to_compositor, mut to_client) = (Out::default(), Out::default());
        let up = places(&said, Side::Client);
        let down = places(&said, Side::Compositor);
        let mut hook = Observed { hook: PassThrough, observer: Keeps::default() };
        let mut observed = Vec::new();
        let mut heard = [0, 0];
        for (from, bytes, fds) in joined(&said) {
            let mut at = 0;
            while at < bytes.len() {
                let (inward, outward, observe) = cuts.next().unwrap();
                s.set_observed(observe);
                let end = (at + inward).min(bytes.len());
                let here = fds.iter().filter(|(place, _)| (at..end).contains(place));
                let here = here.map(|(_, mark)| marked_fd(*mark)).collect();
                let fed = s.feed(from, &bytes[at..end], here, 0, &mut hook);
                prop_assert_eq!(fed.map_err(|v| v.to_string()), Ok(end - at));
                let heard = &mut heard[usize::from(from == Side::Client)];
                if observe {
                    observed.push((from, *heard, *heard + (end - at)));
                }
                *heard += end - at;
                at = end;
                if outward > 0 {
                    to_compositor.take_some(&mut s, Side::Compositor, outward);
                    to_client.take_some(&mut s, Side::Client, outward);
                    prop_assert!(to_compositor.fds_in_time(&up) && to_client.fds_in_time(&down));
                }
            }
        }
        while to_compositor.take_some(&mut s, Side::Compositor, usize::MAX) {}
        while to_client.take_some(&mut s, Side::Client, usize::MAX) {}
        for (from, out) in [(Side::Client, &to_compositor), (Side::Compositor, &to_client)] {
            let of_side = || said.iter().filter(|one| one.from == from);
            let bytes: Vec<u8> = of_side().flat_map(|one| one.bytes.clone()).collect();
            let fds: Vec<u8> = of_side().flat_map(|one| one.fds.clone()).collect();
            prop_assert!(bytes == out.bytes);
            prop_assert_eq!(&fds, &out.fds);
            prop_assert!(whole_within(&said, from, &observed) == *hook.observer.of(from));
        }
    }

    /// Whatever a peer sends, the session ends with a reason or goes on; it never panics.
    #[test]
    fn garbage_never_panics(
        from_client in any::<bool>(),
        words in prop::collection::vec(
            prop_oneof![
                (1u32..12, 0u32..8, 2u32..8).prop_map(|(a, b, c)| vec![a, (c * 4) << 16 | b]),
                any::<u32>().prop_map(|w| vec![w]),
                (0u32..16).prop_map(|w| vec![w]),
            ],
            0..60,
        ),
    ) {
        let mut s = start();
        let from = if from_client { Side::Client } else { Side::Compositor };
        let bytes: Vec<u8> = words.concat().iter().flat_map(|w| w.to_ne_bytes()).collect();
        let result = s.feed(from, &bytes, vec![marked_fd(1)], 0, &mut PassThrough);
        if let Err(violation) = result {
            prop_assert_eq!(violation.fault, from);
            prop_assert!(s.is_over());
        }
        s.take(Side::Client);
        s.take(Side::Compositor);
    }
}
