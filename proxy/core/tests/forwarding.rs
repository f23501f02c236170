//! What goes through comes out the same, apart from what policy and hooks change.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::os::fd::AsFd;

use stratus_protocols::{InterfaceId, wl_callback, wl_display, wl_keyboard, wl_shm, wl_surface};
use stratus_proxy_core::{
    ClientId, Context, Direction, EVENT_QUEUE_CAP, GlobalPolicy, Hook, Interest, MAX_FDS_OUT,
    Malformed, Message, ObjectId, PassThrough, Problem, REQUEST_QUEUE_LIMIT, Session, Side,
    Verdict,
};
use support::*;

const INTERESTS: [(InterfaceId, Direction, u16); 6] = [
    (InterfaceId::WlSurface, Direction::Request, wl_surface::REQ_COMMIT_OPCODE),
    (InterfaceId::WlSurface, Direction::Request, wl_surface::REQ_SET_BUFFER_SCALE_OPCODE),
    (InterfaceId::WlSurface, Direction::Event, wl_surface::EVT_ENTER_OPCODE),
    (InterfaceId::WlShm, Direction::Request, wl_shm::REQ_CREATE_POOL_OPCODE),
    (InterfaceId::WlKeyboard, Direction::Event, wl_keyboard::EVT_KEYMAP_OPCODE),
    (InterfaceId::WlDisplay, Direction::Event, wl_display::EVT_DELETE_ID_OPCODE),
];

/// Answers as it was told to, once a message, and writes down what it saw.
#[derive(Default)]
struct Scripted {
    answers: Vec<Answer>,
    seen: Vec<String>,
    injects: bool,
}

enum Answer {
    Forward,
    Drop,
    Patch(usize, u32),
    /// Sends a request and an event of its own, then this verdict.
    Send(Verdict),
    Malformed,
}

impl Scripted {
    fn told(answers: Vec<Answer>) -> Self {
        Self { answers, ..Self::default() }
    }

    fn answer(&mut self, cx: &mut Context<'_>, m: &mut Message<'_>) -> Result<Verdict, Malformed> {
        let (interface, opcode) = (m.interface, m.opcode);
        let mut args = m.args();
        let fd = args.fd().map(|fd| fd.as_fd().try_clone_to_owned().is_ok());
        self.seen.push(format!("{interface}.{opcode} data {} fd {fd:?}", m.data));
        cx.set_data(m.sender, m.data + 1);
        if self.answers.is_empty() {
            return Ok(Verdict::Forward);
        }
        match self.answers.remove(0) {
            Answer::Forward => Ok(Verdict::Forward),
            Answer::Drop => Ok(Verdict::Drop),
            Answer::Patch(word, value) => m.patch(word, value).map(|()| Verdict::Forward),
            Answer::Malformed => Err(Malformed),
            Answer::Send(verdict) => {
                send_own(cx);
                Ok(verdict)
            }
        }
    }
}

/// `wl_surface@4.offset(11, 12)` and `wl_surface@4.preferred_buffer_scale(13)`.
fn send_own(cx: &mut Context<'_>) {
    cx.send_request(ObjectId(4), wl_surface::REQ_OFFSET_OPCODE, |w| {
        w.int(11).int(12);
    });
    cx.send_event(ObjectId(4), wl_surface::EVT_PREFERRED_BUFFER_SCALE_OPCODE, |w| {
        w.int(13);
    });
}

fn own_request() -> Vec<u8> {
    message(4, wl_surface::REQ_OFFSET_OPCODE, &[11, 12])
}

fn own_event() -> Vec<u8> {
    message(4, wl_surface::EVT_PREFERRED_BUFFER_SCALE_OPCODE, &[13])
}

impl Hook for Scripted {
    fn interests(&self) -> Vec<Interest> {
        INTERESTS
            .map(|(interface, direction, opcode)| Interest { interface, direction, opcode })
            .to_vec()
    }

    fn request(&mut self, cx: &mut Context<'_>, m: &mut Message<'_>) -> Result<Verdict, Malformed> {
        self.answer(cx, m)
    }

    fn event(&mut self, cx: &mut Context<'_>, m: &mut Message<'_>) -> Result<Verdict, Malformed> {
        self.answer(cx, m)
    }

