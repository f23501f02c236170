//! What an observer is shown of the messages of a session, and when.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use stratus_protocols::{InterfaceId, wl_shm, wl_surface};
use stratus_proxy_core::{
    ClientId, Context, Direction, GlobalPolicy, Hook, Interest, Malformed, Message, ObjectId,
    Observed, Observer, PassThrough, Rules, Seen, Session, Side, Verdict,
};
use support::*;

/// Writes down what it is shown: step, message, the words of the arguments.
#[derive(Default)]
struct Notes {
    lines: Vec<String>,
    idle: bool,
}

impl Observer for Notes {
    fn active(&self) -> bool {
        !self.idle
    }

    fn client_added(&mut self, client: ClientId, process: Option<u32>) {
        self.lines.push(format!("client {} of process {process:?}", client.0));
    }

    fn seen(&mut self, seen: &Seen<'_>) {
        let messages = match seen.direction {
            Direction::Request => seen.interface.interface().requests,
            Direction::Event => seen.interface.interface().events,
        };
        let words = seen.body().chunks(4).map(|w| u32::from_ne_bytes(w.try_into().unwrap()));
        let mut line = format!(
            "{:?} {}@{}.{}{:?}",
            seen.step,
            seen.interface,
            seen.sender,
            messages[usize::from(seen.opcode)].name,
            words.collect::<Vec<_>>(),
        );
        if !seen.fds().is_empty() {
            line += &format!(" {} fds", seen.fds().len());
        }
        self.lines.push(line);
    }

    fn client_gone(&mut self, client: ClientId) {
        self.lines.push(format!("client {} gone", client.0));
    }
}

/// Patches every `set_buffer_scale` to 5, drops every `offset`, and answers a commit with a
/// request and an event of its own.
struct Meddles;

impl Hook for Meddles {
    fn interests(&self) -> Vec<Interest> {
        [
            wl_surface::REQ_SET_BUFFER_SCALE_OPCODE,
            wl_surface::REQ_OFFSET_OPCODE,
            wl_surface::REQ_COMMIT_OPCODE,
        ]
        .map(|opcode| Interest {
            interface: InterfaceId::WlSurface,
            direction: Direction::Request,
            opcode,
        })
        .to_vec()
    }

    fn request(&mut self, cx: &mut Context<'_>, m: &mut Message<'_>) -> Result<Verdict, Malformed> {
        match m.opcode {
            wl_surface::REQ_OFFSET_OPCODE => return Ok(Verdict::Drop),
            wl_surface::REQ_COMMIT_OPCODE => send_own(cx),
            _ => m.patch(0, 5)?,
        }
        Ok(Verdict::Forward)
    }

    fn event(&mut self, _: &mut Context<'_>, _: &mut Message<'_>) -> Result<Verdict, Malformed> {
        Ok(Verdict::Forward)
    }

    fn inject(&mut self, cx: &mut Context<'_>) {
        send_own(cx);
    }
}

fn send_own(cx: &mut Context<'_>) {
    cx.send_request(ObjectId(4), wl_surface::REQ_DAMAGE_OPCODE, |w| {
        w.int(1).int(2).int(3).int(4);
    });
    cx.send_event(ObjectId(4), wl_surface::EVT_PREFERRED_BUFFER_SCALE_OPCODE, |w| {
        w.int(13);
    });
}

type Watched<H> = Observed<H, Notes>;

/// A session in the state of [`set_up`], and observed from now on.
fn watched<H: Hook>(hook: H) -> (Session, Watched<H>) {
    let mut watched = Observed { hook, observer: Notes::default() };
    let mut s = session_with(&watched, GlobalPolicy::default());
    set_up(&mut s, &mut watched);
    assert!(watched.observer.lines.is_empty(), "nothing is shown before it is asked for");
    s.set_observed(true);
    (s, watched)
}

fn feed<H: Hook>(s: &mut Session, from: Side, bytes: &[u8], hook: &mut Watched<H>) -> Vec<String> {
    assert_eq!(s.feed(from, bytes, Vec::new(), 5, hook).unwrap(), bytes.len());
    std::mem::take(&mut hook.observer.lines)
}

