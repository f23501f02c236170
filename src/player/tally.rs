//! What a player counted, and how it is told.

use std::fmt::Write;

use serde::Serialize;
use stratus_frame::{FrameId, MonoTime, Size};
use stratus_stream::core::clock::Clock;
use stratus_stream::core::header::FrameHeader;
use stratus_stream::core::latency::{FrameTimes, Latency};
use stratus_stream::core::message::EndReason;

use super::answers::{Answers, AnswersReport};
use super::cursor::{Cursor, CursorReport};
use super::decoding::Done;
use super::sound::{Sound, SoundReport};

/// Everything counted so far.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) latency: Latency,
    pub(crate) decoded: u64,
    /// Frames of a viewer are numbered without gaps: each number that did not come counts.
    pub(crate) missing: u64,
    /// Frames that came and could not be decoded.
    pub(crate) damaged: u64,
    pub(crate) bytes: u64,
    pub(crate) newest: FrameId,
    pub(crate) cursor: Cursor,
    /// Of the last picture.
    pub(crate) size: Size,
    pub(crate) sound: Sound,
    /// What became of the inputs that were sent.
    pub(crate) answers: Answers,
    keyframes: u64,
    torn: u64,
    /// Frames that the server encoded and did not send here.
    pub(crate) skipped: u64,
    /// Frames that showed again what an earlier one had shown.
    repeats: u64,
    different: u64,
    next_sequence: u64,
    out_of_order: u64,
    first_unix: Option<f64>,
}

impl Tally {
    /// Counts a frame that came out of the decoder, and gives its moments on our clock if it is a
    /// picture. `clock` is what is known of the server's.
    pub(crate) fn count(&mut self, done: &Done, clock: &Clock) -> Option<FrameTimes> {
        let header = &done.header;
        self.check_order(header);
        self.bytes += u64::from(header.payload_len);
        if done.failure.is_some() {
            self.damaged += 1;
            return None;
        }
        self.decoded += 1;
        self.answers.seen(done);
        self.keyframes += u64::from(header.is_keyframe());
        self.torn += u64::from(header.torn);
        self.different = done.different;
        self.newest = header.id;
        self.size = header.size;
        self.first_unix.get_or_insert(done.unix);
        let mut stamps = header.stamps;
        if stamps.convert_start.is_set() {
            self.sound.note_picture(stamps.read, done.decoded);
        } else {
            // Its commit may be long past: the time since then is no delay.
            self.repeats += 1;
            stamps.read = MonoTime::UNSET;
            stamps.handed = MonoTime::UNSET;
        }
        for stamp in [
            &mut stamps.read,
            &mut stamps.handed,
            &mut stamps.convert_start,
            &mut stamps.convert_end,
            &mut stamps.encoded,
        ] {
            *stamp = clock.to_local(*stamp);
        }
        let times = FrameTimes {
            stamps,
            sent: clock.to_local(header.sent),
            first_byte: done.first_byte,
            last_byte: done.last_byte,
            decoded: done.decoded,
        };
        self.latency.record(&times);
        Some(times)
    }

    fn check_order(&mut self, header: &FrameHeader) {
        match header.sequence.checked_sub(self.next_sequence) {
            Some(gap) => self.missing += gap,
            None => self.out_of_order += 1,
        }
        self.next_sequence = header.sequence.saturating_add(1);
        if self.newest != FrameId(0) {
            match header.id.0.checked_sub(self.newest.0) {
                Some(step) if step > 0 => self.skipped += step - 1,
                _ => self.out_of_order += 1,
            }
        }
    }

    /// Why this is no good stream, if it is not.
    pub(crate) fn fault(&self) -> Option<String> {
        if self.decoded == 0 {
            return Some("no frame was decoded".into());
        }
        let bad = self.missing + self.skipped + self.damaged + self.out_of_order;
        (bad > 0).then(|| {
            format!(
                "{} frames are missing, {} were not sent, {} could not be decoded, {} came out \
                 of order",
                self.missing, self.skipped, self.damaged, self.out_of_order
            )
        })
    }