    fn inject(&mut self, cx: &mut Context<'_>) {
        assert_eq!(cx.client(), ClientId(7));
        if self.injects {
            send_own(cx);
        }
    }
}

fn hooked(hook: &mut Scripted) -> Session {
    let mut s = session_with(hook, GlobalPolicy::default());
    set_up(&mut s, hook);
    hook.seen.clear();
    s
}

fn feed(s: &mut Session, from: Side, bytes: &[u8], hook: &mut Scripted) {
    assert_eq!(s.feed(from, bytes, Vec::new(), 5, hook).unwrap(), bytes.len());
}

fn damage(n: u32) -> Vec<u8> {
    message(4, wl_surface::REQ_DAMAGE_OPCODE, &[n, n, n, n])
}

fn commit() -> Vec<u8> {
    message(4, wl_surface::REQ_COMMIT_OPCODE, &[])
}

#[test]
fn dropped_messages_leave_nothing_and_the_rest_in_order() {
    let mut hook = Scripted::default();
    let mut s = hooked(&mut hook);
    hook.answers = vec![Answer::Drop, Answer::Forward, Answer::Drop];
    let bytes = [damage(1), commit(), damage(2), commit(), damage(3), commit(), damage(4)].concat();
    feed(&mut s, Side::Client, &bytes, &mut hook);
    let left = [damage(1), damage(2), commit(), damage(3), damage(4)].concat();
    assert_eq!(s.take(Side::Compositor).0, left);
}

#[test]
fn a_patch_changes_its_word_only() {
    let mut hook = Scripted::default();
    let mut s = hooked(&mut hook);
    hook.answers = vec![Answer::Patch(0, 5)];
    let scale = |n| message(4, wl_surface::REQ_SET_BUFFER_SCALE_OPCODE, &[n]);
    feed(&mut s, Side::Client, &[damage(1), scale(2), damage(3)].concat(), &mut hook);
    assert_eq!(s.take(Side::Compositor).0, [damage(1), scale(5), damage(3)].concat());
}

#[test]
fn a_patch_behind_the_end_is_the_clients_fault() {
    let mut hook = Scripted::default();
    let mut s = hooked(&mut hook);
    hook.answers = vec![Answer::Patch(0, 5)];
    let violation = s.feed(Side::Client, &commit(), Vec::new(), 0, &mut hook).unwrap_err();
    assert_eq!((violation.fault, violation.problem), (Side::Client, Problem::Malformed));
}

#[test]
fn a_hook_that_finds_bad_arguments_ends_the_session() {
    let mut hook = Scripted::default();
    let mut s = hooked(&mut hook);
    hook.answers = vec![Answer::Malformed];
    let enter = message(4, wl_surface::EVT_ENTER_OPCODE, &[9]);
    let violation = s.feed(Side::Compositor, &enter, Vec::new(), 0, &mut hook).unwrap_err();
    assert_eq!((violation.fault, violation.problem), (Side::Compositor, Problem::Malformed));
}

#[test]
fn own_messages_go_before_the_one_at_hand_and_behind_all_of_the_other_way() {
    for (verdict, kept) in [(Verdict::Forward, commit()), (Verdict::Drop, Vec::new())] {
        let mut hook = Scripted::default();
        let mut s = hooked(&mut hook);
        feed(&mut s, Side::Compositor, &message(4, 1, &[8]), &mut hook);
        hook.answers = vec![Answer::Send(verdict)];
        feed(&mut s, Side::Client, &[damage(1), commit(), damage(2)].concat(), &mut hook);
        let requests = [damage(1), own_request(), kept, damage(2)].concat();
        assert_eq!(s.take(Side::Compositor).0, requests);
        assert_eq!(s.take(Side::Client).0, [message(4, 1, &[8]), own_event()].concat());
    }
}

#[test]
fn an_events_own_messages_mirror_those_of_a_request() {
    let mut hook = Scripted::default();
    let mut s = hooked(&mut hook);
    feed(&mut s, Side::Client, &damage(1), &mut hook);
    hook.answers = vec![Answer::Send(Verdict::Forward)];
    let enter = message(4, wl_surface::EVT_ENTER_OPCODE, &[9]);
    let leave = message(4, wl_surface::EVT_LEAVE_OPCODE, &[9]);
    feed(&mut s, Side::Compositor, &[leave.clone(), enter.clone()].concat(), &mut hook);
    assert_eq!(s.take(Side::Client).0, [leave, own_event(), enter].concat());
    assert_eq!(s.take(Side::Compositor).0, [damage(1), own_request()].concat());
}

