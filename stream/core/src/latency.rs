//! The table of what each stage of a frame's way took.

use std::fmt;
use std::time::Duration;

use stratus_frame::{MonoTime, Stamps};

/// Samples kept of each stage: the newest, about two minutes at 60 fps.
const MAX_SAMPLES: usize = 8192;

/// All stamps of one frame, on one clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameTimes {
    /// Up to the encoder.
    pub stamps: Stamps,
    /// The server gave it to the transport.
    pub sent: MonoTime,
    /// Its first byte arrived.
    pub first_byte: MonoTime,
    /// Its last byte arrived.
    pub last_byte: MonoTime,
    /// The decoder returned the picture.
    pub decoded: MonoTime,
}

/// A part of a frame's way, in order; the last one is the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Commit read to frame in the mailbox.
    Capture,
    /// Mailbox to conversion start.
    Wait,
    /// Colour conversion.
    Conversion,
    /// Conversion end to access unit.
    Encode,
    /// Access unit to transport.
    Send,
    /// Transport to first byte in.
    Network,
    /// First byte to last byte in.
    Transfer,
    /// Last byte to picture.
    Decode,
    /// Commit read to picture.
    Total,
}

impl Stage {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 9] = [
        Self::Capture,
        Self::Wait,
        Self::Conversion,
        Self::Encode,
        Self::Send,
        Self::Network,
        Self::Transfer,
        Self::Decode,
        Self::Total,
    ];

    /// How the table names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capture => "commit read -> handed over",
            Self::Wait => "handed over -> conversion",
            Self::Conversion => "conversion",
            Self::Encode => "encode",
            Self::Send => "encoded -> sent",
            Self::Network => "sent -> first byte in",
            Self::Transfer => "first -> last byte in",
            Self::Decode => "last byte in -> decoded",
            Self::Total => "commit read -> decoded",
        }
    }

    /// From when to when it lasts.
    const fn ends(self, t: &FrameTimes) -> (MonoTime, MonoTime) {
        let s = &t.stamps;
        match self {
            Self::Capture => (s.read, s.handed),
            Self::Wait => (s.handed, s.convert_start),
            Self::Conversion => (s.convert_start, s.convert_end),
            Self::Encode => (s.convert_end, s.encoded),
            Self::Send => (s.encoded, t.sent),
            Self::Network => (t.sent, t.first_byte),
            Self::Transfer => (t.first_byte, t.last_byte),
            Self::Decode => (t.last_byte, t.decoded),
            Self::Total => (s.read, t.decoded),
        }
    }
}

/// Percentiles of one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The stage.
    pub stage: Stage,
    /// Median.
    pub p50: Duration,
    /// 95th percentile.
    pub p95: Duration,
    /// 99th percentile.
    pub p99: Duration,
    /// Samples behind them.
    pub samples: usize,
}

/// The newest samples of one stage, ns.
#[derive(Clone, Debug, Default)]
struct Samples {
    ns: Vec<u64>,
    next: usize,
}

impl Samples {
    fn push(&mut self, ns: u64) {
        if self.ns.len() < MAX_SAMPLES {
            self.ns.push(ns);
        } else {
            self.ns[self.next] = ns;
            self.next = (self.next + 1) % MAX_SAMPLES;
        }
    }
}

/// Gathers frames and tells percentiles; `Display` is the table.
///
/// Percentiles are nearest-rank: always a time that really occurred.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    stages: [Samples; Stage::ALL.len()],
    frames: u64,
}

impl Latency {
    /// Counts a frame. Stages of which a stamp is not set are left out.
    pub fn record(&mut self, times: &FrameTimes) {
        self.frames += 1;
        for (samples, stage) in self.stages.iter_mut().zip(Stage::ALL) {
            let (from, to) = stage.ends(times);
            if from.is_set() && to.is_set() {
                samples.push(to.as_nanos().saturating_sub(from.as_nanos()));
            }
        }
    }

    /// Frames counted, those included whose samples were replaced by newer ones.
    #[must_use]
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// One row for each stage that has samples.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.stages.iter().zip(Stage::ALL).filter_map(|(s, stage)| row(s, stage)).collect()
    }
}

fn row(samples: &Samples, stage: Stage) -> Option<Row> {
    let mut ns = samples.ns.clone();
    ns.sort_unstable();
    let at = |percent: usize| {
        let rank = (ns.len() * percent).div_ceil(100).max(1);
        ns.get(rank - 1).copied().map(Duration::from_nanos)
    };
    Some(Row { stage, p50: at(50)?, p95: at(95)?, p99: at(99)?, samples: ns.len() })
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<28}{:>11}{:>11}{:>11}", "stage", "p50", "p95", "p99")?;
        for row in self.rows() {
            let ms = |d: Duration| d.as_secs_f64() * 1000.0;
            let (p50, p95, p99) = (ms(row.p50), ms(row.p95), ms(row.p99));
            writeln!(f, "{:<28}{p50:>8.3} ms{p95:>8.3} ms{p99:>8.3} ms", row.stage.name())?;
        }
        write!(f, "{} frames", self.frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame whose stage number `i` takes `i + 1` times `unit` µs.
    fn frame(unit: u64) -> FrameTimes {
        let at = |n: u64| MonoTime::from_nanos(1_000_000 + n * unit * 1000);
        FrameTimes {
            stamps: Stamps {
                read: at(0),
                handed: at(1),
                convert_start: at(3),
                convert_end: at(6),
                encoded: at(10),
            },
            sent: at(15),
            first_byte: at(21),
            last_byte: at(28),
            decoded: at(36),
        }
    }

    #[test]
    fn percentiles_are_nearest_rank() {
        let mut latency = Latency::default();
        for unit in (1..=100).rev() {
            latency.record(&frame(unit));
        }
        let rows = latency.rows();
        let us = Duration::from_micros;
        for (i, row) in (1..=8).zip(&rows) {
            assert_eq!((row.p50, row.p95, row.p99), (us(50 * i), us(95 * i), us(99 * i)));
            assert_eq!(row.samples, 100);
        }
        assert_eq!(rows[8].stage, Stage::Total);
        assert_eq!(rows[8].p50, us(50 * 36));
    }

    #[test]
    fn unset_stamps_make_no_samples_and_memory_is_bounded() {
        let mut latency = Latency::default();
        assert!(latency.rows().is_empty());
        let mut times = frame(1);
        times.decoded = MonoTime::UNSET;
        latency.record(&times);
        assert_eq!(latency.rows().len(), 7);
        for _ in 0..MAX_SAMPLES * 2 {
            latency.record(&frame(2));
        }
        assert_eq!(latency.rows()[0].samples, MAX_SAMPLES);
        assert_eq!(latency.frames(), MAX_SAMPLES as u64 * 2 + 1);
    }

    #[test]
    fn the_table_reads_well() {
        let mut latency = Latency::default();
        latency.record(&frame(100));
        let table = latency.to_string();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 11);
        assert_eq!(lines[0], "stage                               p50        p95        p99");
        assert_eq!(lines[4], "encode                         0.400 ms   0.400 ms   0.400 ms");
        assert_eq!(lines[10], "1 frames");
    }
}
