//! What the turns come to.

use super::browser;
use super::case::{Case, Damage};
use super::turn::Turn;
use crate::floor::Sample;
use crate::report::{Series, Table, Verdict};
use crate::session::Frame;
use crate::stats::percentile;

/// A stage of a frame's way: its name, where it begins and where it ends.
type Stage = (&'static str, fn(&Frame) -> Option<u64>, fn(&Frame) -> Option<u64>);

const STAGES: [Stage; 8] = [
    ("commit read to handed over", |f| f.read, |f| f.handed),
    ("handed over to conversion", |f| f.handed, |f| f.convert_start),
    ("conversion", |f| f.convert_start, |f| f.convert_end),
    ("encoding", |f| f.convert_end, |f| f.encoded),
    ("encoded to sent", |f| f.encoded, |f| f.sent),
    ("sent to first byte", |f| f.sent, |f| f.first_byte),
    ("first to last byte", |f| f.first_byte, |f| f.last_byte),
    ("last byte to decoded", |f| f.last_byte, |f| f.decoded),
];

/// The way to the picture, and a part of it.
const WAYS: [Stage; 2] = [(TOTAL, |f| f.read, |f| f.decoded), (SENT, |f| f.read, |f| f.sent)];

const TOTAL: &str = "commit read to decoded";
const SENT: &str = "commit read to sent";
const FLOOR: &str = "floor";
const FLOOR_SENT: &str = "floor: conversion and encoding";

/// The series of a case: each stage, and the whole way beside the floor.
const BY_STAGE: &str = "stages";
const WHOLE: &str = "whole way and floor";

/// A part of the floor.
type Part = (&'static str, fn(&Sample) -> f64);

const PARTS: [Part; 5] = [
    (FLOOR, Sample::total),
    (FLOOR_SENT, |s| s.convert + s.encode),
    ("floor: conversion", |s| s.convert),
    ("floor: encoding", |s| s.encode),
    ("floor: decoding", |s| s.decode),
];

/// All turns of one case.
pub(crate) struct Figures {
    pub(crate) case: Case,
    pub(crate) turns: Vec<Turn>,
    /// Measured before each turn.
    pub(crate) floors: Vec<Vec<Sample>>,
    pub(crate) pages: Vec<browser::Page>,
}

impl Figures {
    /// Samples of all turns, one turn behind the other.
    fn series(&self, group: &str, name: &str, turns: Vec<Vec<(f64, f64)>>) -> Series {
        let mut points = Vec::new();
        let mut start = 0.0;
        for turn in turns {
            let end = turn.last().map_or(0.0, |(at, _)| *at);
            points.extend(turn.into_iter().map(|(at, value)| (start + at, value)));
            start += end;
        }
        let group = format!("{}: {group}", self.case);
        Series { group, name: name.to_owned(), unit: "ms", points }
    }

    fn stage(&self, group: &str, (name, from, to): Stage) -> Series {
        let turns = self.turns.iter().map(|turn| {
            let begun = turn.frames.first().and_then(|frame| frame.read);
            let point = |frame: &Frame| {
                let at = Frame::ms(begun, frame.read)? / 1e3;
                Some((at, Frame::ms(from(frame), to(frame))?))
            };
            turn.frames.iter().filter_map(point).collect()
        });
        self.series(group, name, turns.collect())
    }

    fn floor(&self, group: &str, (name, part): Part) -> Series {
        let turns = self.floors.iter();
        let points = turns.map(|turn| turn.iter().map(|s| (s.at, part(s))).collect());
        self.series(group, name, points.collect())
    }

    /// Every stage; and the whole way beside the floor.
    pub(crate) fn all_series(&self) -> Vec<Series> {
        if self.case.damage == Damage::None {
            return Vec::new();
        }
        let stages = STAGES.iter().map(|stage| self.stage(BY_STAGE, *stage));
        let ways = WAYS.iter().map(|way| self.stage(WHOLE, *way));
        let floor = PARTS.iter().map(|part| self.floor(WHOLE, *part));
        stages.chain(ways).chain(floor).collect()
    }

    /// The percentiles of these series.
    pub(crate) fn tables(&self, series: &[Series]) -> Vec<Table> {
        let table = |group: &str| {
            let group = format!("{}: {group}", self.case);
            Table::of_samples(&format!("{group}, ms"), 3, series, &group)
        };
        [BY_STAGE, WHOLE].map(table).into_iter().filter(|table| !table.rows.is_empty()).collect()
    }

    /// The figures of this case beside their limits.
    pub(crate) fn verdicts(&self, series: &[Series]) -> Vec<Verdict> {
        let case = self.case;
        if case.damage == Damage::None {
            let figure = self.decoded_a_second();
            let what = format!("{case}: access units a second while nothing changes");
            return vec![Verdict { what, figure, limit: 0.0, unit: "1/s" }];
        }
        let p = |name: &str, part| {
            let own = format!("{case}: ");
            let found = series.iter().find(|s| s.name == name && s.group.starts_with(&own));
            percentile(&found?.values(), part)
        };
        let verdict = |what: &str, figure: Option<f64>, limit: Option<f64>, unit| {
            let what = format!("{case}: {what}");
            Some(Verdict { what, figure: figure?, limit: limit?, unit })
        };
        let spread = p(TOTAL, 95.0).zip(p(TOTAL, 50.0)).map(|(high, middle)| high - middle);
        let absent = self.turns.iter().map(|turn| turn.absent).sum::<u64>() as f64;
        let all = self.turns.iter().map(|turn| turn.frames.len()).sum::<usize>() as f64 + absent;
        let verdicts = [
            verdict(
                "commit read to decoded, p50; the limit is 1.25 x floor + 1 ms",
                p(TOTAL, 50.0),
                p(FLOOR, 50.0).map(|floor| 1.25 * floor + 1.0),
                "ms",
            ),
            verdict("commit read to decoded, p95 above p50", spread, Some(2.0), "ms"),
            verdict(
                "commit read to sent, p50; the limit is 1.15 x (conversion + encoding alone)",
                p(SENT, 50.0),
                p(FLOOR_SENT, 50.0).map(|floor| 1.15 * floor),
                "ms",
            ),
            verdict(
                "handed over to conversion, p50",
                p("handed over to conversion", 50.0),
                Some(0.05),
                "ms",
            ),
            verdict(
                "moments of the game's rate without a picture",
                Some(absent * 100.0 / all.max(1.0)),
                Some(0.0),
                "%",
            ),
        ];
        verdicts.into_iter().flatten().chain(browser::verdict(&case, &self.pages)).collect()
    }

    fn decoded_a_second(&self) -> f64 {
        let seconds: f64 = self.turns.iter().map(|turn| turn.decoded.1).sum();
        self.turns.iter().map(|turn| turn.decoded.0).sum::<u64>() as f64 / seconds.max(1e-9)
    }
}

/// One figure of a case.
type Figure<'a> = (&'a str, &'a dyn Fn(&Figures) -> Option<f64>);

/// A row a case.
fn table(title: &str, digits: usize, all: &[Figures], columns: &[Figure<'_>]) -> Table {
    let row = |f: &Figures| {
        (f.case.to_string(), columns.iter().map(|(_, figure)| figure(f)).collect::<Vec<_>>())
    };
    Table {
        title: title.to_owned(),
        columns: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
        rows: all.iter().map(row).collect(),
        digits,
    }
}

/// What became of the frames, and what that took.
pub(crate) fn overview(all: &[Figures]) -> Vec<Table> {
    let sum = |f: &Figures, of: &dyn Fn(&Turn) -> Option<u64>| {
        f.turns.iter().map(of).sum::<Option<u64>>().map(|sum| sum as f64)
    };
    let mean = |f: &Figures, i: usize| {
        let turns = f.turns.len().max(1) as f64;
        Some(f.turns.iter().map(|turn| turn.cpu[i]).sum::<f64>() / turns)
    };
    let longest = |f: &Figures| {
        let stalls = f.turns.iter().map(|turn| Some(turn.drawn?.longest_stall));
        stalls.collect::<Option<Vec<_>>>().map(|all| all.into_iter().fold(0.0, f64::max))
    };
    vec![
        table(
            "frames of all turns, from the game's start to its end",
            0,
            all,
            &[
                ("committed", &|f| sum(f, &|t| Some(t.drawn?.commits))),
                ("skipped", &|f| sum(f, &|t| Some(t.drawn?.skipped))),
                ("stalls", &|f| sum(f, &|t| Some(t.drawn?.stalls))),
                ("handed", &|f| sum(f, &|t| Some(t.taken?.handed))),
                ("replaced", &|f| sum(f, &|t| Some(t.taken?.replaced))),
                ("lost", &|f| sum(f, &|t| Some(t.lost))),
                ("repeats", &|f| sum(f, &|t| Some(t.taken?.repeats))),
            ],
        ),
        table("the game's longest wait for a buffer, ms", 1, all, &[("ms", &longest)]),
        table(
            "access units decoded a second, repeats included, in the seconds that count",
            1,
            all,
            &[("1/s", &|f| Some(f.decoded_a_second()))],
        ),
        table(
            "processor time, % of one processor",
            1,
            all,
            &[("stratus run", &|f| mean(f, 0)), ("stratus play", &|f| mean(f, 1))],
        ),
    ]
}
