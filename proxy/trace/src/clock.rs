//! The times in front of lines.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use stratus_frame::MonoTime;

/// Which time stands in front of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Times {
    /// Seconds since the trace began.
    #[default]
    Start,
    /// The date and time of day in UTC.
    Wall,
    /// Seconds since the line before.
    Delta,
}

/// Turns the proxy's monotonic times into what a line shows.
pub(crate) struct Clock {
    times: Times,
    /// When the trace began, in CLOCK_MONOTONIC nanoseconds.
    start_ns: u64,
    /// Nanoseconds since 1970 at that moment.
    wall_ns: u64,
    /// The time of the line before.
    last_ns: Option<u64>,
}

/// A time, as a line shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// Microseconds since the start or since the line before.
    Micros(u64),
    /// Microseconds since 1970.
    Wall(u64),
}

impl Clock {
    /// A clock of a trace that begins now.
    pub(crate) fn start(times: Times) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall_ns = u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX);
        Self { times, start_ns: MonoTime::now().as_nanos(), wall_ns, last_ns: None }
    }

    /// A clock for times that count from the start of what is shown.
    pub(crate) fn of_recording(times: Times) -> Self {
        Self { times, start_ns: 0, wall_ns: 0, last_ns: None }
    }

    /// The time of a line that shows what happened at `now_ns`.
    pub(crate) fn time(&mut self, now_ns: u64) -> Time {
        let since_start = now_ns.saturating_sub(self.start_ns);
        let last = self.last_ns.replace(now_ns).unwrap_or(now_ns);
        match self.times {
            Times::Start => Time::Micros(since_start / 1000),
            Times::Delta => Time::Micros(now_ns.saturating_sub(last) / 1000),
            Times::Wall => Time::Wall(self.wall_ns.saturating_add(since_start) / 1000),
        }
    }
}

impl Time {
    /// `12.345678`, or `2026-03-01T09:30:00.000001Z`.
    pub(crate) fn write(self, out: &mut String) {
        match self {
            Self::Micros(us) => {
                let _ = write!(out, "{}.{:06}", us / 1_000_000, us % 1_000_000);
            }
            Self::Wall(us) => write_utc(out, us),
        }
    }
}

/// A moment in the form of RFC 3339.
fn write_utc(out: &mut String, micros: u64) {
    let seconds = micros / 1_000_000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let _ = write!(
        out,
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
        second / 3600,
        second / 60 % 60,
        second % 60,
        micros % 1_000_000
    );
}

/// Year, month and day, counted from 1, of a day counted from 1970-01-01.
fn date(mut days: u64) -> (u64, u64, u64) {
    let leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(time: Time) -> String {
        let mut text = String::new();
        time.write(&mut text);
        text
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000007Z"),
            (951_782_400, "2000-02-29T00:00:00.000007Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000007Z"),
            (1_740_787_200, "2025-03-01T00:00:00.000007Z"),
            (1_798_761_599, "2026-12-31T23:59:59.000007Z"),
        ] {
            assert_eq!(text(Time::Wall(seconds * 1_000_000 + 7)), expected);
        }
    }

    #[test]
    fn times_count_from_the_start_or_from_the_line_before() {
        let clock = |times| Clock { times, start_ns: 1_000_000, wall_ns: 0, last_ns: None };
        let mut start = clock(Times::Start);
        assert_eq!(text(start.time(1_000_000)), "0.000000");
        assert_eq!(text(start.time(2_501_000_000)), "2.500000");
        assert_eq!(text(start.time(5)), "0.000000", "what came before the start came at it");
        let mut delta = clock(Times::Delta);
        assert_eq!(text(delta.time(9_000_000)), "0.000000");
        assert_eq!(text(delta.time(9_012_345)), "0.000012");
    }
}