#[test]
fn every_message_comes_once_and_in_order_whole() {
    let (mut s, mut hook) = watched(PassThrough);
    let bytes = [damage(7), sync(7), commit(), message(4, 0, &[])].concat();
    assert!(feed(&mut s, Side::Client, &bytes[..20], &mut hook).is_empty(), "half a message");
    let mut lines = feed(&mut s, Side::Client, &bytes[20..30], &mut hook);
    lines.extend(feed(&mut s, Side::Client, &bytes[30..], &mut hook));
    assert_eq!(
        lines,
        [
            "Came wl_surface@4.damage[7, 7, 7, 7]",
            "Came wl_display@1.sync[7]",
            "Came wl_surface@4.commit[]",
            "Came wl_surface@4.destroy[]",
        ]
    );
    let events = [message(7, 0, &[3]), delete_id(7), message(4, 0, &[9]), delete_id(4)].concat();
    assert_eq!(
        feed(&mut s, Side::Compositor, &events, &mut hook),
        [
            "Came wl_callback@7.done[3]",
            "Came wl_display@1.delete_id[7]",
            "Came wl_surface@4.enter[9]",
            "Came wl_display@1.delete_id[4]",
        ]
    );
    // What those messages do to the objects is done as ever.
    feed(&mut s, Side::Client, &[sync(7), message(3, 0, &[4]), commit()].concat(), &mut hook);
}

#[test]
fn a_patched_message_came_and_changed_and_a_dropped_one_came_and_was_dropped() {
    let (mut s, mut hook) = watched(Meddles);
    let scale = message(4, wl_surface::REQ_SET_BUFFER_SCALE_OPCODE, &[2]);
    let offset = message(4, wl_surface::REQ_OFFSET_OPCODE, &[8, 9]);
    assert_eq!(
        feed(&mut s, Side::Client, &[scale, offset].concat(), &mut hook),
        [
            "Came wl_surface@4.set_buffer_scale[2]",
            "Changed wl_surface@4.set_buffer_scale[5]",
            "Came wl_surface@4.offset[8, 9]",
            "Dropped wl_surface@4.offset[8, 9]",
        ]
    );
}

#[test]
fn own_messages_of_a_hook_are_shown_behind_what_caused_them() {
    let (mut s, mut hook) = watched(Meddles);
    let own =
        ["Own wl_surface@4.damage[1, 2, 3, 4]", "Own wl_surface@4.preferred_buffer_scale[13]"];
    let lines = feed(&mut s, Side::Client, &[commit(), damage(6)].concat(), &mut hook);
    let came =
        ["Came wl_surface@4.commit[]", own[0], own[1], "Came wl_surface@4.damage[6, 6, 6, 6]"];
    assert_eq!(lines, came);
    s.inject(9, &mut hook);
    assert_eq!(hook.observer.lines, own);
}

#[test]
fn hidden_and_clamped_globals_are_shown_as_they_came() {
    let (mut s, mut hook) = watched(PassThrough);
    let newest = InterfaceId::WlOutput.version();
    let hidden = global(2, 8, "zwlr_screencopy_manager_v1", 3);
    let clamped = global(2, 9, "wl_output", newest + 7);
    let removed = message(2, 1, &[8]);
    let lines = feed(&mut s, Side::Compositor, &[hidden, clamped, removed].concat(), &mut hook);
    let [hidden, dropped, clamped, changed, removed, removal_dropped] = &lines[..] else {
        panic!("{lines:#?}");
    };
    for (line, step) in [(hidden, "Came"), (dropped, "Dropped")] {
        assert!(line.starts_with(&format!("{step} wl_registry@2.global[8, ")), "{line}");
    }
    assert!(clamped.starts_with("Came wl_registry@2.global[9, "), "{clamped}");
    assert!(clamped.ends_with(&format!(", {}]", newest + 7)), "{clamped}");
    assert!(changed.starts_with("Changed wl_registry@2.global[9, "), "{changed}");
    assert!(changed.ends_with(&format!(", {newest}]")), "{changed}");
    assert_eq!(removed, "Came wl_registry@2.global_remove[8]");
    assert_eq!(removal_dropped, "Dropped wl_registry@2.global_remove[8]");
}

#[test]
fn what_ends_the_session_came_and_the_clients_error_is_our_own() {
    let (mut s, mut hook) = watched(PassThrough);
    // Id 4 is the surface's.
    s.feed(Side::Client, &sync(4), Vec::new(), 0, &mut hook).unwrap_err();
    let [came, error] = &hook.observer.lines[..] else { panic!("{:#?}", hook.observer.lines) };
    assert_eq!(came, "Came wl_display@1.sync[4]");
    assert!(error.starts_with("Own wl_display@1.error[1, 1, "), "{error}");

    let (mut s, mut hook) = watched(PassThrough);
    s.handle_lost_fds(Side::Client, 0, &mut hook);
    assert!(hook.observer.lines[0].starts_with("Own wl_display@1.error[1, 2, "));

    let (mut s, mut hook) = watched(PassThrough);
    s.refuse("no compositor", 0, &mut hook);
    assert!(hook.observer.lines[0].starts_with("Own wl_display@1.error[1, 3, 14, "));
}

