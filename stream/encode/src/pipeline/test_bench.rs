//! What the tests of the encoder's thread stand on: frames and holds made by hand, a sink that
//! does as told, encoders that log or fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use stratus_frame::{
    Codec, Damage, EncodedFrame, Frame, FrameId, Hold, HoldKey, MonoTime, PixelView, Pixels, Post,
    ReadError, Released, Replaced, Size, Stamps, mailbox,
};

use super::{
    Encoder, Open, Pipeline, PipelineConfig, PipelineError, PipelineHandle, PipelineStats, Sink,
};
use crate::decode::Decoder;
use crate::encoder::{AccessUnit, Coding, EncodeError};
use crate::picture::Picture;
use crate::test_scene::{Scene, read_marker};
use crate::x264::X264;

pub(super) const SIZE: Size = Size::new(320, 192);

/// Longer than anything takes; only a failing test waits for it.
pub(super) const LONG: Duration = Duration::from_secs(20);

/// What happened, in the order in which it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    Read(u64),
    Released,
    Encode(Coding),
    Delivered(u64),
    Failed { fatal: bool },
}

impl Wake for Log {
    fn wake(self: Arc<Self>) {
        self.add(Event::Released);
    }
}

#[derive(Default)]
pub(super) struct Log(Mutex<Vec<Event>>);

