//! A capture between clients and their compositor, over memory.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use stratus_capture::{Capture, CaptureConfig, CaptureControl, CaptureStats, Path};
use stratus_frame::{Arrival, Frame, Size, Slot, mailbox};
use stratus_protocols::{InterfaceId, wl_buffer, wl_output, wl_registry, wl_surface, xdg_toplevel};
use stratus_proxy_core::{ClientId, GlobalPolicy, Hook, Observed, Rules, Session, Side};

use super::client::{Client, Expect, Heard, Kind};
use super::model::Model;
use super::paced;
use super::watch::Watch;
use crate::model::message;

/// The stream's size.
pub(super) const SCREEN: Size = Size::new(32, 16);
/// How long releases are kept for a frame that is read.
pub(super) const DEADLINE: Duration = Duration::from_millis(100);

/// Between ends of frame callbacks while nobody watches.
const IDLE: Duration = Duration::from_millis(100);

/// The globals that every client binds.
const GLOBALS: [InterfaceId; 12] = [
    InterfaceId::WlCompositor,
    InterfaceId::WlSubcompositor,
    InterfaceId::WlShm,
    InterfaceId::WlOutput,
    InterfaceId::WlSeat,
    InterfaceId::WlDataDeviceManager,
    InterfaceId::XdgWmBase,
    InterfaceId::WpViewporter,
    InterfaceId::WpFractionalScaleManagerV1,
    InterfaceId::WpSinglePixelBufferManagerV1,
    InterfaceId::ZxdgOutputManagerV1,
    InterfaceId::WlOutput,
];

struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

/// All of it.
pub(super) struct World {
    /// The capture, watched by two, the second of whom is not always there.
    capture: Observed<Capture, (Watch, Option<Watch>)>,
    /// Good messages that passed while the first, and the second, watched.
    watched: [u64; 2],
    pub(super) stats: Arc<CaptureStats>,
    pub(super) control: CaptureControl,
    /// All sizes that games may have been told.
    pub(super) sizes: BTreeSet<(u32, u32)>,
    pub(super) slot: Option<Slot>,
    pub(super) clients: Vec<Client>,
    pub(super) model: Model,
    /// Frames so far, and those of them that were composed; and whether the newest was.
    frames_seen: (u64, u64),
    composed_newest: bool,
    now: u64,
    rules: Arc<Rules>,
}

impl World {
    pub(super) fn new() -> Self {
        thread_local! {
            static RULES: std::cell::RefCell<Option<Arc<Rules>>> = const { std::cell::RefCell::new(None) };
        }
        let (post, slot) = mailbox();
        let config = CaptureConfig {
            hold_deadline: DEADLINE,
            idle_interval: Some(IDLE),
            ..CaptureConfig::new(SCREEN)
        };
        let capture = Capture::new(&config, post, Waker::from(Arc::new(Nobody)));
        let rules = RULES.with_borrow_mut(|rules| {
            let make = || Arc::new(Rules::new(&capture.interests(), GlobalPolicy::default()));
            Arc::clone(rules.get_or_insert_with(make))
        });
        let (stats, control) = (capture.stats(), capture.control());
        let model = Model::default();
        let capture = Observed { hook: capture, observer: (Watch::default(), None) };
        let watched = [0; 2];
        Self {
            capture,
            watched,
            stats,
            control,
            sizes: BTreeSet::from([(SCREEN.width, SCREEN.height)]),
            slot: Some(slot),
            clients: Vec::new(),
            model,
            frames_seen: (0, 0),
            composed_newest: false,
            now: 1 << 30,
            rules,
        }
    }

    /// A client that has bound everything.
    pub(super) fn connect(&mut self) -> usize {
        let client = self.clients.len();
        let id = ClientId(client as u64);
        self.capture.client_added(id, None);
        let observed = self.capture.observes();
        let mut session = Session::new(id, Arc::clone(&self.rules));
        session.set_observed(observed);
        self.clients.push(Client::new(session));
        let registry = self.clients[client].make(Kind::Other);
        self.request(client, (1, 1), &[registry], Expect::Same);
        for (name, interface) in (1u32..).zip(GLOBALS) {
            let version = interface.version();
            let offer = [&[name][..], &text(interface.name()), &[version]].concat();
            self.event(client, (registry, wl_registry::EVT_GLOBAL_OPCODE), &offer, Expect::Same);
            let id = self.clients[client].make(Kind::Other);
            let bind = [&offer[..], &[id]].concat();
            self.request(client, (registry, wl_registry::REQ_BIND_OPCODE), &bind, Expect::Same);
            self.clients[client].globals.insert(interface, id);
        }
        client
    }

