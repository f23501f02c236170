//! The clients that come and go: scripted ones that keep the rules or break them, bare sockets,
//! and programs.

use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use stratus_harness::client::{Buffers, Client, Config, Format, Pace, Trick};
use stratus_harness::raw::{RawClient, Wire};
use stratus_harness::scene::Motion;
use stratus_harness::sway::Sway;

use super::stage::LIMIT;

/// Clients at a time.
const WORKERS: u64 = 3;

/// Programs that run until they are ended.
const PROGRAMS: &[&[&str]] = &[
    &["weston-simple-shm"],
    &["weston-simple-damage"],
    &["weston-flower"],
    &["weston-smoke"],
    &["weston-subsurfaces"],
    &["weston-scaler"],
    &["wayland-info"],
    &["foot", "--config=/dev/null", "sh", "-c", "seq 1 2000; sleep 1"],
];

/// Numbers without pattern (splitmix64), the same for the same seed.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `from` to below `to`.
    fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from)
    }

    fn one_of<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.between(0, of.len() as u64) as usize].clone()
    }
}

/// Some clients at a time, until [`Crowd::stop`].
pub(crate) struct Crowd {
    stop: Arc<AtomicBool>,
    served: Arc<AtomicU64>,
    workers: Vec<JoinHandle<()>>,
}

impl Crowd {
    pub(crate) fn start(sway: &Sway, socket: &Path, seed: u64) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let served = Arc::<AtomicU64>::default();
        let folder = sway.runtime_dir().to_owned();
        let worker = |number: u64| {
            let (stop, served) = (Arc::clone(&stop), Arc::clone(&served));
            let mut visitor = Visitor {
                socket: socket.to_owned(),
                folder: folder.clone(),
                dice: Dice(seed * WORKERS + number),
                stop,
            };
            std::thread::spawn(move || {
                while !visitor.stop.load(Ordering::Relaxed) {
                    visitor.visit();
                    served.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let workers = (0..WORKERS).map(worker).collect();
        Self { stop, served, workers }
    }

    /// Sends all away and says how many there were.
    pub(crate) fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for worker in self.workers {
            worker.join().expect("no client met what it did not expect");
        }
        self.served.load(Ordering::Relaxed)
    }
}

struct Visitor {
    socket: PathBuf,
    folder: PathBuf,
    dice: Dice,
    stop: Arc<AtomicBool>,
}

impl Visitor {
    fn visit(&mut self) {
        match self.dice.between(0, 10) {
            0..=4 => self.play(),
            5..=7 => self.run_a_program(),
            8 => self.come_and_go(),
            _ => self.talk_nonsense(),
        }
    }

    /// Sleeps, or less if the round is over.
    fn stay(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end && !self.stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn play(&mut self) {
        let dice = &mut self.dice;
        let middle = dice.between(10, 300);
        let trick = match dice.between(0, 16) {
            0 => Some(Trick::DestroyBuffersEarly),
            1 => Some(Trick::ResizePool { at: middle }),
            2 => Some(Trick::EmptyCommits),
            3 => Some(Trick::Unmap { at: middle }),
            4 => Some(Trick::Garbage { after: middle }),
            5 => Some(Trick::Vanish { after: middle }),
            6 => Some(Trick::OversizedBuffer { at: middle }),
            _ => None,
        };
        let config = Config {
            size: (dice.between(64, 320) as u32, dice.between(48, 240) as u32),
            obey_configure: dice.between(0, 8) == 0,
            buffers: dice.between(3, 6) as usize,
            kind: dice.one_of(&[Buffers::OnePool, Buffers::PoolEach, Buffers::FreshEachFrame]),
            row_gap: dice.one_of(&[0, 64]),
            format: dice.one_of(&[Format::Xrgb8888, Format::Argb8888]),
            pace: dice.one_of(&[
                Pace::Releases,
                Pace::Releases,
                Pace::Rate(120.0),
                Pace::FrameCallbacks,
            ]),
            frames: dice.between(300, 4000),
            motion: Motion::MarkerOnly,
            wait_for_releases: Duration::ZERO,
            tricks: trick.into_iter().collect(),
            ..Config::default()
        };
        let client = Client::start(&self.socket, config).unwrap();
        // A hidden window gets no callbacks: nobody may wait for them for ever.
        let end = Instant::now() + Duration::from_secs(self.dice.between(2, 8));
        while !client.is_finished() && Instant::now() < end && !self.stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(10));
        }
        // How a rule-breaker ends is the business of other tests.
        let _ = client.stop();
    }

    fn run_a_program(&mut self) {
        let program = self.dice.one_of(PROGRAMS);
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", program[0]])
            .args(&program[1..])
            .env_remove("DISPLAY")
            .env("XDG_RUNTIME_DIR", &self.folder)
            .env("WAYLAND_DISPLAY", &self.socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.expect("start a program through setpriv");
        let time = Duration::from_millis(self.dice.between(100, 4000));
        self.stay(time);
        // In the midst of whatever it does.
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Connects, asks for a little, and goes; the fd is on its way when this end closes.
    fn come_and_go(&mut self) {
        for _ in 0..self.dice.between(1, 50) {
            let client = RawClient::connect(&self.socket).unwrap();
            client.message(&Wire::new(1, 1).word(2)).unwrap();
            let memory = tempfile::tempfile().unwrap();
            let rest = Wire::new(1, 0).word(3).bytes();
            let _ = client.send(&rest[..self.dice.between(1, 9) as usize], &[memory.as_fd()]);
        }
    }

    fn talk_nonsense(&mut self) {
        for _ in 0..self.dice.between(1, 20) {
            let mut client = RawClient::connect(&self.socket).unwrap();
            client.message(&Wire::new(1, 1).word(2)).unwrap();
            let bytes: Vec<u8> =
                (0..self.dice.between(8, 200)).map(|_| self.dice.next() as u8).collect();
            let _ = client.send(&bytes, &[]);
            // A header that promises more than there is would wait for ever, and does so rightly.
            if self.dice.between(0, 2) == 0 {
                let _ = client.message(&Wire::new(9999, 0));
                let _ = client.stream().shutdown(std::net::Shutdown::Write);
                let _ = client.events_until_closed(LIMIT);
            }
        }
    }
}