#[test]
fn injections_go_behind_what_waits() {
    let mut hook = Scripted { injects: true, ..Scripted::default() };
    let mut s = hooked(&mut hook);
    feed(&mut s, Side::Client, &damage(1), &mut hook);
    s.inject(9, &mut hook);
    feed(&mut s, Side::Client, &damage(2), &mut hook);
    assert_eq!(s.take(Side::Compositor).0, [damage(1), own_request(), damage(2)].concat());
    assert_eq!(s.take(Side::Client).0, own_event());
}

#[test]
fn data_stays_with_an_object_and_half_a_message_is_not_shown() {
    let mut hook = Scripted::default();
    let mut s = hooked(&mut hook);
    let bytes = [commit(), commit()].concat();
    feed(&mut s, Side::Client, &bytes[..12], &mut hook);
    assert_eq!(hook.seen, ["wl_surface.6 data 0 fd Err(Malformed)"]);
    feed(&mut s, Side::Client, &bytes[12..], &mut hook);
    assert_eq!(hook.seen[1], "wl_surface.6 data 1 fd Err(Malformed)");
}

#[test]
fn a_message_with_a_new_id_is_not_dropped_and_its_fd_is_lent() {
    let mut hook = Scripted::default();
    let mut s = hooked(&mut hook);
    hook.answers = vec![Answer::Drop];
    let create_pool = message(5, wl_shm::REQ_CREATE_POOL_OPCODE, &[7, 4096]);
    s.feed(Side::Client, &create_pool, vec![marked_fd(3)], 0, &mut hook).unwrap();
    assert_eq!(hook.seen, ["wl_shm.0 data 0 fd Ok(true)"]);
    let (bytes, mut fds) = s.take(Side::Compositor);
    assert_eq!(bytes, create_pool);
    assert_eq!(fds.drain(..).map(mark_of).collect::<Vec<_>>(), [3]);
}

#[test]
fn a_delete_id_counts_when_the_client_hears_it() {
    struct Delays;
    impl Hook for Delays {
        fn interests(&self) -> Vec<Interest> {
            let (interface, direction, opcode) = INTERESTS[5];
            vec![Interest { interface, direction, opcode }]
        }
        fn request(
            &mut self,
            _: &mut Context<'_>,
            _: &mut Message<'_>,
        ) -> Result<Verdict, Malformed> {
            Ok(Verdict::Forward)
        }
        fn event(
            &mut self,
            _: &mut Context<'_>,
            _: &mut Message<'_>,
        ) -> Result<Verdict, Malformed> {
            Ok(Verdict::Drop)
        }
        fn inject(&mut self, cx: &mut Context<'_>) {
            cx.send_event(ObjectId::DISPLAY, wl_display::EVT_DELETE_ID_OPCODE, |w| {
                w.uint(2);
            });
        }
    }
    let start = || {
        let mut s = session_with(&Delays, GlobalPolicy::default());
        s.feed(Side::Client, &sync(2), Vec::new(), 0, &mut Delays).unwrap();
        let events = [message(2, wl_callback::EVT_DONE_OPCODE, &[0]), delete_id(2)].concat();
        s.feed(Side::Compositor, &events, Vec::new(), 0, &mut Delays).unwrap();
        s
    };
    let early = start().feed(Side::Client, &sync(2), Vec::new(), 0, &mut Delays).unwrap_err();
    assert_eq!(early.problem, Problem::NewIdTaken(ObjectId(2)));
    let mut s = start();
    s.inject(0, &mut Delays);
    s.feed(Side::Client, &sync(2), Vec::new(), 0, &mut Delays).unwrap();
}

