//! Peers can make us warn, but not without end.
//!
//! Each place in the code that warns may do so [`BURST`] times in [`WINDOW`]. What it would say
//! beyond that is counted, and the count is told as soon as there is room again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Lines from one place in one window.
const BURST: u32 = 20;

/// The time in which a place may warn as often.
const WINDOW: Duration = Duration::from_secs(10);

/// What a line may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    Yes,
    /// It is the last for now: those after it are left out.
    Last,
    /// So many before it were left out.
    After(u64),
    No,
}

/// One place's window.
#[derive(Clone, Copy, Debug)]
struct Window {
    began: Instant,
    lines: u32,
    left_out: u64,
}

impl Window {
    fn new(now: Instant) -> Self {
        Self { began: now, lines: 0, left_out: 0 }
    }

    fn pass(&mut self, now: Instant) -> Pass {
        let left_out = self.left_out;
        if now.duration_since(self.began) >= WINDOW {
            *self = Self::new(now);
        }
        self.lines = self.lines.saturating_add(1);
        match self.lines {
            1 if left_out > 0 => Pass::After(left_out),
            lines if lines < BURST => Pass::Yes,
            BURST => Pass::Last,
            _ => {
                self.left_out += 1;
                Pass::No
            }
        }
    }
}

/// The layer that keeps warnings and errors of one place in bounds. What is asked for by
/// `RUST_LOG` at lower levels passes: whoever asks for all of it wants all of it.
#[derive(Debug, Default)]
pub(super) struct Limit {
    windows: Mutex<HashMap<Identifier, Window>>,
}

impl<S: Subscriber> Layer<S> for Limit {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        // A game's output has no level of ours, and the lines below are not to be counted.
        if *metadata.level() > Level::WARN || metadata.target() == module_path!() {
            return true;
        }
        let now = Instant::now();
        let pass = {
            let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
            windows.entry(metadata.callsite()).or_insert_with(|| Window::new(now)).pass(now)
        };
        match pass {
            Pass::Yes => true,
            Pass::No => false,
            Pass::Last => {
                let seconds = WINDOW.as_secs();
                tracing::warn!("more lines like the next are left out for {seconds} s");
                true
            }
            Pass::After(count) => {
                tracing::warn!("{count} lines like the next were left out");
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_window_takes_its_burst_and_counts_the_rest() {
        let start = Instant::now();
        let mut window = Window::new(start);
        for _ in 1..BURST {
            assert_eq!(window.pass(start), Pass::Yes);
        }
        assert_eq!(window.pass(start), Pass::Last);
        for _ in 0..1000 {
            assert_eq!(window.pass(start + WINDOW / 2), Pass::No);
        }
        assert_eq!(window.pass(start + WINDOW), Pass::After(1000));
        assert_eq!(window.pass(start + WINDOW), Pass::Yes);
        // A quiet window has nothing to tell.
        assert_eq!(window.pass(start + WINDOW * 3), Pass::Yes);
    }
}