#[test]
fn missing_fds_are_missing_to_the_observer_too() {
    let (mut s, mut hook) = watched(PassThrough);
    let create_pool = message(5, wl_shm::REQ_CREATE_POOL_OPCODE, &[7, 4096]);
    s.feed(Side::Client, &create_pool, Vec::new(), 0, &mut hook).unwrap_err();
    assert_eq!(hook.observer.lines[0], "Came wl_shm@5.create_pool[7, 4096]");
}

/// Reads what the fd of each message holds, as a recorder does.
#[derive(Default)]
struct Reads(Vec<(u16, String)>);

impl Observer for Reads {
    fn active(&self) -> bool {
        true
    }

    fn seen(&mut self, seen: &Seen<'_>) {
        for fd in seen.fds() {
            let mut text = [0; 6];
            File::from(fd.try_clone().unwrap()).read_exact_at(&mut text, 0).unwrap();
            self.0.push((seen.opcode, String::from_utf8(text.to_vec()).unwrap()));
        }
    }
}

fn file(text: &str) -> OwnedFd {
    let mut file = tempfile();
    file.write_all(text.as_bytes()).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.into()
}

/// A file without a name.
fn tempfile() -> File {
    let path = std::env::temp_dir().join(format!("stratus-observe-{}", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file
}

#[test]
fn fds_can_be_read_when_their_message_came() {
    let mut hook = Observed { hook: PassThrough, observer: Reads::default() };
    let mut s = session_with(&hook, GlobalPolicy::default());
    set_up(&mut s, &mut hook);
    s.set_observed(true);
    let create = |id| message(5, wl_shm::REQ_CREATE_POOL_OPCODE, &[id, 6]);
    let fds = vec![file("first "), file("second")];
    let bytes = [create(7), damage(0), create(8)].concat();
    s.feed(Side::Client, &bytes, fds, 0, &mut hook).unwrap();
    let read = |text: &str| (wl_shm::REQ_CREATE_POOL_OPCODE, text.to_owned());
    assert_eq!(hook.observer.0, [read("first "), read("second")]);
    assert_eq!(s.take(Side::Compositor).1.len(), 2, "they go on as well");
}

/// Looks up the objects among the arguments of `set_parent` and `get_toplevel`.
#[derive(Default)]
struct Names(Vec<Option<InterfaceId>>);

impl Observer for Names {
    fn active(&self) -> bool {
        true
    }

    fn seen(&mut self, seen: &Seen<'_>) {
        if let Ok(id) = seen.args().object() {
            self.0.push(seen.object(id).map(|o| o.interface));
        }
    }
}

#[test]
fn objects_have_names_as_soon_as_their_maker_has_passed() {
    let mut hook = Observed { hook: PassThrough, observer: Names::default() };
    let mut s = session_with(&hook, GlobalPolicy::default());
    set_up(&mut s, &mut hook);
    s.set_observed(true);
    let enter = |surface| message(4, 0, &[surface]);
    s.feed(Side::Client, &message(3, 0, &[7]), Vec::new(), 0, &mut hook).unwrap();
    s.feed(Side::Compositor, &enter(7), Vec::new(), 0, &mut hook).unwrap();
    s.feed(Side::Compositor, &delete_id(7), Vec::new(), 0, &mut hook).unwrap();
    s.feed(Side::Compositor, &enter(7), Vec::new(), 0, &mut hook).unwrap();
    let surface = Some(InterfaceId::WlSurface);
    assert_eq!(hook.observer.0, [None, surface, surface, None]);
}

#[test]
fn each_of_two_observers_sees_only_while_it_is_active() {
    let observer = (Notes { idle: true, ..Notes::default() }, Some(Notes::default()));
    let mut hook = Observed { hook: PassThrough, observer };
    hook.client_added(ClientId(7), Some(99));
    assert!(hook.observes());
    let rules = Arc::new(Rules::new(&hook.interests(), GlobalPolicy::default()));
    let mut s = Session::new(ClientId(7), rules);
    s.set_observed(true);
    s.feed(Side::Client, &get_registry(2), Vec::new(), 0, &mut hook).unwrap();
    hook.observer.0.idle = false;
    hook.observer.1.as_mut().unwrap().idle = true;
    s.feed(Side::Client, &sync(3), Vec::new(), 0, &mut hook).unwrap();
    hook.client_gone(ClientId(7));
    let (start, end) = ("client 7 of process Some(99)", "client 7 gone");
    assert_eq!(hook.observer.0.lines, [start, "Came wl_display@1.sync[3]", end]);
    let second = hook.observer.1.as_ref().unwrap();
    assert_eq!(second.lines, [start, "Came wl_display@1.get_registry[2]", end]);
    hook.observer.0.idle = true;
    assert!(!hook.observes());
}