#[test]
fn hidden_and_unknown_globals_do_not_exist_and_new_versions_are_clamped() {
    let mut s = session();
    pass(&mut s, Side::Client, &get_registry(2));
    let known = InterfaceId::WlCompositor.version();
    let events = [
        global(2, 1, "wl_compositor", known + 5),
        global(2, 2, "zwlr_screencopy_manager_v1", 3),
        global(2, 3, "vendor_secret_v1", 1),
        global(2, 4, "wl_seat", 7),
        message(2, 1, &[2]),
        message(2, 1, &[3]),
        message(2, 1, &[99]),
        message(2, 1, &[4]),
    ];
    pass(&mut s, Side::Compositor, &events.concat());
    let expected =
        [global(2, 1, "wl_compositor", known), global(2, 4, "wl_seat", 7), message(2, 1, &[4])];
    assert_eq!(s.take(Side::Client).0, expected.concat());
    // A client that did not read global_remove yet may still bind.
    pass(&mut s, Side::Client, &bind(2, 4, "wl_seat", 7, 3));
}

#[test]
fn a_global_opened_by_name_is_offered() {
    let mut policy = GlobalPolicy::default();
    policy.allow("zwlr_screencopy_manager_v1").unwrap();
    policy.hide("wl_seat").unwrap();
    let mut s = session_with(&PassThrough, policy);
    pass(&mut s, Side::Client, &get_registry(2));
    let screencopy = global(2, 2, "zwlr_screencopy_manager_v1", 3);
    pass(&mut s, Side::Compositor, &[screencopy.clone(), global(2, 1, "wl_seat", 5)].concat());
    assert_eq!(s.take(Side::Client).0, screencopy);
}

#[test]
fn children_inherit_the_version_of_their_maker() {
    struct Looks(Vec<u32>);
    impl Hook for Looks {
        fn interests(&self) -> Vec<Interest> {
            Scripted::default().interests()
        }
        fn request(
            &mut self,
            cx: &mut Context<'_>,
            m: &mut Message<'_>,
        ) -> Result<Verdict, Malformed> {
            self.0.push(m.version);
            self.0.push(cx.object(ObjectId(3)).unwrap().version);
            Ok(Verdict::Forward)
        }
        fn event(
            &mut self,
            _: &mut Context<'_>,
            _: &mut Message<'_>,
        ) -> Result<Verdict, Malformed> {
            Ok(Verdict::Forward)
        }
    }
    let mut hook = Looks(Vec::new());
    let mut s = session_with(&hook, GlobalPolicy::default());
    set_up(&mut s, &mut hook);
    s.feed(Side::Client, &commit(), Vec::new(), 0, &mut hook).unwrap();
    assert_eq!(hook.0, [4, 4]);
}

#[test]
fn at_most_28_fds_leave_at_once_and_none_after_its_message() {
    let mut s = session_with_surface();
    let pools = 70u32;
    for n in 0..pools {
        let bytes = message(5, 0, &[7 + n, 4096]);
        s.feed(Side::Client, &bytes, vec![marked_fd(n as u8)], 0, &mut PassThrough).unwrap();
    }
    let size = 16;
    let (mut sent_bytes, mut sent_fds) = (0, 0);
    // An odd step cuts messages, as a full socket does.
    while let Some(transmit) = s.poll_transmit(Side::Compositor) {
        let (len, fds) = (transmit.len(), transmit.fds().len());
        assert!(fds <= MAX_FDS_OUT);
        sent_fds += fds;
        let begun = (sent_bytes + len).div_ceil(size);
        assert!(sent_fds >= begun, "{sent_fds} fds for {begun} messages");
        let step = len.min(77);
        s.handle_transmitted(Side::Compositor, step);
        sent_bytes += step;
    }
    assert_eq!((sent_bytes, sent_fds), (pools as usize * size, pools as usize));
}

#[test]
fn a_full_socket_changes_nothing() {
    let mut s = session_with_surface();
    s.feed(Side::Client, &message(5, 0, &[7, 4096]), vec![marked_fd(1)], 0, &mut PassThrough)
        .unwrap();
    for _ in 0..3 {
        assert_eq!(s.poll_transmit(Side::Compositor).unwrap().fds().len(), 1);
        s.handle_transmitted(Side::Compositor, 0);
    }
    assert_eq!(s.take(Side::Compositor).1.len(), 1);
}

#[test]
fn a_compositor_that_does_not_read_stops_the_reading_of_the_client() {
    let mut s = session_with_surface();
    let many = damage(1).repeat(20_000);
    let taken = s.feed(Side::Client, &many, Vec::new(), 0, &mut PassThrough).unwrap();
    assert!(taken as u64 >= REQUEST_QUEUE_LIMIT && taken < 200 << 10, "{taken}");
    assert!(!s.wants_read(Side::Client) && s.wants_read(Side::Compositor));
    let mut out = s.take(Side::Compositor).0;
    let mut rest = &many[taken..];
    while !rest.is_empty() {
        rest = &rest[s.feed(Side::Client, rest, Vec::new(), 0, &mut PassThrough).unwrap()..];
        out.extend(s.take(Side::Compositor).0);
    }
    assert!(out == many);
}

