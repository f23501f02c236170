//! The clipboard, as text, both ways.
//!
//! What the player pastes becomes the selection of the game's seat. What the game copies goes to
//! the player only if a key or button of the player's led to it: a selection counts as copied if
//! the player did something in the [`GESTURE`] before it. Neither protocol for this is offered to
//! games; we speak it over a connection of our own (`ext_data_control_v1` or
//! `zwlr_data_control_v1`).

mod control;
mod transfers;

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use stratus_frame::MonoTime;

use crate::line::Cutter;
use control::{Control, Event, Unshared};
use transfers::Transfers;

/// How long after a key or button a selection is its doing.
const GESTURE: Duration = Duration::from_secs(2);
/// Between texts that are read of the game; the newest one counts.
const GAP: Duration = Duration::from_millis(200);

/// Between attempts to reach a compositor that was lost.
const RETRY: Duration = Duration::from_secs(1);

/// Is told what the player copied in the game, on the clipboard's thread; must return soon.
pub type OnCopy = Arc<dyn Fn(String) + Send + Sync>;

/// What the handle tells the thread.
struct Shared {
    wake: EventFd,
    /// The text that the player pasted last, until it is the selection.
    pasted: Mutex<Option<String>>,
    /// When the player last pressed something.
    gesture: AtomicU64,
    over: AtomicBool,
    cutter: Cutter,
}

/// The clipboard of a session. Dropping it ends its thread.
pub struct Clipboard {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Clipboard {
    /// Follows the selection of the compositor whose socket is `socket`; what the player copies
    /// is told to `on_copy`. A compositor that offers no way to it is told of in the log.
    ///
    /// # Errors
    /// Those of making a thread.
    pub fn start(socket: PathBuf, on_copy: OnCopy) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            wake: EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?,
            pasted: Mutex::default(),
            gesture: AtomicU64::new(0),
            over: AtomicBool::new(false),
            cutter: Cutter::default(),
        });
        let its = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("stratus-clip".into())
            .spawn(move || work(&its, &socket, &on_copy))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The player pastes: the next paste in the game is of this text.
    pub fn set(&self, text: String) {
        *self.shared.pasted.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        self.shared.wake();
    }

    /// The player pressed a key or a button just now.
    pub fn gesture(&self) {
        self.shared.gesture.store(MonoTime::now().as_nanos(), Ordering::Relaxed);
    }

    /// The player is gone: nothing that happens now is its doing.
    pub fn player_left(&self) {
        self.shared.gesture.store(0, Ordering::Relaxed);
    }
}

impl Drop for Clipboard {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        self.shared.wake();
        // It may wait for a compositor that does not answer, and nobody waits for its last words.
        self.shared.cutter.cut();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the clipboard's thread panicked");
        }
    }
}

impl Shared {
    fn wake(&self) {
        // It can only fail when it is readable already.
        let _ = self.wake.write(1);
    }

    fn take_pasted(&self) -> Option<String> {
        self.pasted.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn is_gesture(&self, now: MonoTime) -> bool {
        let last = MonoTime::from_nanos(self.gesture.load(Ordering::Relaxed));
        last.is_set() && now.since(last) < GESTURE
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Waits for so long, unless the end comes before.
    fn rest(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_over() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let timeout = PollTimeout::try_from(left + Duration::from_micros(999));
            let mut fds = [PollFd::new(self.wake.as_fd(), PollFlags::POLLIN)];
            let _ = poll(&mut fds, timeout.unwrap_or(PollTimeout::ZERO));
            // What was pasted meanwhile is looked at as soon as there is a compositor.
            let _ = self.wake.read();
        }
    }
}

/// The thread: follows the selection, and looks for the compositor where that is lost.
fn work(shared: &Shared, socket: &Path, on_copy: &OnCopy) {
    // Told of once until it is there again.
    let mut told = false;
    while !shared.is_over() {
        let over = Control::connect(socket, &shared.cutter).and_then(|control| {
            if std::mem::take(&mut told) {
                tracing::info!("the clipboard is shared again");
            }
            follow(shared, control, on_copy)
        });
        let Err(error) = over else { return };
        if shared.is_over() {
            return;
        }
        if !std::mem::replace(&mut told, true) {
            tracing::warn!("the clipboard is not shared: {error}");
        }
        // Another connection finds the same compositor with the same globals.
        if matches!(error, Unshared::Missing) {
            return;
        }
        shared.rest(RETRY);
    }
}

/// The thread's loop while there is a compositor.
fn follow(shared: &Shared, mut control: Control, on_copy: &OnCopy) -> Result<(), Unshared> {
    let mut transfers = Transfers::default();
    let mut events = VecDeque::new();
    // A selection that is to be read, when the last one is old enough.
    let mut wanted = None;
    let mut next_read = MonoTime::UNSET;
    while !shared.is_over() {
        if let Some(text) = shared.take_pasted() {
            control.select(text.into())?;
        }
        let now = MonoTime::now();
        let due = [transfers.poll_timeout(), wanted.as_ref().map(|_| next_read)];
        wait(shared, &control, &transfers, due.into_iter().flatten().min(), now);
        let _ = shared.wake.read();
        control.listen(&mut events)?;
        let now = MonoTime::now();
        for event in events.drain(..) {
            match event {
                // Only the newest selection is one.
                Event::Selected(offer) => wanted = offer.filter(|_| shared.is_gesture(now)),
                Event::Send(text, fd) => transfers.send(text, fd, now),
            }
        }
        if next_read <= now
            && let Some(offer) = wanted.take()
            && let Some(pipe) = control.receive(&offer)?
        {
            transfers.receive(pipe, now);
            next_read = now.after(GAP);
        }
        if let Some(text) = transfers.go_on(now) {
            on_copy(text);
        }
    }
    Ok(())
}

/// Waits for something to do, until `due` at the latest.
fn wait(
    shared: &Shared,
    control: &Control,
    transfers: &Transfers,
    due: Option<MonoTime>,
    now: MonoTime,
) {
    let timeout = due.map_or(PollTimeout::NONE, |due| {
        let left = due.since(now) + Duration::from_micros(999);
        PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
    });
    let mut fds = vec![
        PollFd::new(shared.wake.as_fd(), PollFlags::POLLIN),
        PollFd::new(control.fd(), PollFlags::POLLIN),
    ];
    fds.extend(transfers.fds());
    // An interrupted wait found nothing; the loop comes back here.
    let _ = poll(&mut fds, timeout);
}
