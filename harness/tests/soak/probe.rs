//! A client that asks for `wl_display.sync` again and again and notes how long each answer took.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use stratus_harness::raw::RawClient;

use super::stage::LIMIT;

/// Between an answer and the next question: the client takes turns with the crowd, as a game does.
const PAUSE: Duration = Duration::from_millis(7);

/// Percentiles of round trips in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    pub p50: f64,
    pub p99: f64,
}

impl Times {
    fn of(mut nanos: Vec<u64>) -> Self {
        assert!(!nanos.is_empty(), "the steady client heard nothing for a whole round");
        nanos.sort_unstable();
        let at = |part: usize| nanos[(nanos.len() - 1) * part / 100] as f64 / 1000.0;
        Self { p50: at(50), p99: at(99) }
    }
}

/// The client, in a thread of its own.
pub(crate) struct Steady {
    nanos: Arc<Mutex<Vec<u64>>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Steady {
    pub(crate) fn start(socket: &Path) -> Self {
        let mut client = RawClient::connect(socket).unwrap();
        let nanos = Arc::<Mutex<Vec<u64>>>::default();
        let stop = Arc::<AtomicBool>::default();
        let (noted, stopped) = (Arc::clone(&nanos), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            // Two ids by turns: one is free for certain when the other's answer has come.
            for id in [2, 3].into_iter().cycle() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let asked = Instant::now();
                client.sync(id, LIMIT).expect("the steady client is never cut off");
                noted.lock().unwrap().push(asked.elapsed().as_nanos() as u64);
                std::thread::sleep(PAUSE);
            }
        });
        Self { nanos, stop, thread }
    }

    /// What it noted since the last call.
    pub(crate) fn take(&self) -> Times {
        Times::of(std::mem::take(&mut *self.nanos.lock().unwrap()))
    }

    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the steady client was served to the end");
    }
}
