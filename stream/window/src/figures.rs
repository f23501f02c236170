//! What the window counts of its own work.

use std::collections::VecDeque;
use std::time::Duration;

use stratus_frame::MonoTime;

/// The newest samples that percentiles are of: about a minute of pictures.
const SAMPLES: usize = 4096;
/// Inputs that wait for a picture that can show them.
const INPUTS: usize = 1024;

/// Durations, of which the newest count.
#[derive(Clone, Debug, Default)]
pub struct Durations(VecDeque<Duration>);

impl Durations {
    fn push(&mut self, duration: Duration) {
        if self.0.len() == SAMPLES {
            self.0.pop_front();
        }
        self.0.push_back(duration);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The duration that `percent` of them do not exceed (nearest rank); none without samples.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        let mut sorted: Vec<Duration> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied()
    }
}

/// Counts and times of a window.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Pictures that were drawn.
    pub drawn: u64,
    /// Pictures that a newer one replaced before they were drawn.
    pub skipped: u64,
    /// From the decoder's return to the picture's being given to the compositor.
    pub drawing: Durations,
    /// Within it, painting alone.
    pub painting: Durations,
    /// From an input to the drawing of the first picture that can show what it did.
    pub answering: Durations,
    inputs: VecDeque<(u64, MonoTime)>,
}

impl Figures {
    /// An input goes to the game.
    pub(crate) fn input(&mut self, id: u64, time: MonoTime) {
        if self.inputs.len() == INPUTS {
            self.inputs.pop_front();
        }
        self.inputs.push_back((id, time));
    }

    /// A picture was given to the compositor: decoded, begun and finished at these times, and
    /// able to show inputs up to `newest_input`.
    pub(crate) fn drawn(&mut self, times: [MonoTime; 3], newest_input: u64) {
        let [decoded, begun, finished] = times;
        self.drawn += 1;
        self.drawing.push(finished.since(decoded));
        self.painting.push(finished.since(begun));
        while let Some((id, time)) = self.inputs.front().copied() {
            if id > newest_input {
                break;
            }
            self.inputs.pop_front();
            self.answering.push(finished.since(time));
        }
    }

    /// The window's part of the overlay.
    pub(crate) fn lines(&self) -> Vec<String> {
        let row = |name: &str, durations: &Durations| {
            let ms = |percent| {
                durations.percentile(percent).map_or(f64::NAN, |d| d.as_secs_f64() * 1000.0)
            };
            format!("  {name:<23}{:>7.2}{:>7.2}", ms(50), ms(95))
        };
        let mut lines = vec![row("decoded -> drawn", &self.drawing)];
        if !self.answering.is_empty() {
            lines.push(row("input -> answer drawn", &self.answering));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let mut durations = Durations::default();
        assert_eq!(durations.percentile(50), None);
        for ms in [30, 10, 20, 40] {
            durations.push(Duration::from_millis(ms));
        }
        let at = |percent| durations.percentile(percent).map(|d| d.as_millis());
        assert_eq!([at(0), at(50), at(51), at(100)], [Some(10), Some(20), Some(30), Some(40)]);
    }

    #[test]
    fn an_input_is_answered_once_by_the_first_picture_that_can_show_it() {
        let ms = |n: u64| MonoTime::from_nanos(n * 1_000_000);
        let mut figures = Figures::default();
        figures.input(1, ms(100));
        figures.input(4, ms(105));
        figures.drawn([ms(101), ms(102), ms(104)], 0);
        assert!(figures.answering.is_empty());
        figures.drawn([ms(110), ms(111), ms(112)], 3);
        figures.drawn([ms(120), ms(121), ms(125)], 9);
        let all: Vec<u128> = figures.answering.0.iter().map(Duration::as_millis).collect();
        assert_eq!(all, [12, 20]);
        assert_eq!(figures.drawn, 3);
        assert_eq!(figures.drawing.percentile(100), Some(Duration::from_millis(5)));
    }
}
