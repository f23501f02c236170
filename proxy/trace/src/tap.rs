//! From the proxy's thread to those who read: an observer, and a bounded queue for each reader.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use stratus_frame::MonoTime;
use stratus_proxy_core::{ClientId, Observer, Seen};

use crate::step::{self, Record, Unreadable};

/// How many bytes may wait for a reader before it loses messages. A message takes some 60.
pub const QUEUE_LIMIT: usize = 32 << 20;

/// The observer. Handed to the proxy; idle until somebody reads.
pub struct Tap {
    shared: Arc<Shared>,
    /// The record at hand; kept so that nothing is allocated for it.
    record: Vec<u8>,
}

/// Where readers come from.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    /// Whether there are queues.
    active: AtomicBool,
    state: Mutex<State>,
    /// Rung when a client goes.
    left: Condvar,
    waker: Waker,
}

#[derive(Default)]
struct State {
    clients: BTreeMap<ClientId, Option<u32>>,
    queues: Vec<Arc<Queue>>,
    /// The tap is gone.
    over: bool,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    limit: usize,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// Messages that found no room since the reader last took something.
    lost: u64,
    closed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is done under these locks leaves half of it behind.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// A tap and its hub. `waker` wakes the proxy's loop, so that it asks the tap again whether
    /// somebody reads.
    #[must_use]
    pub fn new(waker: Waker) -> (Self, Tap) {
        let shared = Arc::new(Shared {
            active: AtomicBool::new(false),
            state: Mutex::default(),
            left: Condvar::new(),
            waker,
        });
        (Self { shared: Arc::clone(&shared) }, Tap { shared, record: Vec::new() })
    }

    /// Begins to read: first come the clients that are there, then all that happens. At most
    /// `limit` bytes wait, see [`QUEUE_LIMIT`].
    #[must_use]
    pub fn attach(&self, limit: usize) -> Feed {
        let queue = Arc::new(Queue { limit, ..Queue::default() });
        let mut state = lock(&self.shared.state);
        {
            let mut waiting = lock(&queue.waiting);
            let now = MonoTime::now().as_nanos();
            for (client, process) in &state.clients {
                step::write_added(&mut waiting.bytes, *client, now, *process);
            }
            waiting.closed = state.over;
        }
        state.queues.push(Arc::clone(&queue));
        self.shared.active.store(!state.over, Ordering::Release);
        drop(state);
        self.shared.waker.wake_by_ref();
        Feed { shared: Arc::clone(&self.shared), queue, spare: Vec::new() }
    }
}

impl Hub {
    /// Waits until no client is connected, or `patience` is over.
    pub fn wait_until_nobody(&self, patience: Duration) {
        let state = lock(&self.shared.state);
        // A poisoned lock means that a reader panicked; the proxy ends all the same.
        drop(self.shared.left.wait_timeout_while(state, patience, |s| !s.clients.is_empty()));
    }
}

impl Queue {
    fn push(&self, record: &[u8]) {
        let mut waiting = lock(&self.waiting);
        // Once something is lost, all is until the reader takes what waits: so the gap is one.
        if waiting.lost > 0 || waiting.bytes.len() + record.len() > self.limit {
            waiting.lost += 1;
            return;
        }
        let first = waiting.bytes.is_empty();
        waiting.bytes.extend_from_slice(record);
        drop(waiting);
        if first {
            self.filled.notify_one();
        }
    }

    fn close(&self) {
        lock(&self.waiting).closed = true;
        self.filled.notify_one();
    }
}

impl Tap {
    fn push(&self) {
        for queue in &lock(&self.shared.state).queues {
            queue.push(&self.record);
        }
    }
}

impl Observer for Tap {
    fn active(&self) -> bool {
        self.shared.active.load(Ordering::Acquire)
    }

    fn client_added(&mut self, client: ClientId, process: Option<u32>) {
        lock(&self.shared.state).clients.insert(client, process);
        self.record.clear();
        step::write_added(&mut self.record, client, MonoTime::now().as_nanos(), process);
        self.push();
    }

    fn seen(&mut self, seen: &Seen<'_>) {
        self.record.clear();
        step::write_message(&mut self.record, seen);
        self.push();
    }

    fn client_gone(&mut self, client: ClientId) {
        lock(&self.shared.state).clients.remove(&client);
        self.record.clear();
        step::write_gone(&mut self.record, client, MonoTime::now().as_nanos());
        self.push();
        self.shared.left.notify_all();
    }
}

/// The proxy is gone: readers get what waits, and then the end.
impl Drop for Tap {
    fn drop(&mut self) {
        let mut state = lock(&self.shared.state);
        state.over = true;
        state.clients.clear();
        self.shared.active.store(false, Ordering::Release);
        for queue in std::mem::take(&mut state.queues) {
            queue.close();
        }
    }
}

/// What one reader reads. While it lives, the proxy is watched.
pub struct Feed {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    spare: Vec<u8>,
}

/// Ends a feed from another thread.
#[derive(Clone)]
pub struct Closer(Arc<Queue>);

impl Closer {
    /// Lets [`Feed::take`] return at once, for ever.
    pub fn close(&self) {
        self.0.close();
    }
}

/// What came since the reader last took something.
pub struct Batch<'a> {
    bytes: &'a [u8],
    /// How many messages, after all those in the batch, found no room.
    pub lost: u64,
}

impl<'a> Batch<'a> {
    /// The next record; `None` after the last.
    ///
    /// # Errors
    /// [`Unreadable`] never, or there is a bug in this crate.
    pub fn next_record(&mut self) -> Result<Option<Record<'a>>, Unreadable> {
        step::read(&mut self.bytes)
    }
}

impl Feed {
    /// Waits for something to happen. `None` after all that the proxy showed, when it or the feed
    /// is closed.
    pub fn take(&mut self) -> Option<Batch<'_>> {
        let mut waiting = lock(&self.queue.waiting);
        while waiting.bytes.is_empty() && waiting.lost == 0 {
            if waiting.closed {
                return None;
            }
            waiting = self.queue.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        self.spare.clear();
        // After a flood the room is given back.
        self.spare.shrink_to(1 << 20);
        std::mem::swap(&mut self.spare, &mut waiting.bytes);
        let lost = std::mem::take(&mut waiting.lost);
        drop(waiting);
        Some(Batch { bytes: &self.spare, lost })
    }

    /// What ends it from another thread.
    #[must_use]
    pub fn closer(&self) -> Closer {
        Closer(Arc::clone(&self.queue))
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let mut state = lock(&self.shared.state);
        state.queues.retain(|queue| !Arc::ptr_eq(queue, &self.queue));
        let active = !state.queues.is_empty();
        self.shared.active.store(active && !state.over, Ordering::Release);
        drop(state);
        self.shared.waker.wake_by_ref();
    }
}
