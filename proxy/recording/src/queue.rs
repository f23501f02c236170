//! The queue between the proxy's thread, which must never wait, and the thread that compresses
//! and writes.
//!
//! Records gather in chunks of the size of a block. The lock is held for a copy of one record at
//! the most.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::block::BLOCK_TARGET;
use crate::record::EndReason;

/// Records are in the file at the latest this long after they were made, plus what compressing
/// them takes.
const FLUSH_AFTER: Duration = Duration::from_millis(500);

/// Emptied chunks that are kept for use again.
const SPARE_CHUNKS: usize = 4;

/// Why nothing more is recorded, in a word and in words.
pub(crate) type End = (EndReason, String);

struct State {
    /// Records still being gathered, and since when.
    open: Vec<u8>,
    since: Instant,
    full: VecDeque<Vec<u8>>,
    spare: Vec<Vec<u8>>,
    /// Bytes in `full`.
    waiting: usize,
    /// How often content was refused.
    missing: u64,
    end: Option<End>,
}

pub(crate) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    /// Whether `end` is set, to be asked without the lock.
    ended: AtomicBool,
    /// The most bytes that may wait.
    limit: usize,
}

/// What the writer is to do next.
pub(crate) struct Chunk {
    pub(crate) records: Vec<u8>,
    /// More than a quarter of the room is taken: compress faster.
    pub(crate) hurry: bool,
}

impl Queue {
    pub(crate) fn new(limit: usize) -> Self {
        let state = State {
            open: Vec::with_capacity(BLOCK_TARGET),
            since: Instant::now(),
            full: VecDeque::with_capacity(limit.div_ceil(BLOCK_TARGET)),
            spare: Vec::with_capacity(SPARE_CHUNKS),
            waiting: 0,
            missing: 0,
            end: None,
        };
        Self {
            state: Mutex::new(state),
            wake: Condvar::new(),
            ended: AtomicBool::new(false),
            limit,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // State is whole between any two statements below.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Adds one whole record, or ends the recording if there is no room for it: messages are
    /// never left out in silence.
    pub(crate) fn push(&self, record: &[u8]) {
        let mut state = self.lock();
        if state.end.is_some() {
            return;
        }
        if state.waiting + state.open.len() + record.len() > self.limit {
            let text = format!(
                "{} MiB waited to be compressed and written, and no more may",
                self.limit >> 20
            );
            self.end_locked(&mut state, (EndReason::Overrun, text));
            return;
        }
        if state.open.len() + record.len() > BLOCK_TARGET && !state.open.is_empty() {
            let fresh = state.spare.pop().unwrap_or_else(|| Vec::with_capacity(BLOCK_TARGET));
            let full = std::mem::replace(&mut state.open, fresh);
            state.waiting += full.len();
            state.full.push_back(full);
        }
        let first = state.open.is_empty();
        state.open.extend_from_slice(record);
        if first {
            state.since = Instant::now();
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Whether content may be added. The second half of the room is for messages alone.
    pub(crate) fn has_room_for_content(&self) -> bool {
        let mut state = self.lock();
        let has_room = state.waiting + state.open.len() < self.limit / 2;
        state.missing += u64::from(!has_room);
        has_room
    }

    /// Nothing is accepted any more; what was accepted is still written.
    pub(crate) fn end(&self, reason: EndReason, text: String) {
        self.end_locked(&mut self.lock(), (reason, text));
    }

    fn end_locked(&self, state: &mut State, end: End) {
        if state.end.is_none() {
            state.end = Some(end);
            self.ended.store(true, Ordering::Relaxed);
            self.wake.notify_one();
        }
    }

    /// How often content was refused.
    pub(crate) fn missing(&self) -> u64 {
        self.lock().missing
    }

    /// Waits for what is to be written next. After the last of it comes the reason for the end.
    pub(crate) fn next(&self, emptied: Option<Vec<u8>>) -> Result<Chunk, End> {
        let mut state = self.lock();
        if let Some(mut chunk) = emptied
            && state.spare.len() < SPARE_CHUNKS
        {
            chunk.clear();
            state.spare.push(chunk);
        }
        loop {
            let hurry = state.waiting > self.limit / 4;
            if let Some(records) = state.full.pop_front() {
                state.waiting -= records.len();
                return Ok(Chunk { records, hurry });
            }
            let age = state.since.elapsed();
            if state.open.is_empty() {
                if let Some(end) = &state.end {
                    return Err(end.clone());
                }
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else if state.end.is_some() || age >= FLUSH_AFTER {
                let fresh = state.spare.pop().unwrap_or_else(|| Vec::with_capacity(BLOCK_TARGET));
                let records = std::mem::replace(&mut state.open, fresh);
                return Ok(Chunk { records, hurry });
            } else {
                let rest = FLUSH_AFTER - age;
                let waited = self.wake.wait_timeout(state, rest);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn what_was_pushed_comes_out_in_order_and_then_the_end() {
        let queue = Queue::new(64 << 20);
        for round in 0..40u8 {
            queue.push(&vec![round; 100_000]);
        }
        queue.end(EndReason::Finished, String::new());
        queue.push(&[99; 8]);
        let mut all = Vec::new();
        let mut emptied = None;
        let end = loop {
            match queue.next(emptied.take()) {
                Ok(chunk) => {
                    assert!(chunk.records.len() <= BLOCK_TARGET);
                    all.extend_from_slice(&chunk.records);
                    emptied = Some(chunk.records);
                }
                Err(end) => break end,
            }
        };
        let expected: Vec<u8> = (0..40u8).flat_map(|round| vec![round; 100_000]).collect();
        assert!(all == expected);
        assert_eq!(end.0, EndReason::Finished);
    }

    #[test]
    fn without_room_it_refuses_content_first_and_then_ends() {
        let queue = Queue::new(4 << 20);
        let record = vec![1; 64 << 10];
        let mut accepted = 0;
        while queue.has_room_for_content() {
            queue.push(&record);
            accepted += 1;
        }
        assert_eq!((accepted, queue.has_ended()), (32, false));
        while !queue.has_ended() {
            queue.push(&record);
        }
        assert_eq!(queue.missing(), 1);
        let mut bytes = 0;
        let end = loop {
            match queue.next(None) {
                Ok(chunk) => bytes += chunk.records.len(),
                Err(end) => break end,
            }
        };
        assert_eq!((bytes, end.0), (4 << 20, EndReason::Overrun));
    }

    #[test]
    fn a_lone_record_does_not_wait_for_a_second() {
        let queue = Queue::new(1 << 20);
        queue.push(&[7; 3]);
        assert_eq!(queue.next(None).expect("a chunk").records, [7; 3]);
    }
}
