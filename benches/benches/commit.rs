//! The time of one frame in the proxy's thread: from the bytes of a game's usual batch (attach,
//! damage, frame callback, commit) to the frame in the mailbox and the bytes ready to go on.
//!
//! Criterion compares the mean with earlier runs; the percentiles of single batches, which the
//! targets are stated in, are printed first.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::{IoSlice, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use stratus_capture::{Capture, CaptureConfig};
use stratus_frame::{Arrival, MonoTime, Size, Slot, mailbox};
use stratus_protocols::{
    InterfaceId, wl_buffer, wl_callback, wl_compositor, wl_display, wl_registry, wl_shm,
    wl_shm_pool, wl_surface, xdg_surface, xdg_wm_base,
};
use stratus_proxy_core::{ClientId, GlobalPolicy, Hook, ObjectId, Rules, Session, Side, Writer};

const SIZE: Size = Size::new(1280, 720);
const BUFFER_BYTES: i32 = 1280 * 720 * 4;

const REGISTRY: ObjectId = ObjectId(2);
const COMPOSITOR: ObjectId = ObjectId(3);
const SHM: ObjectId = ObjectId(4);
const WM_BASE: ObjectId = ObjectId(5);
const SURFACE: ObjectId = ObjectId(6);
const XDG_SURFACE: ObjectId = ObjectId(7);
const TOPLEVEL: ObjectId = ObjectId(8);
const POOL: ObjectId = ObjectId(9);
const BUFFERS: [ObjectId; 3] = [ObjectId(10), ObjectId(11), ObjectId(12)];
const CALLBACK: ObjectId = ObjectId(13);

/// A session with a window that is drawn with three buffers.
struct Game {
    session: Session,
    capture: Capture,
    /// The batch for each buffer.
    batches: Vec<Vec<u8>>,
    /// What the compositor answers to it: the frame callback, and the release of the one before.
    answers: Vec<Vec<u8>>,
    next: usize,
}

