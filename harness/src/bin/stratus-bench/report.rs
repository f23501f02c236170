//! The figures as a table for people, and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::client::Workload;
use crate::contestants::{Contestant, Kind};
use crate::counts::Counts;
use crate::machine::Facts;
use crate::measure::{Turn, Turns, median};

/// All that one run found.
pub(crate) struct Report {
    pub(crate) facts: Facts,
    /// The processor that everything ran on, if it was one.
    pub(crate) pinned: Option<usize>,
    pub(crate) contestants: Vec<Contestant>,
    /// What each contestant says of its version.
    pub(crate) versions: Vec<String>,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) turns: Vec<Turns>,
    pub(crate) counts: Vec<Counts>,
}

impl Report {
    fn turns(&self, contestant: usize, workload: Workload) -> Option<&[Turn]> {
        let of = |t: &&Turns| t.contestant == contestant && t.workload == workload;
        self.turns.iter().find(of).map(|t| &t.turns[..])
    }

    fn middle(
        &self,
        contestant: usize,
        workload: Workload,
        figure: impl Fn(&Turn) -> f64,
    ) -> Option<f64> {
        let turns = self.turns(contestant, workload)?;
        Some(median(turns.iter().map(figure).collect()))
    }

    /// Each turn's round beside the relay's of the same moment.
    fn ratio(&self, contestant: usize, workload: Workload) -> Option<f64> {
        let relay = self.contestants.iter().position(|c| c.kind == Kind::Relay)?;
        let pairs = self.turns(contestant, workload)?.iter().zip(self.turns(relay, workload)?);
        Some(median(pairs.map(|(one, relay)| one.p50 as f64 / relay.p50 as f64).collect()))
    }

    fn p(
        &self,
        contestant: usize,
        workload: Workload,
        which: impl Fn(&Turn) -> u64,
    ) -> Option<f64> {
        self.middle(contestant, workload, |turn| which(turn) as f64 / 1e3)
    }

    /// Messages a second.
    fn rate(&self, contestant: usize, workload: Workload) -> Option<f64> {
        self.middle(contestant, workload, |turn| {
            (turn.rounds * workload.messages()) as f64 / turn.lasted.as_secs_f64()
        })
    }

    /// Seconds of processor time for a million messages, in the contestant alone.
    fn cpu(&self, contestant: usize, workload: Workload) -> Option<f64> {
        let own = self.contestants[contestant].kind != Kind::Direct;
        let of = |turn: &Turn| turn.cpu as f64 / 1e3 / (turn.rounds * workload.messages()) as f64;
        self.middle(contestant, workload, of).filter(|_| own)
    }

    fn counts(&self, contestant: usize, workload: Workload) -> Option<&Counts> {
        self.counts.iter().find(|c| c.contestant == contestant && c.workload == workload)
    }

    fn calls(&self, contestant: usize, workload: Workload) -> Option<f64> {
        Some(self.counts(contestant, workload)?.calls.as_ref()?.values().sum())
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        let Facts { processor, processors, kernel, load } = &self.facts;
        let _ = writeln!(out, "{processor}, {processors} processors, Linux {kernel}, load {load}");
        let place =
            self.pinned.map_or("not pinned".to_owned(), |n| format!("all on processor {n}"));
        let _ = writeln!(out, "{place}; medians of alternating turns\n");
        for (contestant, version) in self.contestants.iter().zip(&self.versions) {
            let _ = writeln!(out, "  {:<22} {version}", contestant.name);
        }
        let round = |what| format!("{what} of a round, µs");
        let part = |digits, which: fn(&Turn) -> u64| {
            move |c, w| self.p(c, w, which).map(|v| format!("{v:.digits$}"))
        };
        self.table(&mut out, "p50 of a round, as a multiple of the relay's", |c, w| {
            self.ratio(c, w).map(|v| format!("{v:.2}"))
        });
        self.table(&mut out, &round("p50"), part(1, |turn| turn.p50));
        self.table(&mut out, &round("p95"), part(1, |turn| turn.p95));
        self.table(&mut out, &round("p99"), part(1, |turn| turn.p99));
        self.table(&mut out, "thousand messages a second", |c, w| {
            self.rate(c, w).map(|v| format!("{:.0}", v / 1e3))
        });
        self.table(&mut out, "processor time of the proxy, s a million messages", |c, w| {
            self.cpu(c, w).map(|v| format!("{v:.3}"))
        });
        if self.counts.is_empty() {
            return out;
        }
        self.table(&mut out, "instructions a message, user space", |c, w| {
            self.counts(c, w)?.instructions.map(|v| format!("{v:.0}"))
        });
        self.table(&mut out, "system calls a round", |c, w| {
            self.calls(c, w).map(|v| format!("{v:.2}"))
        });
        let _ = writeln!(out, "\nwhich system calls a round");
        for counts in &self.counts {
            let Some(calls) = &counts.calls else { continue };
            let list: Vec<String> = calls.iter().map(|(n, v)| format!("{n} {v:.2}")).collect();
            let name = &self.contestants[counts.contestant].name;
            let _ =
                writeln!(out, "  {name:<22} {:<10} {}", counts.workload.name(), list.join(", "));
        }
        out
    }

    fn table(
        &self,
        out: &mut String,
        title: &str,
        figure: impl Fn(usize, Workload) -> Option<String>,
    ) {
        let _ = write!(out, "\n{title:<52}");
        for workload in &self.workloads {
            let _ = write!(out, "{:>11}", workload.name());
        }
        let _ = writeln!(out);
        for (index, contestant) in self.contestants.iter().enumerate() {
            let figures: Vec<Option<String>> =
                self.workloads.iter().map(|&workload| figure(index, workload)).collect();
            if figures.iter().all(Option::is_none) {
                continue;
            }
            let _ = write!(out, "  {:<50}", contestant.name);
            for figure in figures {
                let _ = write!(out, "{:>11}", figure.unwrap_or_else(|| "-".to_owned()));
            }
            let _ = writeln!(out);
        }
    }

    /// For programs. Times are in µs.
    pub(crate) fn json(&self) -> Value {
        let rows = (0..self.contestants.len()).flat_map(|c| {
            self.workloads
                .iter()
                .map(move |&w| (c, w))
                .filter(|&(c, w)| self.turns(c, w).is_some())
                .map(|(c, w)| self.row(c, w))
        });
        json!({
            "processor": self.facts.processor,
            "processors": self.facts.processors,
            "kernel": self.facts.kernel,
            "load": self.facts.load,
            "pinned_to": self.pinned,
            "rows": rows.collect::<Vec<_>>(),
        })
    }

    fn row(&self, c: usize, w: Workload) -> Value {
        let counts = self.counts(c, w);
        json!({
            "contestant": self.contestants[c].name,
            "version": self.versions[c],
            "workload": w.name(),
            "ratio_to_relay": self.ratio(c, w),
            "p50_us": self.p(c, w, |turn| turn.p50),
            "p95_us": self.p(c, w, |turn| turn.p95),
            "p99_us": self.p(c, w, |turn| turn.p99),
            "messages_per_second": self.rate(c, w),
            "cpu_s_per_million_messages": self.cpu(c, w),
            "instructions_per_message": counts.and_then(|counts| counts.instructions),
            "system_calls_per_round": counts.and_then(|counts| counts.calls.clone()),
        })
    }
}