#[test]
fn a_client_that_does_not_read_is_kept_for_long_and_then_ended() {
    let mut s = session_with_surface();
    let event = message(4, 2, &[1]);
    let chunk = event.repeat(4096);
    let mut fed = 0;
    while fed + chunk.len() as u64 <= EVENT_QUEUE_CAP {
        pass(&mut s, Side::Compositor, &chunk);
        fed += chunk.len() as u64;
    }
    assert_eq!(s.waiting(Side::Client), fed);
    // It wakes up: nothing is lost, and the queue is small again.
    let (bytes, _) = s.take(Side::Client);
    assert!(bytes.len() as u64 == fed && bytes.chunks(event.len()).all(|e| e == event));
    assert!(s.spare(Side::Compositor).len() <= 256 << 10);

    let violation = loop {
        match s.feed(Side::Compositor, &chunk, Vec::new(), 0, &mut PassThrough) {
            Ok(_) => assert!(s.waiting(Side::Client) <= EVENT_QUEUE_CAP),
            Err(violation) => break violation,
        }
    };
    assert!(matches!(violation.problem, Problem::TooMuchUnread(n) if n > EVENT_QUEUE_CAP));
    assert_eq!(violation.fault, Side::Client);
    assert!(s.is_finished());
}

#[test]
fn a_slow_client_gets_every_byte_while_the_queue_grows_and_moves() {
    let mut s = session_with_surface();
    let (mut sent, mut got) = (Vec::new(), Vec::new());
    for n in 0..60_000u32 {
        let event = message(4, 2, &[n]);
        pass(&mut s, Side::Compositor, &event);
        sent.extend(event);
        if n % 7 == 0
            && let Some(transmit) = s.poll_transmit(Side::Client)
        {
            let all: Vec<u8> = transmit.slices().iter().flat_map(|b| b.iter().copied()).collect();
            let step = all.len().min(61);
            got.extend_from_slice(&all[..step]);
            s.handle_transmitted(Side::Client, step);
        }
    }
    got.extend(s.take(Side::Client).0);
    assert!(got == sent);
}

#[test]
fn the_end_of_one_side_lets_the_rest_reach_the_other() {
    let mut s = session_with_surface();
    pass(&mut s, Side::Client, &damage(1));
    s.handle_end(Side::Client);
    assert!(!s.is_finished() && !s.wants_read(Side::Client) && !s.wants_read(Side::Compositor));
    assert_eq!(s.take(Side::Compositor).0, damage(1));
    assert!(s.is_finished());

    let mut s = session_with_surface();
    pass(&mut s, Side::Compositor, &message(4, 2, &[1]));
    s.handle_end(Side::Compositor);
    assert!(!s.is_finished());
    assert_eq!(s.take(Side::Client).0, message(4, 2, &[1]));
    assert!(s.is_finished());
}

#[test]
fn a_side_that_hears_nothing_may_still_be_read() {
    let mut s = session_with_surface();
    pass(&mut s, Side::Client, &damage(1));
    s.handle_deaf(Side::Compositor);
    assert!(s.poll_transmit(Side::Compositor).is_none());
    assert!(s.wants_read(Side::Compositor) && !s.wants_read(Side::Client));
    s.handle_deaf(Side::Client);
    assert!(s.is_finished());
}

#[test]
fn a_refused_client_hears_why() {
    let mut s = session();
    s.refuse("no compositor");
    let error = message(1, 0, &[vec![1, 3], text("no compositor")].concat());
    assert_eq!(s.take(Side::Client).0, error);
    assert!(s.is_finished());
}

#[test]
fn told_answers_are_used_up() {
    let mut hook = Scripted::told(vec![Answer::Forward]);
    let mut s = session_with(&hook, GlobalPolicy::default());
    set_up(&mut s, &mut hook);
    feed(&mut s, Side::Client, &commit(), &mut hook);
    assert!(hook.answers.is_empty());
}