    /// All of it; `drawn` is what a window adds.
    pub(crate) fn report<'a>(
        &self,
        clock: &Clock,
        end: Option<&'a EndReason>,
        drawn: Option<Drawn>,
    ) -> Report<'a> {
        let us = |d: std::time::Duration| d.as_nanos() as f64 / 1000.0;
        Report {
            frames_decoded: self.decoded,
            different_pictures: self.different,
            missing: self.missing,
            damaged: self.damaged,
            out_of_order: self.out_of_order,
            not_sent: self.skipped,
            repeats: self.repeats,
            keyframes: self.keyframes,
            torn: self.torn,
            bytes: self.bytes,
            cursor: self.cursor.report(),
            sound: self.sound.report(),
            input_to_picture: self.answers.report(),
            first_picture_at: self.first_unix,
            same_machine: clock.is_same_machine(),
            rtt_us: clock.rtt().map(us),
            end: end.map(|e| e.text.as_str()),
            window: drawn,
            stages: self
                .latency
                .rows()
                .iter()
                .map(|row| StageReport {
                    stage: row.stage.name(),
                    p50_us: us(row.p50),
                    p95_us: us(row.p95),
                    p99_us: us(row.p99),
                    samples: row.samples,
                })
                .collect(),
        }
    }

    /// The table and the counts, for people and for `sed`: one `name: value` a line.
    pub(crate) fn readable(&self, report: &Report<'_>) -> String {
        let mut text = format!("{}\n", self.latency);
        // Writing to a String cannot fail.
        let mut line = |name: &str, value: &dyn std::fmt::Display| {
            let _ = writeln!(text, "{name}: {value}");
        };
        line("frames decoded", &report.frames_decoded);
        line("repeats among them", &report.repeats);
        line("different pictures", &report.different_pictures);
        line("missing", &report.missing);
        line("damaged", &report.damaged);
        line("out of order", &report.out_of_order);
        line("not sent", &report.not_sent);
        line("keyframes", &report.keyframes);
        line("torn", &report.torn);
        line("bytes", &report.bytes);
        line("cursor", &report.cursor);
        line("sound", &report.sound);
        if let Some(a) = &report.input_to_picture {
            let ms = |us: f64| us / 1000.0;
            let (p50, p95) = (ms(a.p50_us), ms(a.p95_us));
            line("input to picture", &format_args!("p50 {p50:.2} ms, p95 {p95:.2} ms"));
            line("inputs answered", &a.samples);
            line("inputs not answered", &a.unanswered);
        }
        if let Some(first) = report.first_picture_at {
            line("first picture at", &format_args!("{first:.6} (Unix time)"));
        }
        if let Some(window) = &report.window {
            line("drawn", &window.drawn);
            line("not drawn", &window.not_drawn);
            for span in &window.spans {
                let ms = |us: Option<f64>| us.unwrap_or_default() / 1000.0;
                let (p50, p95) = (ms(span.p50_us), ms(span.p95_us));
                line(span.span, &format_args!("p50 {p50:.3} ms, p95 {p95:.3} ms"));
            }
        }
        line("clock", &if report.same_machine { "shared with the server" } else { "estimated" });
        if let Some(end) = report.end {
            line("end of the session", &end);
        }
        text
    }
}

/// The results as `--json` gives them.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    frames_decoded: u64,
    different_pictures: u64,
    missing: u64,
    damaged: u64,
    out_of_order: u64,
    not_sent: u64,
    repeats: u64,
    keyframes: u64,
    torn: u64,
    bytes: u64,
    cursor: CursorReport,
    sound: SoundReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_to_picture: Option<AnswersReport>,
    first_picture_at: Option<f64>,
    same_machine: bool,
    rtt_us: Option<f64>,
    end: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<Drawn>,
    stages: Vec<StageReport>,
}

