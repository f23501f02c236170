//! Inputs on their way to the game: in order, bounded in number and rate, none lost but motion that
//! a later motion says as well.

use std::collections::VecDeque;
use std::time::Duration;

use stratus_frame::MonoTime;
use stratus_frame::input::{Input, InputEvent, TouchPhase, WheelSource};

/// Inputs that wait at most, before no more are read.
const CAPACITY: usize = 256;
/// Between inputs in the long run: 4000 a second, above what mice and gamepads send, and what a
/// compositor and a game take beside their work.
const GAP: Duration = Duration::from_micros(250);
/// What may come at once beyond that: a burst of as many inputs as wait at most.
const BURST: Duration = Duration::from_millis(64);

/// Inputs that wait, each for its turn.
///
/// Feed with [`InputQueue::handle_input`] while [`InputQueue::is_full`] says no, then take with
/// [`InputQueue::poll`], and again at [`InputQueue::poll_timeout`]. Usually nothing waits, and every
/// input passes as it is. Only what waits is merged: motion with the motion right before it.
#[derive(Debug, Default)]
pub struct InputQueue {
    waiting: VecDeque<Input>,
    /// When the next would be due if all came evenly.
    due: MonoTime,
}

impl InputQueue {
    /// Whether the sender should wait. More is still taken, as nothing may be lost.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= CAPACITY
    }

    /// Takes in the next input.
    pub fn handle_input(&mut self, input: Input) {
        let Some(merged) = self.merged(&input) else {
            self.waiting.push_back(input);
            return;
        };
        // At the end, so that the numbers still rise.
        let Some(event) =
            self.waiting.remove(merged).and_then(|old| merge(&old.event, &input.event))
        else {
            return;
        };
        self.waiting.push_back(Input { event, ..input });
    }

    /// The next input that is due; `None` if none waits or too many came before.
    pub fn poll(&mut self, now: MonoTime) -> Option<Input> {
        if self.due > now.after(BURST) {
            return None;
        }
        let input = self.waiting.pop_front()?;
        self.due = self.due.max(now).after(GAP);
        Some(input)
    }

    /// The next input, due or not: the sender says no more.
    pub fn poll_rest(&mut self) -> Option<Input> {
        self.waiting.pop_front()
    }

    /// When [`InputQueue::poll`] gives the next, if one waits.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonoTime> {
        let burst = BURST.as_nanos() as u64;
        let at = MonoTime::from_nanos(self.due.as_nanos().saturating_sub(burst));
        (!self.waiting.is_empty()).then_some(at)
    }

    /// Which of those that wait `input` is merged with: the last, or of fingers that move at once
    /// the same one.
    fn merged(&self, input: &Input) -> Option<usize> {
        for (i, old) in self.waiting.iter().enumerate().rev() {
            if merge(&old.event, &input.event).is_some() {
                return Some(i);
            }
            if !(is_finger_motion(&old.event) && is_finger_motion(&input.event)) {
                return None;
            }
        }
        None
    }
}

const fn is_finger_motion(event: &InputEvent) -> bool {
    matches!(event, InputEvent::Touch { phase: TouchPhase::Motion(_), .. })
}

/// One event that does what both do, where there is one.
fn merge(old: &InputEvent, new: &InputEvent) -> Option<InputEvent> {
    use InputEvent::{Gamepad, PointerAt, PointerBy, Touch, Wheel};
    match (old, new) {
        (PointerAt(_), PointerAt(_)) => Some(new.clone()),
        (PointerBy { dx, dy }, PointerBy { dx: x, dy: y }) => {
            Some(PointerBy { dx: dx.saturating_add(*x), dy: dy.saturating_add(*y) })
        }
        (Wheel { dx, dy, source }, Wheel { dx: x, dy: y, source: s }) if source == s => {
            // A finger that was lifted ends one movement and begins another.
            let lifted =
                *source == WheelSource::Finger && ((*dx, *dy) == (0, 0) || (*x, *y) == (0, 0));
            let (dx, dy) = (dx.saturating_add(*x), dy.saturating_add(*y));
            // Neither may the sum of two movements say that it was lifted.
            let is_none = (dx, dy) == (0, 0);
            (!lifted && !is_none).then_some(Wheel { dx, dy, source: *source })
        }
        (
            Touch { slot, phase: TouchPhase::Motion(_) },
            Touch { slot: s, phase: TouchPhase::Motion(_) },
        ) if slot == s => Some(new.clone()),
        // What is pressed between two states must be seen.
        (Gamepad(a), Gamepad(b))
            if a.pad == b.pad && a.connected == b.connected && a.buttons == b.buttons =>
        {
            Some(new.clone())
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "input_queue_tests.rs"]
mod tests;
