//! The player's clock and its table of delays.

use std::time::Duration;

use stratus_frame::{MonoTime, Stamps};
use stratus_stream_core::clock::Clock;
use stratus_stream_core::latency::{FrameTimes, Latency};

use crate::input::Input;

/// A stamp: none, an early one, or any.
fn stamp(input: &mut Input<'_>) -> MonoTime {
    MonoTime::from_nanos(match input.byte() {
        0..=31 => 0,
        n @ 32..=199 => u64::from(n) * 1000,
        n @ 200..=239 => u64::from(input.word()) << (n & 31),
        n => u64::MAX - u64::from(n - 240),
    })
}

pub(super) fn run(input: &mut Input<'_>) {
    if input.byte() & 1 == 0 { clock(input) } else { latency(input) }
}

/// The shortest of the last 16 round trips counts.
fn clock(input: &mut Input<'_>) {
    let same = input.byte() > 200;
    let mut clock = Clock::new(same);
    let mut trips: Vec<(u64, i128)> = Vec::new();
    for _ in 0..60 {
        if input.is_empty() {
            break;
        }
        let [ping, received, sent, arrived] = [(); 4].map(|()| stamp(input));
        clock.handle_pong(ping, received, sent, arrived);
        let [p, r, s, a] = [ping, received, sent, arrived].map(MonoTime::as_nanos);
        if a >= p && s >= r {
            let offset = ((i128::from(r) - i128::from(p)) + (i128::from(s) - i128::from(a))) / 2;
            trips.push(((a - p).saturating_sub(s - r), offset));
        }
        let recent = &trips[trips.len().saturating_sub(16)..];
        let best = recent.iter().min_by_key(|(rtt, _)| *rtt).copied();
        assert_eq!(clock.rtt(), best.map(|(rtt, _)| Duration::from_nanos(rtt)));
        let offset = if same { 0 } else { best.map_or(0, |(_, offset)| offset) };
        assert_eq!(clock.offset_ns(), offset);
        assert_eq!(clock.is_known(), same || best.is_some());
        assert_eq!(clock.is_same_machine(), same);
        let local = (i128::from(p) - offset).clamp(1, u64::MAX.into());
        let expected = if p == 0 { 0 } else { local as u64 };
        assert_eq!(clock.to_local(ping).as_nanos(), expected);
    }
}

/// Percentiles are nearest-rank.
fn latency(input: &mut Input<'_>) {
    let mut latency = Latency::default();
    let mut whole = Vec::new();
    let mut frames = 0;
    for _ in 0..100 {
        if input.is_empty() {
            break;
        }
        let [read, handed, convert_start, convert_end, encoded] = [(); 5].map(|()| stamp(input));
        let stamps = Stamps { read, handed, convert_start, convert_end, encoded };
        let [sent, first_byte, last_byte, decoded] = [(); 4].map(|()| stamp(input));
        latency.record(&FrameTimes { stamps, sent, first_byte, last_byte, decoded });
        frames += 1;
        if read.is_set() && decoded.is_set() {
            whole.push(decoded.as_nanos().saturating_sub(read.as_nanos()));
        }
    }
    assert_eq!(latency.frames(), frames);
    whole.sort_unstable();
    let rows = latency.rows();
    let total = rows.iter().find(|r| r.stage.name() == "commit read -> decoded");
    assert_eq!(total.map_or(0, |r| r.samples), whole.len());
    if let Some(row) = total {
        for (percent, got) in [(50, row.p50), (95, row.p95), (99, row.p99)] {
            let rank = (whole.len() * percent).div_ceil(100);
            assert_eq!(got, Duration::from_nanos(whole[rank - 1]));
        }
    }
    let lines = latency.to_string().lines().count();
    assert_eq!(lines, rows.len() + 2);
}