/// What a window did with the pictures.
#[derive(Debug, Serialize)]
pub(crate) struct Drawn {
    /// Pictures drawn.
    pub(crate) drawn: u64,
    /// Pictures that came between two that were drawn.
    pub(crate) not_drawn: u64,
    /// From the decoder's return to the compositor, painting within it, and from an input to the
    /// drawing of the first picture that can show its effect.
    pub(crate) spans: Vec<SpanReport>,
}

/// Percentiles of a window's work; none where there was none.
#[derive(Debug, Serialize)]
pub(crate) struct SpanReport {
    pub(crate) span: &'static str,
    pub(crate) p50_us: Option<f64>,
    pub(crate) p95_us: Option<f64>,
    pub(crate) samples: usize,
}

#[derive(Debug, Serialize)]
struct StageReport {
    stage: &'static str,
    p50_us: f64,
    p95_us: f64,
    p99_us: f64,
    samples: usize,
}

#[cfg(test)]
pub(super) mod tests {
    use stratus_frame::{Codec, Stamps};

    use super::*;

    /// A picture whose moments are not known.
    pub(in crate::player) fn done(sequence: u64, id: u64) -> Done {
        Done {
            header: FrameHeader {
                sequence,
                id: FrameId(id),
                depends_on: (sequence > 0).then(|| FrameId(id - 1)),
                newest_input: 0,
                stamps: Stamps::default(),
                sent: MonoTime::UNSET,
                size: Size::new(2, 2),
                codec: Codec::H264,
                torn: false,
                payload_len: 10,
            },
            first_byte: MonoTime::UNSET,
            last_byte: MonoTime::UNSET,
            decoded: MonoTime::UNSET,
            unix: 1.5,
            different: 1,
            failure: None,
        }
    }

    fn tally(frames: &[Done]) -> Tally {
        let mut tally = Tally::default();
        for frame in frames {
            tally.count(frame, &Clock::new(true));
        }
        tally
    }

    #[test]
    fn a_number_that_did_not_come_is_a_fault() {
        let good = tally(&[done(0, 4), done(1, 5), done(2, 6)]);
        assert_eq!(good.fault(), None);
        let leap = tally(&[done(0, 4), done(1, 5), done(2, 9)]);
        assert_eq!(leap.skipped, 3);
        assert!(leap.fault().is_some_and(|f| f.contains("3 were not sent")));
        let gap = tally(&[done(0, 4), done(2, 5)]);
        assert_eq!(gap.missing, 1);
        assert!(gap.fault().is_some_and(|f| f.contains("1 frames are missing")));
        let start = tally(&[done(1, 4)]);
        assert_eq!(start.missing, 1);
    }

    #[test]
    fn what_goes_back_is_a_fault() {
        assert_eq!(tally(&[done(0, 4), done(1, 4)]).out_of_order, 1);
        assert_eq!(tally(&[done(0, 4), done(0, 5)]).out_of_order, 1);
    }

    #[test]
    fn the_age_of_a_repeated_picture_is_no_delay() {
        let at = MonoTime::from_nanos;
        let mut repeat = done(0, 1);
        repeat.header.stamps =
            Stamps { read: at(1), handed: at(2), encoded: at(1_000_000), ..Stamps::default() };
        repeat.header.sent = at(1_000_001);
        repeat.decoded = at(1_000_009);
        let repeated = tally(&[repeat.clone()]);
        assert_eq!(repeated.repeats, 1);
        assert!(repeated.latency.rows().iter().all(|r| r.p99.as_nanos() < 1_000_000));
        repeat.header.stamps.convert_start = at(3);
        let fresh = tally(&[repeat]);
        assert_eq!(fresh.repeats, 0);
        assert!(fresh.latency.rows().iter().any(|r| r.p99.as_nanos() == 1_000_008));
    }

    #[test]
    fn no_frame_and_a_damaged_frame_are_faults() {
        assert!(Tally::default().fault().is_some());
        let damaged = Done { failure: Some("broken".into()), ..done(1, 5) };
        let tally = tally(&[done(0, 4), damaged]);
        assert_eq!((tally.decoded, tally.damaged), (1, 1));
        assert!(tally.fault().is_some());
    }
}
