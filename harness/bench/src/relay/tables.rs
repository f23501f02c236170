//! What the turns come to.

use super::client::Workload;
use super::contestants::{Contestant, Kind};
use super::counts::Counts;
use super::measure::{Turn, Turns};
use crate::machine::Facts;
use crate::report::{Report, Series, Table, Verdict};
use crate::stats::median;

/// All that one run found.
pub(crate) struct Figures {
    /// The processor that everything ran on, if it was one.
    pub(crate) pinned: Option<usize>,
    pub(crate) contestants: Vec<Contestant>,
    /// What each contestant says of its version.
    pub(crate) versions: Vec<String>,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) turns: Vec<Turns>,
    pub(crate) counts: Vec<Counts>,
}

impl Figures {
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
        median(&turns.iter().map(figure).collect::<Vec<_>>())
    }

    /// Each turn's round beside the relay's of the same moment.
    fn ratio(&self, contestant: usize, workload: Workload) -> Option<f64> {
        let relay = self.contestants.iter().position(|c| c.kind == Kind::Relay)?;
        let pairs = self.turns(contestant, workload)?.iter().zip(self.turns(relay, workload)?);
        let ratios = pairs.map(|(one, relay)| one.p50 as f64 / relay.p50 as f64);
        median(&ratios.collect::<Vec<_>>())
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

    /// All of it as tables, and the turns' medians as plots.
    pub(crate) fn report(&self, facts: Facts) -> Report {
        let place =
            self.pinned.map_or("not pinned".to_owned(), |n| format!("all on processor {n}"));
        let versions = self.contestants.iter().zip(&self.versions);
        Report {
            bench: "relay",
            facts,
            versions: versions.map(|(c, version)| (c.name.clone(), version.clone())).collect(),
            notes: [format!("{place}; medians of alternating turns")]
                .into_iter()
                .chain(self.which_calls())
                .collect(),
            tables: self.tables(),
            series: self.series(),
            verdicts: self.verdicts(),
        }
    }

    fn tables(&self) -> Vec<Table> {
        let round = |what| format!("{what} of a round, µs");
        let mut tables = vec![
            self.table("p50 of a round, as a multiple of the relay's", 2, |c, w| self.ratio(c, w)),
            self.table(&round("p50"), 1, |c, w| self.p(c, w, |turn| turn.p50)),
            self.table(&round("p95"), 1, |c, w| self.p(c, w, |turn| turn.p95)),
            self.table(&round("p99"), 1, |c, w| self.p(c, w, |turn| turn.p99)),
            self.table("thousand messages a second", 0, |c, w| self.rate(c, w).map(|v| v / 1e3)),
            self.table("processor time of the proxy, s a million messages", 3, |c, w| {
                self.cpu(c, w)
            }),
        ];
        if !self.counts.is_empty() {
            tables.push(self.table("instructions a message, user space", 0, |c, w| {
                self.counts(c, w)?.instructions
            }));
            tables.push(self.table("system calls a round", 2, |c, w| self.calls(c, w)));
        }
        tables
    }

    fn table(
        &self,
        title: &str,
        digits: usize,
        figure: impl Fn(usize, Workload) -> Option<f64>,
    ) -> Table {
        let rows = self.contestants.iter().enumerate().map(|(index, contestant)| {
            let figures = self.workloads.iter().map(|&workload| figure(index, workload));
            (contestant.name.clone(), figures.collect::<Vec<_>>())
        });
        Table {
            title: title.to_owned(),
            columns: self.workloads.iter().map(|w| w.name()).collect(),
            rows: rows.filter(|(_, figures)| figures.iter().any(Option::is_some)).collect(),
            digits,
        }
    }

    /// Which system calls a round makes.
    fn which_calls(&self) -> impl Iterator<Item = String> {
        self.counts.iter().filter_map(|counts| {
            let calls = counts.calls.as_ref()?;
            let list: Vec<String> = calls.iter().map(|(n, v)| format!("{n} {v:.2}")).collect();
            let (name, workload) = (&self.contestants[counts.contestant].name, counts.workload);
            let list = list.join(", ");
            Some(format!("system calls a round, {name}, {}: {list}", workload.name()))
        })
    }

    fn series(&self) -> Vec<Series> {
        let mut sorted: Vec<&Turns> = self.turns.iter().collect();
        sorted.sort_by_key(|t| self.workloads.iter().position(|w| *w == t.workload));
        let one = |t: &&Turns| Series {
            group: format!("{}: p50 of each turn", t.workload.name()),
            name: self.contestants[t.contestant].name.clone(),
            unit: "µs",
            points: (0..).map(f64::from).zip(t.turns.iter().map(|t| t.p50 as f64 / 1e3)).collect(),
        };
        sorted.iter().map(one).collect()
    }

    /// The round trip that figures are compared by, batch 32.
    fn verdicts(&self) -> Vec<Verdict> {
        let off = |c: &Contestant| matches!(c.kind, Kind::Stratus { capture: false, .. });
        let places = (0..self.contestants.len()).filter(|&c| off(&self.contestants[c]));
        let ratio = |c| self.ratio(c, Workload::Sync(32)).filter(|_| self.pinned.is_some());
        let verdict = |c: usize| {
            Some(Verdict {
                what: format!("{}, sync x32, beside the bare relay", self.contestants[c].name),
                figure: ratio(c)?,
                limit: 1.10,
                unit: "x",
            })
        };
        places.filter_map(verdict).collect()
    }
}
