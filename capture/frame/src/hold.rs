//! The promise that a game's buffer is not given back while someone reads it.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

/// Names one hold; its meaning belongs to whoever made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HoldKey(pub u64);

/// Where dropped holds gather until their maker comes for them.
///
/// Dropping a [`Hold`] from any thread adds its key and wakes the maker at once: a game that
/// waits for its buffer must not wait for the next message.
#[derive(Debug)]
pub struct Released {
    keys: Mutex<Vec<HoldKey>>,
    waker: Waker,
}

impl Released {
    /// A gathering place whose arrivals call `waker`.
    #[must_use]
    pub fn new(waker: Waker) -> Arc<Self> {
        Arc::new(Self { keys: Mutex::new(Vec::with_capacity(16)), waker })
    }

    /// Moves all keys gathered so far to the end of `into`.
    pub fn drain(&self, into: &mut Vec<HoldKey>) {
        into.append(&mut self.keys.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn push(&self, key: HoldKey) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).push(key);
        self.waker.wake_by_ref();
    }
}

/// While this lives, the buffer behind a frame is not released to the game.
#[derive(Debug)]
pub struct Hold(Option<(HoldKey, Arc<Released>)>);

impl Hold {
    /// A hold that reports `key` to `released` when it is dropped.
    #[must_use]
    pub fn new(key: HoldKey, released: Arc<Released>) -> Self {
        Self(Some((key, released)))
    }

    /// A hold on nothing, for pictures that Stratus owns itself.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Ends the hold without a report: for its maker, who thereby learns at once which it was.
    #[must_use]
    pub fn into_key(mut self) -> Option<HoldKey> {
        self.0.take().map(|(key, _)| key)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some((key, released)) = self.0.take() {
            released.push(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_drop_reports_and_wakes_once_and_defusing_does_neither() {
        let count = Arc::new(Count::default());
        let released = Released::new(Waker::from(Arc::clone(&count)));
        drop(Hold::new(HoldKey(1), Arc::clone(&released)));
        let kept = Hold::new(HoldKey(2), Arc::clone(&released));
        assert_eq!(kept.into_key(), Some(HoldKey(2)));
        drop(Hold::none());
        let mut keys = Vec::new();
        released.drain(&mut keys);
        released.drain(&mut keys);
        assert_eq!(keys, [HoldKey(1)]);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}