impl Log {
    fn add(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

struct Shot {
    scene: Scene,
    number: u64,
    truncated: bool,
    log: Arc<Log>,
}

impl Pixels for Shot {
    fn read(&self, read: &mut dyn FnMut(PixelView<'_>)) -> Result<(), ReadError> {
        self.log.add(Event::Read(self.number));
        read(self.scene.view());
        if self.truncated { Err(ReadError::Truncated) } else { Ok(()) }
    }
}

/// A sink whose state the test sets.
pub(super) struct TestSink {
    state: Arc<SinkState>,
    frames: Sender<EncodedFrame>,
    log: Arc<Log>,
}

pub(super) struct SinkState {
    pub(super) ready: AtomicBool,
    pub(super) viewers: AtomicBool,
    /// Access units after which `ready` turns false by itself.
    pub(super) room: AtomicUsize,
}

impl Sink for TestSink {
    fn ready(&self) -> bool {
        self.state.ready.load(Ordering::SeqCst)
    }

    fn viewers(&self) -> bool {
        self.state.viewers.load(Ordering::SeqCst)
    }

    fn deliver(&mut self, frame: EncodedFrame) {
        self.log.add(Event::Delivered(frame.id.0));
        if self.state.room.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.state.ready.store(false, Ordering::SeqCst);
        }
        let _ = self.frames.send(frame);
    }

    fn failed(&mut self, error: &PipelineError) {
        self.log.add(Event::Failed { fatal: error.is_fatal() });
    }
}

/// libx264 that writes into the log what it is asked for.
struct Logged(Box<dyn Encoder>, Arc<Log>);

impl Encoder for Logged {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn codec(&self) -> Codec {
        self.0.codec()
    }
    fn size(&self) -> Size {
        self.0.size()
    }
    fn encode(&mut self, picture: &mut Picture, coding: Coding) -> Result<AccessUnit, EncodeError> {
        self.1.add(Event::Encode(coding));
        self.0.encode(picture, coding)
    }
    fn set_bitrate(&mut self, bits_per_second: u64) {
        self.0.set_bitrate(bits_per_second);
    }
    fn bitrate(&self) -> u64 {
        self.0.bitrate()
    }
}

/// A pipeline, a game at one end and a player at the other.
pub(super) struct Bench {
    pub(super) post: Option<Post>,
    pub(super) handle: PipelineHandle,
    pub(super) thread: Option<JoinHandle<Result<(), PipelineError>>>,
    pub(super) frames: Receiver<EncodedFrame>,
    pub(super) sink: Arc<SinkState>,
    log: Arc<Log>,
    released: Arc<Released>,
    pub(super) decoder: Decoder,
    last: Option<FrameId>,
    next: u64,
}

pub(super) fn quiet() -> PipelineConfig {
    let (fps, bitrate) = (240, 40_000_000);
    PipelineConfig { refinements: 0, fps, bitrate, threads: 1, ..PipelineConfig::default() }
}

impl Bench {
    pub(super) fn new(config: PipelineConfig) -> Self {
        let log = Arc::new(Log::default());
        let l = Arc::clone(&log);
        let open = move |config| {
            let encoder: Box<dyn Encoder> = Box::new(X264::open(config)?);
            Ok(Box::new(Logged(encoder, Arc::clone(&l))) as Box<dyn Encoder>)
        };
        Self::with(config, log, Box::new(open))
    }

    pub(super) fn with(config: PipelineConfig, log: Arc<Log>, open: Open) -> Self {
        let (post, slot) = mailbox();
        let (sender, frames) = channel();
        let sink = Arc::new(SinkState {
            ready: AtomicBool::new(true),
            viewers: AtomicBool::new(true),
            room: AtomicUsize::new(usize::MAX),
        });
        let test_sink =
            TestSink { state: Arc::clone(&sink), frames: sender, log: Arc::clone(&log) };
        let (handle, thread) = Pipeline::spawn_with(slot, config, test_sink, open).unwrap();
        let released = Released::new(Waker::from(Arc::clone(&log)));
        Self {
            post: Some(post),
            handle,
            thread: Some(thread),
            frames,
            sink,
            log,
            released,
            decoder: Decoder::new(Size::new(1920, 1080)).unwrap(),
            last: None,
            next: 1,
        }
    }

    pub(super) fn frame(&mut self, scene: Scene, damage: Damage, truncated: bool) -> Frame {
        let number = self.next;
        self.next += 1;
        let size = scene.size;
        let now = MonoTime::now();
        Frame {
            id: FrameId(number),
            stamps: Stamps { read: now, handed: now, ..Stamps::default() },
            newest_input: number * 10,
            size,
            damage,
            pixels: Arc::new(Shot { scene, number, truncated, log: Arc::clone(&self.log) }),
            torn: Arc::default(),
            hold: Hold::new(HoldKey(number), Arc::clone(&self.released)),
        }
    }

    /// Commits a marker frame that is damaged all over.
    pub(super) fn commit(&mut self, marker: u32) -> Replaced {
        let scene = Scene::marker(SIZE, marker);
        let damage = Damage::full(SIZE);
        let frame = self.frame(scene, damage, false);
        self.post.as_ref().unwrap().put(frame)
    }

    pub(super) fn put(&self, frame: Frame) -> Replaced {
        self.post.as_ref().unwrap().put(frame)
    }

    /// The next access unit, checked for its place in the stream and decoded: with its marker.
    pub(super) fn receive(&mut self) -> (EncodedFrame, u32) {
        let frame = self.frames.recv_timeout(LONG).expect("an access unit");
        assert_eq!(frame.id.0, self.last.map_or(1, |l| l.0 + 1), "ids have no gaps");
        assert!(frame.depends_on.is_none() || frame.depends_on == self.last);
        self.last = Some(frame.id);
        let decoded = self.decoder.decode(&frame.data).expect("decodes");
        assert_eq!(decoded.keyframe, frame.is_keyframe());
        let marker = read_marker(&decoded.planes);
        (frame, marker)
    }

    pub(super) fn nothing_comes(&self) {
        let got = self.frames.recv_timeout(Duration::from_millis(60));
        assert!(matches!(got, Err(RecvTimeoutError::Timeout)), "{got:?}");
    }

    pub(super) fn wait_for(&self, what: &str, mut is_so: impl FnMut(&PipelineStats) -> bool) {
        let start = std::time::Instant::now();
        while !is_so(&self.handle.stats()) {
            assert!(start.elapsed() < LONG, "{what}: {:?}", self.handle.stats());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.log.0.lock().unwrap().clone()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(std::thread::panicking() || ended.is_ok(), "the thread panicked");
        }
    }
}

/// An encoder that fails as often as told, over all its instances.
pub(super) struct Flaky(pub(super) X264, pub(super) Arc<AtomicUsize>);

impl Encoder for Flaky {
    fn name(&self) -> &'static str {
        "flaky"
    }
    fn codec(&self) -> Codec {
        Codec::H264
    }
    fn size(&self) -> Size {
        self.0.size()
    }
    fn encode(&mut self, picture: &mut Picture, coding: Coding) -> Result<AccessUnit, EncodeError> {
        let left = self.1.load(Ordering::SeqCst);
        if left > 0 {
            self.1.store(left - 1, Ordering::SeqCst);
            return Err(EncodeError::NotOneForOne { encoder: "flaky", units: 0 });
        }
        self.0.encode(picture, coding)
    }
    fn set_bitrate(&mut self, bits_per_second: u64) {
        self.0.set_bitrate(bits_per_second);
    }
    fn bitrate(&self) -> u64 {
        self.0.bitrate()
    }
}
