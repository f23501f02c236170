//! The handle of the thread that gives inputs to the game.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use stratus_frame::MonoTime;
use stratus_frame::input::{Input, InputMark, Layout, Rumble};

use crate::line::Cutter;
use crate::queue::{Command, Queue};
use crate::stats::InputStats;
use crate::worker::{Shared, Worker};

/// How long the compositor may take to make the devices before the session goes on without
/// waiting for them.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long the compositor may take to hear of what is let go at the end.
const GRACE: Duration = Duration::from_secs(1);

/// Is told what gamepads are to do, on the injector's thread; must return soon.
pub type OnRumble = Arc<dyn Fn(Rumble) + Send + Sync>;

/// Gives a player's inputs to the game. Dropping it lets everything go and takes the devices away,
/// also if the compositor does not answer.
pub struct Injector {
    queue: Arc<Queue>,
    cutter: Arc<Cutter>,
    /// Closed when the thread ends.
    ready: mpsc::Receiver<()>,
    stats: Arc<InputStats>,
    thread: Option<JoinHandle<()>>,
}

impl Injector {
    /// Makes a keyboard with `layout` and a pointer at the compositor whose socket is `socket`,
    /// and returns when it has them, or says in the log why there are none: the session goes on.
    /// `mark` is told each input's number before the game is.
    ///
    /// # Errors
    /// Those of making a thread.
    pub fn start(
        socket: PathBuf,
        layout: Layout,
        mark: InputMark,
        on_rumble: OnRumble,
    ) -> io::Result<Self> {
        let queue = Arc::new(Queue::new()?);
        let stats = Arc::new(InputStats::default());
        let cutter = Arc::new(Cutter::default());
        let (made, ready) = mpsc::channel();
        let shared = Shared {
            queue: Arc::clone(&queue),
            stats: Arc::clone(&stats),
            cutter: Arc::clone(&cutter),
        };
        let thread = std::thread::Builder::new().name("stratus-input".into()).spawn(move || {
            // Made here: what xkbcommon makes stays on its thread.
            Worker::new(socket, &layout, mark, on_rumble, shared).run(&made);
        })?;
        if ready.recv_timeout(PATIENCE).is_err() {
            tracing::warn!("the compositor takes long to make a keyboard and a pointer");
        }
        Ok(Self { queue, cutter, ready, stats, thread: Some(thread) })
    }

    /// Gives an input to the game, after those before it. Never waits.
    pub fn input(&self, input: Input) {
        self.queue.push(Command::Input(input, MonoTime::now()));
    }

    /// The player is gone: lets everything go and forgets the layout.
    pub fn player_left(&self) {
        self.queue.push(Command::PlayerLeft);
    }

    /// What became of inputs so far.
    #[must_use]
    pub fn stats(&self) -> &InputStats {
        &self.stats
    }
}

impl Drop for Injector {
    fn drop(&mut self) {
        self.queue.push(Command::Stop);
        loop {
            match self.ready.recv_timeout(GRACE) {
                // It is there only now.
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => self.cutter.cut(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the player's input panicked");
        }
        tracing::debug!(
            given = self.stats.given(),
            lost = self.stats.lost(),
            p50 = ?self.stats.delay(50),
            p95 = ?self.stats.delay(95),
            "the player's inputs"
        );
    }
}
