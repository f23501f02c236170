//! What a hook may do with messages, and where its own ones go.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::os::fd::AsFd;

use stratus_protocols::{InterfaceId, wl_callback, wl_display, wl_keyboard, wl_shm, wl_surface};
use stratus_proxy_core::{
    ClientId, Context, Direction, GlobalPolicy, Hook, Interest, Malformed, Message, ObjectId,
    Problem, Session, Side, Verdict,
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
fn told_answers_are_used_up() {
    let mut hook = Scripted::told(vec![Answer::Forward]);
    let mut s = session_with(&hook, GlobalPolicy::default());
    set_up(&mut s, &mut hook);
    feed(&mut s, Side::Client, &commit(), &mut hook);
    assert!(hook.answers.is_empty());
}