    /// One of the two who watch begins, or ceases, to do so.
    pub(super) fn watch(&mut self, choice: u8) {
        let (first, second) = &mut self.capture.observer;
        if choice & 1 == 0 {
            first.active = !first.active;
        } else {
            let clients = self.clients.iter().filter(|c| !c.gone).count();
            let second = second.get_or_insert_with(|| Watch { clients, ..Watch::default() });
            second.active = !second.active;
        }
        let observed = self.capture.observes();
        for client in &mut self.clients {
            client.session.set_observed(observed);
        }
    }

    /// Both were shown every message that came while they watched.
    fn check_watched(&self) {
        let (first, second) = &self.capture.observer;
        let clients = self.clients.iter().filter(|c| !c.gone).count();
        for (watch, passed) in [Some(first), second.as_ref()].into_iter().zip(self.watched) {
            if let Some(watch) = watch {
                assert_eq!((watch.clients, watch.came), (clients, passed), "what is shown");
            }
        }
    }

    /// A client's connection ends.
    pub(super) fn disconnect(&mut self, client: usize) {
        if self.clients[client].gone {
            return;
        }
        self.clients[client].gone = true;
        self.capture.client_gone(ClientId(client as u64));
        self.settle();
    }

    pub(super) fn request(&mut self, client: usize, to: (u32, u16), words: &[u32], e: Expect) {
        self.pass(client, Side::Client, message(to.0, to.1, words), Vec::new(), e);
    }

    pub(super) fn event(&mut self, client: usize, from: (u32, u16), words: &[u32], e: Expect) {
        self.pass(client, Side::Compositor, message(from.0, from.1, words), Vec::new(), e);
    }

    /// One message passes, and what follows from it.
    pub(super) fn pass(
        &mut self,
        client: usize,
        from: Side,
        bytes: Vec<u8>,
        fds: Vec<OwnedFd>,
        expect: Expect,
    ) {
        let one = &mut self.clients[client];
        if one.gone {
            return;
        }
        self.now += 1000;
        let (first, second) = &self.capture.observer;
        let active = [first.active, second.as_ref().is_some_and(|s| s.active)];
        for (passed, active) in self.watched.iter_mut().zip(active) {
            *passed += u64::from(active);
        }
        let fed = one.session.feed(from, &bytes, fds, self.now, &mut self.capture);
        let Ok(taken) = fed else {
            assert_ne!(expect, Expect::Same, "a good message ended the session: {fed:?}");
            self.disconnect(client);
            return;
        };
        assert_eq!(taken, bytes.len());
        let on = one.session.take(from.other()).0;
        let mut on = Heard::all(&on);
        let back = one.session.take(from).0;
        self.heard_passing(client, from, &bytes, &mut on, expect);
        for heard in on {
            self.heard_own(client, from.other(), &heard);
        }
        for heard in Heard::all(&back) {
            self.heard_own(client, from, &heard);
        }
        self.settle();
    }

    /// The message itself, which comes last. What is left of `on` was added by the capture.
    fn heard_passing(
        &mut self,
        client: usize,
        from: Side,
        bytes: &[u8],
        on: &mut Vec<Heard>,
        expect: Expect,
    ) {
        let sent = Heard::all(bytes).remove(0);
        // An acknowledgement of the compositor's newest can pass in place of one of ours.
        let alike = |h: &Heard| {
            let same_kind = (h.sender, h.opcode) == (sent.sender, sent.opcode);
            h.bytes == bytes
                || expect == Expect::MayChange && same_kind && h.bytes.len() == bytes.len()
        };
        match on.last() {
            Some(last) if alike(last) => {
                let last = on.remove(on.len() - 1);
                self.check_changed(client, from, &last, &sent);
            }
            last => assert_ne!(expect, Expect::Same, "{sent:?} became {last:?}"),
        }
    }

