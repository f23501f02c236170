//! From turns to tables and verdicts.

use crate::report::{Series, Table, Verdict};
use crate::stats::{median, percentile};

use super::contestant::{Contestant, Kind};
use super::turn::Turned;

const DELAY: &str = "commit to decoded picture, ms";

/// A contestant and its turns.
pub(super) struct Played {
    pub(super) contestant: Contestant,
    pub(super) turns: Vec<Turned>,
}

impl Played {
    fn series(&self) -> Series {
        Series {
            group: DELAY.to_owned(),
            name: self.contestant.name(),
            unit: "ms",
            points: self.turns.iter().flat_map(|turn| turn.delays.iter().copied()).collect(),
        }
    }

    fn sum(&self, count: fn(&Turned) -> usize) -> f64 {
        self.turns.iter().map(count).sum::<usize>() as f64
    }

    /// Percent: of its frames that were never seen, and of a core.
    fn shares(&self) -> (String, Vec<Option<f64>>) {
        let committed = self.sum(|turn| turn.committed);
        let unseen = self.sum(|turn| turn.unseen) * 100.0 / committed;
        let processor: Vec<f64> = self.turns.iter().map(|turn| turn.processor).collect();
        let unseen = (committed > 0.0).then_some(unseen);
        (self.contestant.name(), vec![unseen, median(&processor)])
    }

    fn counts(&self) -> (String, Vec<Option<f64>>) {
        let counts: [fn(&Turned) -> usize; 3] =
            [|turn| turn.committed, |turn| turn.unseen, |turn| turn.faults as usize];
        (self.contestant.name(), counts.map(|count| Some(self.sum(count))).to_vec())
    }
}

/// All delays, a series a contestant.
pub(super) fn series(played: &[Played]) -> Vec<Series> {
    played.iter().map(Played::series).collect()
}

/// Delays, and what they cost.
pub(super) fn tables(played: &[Played], series: &[Series]) -> Vec<Table> {
    let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    vec![
        Table::of_samples(DELAY, 2, series, DELAY),
        Table {
            title: "share, %".to_owned(),
            columns: columns(&["frames never seen", "of a core"]),
            rows: played.iter().map(Played::shares).collect(),
            digits: 1,
        },
        Table {
            title: "frames".to_owned(),
            columns: columns(&["committed", "never seen", "unreadable"]),
            rows: played.iter().map(Played::counts).collect(),
            digits: 0,
        },
    ]
}

/// Stratus is to be ahead of each peer by half a tick of the peer's compositor, which is what
/// waiting for a tick costs on average.
pub(super) fn verdicts(played: &[Played], series: &[Series]) -> Vec<Verdict> {
    let p50 = |series: &Series| percentile(&series.values(), 50.0);
    let all = || played.iter().zip(series);
    let Some(own) = all().find(|(p, _)| p.contestant.kind == Kind::Stratus) else {
        return Vec::new();
    };
    let Some(figure) = p50(own.1) else { return Vec::new() };
    let peers = all().filter(|(p, _)| p.contestant.kind != Kind::Stratus);
    let verdict = |(peer, series): (&Played, &Series)| {
        let half_a_tick = 500.0 / f64::from(peer.contestant.hertz);
        Some(Verdict {
            what: format!("p50, half a tick before {}", series.name),
            figure,
            limit: p50(series)? - half_a_tick,
            unit: "ms",
        })
    };
    peers.filter_map(verdict).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(kind: Kind, hertz: u32, delays: &[f64]) -> Played {
        let points = delays.iter().map(|ms| (0.0, *ms)).collect();
        let turn = |processor, faults| Turned {
            committed: 4,
            unseen: 1,
            processor,
            faults,
            ..Turned::default()
        };
        let turns = vec![Turned { delays: points, ..turn(30.0, 2) }, turn(10.0, 0), turn(20.0, 0)];
        Played { contestant: Contestant { kind, hertz }, turns }
    }

    #[test]
    fn each_peer_is_a_limit_by_half_of_its_tick() {
        let all = [
            played(Kind::Stratus, 60, &[6.0, 5.0, 7.0]),
            played(Kind::Screencopy, 50, &[15.0]),
            played(Kind::Screencopy, 125, &[9.0]),
        ];
        let series = series(&all);
        let verdicts = verdicts(&all, &series);
        let found: Vec<_> = verdicts.iter().map(|v| (v.figure, v.limit, v.holds())).collect();
        assert_eq!(found, [(6.0, 5.0, false), (6.0, 5.0, false)]);
        assert!(verdicts[1].what.contains("125 Hz"));
        let tables = tables(&all, &series);
        assert_eq!(tables[1].rows[0].1, [Some(25.0), Some(20.0)]);
        assert_eq!(tables[2].rows[0].1, [Some(12.0), Some(3.0), Some(2.0)]);
    }
}