fn message(out: &mut Vec<u8>, sender: ObjectId, opcode: u16, args: impl FnOnce(&mut Writer<'_>)) {
    Writer::message(out, sender, opcode, args);
}

impl Game {
    fn new() -> (Self, Slot) {
        let (post, slot) = mailbox();
        let capture = Capture::new(&CaptureConfig::new(SIZE), post, Waker::noop().clone());
        let rules = Arc::new(Rules::new(&capture.interests(), GlobalPolicy::default()));
        let mut game = Self {
            session: Session::new(ClientId(1), rules),
            capture,
            batches: Vec::new(),
            answers: Vec::new(),
            next: 0,
        };
        game.set_up();
        for (index, buffer) in BUFFERS.into_iter().enumerate() {
            game.batches.push(batch(buffer));
            let mut answer = Vec::new();
            let before = BUFFERS[(index + BUFFERS.len() - 1) % BUFFERS.len()];
            message(&mut answer, before, wl_buffer::EVT_RELEASE_OPCODE, |_| {});
            message(&mut answer, CALLBACK, wl_callback::EVT_DONE_OPCODE, |w| {
                w.uint(1);
            });
            message(&mut answer, ObjectId::DISPLAY, wl_display::EVT_DELETE_ID_OPCODE, |w| {
                w.object(CALLBACK);
            });
            game.answers.push(answer);
        }
        (game, slot)
    }

    fn set_up(&mut self) {
        let mut bytes = Vec::new();
        message(&mut bytes, ObjectId::DISPLAY, wl_display::REQ_GET_REGISTRY_OPCODE, |w| {
            w.object(REGISTRY);
        });
        self.feed(Side::Client, &bytes, Vec::new());
        let globals = [
            (InterfaceId::WlCompositor, COMPOSITOR),
            (InterfaceId::WlShm, SHM),
            (InterfaceId::XdgWmBase, WM_BASE),
        ];
        for (name, (interface, id)) in (0u32..).zip(globals) {
            let (mut event, mut request) = (Vec::new(), Vec::new());
            let version = interface.version();
            message(&mut event, REGISTRY, wl_registry::EVT_GLOBAL_OPCODE, |w| {
                w.uint(name).string(interface.name()).uint(version);
            });
            message(&mut request, REGISTRY, wl_registry::REQ_BIND_OPCODE, |w| {
                w.uint(name).string(interface.name()).uint(version).object(id);
            });
            self.feed(Side::Compositor, &event, Vec::new());
            self.feed(Side::Client, &request, Vec::new());
        }
        let file = tempfile::tempfile().unwrap();
        file.set_len(BUFFER_BYTES as u64 * 3).unwrap();
        let mut bytes = Vec::new();
        message(&mut bytes, COMPOSITOR, wl_compositor::REQ_CREATE_SURFACE_OPCODE, |w| {
            w.object(SURFACE);
        });
        message(&mut bytes, WM_BASE, xdg_wm_base::REQ_GET_XDG_SURFACE_OPCODE, |w| {
            w.object(XDG_SURFACE).object(SURFACE);
        });
        message(&mut bytes, XDG_SURFACE, xdg_surface::REQ_GET_TOPLEVEL_OPCODE, |w| {
            w.object(TOPLEVEL);
        });
        message(&mut bytes, SURFACE, wl_surface::REQ_COMMIT_OPCODE, |_| {});
        message(&mut bytes, SHM, wl_shm::REQ_CREATE_POOL_OPCODE, |w| {
            w.object(POOL).int(BUFFER_BYTES * 3);
        });
        for (index, id) in (0..).zip(BUFFERS) {
            message(&mut bytes, POOL, wl_shm_pool::REQ_CREATE_BUFFER_OPCODE, |w| {
                w.object(id).int(index * BUFFER_BYTES).int(1280).int(720).int(1280 * 4).uint(1);
            });
        }
        self.feed(Side::Client, &bytes, vec![file.into()]);
        self.discard();
    }

    fn feed(&mut self, from: Side, bytes: &[u8], fds: Vec<OwnedFd>) {
        let now = MonoTime::now().as_nanos();
        self.session.feed(from, bytes, fds, now, &mut self.capture).expect("a good message");
        while self.capture.poll_ready().is_some() {
            self.session.inject(now, &mut self.capture);
        }
    }

    fn discard(&mut self) {
        for side in [Side::Client, Side::Compositor] {
            self.session.take(side);
        }
    }

    /// One batch in memory; how long it took. What it led to is cleared away after.
    fn commit(&mut self) -> Duration {
        let start = Instant::now();
        let batch = std::mem::take(&mut self.batches[self.next]);
        self.feed(Side::Client, &batch, Vec::new());
        let ready = self.session.poll_transmit(Side::Compositor).expect("the batch goes on").len();
        let took = start.elapsed();
        assert_eq!(ready, batch.len());
        self.batches[self.next] = batch;
        self.answer();
        took
    }

    /// One batch through real sockets, timed from its bytes in our hands until it is sent on.
    fn commit_over(&mut self, wire: &mut Wire) -> Duration {
        wire.game.write_all(&self.batches[self.next]).unwrap();
        let len = wire.from_game.read(self.session.spare(Side::Client)).unwrap();
        let start = Instant::now();
        let now = MonoTime::now().as_nanos();
        let mut no_fds = Vec::new();
        self.session
            .handle_received(Side::Client, len, &mut no_fds, now, &mut self.capture)
            .expect("a good message");
        let transmit = self.session.poll_transmit(Side::Compositor).expect("the batch goes on");
        let mut slices = [IoSlice::new(&[]); 16];
        let used = transmit.slices().len();
        slices[..used].copy_from_slice(transmit.slices());
        let sent = wire.to_compositor.write_vectored(&slices[..used]).unwrap();
        self.session.handle_transmitted(Side::Compositor, sent);
        while self.capture.poll_ready().is_some() {
            self.session.inject(now, &mut self.capture);
        }
        let took = start.elapsed();
        let mut heard = [0; 512];
        assert_eq!(wire.compositor.read(&mut heard).unwrap(), sent);
        self.answer();
        took
    }

    fn answer(&mut self) {
        let answer = std::mem::take(&mut self.answers[self.next]);
        self.feed(Side::Compositor, &answer, Vec::new());
        self.answers[self.next] = answer;
        self.next = (self.next + 1) % BUFFERS.len();
        self.discard();
    }
}

fn batch(buffer: ObjectId) -> Vec<u8> {
    let mut bytes = Vec::new();
    message(&mut bytes, SURFACE, wl_surface::REQ_ATTACH_OPCODE, |w| {
        w.object(buffer).int(0).int(0);
    });
    message(&mut bytes, SURFACE, wl_surface::REQ_DAMAGE_BUFFER_OPCODE, |w| {
        w.int(0).int(0).int(i32::MAX).int(i32::MAX);
    });
    message(&mut bytes, SURFACE, wl_surface::REQ_FRAME_OPCODE, |w| {
        w.object(CALLBACK);
    });
    message(&mut bytes, SURFACE, wl_surface::REQ_COMMIT_OPCODE, |_| {});
    bytes
}

/// Both socket pairs of a connection.
struct Wire {
    game: UnixStream,
    from_game: UnixStream,
    to_compositor: UnixStream,
    compositor: UnixStream,
}

impl Wire {
    fn new() -> Self {
        let (game, from_game) = UnixStream::pair().unwrap();
        let (to_compositor, compositor) = UnixStream::pair().unwrap();
        Self { game, from_game, to_compositor, compositor }
    }
}

/// What the encoder does beside.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoder {
    /// It takes each frame before the next comes.
    Quick,
    /// It takes none: each frame replaces the one before, whose buffer goes back.
    Busy,
}