    fn check_changed(&mut self, client: usize, from: Side, now: &Heard, sent: &Heard) {
        let kind = self.clients[client].kind(now.sender);
        if paced::hear(self, client, from == Side::Compositor, now) {
            return;
        }
        if from == Side::Client {
            assert_eq!(now, sent, "no other request is ever changed");
            return;
        }
        match kind {
            Some(Kind::Buffer { serial }) => self.model.hear_release(serial, true),
            Some(Kind::Toplevel) if now != sent && now.bytes.len() >= 16 => {
                assert!(self.sizes.contains(&(now.word(0), now.word(1))), "{now:?}");
            }
            _ => {}
        }
    }

    /// A message that the capture made.
    fn heard_own(&mut self, client: usize, to: Side, heard: &Heard) {
        if paced::hear(self, client, to == Side::Client, heard) {
            return;
        }
        let kind = self.clients[client].objects.get(&heard.sender).copied();
        match (to, kind) {
            (Side::Client, Some(Kind::Buffer { serial })) => {
                assert_eq!(heard.opcode, wl_buffer::EVT_RELEASE_OPCODE);
                self.model.hear_release(serial, false);
            }
            (Side::Client, Some(Kind::Toplevel)) => {
                let may =
                    [xdg_toplevel::EVT_CONFIGURE_OPCODE, xdg_toplevel::EVT_CONFIGURE_BOUNDS_OPCODE];
                assert!(may.contains(&heard.opcode), "{heard:?}");
                assert!(self.sizes.contains(&(heard.word(0), heard.word(1))), "{heard:?}");
            }
            (Side::Client, Some(Kind::Other)) => {
                // Mode of an output, or logical size of an xdg output; `done` says no size.
                let size = match heard.bytes.len() {
                    24 => Some((heard.word(1), heard.word(2))),
                    16 => Some((heard.word(0), heard.word(1))),
                    _ => None,
                };
                assert!(size.is_none_or(|s| self.sizes.contains(&s)), "{heard:?}");
                if size.is_none() {
                    assert_eq!(heard.opcode, wl_output::EVT_DONE_OPCODE);
                }
            }
            (Side::Compositor, Some(Kind::Toplevel)) => {
                let may = [
                    xdg_toplevel::REQ_SET_FULLSCREEN_OPCODE,
                    xdg_toplevel::REQ_UNSET_FULLSCREEN_OPCODE,
                    xdg_toplevel::REQ_SET_MIN_SIZE_OPCODE,
                    xdg_toplevel::REQ_SET_MAX_SIZE_OPCODE,
                ];
                assert!(may.contains(&heard.opcode), "{heard:?}");
            }
            _ => panic!("the capture said {heard:?} of {kind:?} to the {to}"),
        }
    }

    /// What the proxy's loop does after each batch.
    pub(super) fn settle(&mut self) {
        let frames = (self.stats.handed.value(), self.stats.composed.value());
        let before = std::mem::replace(&mut self.frames_seen, frames);
        if frames.0 != before.0 {
            self.composed_newest = frames.1 != before.1;
        }
        for _ in 0..1000 {
            let Some(ClientId(ready)) = self.capture.poll_ready() else { return };
            let client = ready as usize;
            assert!(!self.clients[client].gone, "nothing can be said to a client that is gone");
            self.clients[client].session.inject(self.now, &mut self.capture);
            for to in [Side::Client, Side::Compositor] {
                let said = self.clients[client].session.take(to).0;
                for heard in Heard::all(&said) {
                    self.heard_own(client, to, &heard);
                }
            }
        }
        panic!("the capture is never done injecting");
    }

    /// Time goes by.
    pub(super) fn wait(&mut self, time: Duration) {
        self.now += time.as_nanos() as u64;
        if self.capture.poll_deadline().is_some_and(|d| d <= self.now) {
            self.capture.handle_timeout(self.now);
        }
        self.settle();
        let deadline = self.capture.poll_deadline();
        assert!(deadline.is_none_or(|d| d > self.now), "a deadline that came is done with");
        if time > IDLE {
            for one in self.clients.iter().filter(|c| !c.gone) {
                one.paced.assert_all_heard();
            }
        }
        if time > DEADLINE {
            let gone = |client: usize| self.clients[client].gone;
            self.model.assert_nothing_owed(gone);
        }
    }

