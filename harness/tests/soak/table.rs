//! One row a round, and what their trend says.

use std::fmt;

use super::probe::Times;

/// By how much the median of the last third may exceed that of the first. The heap is some 1.5 MiB
/// and reaches its working size in steps, when what is rare comes together.
const MEMORY: f64 = 1.25;
/// The same for the middle third: what grows for good grows from there to the last as well. In an
/// hour this finds a leak of a tenth of a byte a commit.
const STEADY_MEMORY: f64 = 1.05;
/// The same as the first of round trips through the proxy, each divided by the direct one of the same round.
const MEDIAN: f64 = 1.5;
const TAIL: f64 = 2.5;

/// What the last third is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Third {
    First,
    Middle,
}

/// What was found at the end of a round.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub minutes: f64,
    pub commits: u64,
    pub frames: u64,
    /// Clients that came and went in this round.
    pub clients: u64,
    /// Anonymous memory of the proxy's process: heap and stacks.
    pub memory_kib: u64,
    pub sway_kib: u64,
    pub fds: u64,
    pub threads: u64,
    pub proxied: Times,
    pub direct: Times,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { minutes, commits, frames, clients, memory_kib, sway_kib, fds, threads, .. } =
            self;
        let Self { proxied, direct, .. } = self;
        write!(
            f,
            "{minutes:7.1} {commits:9} {frames:9} {clients:7} {memory_kib:7} {fds:4} {threads:7} \
             {:8.0} {:8.0} {:8.0} {:8.0} {sway_kib:8}",
            proxied.p50, proxied.p99, direct.p50, direct.p99
        )
    }
}

const HEAD: &str = "minutes   commits    frames clients     KiB  fds threads   p50 us   p99 us \
                    direct50 direct99 Sway KiB";

/// All rows so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table(Vec<Row>);

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}")?;
        self.0.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

impl Table {
    pub(crate) fn push(&mut self, row: Row) {
        self.0.push(row);
    }

    pub(crate) fn commits(&self) -> u64 {
        self.0.last().map_or(0, |row| row.commits)
    }

    pub(crate) fn last_line(&self) -> String {
        let row = self.0.last().map(Row::to_string).unwrap_or_default();
        if self.0.len() == 1 { format!("{HEAD}\n{row}") } else { row }
    }

    /// Median of the last third over that of the first, or of the middle third. The first row, in
    /// which everything grows to its working size, does not count.
    fn trend(&self, since: Third, of: impl Fn(&Row) -> f64) -> f64 {
        let rows = &self.0[1..];
        let third = (rows.len() / 3).max(1);
        let start = if since == Third::First { 0 } else { third };
        let median = |rows: &[Row]| {
            let mut values: Vec<f64> = rows.iter().map(&of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        median(&rows[rows.len() - third..]) / median(&rows[start..start + third])
    }

    /// What rose that must not.
    pub(crate) fn complaints(&self) -> Vec<String> {
        assert!(self.0.len() > 3, "too few rounds for a verdict");
        let mut complaints = Vec::new();
        let mut check = |name: &str, since: Third, limit: f64, of: &dyn Fn(&Row) -> f64| {
            let trend = self.trend(since, of);
            println!("{name}: last third / {since:?} third = {trend:.3}, at most {limit}");
            if trend > limit {
                complaints.push(format!("{name} rose to {trend:.3} times, more than {limit}"));
            }
        };
        check("memory", Third::First, MEMORY, &|row| row.memory_kib as f64);
        check("memory", Third::Middle, STEADY_MEMORY, &|row| row.memory_kib as f64);
        check("fds", Third::First, 1.0, &|row| row.fds as f64);
        check("threads", Third::First, 1.0, &|row| row.threads as f64);
        check("median round trip", Third::First, MEDIAN, &|row| row.proxied.p50 / row.direct.p50);
        check("p99 of round trips", Third::First, TAIL, &|row| row.proxied.p99 / row.direct.p99);
        complaints
    }
}
