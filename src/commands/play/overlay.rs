//! The lines of the window's overlay.

use std::time::Instant;

use stratus_frame::Codec;
use stratus_stream::core::clock::Clock;
use stratus_stream::core::latency::Stage;

use crate::player::Tally;

/// What the server said of the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    /// Frames in 1000 s.
    pub(super) millifps: u32,
    pub(super) codec: Codec,
}

/// What was counted when the overlay was last told.
#[derive(Debug)]
pub(super) struct Before {
    at: Instant,
    decoded: u64,
    bytes: u64,
}

impl Before {
    pub(super) fn new(tally: &Tally) -> Self {
        Self { at: Instant::now(), decoded: tally.decoded, bytes: tally.bytes }
    }
}

/// All lines, headings without a space in front; rates are those since `before`, which becomes
/// what is counted now. The window adds what it measures itself.
pub(super) fn lines(
    before: &mut Before,
    tally: &Tally,
    clock: &Clock,
    stream: Stream,
) -> Vec<String> {
    let now = Before::new(tally);
    let seconds = now.at.duration_since(before.at).as_secs_f64().max(1e-3);
    let frames = (now.decoded - before.decoded) as f64 / seconds;
    let megabits = (now.bytes - before.bytes) as f64 * 8.0 / 1e6 / seconds;
    *before = now;

    let row = |name: &str, value: String| format!("  {name:<16}{value:>21}");
    let rate = format!("{frames:.1} of {}/s", f64::from(stream.millifps) / 1000.0);
    let trip = clock.rtt().map_or("not known".into(), |rtt| {
        let shared = if clock.is_same_machine() { ", one clock" } else { "" };
        format!("{:.2} ms{shared}", rtt.as_secs_f64() * 1000.0)
    });
    let mut lines = vec![
        "Stream".to_owned(),
        row("picture", format!("{} {:?}", tally.size, stream.codec)),
        row("decoder", "FFmpeg h264, 1 thread".to_owned()),
        row("frames", rate),
        row("bitrate", format!("{megabits:.2} Mbit/s")),
        row("missing, damaged", format!("{}, {}", tally.missing, tally.damaged)),
        row("left out", tally.skipped.to_string()),
        row("round trip", trip),
        format!("{:<25}{:>7}{:>7}", "Latency, ms", "p50", "p95"),
    ];
    lines.extend(tally.latency.rows().iter().map(|row| {
        let ms = |d: std::time::Duration| d.as_secs_f64() * 1000.0;
        format!("  {:<23}{:>7.2}{:>7.2}", short(row.stage), ms(row.p50), ms(row.p95))
    }));
    lines
}

/// The table's names are wider than the overlay.
const fn short(stage: Stage) -> &'static str {
    match stage {
        Stage::Capture => "capture",
        Stage::Wait => "wait for the encoder",
        Stage::Conversion => "conversion",
        Stage::Encode => "encode",
        Stage::Send => "send",
        Stage::Network => "network",
        Stage::Transfer => "transfer",
        Stage::Decode => "decode",
        Stage::Total => "commit -> decoded",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_fits_and_every_stage_is_there() {
        let tally = Tally::default();
        let mut before = Before { at: Instant::now(), decoded: 0, bytes: 0 };
        let stream = Stream { millifps: 60_000, codec: Codec::H264 };
        let lines = lines(&mut before, &tally, &Clock::new(true), stream);
        assert!(lines.iter().all(|l| l.len() <= 39), "{lines:#?}");
        for name in ["picture", "decoder", "frames", "bitrate", "missing", "round trip"] {
            assert!(lines.iter().any(|l| l.starts_with(&format!("  {name}"))), "{name}: {lines:?}");
        }
        assert_eq!(lines.iter().filter(|l| !l.starts_with(' ')).count(), 2);
    }
}