    /// The encoder takes the frame that waits.
    pub(super) fn take(&mut self) {
        let arrival = self.slot.as_ref().map(|slot| slot.wait(true, Some(Duration::ZERO)));
        match arrival {
            Some(Arrival::Frame(frame)) => {
                // A composed picture's pixels are no buffer's.
                let composed = self.composed_newest;
                self.model.take(frame, |frame| first_pixel(frame).filter(|_| !composed));
            }
            Some(Arrival::TimedOut) | None => {}
            other => panic!("unexpected {other:?}"),
        }
        self.settle();
        let held = self.stats.held.value();
        let most = self.model.reading.len() as u64;
        assert!(held <= most, "{held} holds for {most} readers");
        // What a composed window shows is kept too, though no longer than a hold may last.
        if self.stats.path() == Path::Direct {
            self.model.check_kept(|client| self.clients[client].gone);
        }
    }

    /// The encoder is done with a frame.
    pub(super) fn drop_frame(&mut self, n: usize) {
        drop(self.model.reading.remove(n));
        self.settle();
    }

    /// Everyone finishes; nothing may be owed.
    pub(super) fn finish(mut self) {
        while let Some(slot) = self.slot.take() {
            let frame = slot.wait(true, Some(Duration::ZERO));
            drop((frame, slot));
        }
        self.model.reading.clear();
        self.settle();
        self.wait(Duration::from_secs(1));
        self.check_watched();
        for client in 0..self.clients.len() {
            for id in self.clients[client].all(|k| matches!(k, Kind::Buffer { .. })) {
                self.release(client, id);
            }
        }
        self.wait(DEADLINE + Duration::from_millis(1));
        assert_eq!(self.stats.held.value(), 0);
        assert_eq!(self.capture.poll_deadline(), None);
    }

    /// The compositor is done with a buffer, which the client may have destroyed.
    pub(super) fn release(&mut self, client: usize, id: u32) {
        let one = &self.clients[client];
        let dead = one.dead.iter().find(|(d, _)| *d == id).map(|(_, kind)| *kind);
        let kind = one.objects.get(&id).copied();
        let Some(Kind::Buffer { serial }) = kind.or(dead) else { return };
        if one.gone {
            return;
        }
        self.model.release(serial);
        let expect = if dead.is_some() { Expect::Same } else { Expect::MayDrop };
        self.event(client, (id, wl_buffer::EVT_RELEASE_OPCODE), &[], expect);
    }

    /// A surface is committed.
    pub(super) fn commit(&mut self, client: usize, surface: u32) {
        let attached = self.clients[client].pending.remove(&surface);
        let alive = |serial| self.model.buffers.get(&serial).is_some_and(|b| b.alive);
        if attached.is_some_and(|serial| !serial.is_some_and(alive)) {
            self.clients[client].paced.forget_heard();
        }
        if let Some(Some(serial)) = attached {
            self.model.commit(serial);
        }
        self.request(client, (surface, wl_surface::REQ_COMMIT_OPCODE), &[], Expect::Same);
    }
}

/// The first pixel of a frame, if its memory is there.
fn first_pixel(frame: &Frame) -> Option<u32> {
    let mut pixel = None;
    let read = frame.pixels.read(&mut |view| {
        assert_eq!(view.size, frame.size);
        let row = view.size.width as usize * view.format.bytes_per_pixel();
        let least = (view.size.height as usize - 1) * view.stride + row;
        assert!(view.stride >= row && view.data.len() >= least);
        // The last byte too, which may lie behind the end of the file.
        std::hint::black_box(view.data[least - 1]);
        pixel = view.data.first_chunk().map(|b| u32::from_le_bytes(*b));
    });
    read.ok().and(pixel)
}

/// The words of a string argument.
pub(super) fn text(text: &str) -> Vec<u32> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    let mut words = vec![bytes.len() as u32];
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    words.extend(bytes.chunks(4).map(|c| u32::from_ne_bytes([c[0], c[1], c[2], c[3]])));
    words
}
