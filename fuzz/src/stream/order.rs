//! Frames that arrive in any order, or never.

use std::collections::{BTreeMap, BTreeSet};

use stratus_frame::{FrameId, MonoTime};
use stratus_stream_core::order::{DecodeOrder, OrderCounts};

use crate::input::Input;

const MS: u64 = 1_000_000;

/// A frame that waits.
#[derive(Clone, Copy)]
struct Frame {
    id: u64,
    depends_on: Option<u64>,
    bytes: usize,
    arrived: u64,
}

/// "Order" in docs/protocol.md, rule by rule.
#[derive(Default)]
struct Slow {
    here: BTreeMap<u64, Frame>,
    lost: BTreeSet<u64>,
    expected: u64,
    /// What was decoded since the last keyframe.
    decoded: Vec<u64>,
    newest: u64,
    needs_keyframe: bool,
    asked: Option<u64>,
    counts: OrderCounts,
}

impl Slow {
    fn arrive(&mut self, sequence: u64, frame: Frame) {
        let late = sequence < self.expected || sequence == u64::MAX;
        if late || self.here.contains_key(&sequence) {
            self.counts.dropped += 1;
        } else {
            self.lost.remove(&sequence);
            self.here.insert(sequence, frame);
        }
    }

    fn lose(&mut self, sequence: u64) {
        let near = (self.expected..self.expected.saturating_add(32)).contains(&sequence);
        if near && sequence != u64::MAX && !self.here.contains_key(&sequence) {
            self.lost.insert(sequence);
        }
    }

    fn next(&mut self, now: u64) -> Option<u64> {
        loop {
            if let Some(frame) = self.here.remove(&self.expected) {
                self.expected += 1;
                let memory = &self.decoded[self.decoded.len().saturating_sub(16)..];
                let fits = frame.depends_on.is_none_or(|d| memory.contains(&d));
                if !fits || frame.id <= self.newest {
                    self.counts.dropped += 1;
                    self.needs_keyframe = true;
                    continue;
                }
                if frame.depends_on.is_none() {
                    self.decoded.clear();
                    self.needs_keyframe = false;
                }
                self.decoded.push(frame.id);
                self.newest = frame.id;
                self.counts.yielded += 1;
                return Some(frame.id);
            }
            if self.lost.remove(&self.expected) {
                self.expected += 1;
                self.counts.missing += 1;
                continue;
            }
            let next = self.keyframe(now).or_else(|| self.overflow())?;
            let before = self.here.range(..next).count() as u64;
            self.counts.dropped += before;
            self.counts.missing += next - self.expected - before;
            self.here.retain(|s, _| *s >= next);
            self.lost.retain(|s| *s >= next);
            self.expected = next;
        }
    }

    /// Rule 2: the newest keyframe, 3 ms after it came.
    fn keyframe(&self, now: u64) -> Option<u64> {
        let (sequence, frame) = self.here.iter().rev().find(|(_, f)| f.depends_on.is_none())?;
        (now >= frame.arrived + 3 * MS).then_some(*sequence)
    }

    /// No more than 32 frames or 64 MiB wait.
    fn overflow(&self) -> Option<u64> {
        let bytes: usize = self.here.values().map(|f| f.bytes).sum();
        let many = self.here.len() + self.lost.len() > 32 || bytes > 64 << 20;
        many.then(|| self.here.keys().chain(&self.lost).min().copied()).flatten()
    }

    /// Rule 3.
    fn asks(&mut self, now: u64) -> bool {
        let waited = self.here.values().any(|f| now >= f.arrived + 250 * MS);
        let may = self.asked.is_none_or(|t| now >= t + 500 * MS);
        let asks = (self.needs_keyframe || waited) && may;
        if asks {
            self.asked = Some(now);
        }
        asks
    }
}

/// Frames arrive, are lost, and time goes by.
pub(super) fn run(input: &mut Input<'_>) {
    let (mut order, mut slow) = (DecodeOrder::default(), Slow::default());
    let mut now = MS;
    for _ in 0..300 {
        if input.is_empty() {
            break;
        }
        match input.byte() {
            choice @ 0..=159 => {
                let sequence = match choice {
                    0..=149 => slow.expected.saturating_add(u64::from(choice % 40)),
                    150..=157 => u64::from(input.byte()),
                    158 => u64::MAX - u64::from(input.byte() & 1),
                    _ => u64::from(input.word()),
                };
                let shape = input.byte();
                let id = match shape {
                    0..=239 => sequence.saturating_add(1),
                    _ => u64::from(input.byte()) + 1,
                };
                let back = if shape & 15 == 1 { 1 + u64::from(input.byte() & 31) } else { 1 };
                let depends_on = (shape & 15 != 0).then(|| id.saturating_sub(back).max(1));
                let bytes = if shape & 31 == 30 { 20 << 20 } else { 1000 };
                let frame = Frame { id, depends_on, bytes, arrived: now };
                slow.arrive(sequence, frame);
                let ids = (FrameId(id), depends_on.map(FrameId));
                order.handle_frame(MonoTime::from_nanos(now), sequence, ids, bytes, id);
            }
            choice @ 160..=189 => {
                let sequence = slow.expected.saturating_add(u64::from(choice - 160) * 2);
                slow.lose(sequence);
                order.handle_lost(sequence);
            }
            choice @ 190..=251 => now += u64::from(choice - 189) * u64::from(input.byte()) * 50_000,
            _ => {
                slow.decoded.clear();
                slow.needs_keyframe = true;
                order.handle_decoder_failure();
            }
        }
        compare(&mut order, &mut slow, now);
    }
}

fn compare(order: &mut DecodeOrder<u64>, slow: &mut Slow, now: u64) {
    let at = MonoTime::from_nanos(now);
    loop {
        let (got, expected) = (order.poll_frame(at), slow.next(now));
        assert_eq!(got, expected, "the next frame");
        if got.is_none() {
            break;
        }
    }
    assert_eq!(order.poll_keyframe_request(at), slow.asks(now), "whether to ask for a keyframe");
    assert_eq!(order.counts(), slow.counts);
    assert_eq!((order.newest().0, order.waiting()), (slow.newest, slow.here.len()));
    assert!(order.waiting() <= 33);
    if let Some(timeout) = order.poll_timeout() {
        assert!(timeout > at, "what was due at a timeout was done");
    } else {
        assert!(slow.here.is_empty() && !slow.needs_keyframe, "somebody comes back for what waits");
    }
}
