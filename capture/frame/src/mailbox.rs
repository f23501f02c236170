//! The latest-wins mailbox between capture and encoder.
//!
//! It has room for one frame. A newer one takes the place of one that nobody fetched, inherits
//! its damage, and hands the old one back, so that its buffer goes back to the game at once.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{Frame, InputMark};

#[derive(Default)]
struct State {
    waiting: Option<Frame>,
    nudged: bool,
    sender_gone: bool,
    receiver_gone: bool,
    receiver_asleep: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // State is whole between any two statements below, so a poisoned lock is still usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, f: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        f(&mut state);
        let asleep = state.receiver_asleep;
        drop(state);
        if asleep {
            self.arrived.notify_one();
        }
    }
}

/// Makes a mailbox: the capture's end, and the encoder's end.
#[must_use]
pub fn mailbox() -> (Post, Slot) {
    let shared = Arc::new(Shared::default());
    let post = Post { shared: Arc::clone(&shared), inputs: InputMark::default() };
    (post, Slot(shared))
}

/// What became of the frame that lay in the mailbox before.
#[derive(Debug)]
pub enum Replaced {
    /// There was none.
    Nothing,
    /// This one, never looked at; its damage lives on in its successor.
    Waiting(Frame),
    /// The encoder is gone: the new frame comes straight back.
    Closed(Frame),
}

/// The capture's end of the mailbox.
pub struct Post {
    shared: Arc<Shared>,
    inputs: InputMark,
}

impl Post {
    /// What says which inputs the frames of this mailbox may show: for whoever gives inputs to the
    /// game, and for whoever makes frames.
    #[must_use]
    pub fn inputs(&self) -> &InputMark {
        &self.inputs
    }

    /// Puts `frame` in place of any that waits.
    pub fn put(&self, mut frame: Frame) -> Replaced {
        let mut state = self.shared.lock();
        if state.receiver_gone {
            return Replaced::Closed(frame);
        }
        let older = state.waiting.take();
        if let Some(older) = &older {
            frame.damage.absorb(&older.damage);
        }
        state.waiting = Some(frame);
        let asleep = state.receiver_asleep;
        drop(state);
        if asleep {
            self.shared.arrived.notify_one();
        }
        older.map_or(Replaced::Nothing, Replaced::Waiting)
    }

    /// Lets `change` work on the frame that waits, if there is one, before anyone can take it.
    pub fn with_waiting<R>(&self, change: impl FnOnce(&mut Frame) -> R) -> Option<R> {
        self.shared.lock().waiting.as_mut().map(change)
    }

    /// Takes back the frame that waits: its window is gone.
    pub fn retract(&self) -> Option<Frame> {
        self.shared.lock().waiting.take()
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.shared.change(|s| s.sender_gone = true);
    }
}

/// What woke the encoder.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a frame is the usual arrival; a box would allocate")]
pub enum Arrival {
    /// A frame.
    Frame(Frame),
    /// Someone called [`Nudge::nudge`].
    Nudged,
    /// Nothing came in time.
    TimedOut,
    /// The capture is gone and the mailbox is empty.
    Closed,
}

/// The encoder's end of the mailbox.
pub struct Slot(Arc<Shared>);

impl Slot {
    /// Waits for a frame, a nudge, the end of the capture, or `timeout` (`None`: for ever).
    /// A nudge comes before a frame. With `accept_frames` false, frames are left where newer ones
    /// can replace them.
    pub fn wait(&self, accept_frames: bool, timeout: Option<Duration>) -> Arrival {
        let mut state = self.0.lock();
        let deadline = timeout.map(|t| std::time::Instant::now() + t);
        loop {
            if std::mem::take(&mut state.nudged) {
                return Arrival::Nudged;
            }
            if accept_frames && let Some(frame) = state.waiting.take() {
                return Arrival::Frame(frame);
            }
            if state.sender_gone && (state.waiting.is_none() || !accept_frames) {
                return Arrival::Closed;
            }
            let left = deadline.map(|d| d.saturating_duration_since(std::time::Instant::now()));
            if left.is_some_and(|l| l.is_zero()) {
                return Arrival::TimedOut;
            }
            state.receiver_asleep = true;
            state = match left {
                None => self.0.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(l) => {
                    self.0.arrived.wait_timeout(state, l).unwrap_or_else(PoisonError::into_inner).0
                }
            };
            state.receiver_asleep = false;
        }
    }

    /// A handle with which anyone can wake [`Slot::wait`].
    #[must_use]
    pub fn nudge(&self) -> Nudge {
        Nudge(Arc::clone(&self.0))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.receiver_gone = true;
        let waiting = state.waiting.take();
        drop(state);
        // Outside the lock: the hold's waker may run code of its own.
        drop(waiting);
    }
}

/// Wakes the encoder for something other than a frame.
#[derive(Clone)]
pub struct Nudge(Arc<Shared>);

impl Nudge {
    /// Makes [`Slot::wait`] return [`Arrival::Nudged`] once.
    pub fn nudge(&self) {
        self.0.change(|s| s.nudged = true);
    }
}

#[cfg(test)]
#[path = "mailbox_tests.rs"]
mod tests;
