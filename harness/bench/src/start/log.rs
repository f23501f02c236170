//! Lines of `stratus`, as `--log-format json` writes them: when something was said.

use serde_json::Value;

/// What was logged, in order.
pub(super) struct Log(Vec<Value>);

impl Log {
    /// Lines that are no JSON are left out: they are what a program said that knows of no log.
    pub(super) fn read(text: &str) -> Self {
        Self(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// When `target` first said something that holds `words`, nanoseconds since 1970.
    pub(super) fn first(&self, target: &str, words: &str) -> Option<u64> {
        let said = |line: &&Value| {
            let message = line["fields"]["message"].as_str();
            line["target"].as_str().is_some_and(|t| t.starts_with(target))
                && message.is_some_and(|text| text.contains(words))
        };
        moment(self.0.iter().find(said)?["timestamp"].as_str()?)
    }
}

/// `2026-11-21T23:41:53.123456Z` as nanoseconds since 1970.
fn moment(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(str::parse::<u64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let mut time = time.splitn(3, ':');
    let (hour, minute) = (time.next()?.parse::<u64>().ok()?, time.next()?.parse::<u64>().ok()?);
    let (second, part) = time.next()?.split_once('.')?;
    let second = second.parse::<u64>().ok()?;
    // Six digits are microseconds.
    let nanos = format!("{part:0<9}").get(..9)?.parse::<u64>().ok()?;
    let days = days_since_1970(year, month, day)?;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000_000 + nanos)
}

fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let is_leap = |y: u64| y.is_multiple_of(4) && (!y.is_multiple_of(100) || y.is_multiple_of(400));
    let february = if is_leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before: u64 = months.iter().take(usize::try_from(month.checked_sub(1)?).ok()?).sum();
    let years: u64 = (1970..year).map(|y| if is_leap(y) { 366 } else { 365 }).sum();
    Some(years + before + day.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        assert_eq!(moment("1970-01-01T00:00:00.000000Z"), Some(0));
        assert_eq!(moment("2000-03-01T00:00:01.5Z"), Some(951_868_801_500_000_000));
        assert_eq!(moment("2026-11-21T23:41:53.123456Z"), Some(1_795_304_513_123_456_000));
        for bad in ["", "2026-11-21", "2026-11-21T23:41:53Z", "2026-00-21T23:41:53.1Z"] {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_first_line_of_a_target_counts() {
        let line = |second: u64, target: &str, text: &str| {
            format!(
                "{{\"timestamp\":\"1970-01-01T00:00:0{second}.0Z\",\"level\":\"INFO\",\
                 \"fields\":{{\"message\":\"{text}\"}},\"target\":\"{target}\"}}\n"
            )
        };
        let text = line(1, "game", "client 1: connected")
            + "no JSON\n"
            + &line(2, "stratus_proxy::proxy", "client 1: connected (process 7)")
            + &line(3, "stratus_proxy::proxy", "client 2: connected (process 8)");
        let log = Log::read(&text);
        assert_eq!(log.first("stratus_proxy", ": connected"), Some(2_000_000_000));
        assert_eq!(log.first("stratus_proxy", "gone"), None);
    }
}
