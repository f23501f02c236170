//! One row a round, and what their trend says.

use std::fmt;

use super::probe::Times;

/// By how much the median of the last third may exceed that of the first. The heap is some 1.5 MiB
/// and reaches its working size in steps, when what is rare comes together.
const MEMORY: f64 = 1.25;
/// In how many of the rows after the first third the level of memory may rise, one in so many. A
/// step is what a heap makes when something long-lived comes to lie high in it; a leak of a
/// fortieth of a byte a commit adds a page every few rows.
const STEPS: usize = 10;
/// The same as for memory of round trips through the proxy, each divided by the direct one of the same round.
const MEDIAN: f64 = 1.5;
const TAIL: f64 = 2.5;

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

    /// Median of the last third over that of the first. The first row, in which everything grows
    /// to its working size, does not count.
    fn trend(&self, of: impl Fn(&Row) -> f64) -> f64 {
        let rows = &self.0[1..];
        let third = (rows.len() / 3).max(1);
        let median = |rows: &[Row]| {
            let mut values: Vec<f64> = rows.iter().map(&of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        median(&rows[rows.len() - third..]) / median(&rows[..third])
    }

    /// In how many rows after the first third the level of memory rose, and how many there are.
    /// The level is the least that any later row has: what is given back was never part of it.
    fn steps(&self) -> (usize, usize) {
        let rows = &self.0[self.0.len().div_ceil(3)..];
        let mut level = u64::MAX;
        let mut steps = 0;
        for row in rows.iter().rev() {
            // Back in time the level falls where it rose.
            steps += usize::from(row.memory_kib < level && level != u64::MAX);
            level = level.min(row.memory_kib);
        }
        (steps, rows.len())
    }

    /// What rose that must not.
    pub(crate) fn complaints(&self) -> Vec<String> {
        assert!(self.0.len() > 3, "too few rounds for a verdict");
        let mut complaints = Vec::new();
        let mut check = |name: &str, limit: f64, of: &dyn Fn(&Row) -> f64| {
            let trend = self.trend(of);
            println!("{name}: last third / first third = {trend:.3}, at most {limit}");
            if trend > limit {
                complaints.push(format!("{name} rose to {trend:.3} times, more than {limit}"));
            }
        };
        check("memory", MEMORY, &|row| row.memory_kib as f64);
        check("fds", 1.0, &|row| row.fds as f64);
        check("threads", 1.0, &|row| row.threads as f64);
        check("median round trip", MEDIAN, &|row| row.proxied.p50 / row.direct.p50);
        check("p99 of round trips", TAIL, &|row| row.proxied.p99 / row.direct.p99);
        let (steps, rows) = self.steps();
        let most = rows.div_ceil(STEPS);
        println!("memory: its level rose in {steps} of {rows} rows, at most {most}");
        if steps > most {
            complaints.push(format!("memory rose in {steps} of {rows} rows, more than {most}"));
        }
        complaints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(memory: impl Fn(u64) -> u64) -> Table {
        let times = Times { p50: 1.0, p99: 1.0 };
        let row = |i: u64| Row {
            minutes: i as f64,
            commits: i,
            frames: i,
            clients: i,
            memory_kib: memory(i),
            sway_kib: 1,
            fds: 1,
            threads: 1,
            proxied: times,
            direct: times,
        };
        Table((1..=60).map(row).collect())
    }

    #[test]
    fn steps_of_a_heap_are_no_leak_and_a_slow_leak_is() {
        let stepping = |i| 3024 + if i > 45 { 292 } else { 0 } + if i % 17 == 0 { 400 } else { 0 };
        assert_eq!(table(stepping).complaints(), Vec::<String>::new());
        assert_eq!(table(stepping).steps(), (1, 40));
        // A page every three minutes.
        let leaking = |i| 3024 + i / 3 * 4 + if i % 17 == 0 { 400 } else { 0 };
        let complaints = table(leaking).complaints();
        assert!(matches!(&complaints[..], [one] if one.contains("rows")), "{complaints:?}");
        assert_eq!(table(|i| 3000 + i * 50).complaints().len(), 2);
    }
}
