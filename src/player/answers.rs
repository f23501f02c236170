//! From an input to the picture that answers it.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use stratus_frame::{FrameId, MonoTime};

use super::decoding::Done;
use crate::failure::Failure;

/// Inputs that wait for an answer, at most; a game that answers none answers none of more.
const MOST: usize = 4096;

/// The first line of the file. Moments are nanoseconds of this machine's monotonic clock; the frame
/// and its moment are empty where no picture answered.
const HEAD: &str = "input,sent,frame,decoded";

/// An input and the picture that answered it.
struct Answer {
    input: u64,
    sent: MonoTime,
    frame: FrameId,
    decoded: MonoTime,
}

/// Inputs, and how long it took until a picture came that may show them and differs from the one
/// before. Where the picture changes by itself, as most games' does, that is the first picture
/// after the input; in a program that stands still, it is the answer.
#[derive(Default)]
pub(crate) struct Answers {
    waiting: VecDeque<(u64, MonoTime)>,
    answered: Vec<Answer>,
    different: u64,
}

/// What there is to be told of it.
#[derive(Debug, Serialize)]
pub(crate) struct AnswersReport {
    pub(crate) p50_us: f64,
    pub(crate) p95_us: f64,
    pub(crate) samples: usize,
    /// Inputs that no picture answered.
    pub(crate) unanswered: usize,
}

impl Answers {
    /// An input is sent that something should answer.
    pub(crate) fn sent(&mut self, id: u64, at: MonoTime) {
        if self.waiting.len() < MOST {
            self.waiting.push_back((id, at));
        }
    }

    /// A picture was decoded.
    pub(crate) fn seen(&mut self, done: &Done) {
        let changed = done.different > self.different;
        self.different = done.different;
        while let Some((id, at)) = self.waiting.front().copied() {
            if !changed || id > done.header.newest_input {
                return;
            }
            let (frame, decoded) = (done.header.id, done.decoded);
            self.answered.push(Answer { input: id, sent: at, frame, decoded });
            self.waiting.pop_front();
        }
    }

    /// What there is to be told, if there was any input.
    pub(crate) fn report(&self) -> Option<AnswersReport> {
        if self.answered.is_empty() && self.waiting.is_empty() {
            return None;
        }
        let delays = self.answered.iter().map(|a| a.decoded.since(a.sent));
        let mut delays: Vec<Duration> = delays.collect();
        delays.sort_unstable();
        let at = |percent: usize| {
            let last = delays.len().saturating_sub(1);
            let delay = delays.get((delays.len() * percent / 100).min(last));
            delay.map_or(0.0, |d| d.as_nanos() as f64 / 1000.0)
        };
        Some(AnswersReport {
            p50_us: at(50),
            p95_us: at(95),
            samples: delays.len(),
            unanswered: self.waiting.len(),
        })
    }

    /// Writes a line for each input to the file at `path`.
    ///
    /// # Errors
    /// A [`Failure`] if it cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        fs::write(path, self.csv()).map_err(|e| {
            Failure::new(format!("keep the inputs' answers in {}", path.display()), e)
                .remedy("name a file in a folder that you may write to, as in answers.csv")
        })
    }

    fn csv(&self) -> String {
        let mut text = format!("{HEAD}\n");
        // Writing to a String cannot fail.
        for Answer { input, sent, frame, decoded } in &self.answered {
            let (sent, decoded) = (sent.as_nanos(), decoded.as_nanos());
            let _ = writeln!(text, "{input},{sent},{},{decoded}", frame.0);
        }
        for (input, sent) in &self.waiting {
            let _ = writeln!(text, "{input},{},,", sent.as_nanos());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::player::tally::tests::done;

    fn picture(newest_input: u64, different: u64, decoded_us: u64) -> Done {
        let mut picture = done(0, 1);
        picture.header.newest_input = newest_input;
        picture.decoded = MonoTime::from_nanos(decoded_us * 1000);
        Done { different, ..picture }
    }

    #[test]
    fn an_answer_may_show_the_input_and_shows_something_new() {
        let mut answers = Answers::default();
        assert!(answers.report().is_none());
        answers.seen(&picture(0, 1, 5));
        answers.sent(1, MonoTime::from_nanos(10_000));
        answers.sent(2, MonoTime::from_nanos(20_000));
        answers.seen(&picture(0, 2, 30));
        answers.seen(&picture(1, 2, 40));
        assert_eq!(answers.report().unwrap().samples, 0, "too early, and the same picture again");
        answers.seen(&picture(1, 3, 60));
        let report = answers.report().unwrap();
        assert_eq!((report.samples, report.unanswered), (1, 1));
        assert!((report.p50_us - 50.0).abs() < 0.01, "{report:?}");
        answers.seen(&picture(9, 4, 120));
        let report = answers.report().unwrap();
        assert_eq!((report.samples, report.unanswered), (2, 0));
        assert!((report.p95_us - 100.0).abs() < 0.01, "{report:?}");
        answers.sent(7, MonoTime::from_nanos(130_000));
        let lines = "1,10000,1,60000\n2,20000,1,120000\n7,130000,,\n";
        assert_eq!(answers.csv(), format!("{HEAD}\n{lines}"));
    }
}