fn measure(encoder: Encoder, rounds: u64, mut one: impl FnMut(&mut Game) -> Duration) -> Vec<u64> {
    let (mut game, slot) = Game::new();
    (0..rounds)
        .map(|_| {
            let took = one(&mut game);
            if encoder == Encoder::Quick {
                let arrival = slot.wait(true, Some(Duration::ZERO));
                assert!(matches!(arrival, Arrival::Frame(_)), "each batch is a frame");
            }
            took.as_nanos() as u64
        })
        .collect()
}

/// A calm session: the proxy's thread comes out of a sleep itself, and with `encoder` so does the
/// encoder's, which must be woken at the mailbox.
fn measure_after_sleep(rounds: u64, encoder: bool) -> Vec<u64> {
    let (mut game, slot) = Game::new();
    let (sleeper, kept) = if encoder { (Some(slot), None) } else { (None, Some(slot)) };
    let encoder = sleeper.map(|slot| {
        std::thread::spawn(move || while !matches!(slot.wait(true, None), Arrival::Closed) {})
    });
    let times = (0..rounds)
        .map(|_| {
            std::thread::sleep(Duration::from_micros(300));
            game.commit().as_nanos() as u64
        })
        .collect();
    drop((game, kept));
    if let Some(encoder) = encoder {
        encoder.join().unwrap();
    }
    times
}

fn print(name: &str, mut times: Vec<u64>) {
    times.sort_unstable();
    let at = |part: usize| times[times.len() * part / 1000];
    println!("{name:<34} p50 {:>6} ns  p95 {:>6}  p99 {:>6}", at(500), at(950), at(990));
}

fn commits(c: &mut Criterion) {
    let rounds = 50_000;
    print("commit, encoder quick", measure(Encoder::Quick, rounds, Game::commit));
    print("commit, encoder busy", measure(Encoder::Busy, rounds, Game::commit));
    print("commit after a sleep", measure_after_sleep(5_000, false));
    print("commit that wakes the encoder", measure_after_sleep(5_000, true));
    let mut wire = Wire::new();
    let over = |game: &mut Game| game.commit_over(&mut wire);
    print("commit, read until sent on", measure(Encoder::Quick, rounds, over));
    for (name, encoder) in [("quick", Encoder::Quick), ("busy", Encoder::Busy)] {
        c.bench_function(&format!("commit/{name}"), |b| {
            b.iter_custom(|rounds| {
                let total = measure(encoder, rounds, Game::commit).iter().sum();
                Duration::from_nanos(total)
            });
        });
    }
}

criterion_group!(benches, commits);
criterion_main!(benches);
