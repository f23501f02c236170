//! Waking the loop from other threads: dropped holds, deadlines set elsewhere, the order to stop.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use rustix::event::{EventfdFlags, eventfd};

#[derive(Debug)]
struct Bell {
    event: OwnedFd,
    /// Whether `event` was written since the loop last looked, so that many wakers cost one system
    /// call.
    rung: AtomicBool,
    stop: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.rung.swap(true, Ordering::AcqRel) {
            return;
        }
        // Its count of 64 bits cannot be full. Should it fail all the same, the next waker must try
        // again.
        if rustix::io::write(&self.event, &1u64.to_ne_bytes()).is_err() {
            self.rung.store(false, Ordering::Release);
        }
    }
}

/// What the loop sleeps on beside its sockets. Made before the proxy, so that hooks can hold its
/// waker.
#[derive(Clone, Debug)]
pub struct Wakeup(Arc<Bell>);

impl Wakeup {
    /// A wake-up that nobody has rung.
    ///
    /// # Errors
    /// If no eventfd can be had (the limit of open files).
    pub fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let bell = Bell { event, rung: AtomicBool::new(false), stop: AtomicBool::new(false) };
        Ok(Self(Arc::new(bell)))
    }

    /// Wakes the loop, which then asks the hook for whom it has something to say.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.0))
    }

    pub(crate) fn handle(&self) -> ProxyHandle {
        ProxyHandle(Arc::clone(&self.0))
    }

    pub(crate) fn event(&self) -> BorrowedFd<'_> {
        self.0.event.as_fd()
    }

    pub(crate) fn must_stop(&self) -> bool {
        self.0.stop.load(Ordering::Acquire)
    }

    /// Takes note of all rings so far. What they announce must be looked at after this. The count
    /// of the eventfd stays: the loop hears of each write to it, not of its being readable.
    pub(crate) fn acknowledge(&self) {
        self.0.rung.swap(false, Ordering::AcqRel);
    }
}

/// Stops a running proxy from elsewhere.
#[derive(Clone, Debug)]
pub struct ProxyHandle(Arc<Bell>);

impl ProxyHandle {
    /// Makes [`crate::Proxy::run`] return soon. All clients are disconnected.
    pub fn stop(&self) {
        self.0.stop.store(true, Ordering::Release);
        self.0.wake_by_ref();
    }
}
