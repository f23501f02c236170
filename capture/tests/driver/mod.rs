//! Both peers of a session, scripted, with the capture between them: real message bytes, no socket.
//!
//! A [`World`] has one capture and any number of clients. A request is what the game sends, an
//! event what the compositor sends; what the other side then receives gathers in
//! [`Client::requests`] and [`Client::events`].

#![allow(dead_code, unused_imports, reason = "each test binary uses its part")]

mod client;
pub(crate) mod dmabuf;
mod window;

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use stratus_capture::{Capture, CaptureConfig, CaptureControl, CaptureStats};
use stratus_frame::{Arrival, Frame, InputMark, Size, Slot, mailbox};
use stratus_protocols::InterfaceId;
use stratus_proxy_core::{ClientId, GlobalPolicy, Hook, ObjectId, Rules, Session, Side, Writer};

pub(crate) use client::{Client, Said, word};
pub(crate) use window::{Pool, Window, memfd};

/// The stream's size in all tests.
pub(crate) const SCREEN: Size = Size::new(64, 48);
/// The deadline of holds.
pub(crate) const DEADLINE: Duration = Duration::from_millis(100);

#[derive(Default)]
struct CountWakes(AtomicUsize);

impl Wake for CountWakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A session.
pub(crate) struct World {
    pub(crate) capture: Capture,
    pub(crate) stats: Arc<CaptureStats>,
    pub(crate) control: CaptureControl,
    pub(crate) slot: Option<Slot>,
    pub(crate) clients: Vec<Client>,
    /// Which inputs the game was told of.
    pub(crate) inputs: InputMark,
    /// CLOCK_MONOTONIC, as the tests let it run.
    pub(crate) now: u64,
    /// The memory of buffers that `filled` made.
    files: BTreeMap<ObjectId, File>,
    rules: Arc<Rules>,
    wakes: Arc<CountWakes>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_idle_interval(None)
    }

    /// With a time between ends of frame callbacks while nobody watches.
    pub(crate) fn with_idle_interval(idle_interval: Option<Duration>) -> Self {
        let usual = CaptureConfig::new(SCREEN);
        Self::with(&CaptureConfig { hold_deadline: DEADLINE, idle_interval, ..usual })
    }

    pub(crate) fn with(config: &CaptureConfig) -> Self {
        // As Stratus does; an ordinary user begins with room for fewer than these tests open.
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
        let (post, slot) = mailbox();
        let inputs = post.inputs().clone();
        let wakes = Arc::new(CountWakes::default());
        let capture = Capture::new(config, post, Waker::from(Arc::clone(&wakes)));
        let rules = Arc::new(Rules::new(&capture.interests(), GlobalPolicy::default()));
        let (stats, control) = (capture.stats(), capture.control());
        let (clients, slot) = (Vec::new(), Some(slot));
        let files = BTreeMap::new();
        let now = 1_000_000_000;
        Self { capture, stats, control, slot, inputs, clients, now, files, rules, wakes }
    }

    /// A client that has bound everything; its number in `clients`.
    pub(crate) fn connect(&mut self) -> usize {
        let id = ClientId(self.clients.len() as u64);
        self.capture.client_added(id, None);
        self.clients.push(Client::new(Session::new(id, Arc::clone(&self.rules))));
        let client = self.clients.len() - 1;
        self.bind_all(client);
        client
    }

    pub(crate) fn disconnect(&mut self, client: usize) {
        self.clients[client].gone = true;
        self.capture.client_gone(ClientId(client as u64));
        self.settle();
    }

    /// The game sends bytes of whole messages.
    pub(crate) fn game_sends(&mut self, client: usize, bytes: &[u8], fds: Vec<OwnedFd>) {
        self.send(client, Side::Client, bytes, fds);
    }

    fn send(&mut self, client: usize, from: Side, bytes: &[u8], fds: Vec<OwnedFd>) {
        let session = &mut self.clients[client].session;
        let taken = session
            .feed(from, bytes, fds, self.now, &mut self.capture)
            .expect("the message keeps to the protocol");
        assert_eq!(taken, bytes.len());
        self.settle();
    }

    /// What the proxy's loop does after each batch.
    pub(crate) fn settle(&mut self) {
        for _ in 0..1000 {
            let Some(ClientId(ready)) = self.capture.poll_ready() else {
                self.clients.iter_mut().for_each(Client::collect);
                return;
            };
            let client = &mut self.clients[ready as usize];
            assert!(!client.gone, "nothing can be said to a client that is gone");
            client.session.inject(self.now, &mut self.capture);
        }
        panic!("the capture is never done injecting");
    }

    /// One request of the game.
    pub(crate) fn request(
        &mut self,
        client: usize,
        sender: ObjectId,
        opcode: u16,
        args: impl FnOnce(&mut Writer<'_>),
    ) {
        let mut bytes = Vec::new();
        Writer::message(&mut bytes, sender, opcode, args);
        self.send(client, Side::Client, &bytes, Vec::new());
    }

    /// One event of the compositor that brings an fd.
    pub(crate) fn event_with_fd(
        &mut self,
        client: usize,
        sender: ObjectId,
        opcode: u16,
        fd: OwnedFd,
        args: impl FnOnce(&mut Writer<'_>),
    ) {
        let mut bytes = Vec::new();
        Writer::message(&mut bytes, sender, opcode, args);
        self.send(client, Side::Compositor, &bytes, vec![fd]);
    }

    /// One event of the compositor.
    pub(crate) fn event(
        &mut self,
        client: usize,
        sender: ObjectId,
        opcode: u16,
        args: impl FnOnce(&mut Writer<'_>),
    ) {
        let mut bytes = Vec::new();
        Writer::message(&mut bytes, sender, opcode, args);
        self.send(client, Side::Compositor, &bytes, Vec::new());
    }

    /// Lets time pass, and the capture's deadline come if it lies within.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time.as_nanos() as u64;
        if self.capture.poll_deadline().is_some_and(|deadline| deadline <= self.now) {
            self.capture.handle_timeout(self.now);
        }
        self.settle();
        let deadline = self.capture.poll_deadline();
        assert!(deadline.is_none_or(|d| d > self.now), "a deadline that came is done with");
    }

    /// When the capture wants to be called.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.capture.poll_deadline()
    }

    /// The encoder takes the frame that waits.
    pub(crate) fn try_take(&mut self) -> Option<Frame> {
        match self.slot.as_ref()?.wait(true, Some(Duration::ZERO)) {
            Arrival::Frame(frame) => Some(frame),
            Arrival::TimedOut => None,
            other => panic!("unexpected {other:?}"),
        }
    }

    pub(crate) fn take(&mut self) -> Frame {
        self.try_take().expect("a frame waits")
    }

    /// The encoder is done with a frame; the waker brings the proxy back.
    pub(crate) fn finish(&mut self, frame: Frame) {
        drop(frame);
        self.settle();
    }

    /// Takes the frame that waits and is done with it at once.
    pub(crate) fn finish_waiting(&mut self) {
        let frame = self.take();
        self.finish(frame);
    }

    pub(crate) fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::Relaxed)
    }

    /// What an interface's version is for the test's objects: the newest that we know.
    pub(crate) fn version(interface: InterfaceId) -> u32 {
        interface.version()
    }
}

/// The first pixel of a frame.
pub(crate) fn first_pixel(frame: &Frame) -> u32 {
    let mut pixel = None;
    frame
        .pixels
        .read(&mut |view| {
            assert_eq!(view.size, frame.size);
            pixel = view.data.first_chunk().map(|b| u32::from_le_bytes(*b));
        })
        .expect("the memory is there");
    pixel.expect("a pixel")
}

/// The colour of a frame at a place, without its alpha.
pub(crate) fn pixel(frame: &Frame, x: usize, y: usize) -> u32 {
    let mut pixel = None;
    let read = frame.pixels.read_changed(&frame.damage, &mut |view| {
        assert_eq!(view.size, frame.size);
        let at = y * view.stride + x * 4;
        pixel = view.data[at..].first_chunk().map(|b| u32::from_le_bytes(*b) & 0x00ff_ffff);
    });
    read.expect("the memory is there");
    pixel.expect("a pixel")
}

/// The damage of a frame, sorted, as x, y, width, height.
pub(crate) fn damage(frame: &Frame) -> Vec<[u32; 4]> {
    let mut all: Vec<_> = frame.damage.rects().map(|r| [r.x, r.y, r.width, r.height]).collect();
    all.sort_unstable();
    all
}
