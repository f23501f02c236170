//! A place for a recorder in a proxy that runs already.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use stratus_proxy_core::{ClientId, Observer, Seen};

use crate::Recorder;

/// Somebody records already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this session is being recorded already")]
pub struct Taken;

/// An observer that records once it is given a recorder; clones share the place. The proxy gets
/// one, and whoever starts recordings another.
#[derive(Clone)]
pub struct Place(Arc<Shared>);

struct Shared {
    /// Whether there is a recorder, to be asked without the lock.
    taken: AtomicBool,
    recorder: Mutex<Option<Recorder>>,
    waker: Waker,
}

impl Place {
    /// An empty place. `waker` makes the proxy's loop ask again whether it is observed.
    #[must_use]
    pub fn new(waker: Waker) -> Self {
        let (taken, recorder) = (AtomicBool::new(false), Mutex::new(None));
        Self(Arc::new(Shared { taken, recorder, waker }))
    }

    /// Lets `recorder` record the clients that connect from now on.
    ///
    /// # Errors
    /// [`Taken`] while another one records.
    pub fn put(&self, recorder: Recorder) -> Result<(), Taken> {
        let mut place = self.lock();
        if place.as_ref().is_some_and(Recorder::active) {
            return Err(Taken);
        }
        *place = Some(recorder);
        self.0.taken.store(true, Ordering::Release);
        drop(place);
        self.0.waker.wake_by_ref();
        Ok(())
    }

    /// Whether somebody records.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.lock().as_ref().is_some_and(Recorder::active)
    }

    /// Ends what is recorded here: nothing passes any more.
    pub fn clear(&self) {
        *self.lock() = None;
        self.0.taken.store(false, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Recorder>> {
        // Held by others only while a recorder is put here.
        self.0.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with(&self, act: impl FnOnce(&mut Recorder)) {
        if self.0.taken.load(Ordering::Acquire)
            && let Some(recorder) = self.lock().as_mut()
        {
            act(recorder);
        }
    }
}

impl Observer for Place {
    fn active(&self) -> bool {
        if !self.0.taken.load(Ordering::Acquire) {
            return false;
        }
        let mut place = self.lock();
        let is_active = place.as_ref().is_some_and(Recorder::active);
        if !is_active {
            // What it remembers of clients' memory is of no use any more.
            *place = None;
            self.0.taken.store(false, Ordering::Release);
        }
        is_active
    }

    fn client_added(&mut self, client: ClientId, process: Option<u32>) {
        self.with(|recorder| recorder.client_added(client, process));
    }

    fn seen(&mut self, seen: &Seen<'_>) {
        self.with(|recorder| recorder.seen(seen));
    }

    fn client_gone(&mut self, client: ClientId) {
        self.with(|recorder| recorder.client_gone(client));
    }
}
