//! From an input to the first decoded picture that shows it, in programs that stand still: the
//! scripted client, which answers at once, and foot.

mod script;
mod turn;
mod way;

use std::path::Path;

use stratus_harness::scene::Motion;

use crate::floor;
use crate::machine::Facts;
use crate::programs::{CLIENT, Place, STRATUS, version};
use crate::report::{Output, Report, Series, Table, Verdict};
use crate::stats::percentile;
use script::Script;
use turn::Turned;
use way::{PARTS, Way, ways};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Turns of each program
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
    /// Keys of a turn
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    keys: u32,
    /// Where the moments of the keys begin
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// Of the game's screen.
const SIZE: (u32, u32) = (1280, 720);
/// Frames of the floor that are measured before each turn.
const FLOOR_FRAMES: u32 = 180;
/// How much more than the game's own time and the floor an answer may take.
const FLOOR_FACTOR: f64 = 1.4;
const ALLOWANCE_MS: f64 = 1.0;
const CLIENT_TARGET_MS: f64 = 3.5;
const FOOT_TARGET_MS: f64 = 15.0;

const TOTAL: &str = "key sent to decoded picture, ms";
const WAY: &str = "parts of the scripted client's way, ms";
const FLOOR: &str = "floor of a small change, ms";

const NOTES: [&str; 3] = [
    "Programs stand still but for what a key changes, at 1280x720 and 60 Hz. Keys come 80 to 150 \
     ms apart, by a seed; server and player are on one machine, and no picture is drawn.",
    "The scripted client tells when it hears of a key and when it commits; its way ends with the \
     first frame that it committed for the key. Of foot it is the first picture after the key that \
     differs from the one before.",
    "The floor: conversion, encoding and decoding of such a picture alone, 60 times a second.",
];

/// Measures, and prints what was found.
///
/// # Errors
/// If a session or its player fails.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut report = Report { bench: "click", facts: Facts::gather(), ..Report::default() };
    report.notes.extend(NOTES.map(str::to_owned));
    let programs = args.place.folder(&[STRATUS, CLIENT])?;
    report.versions.push(("Stratus".to_owned(), version(&programs.join(STRATUS.name))?));
    let foot = version(Path::new("foot"));
    match &foot {
        Ok(version) => report.versions.push(("foot".to_owned(), version.clone())),
        Err(_) => report.notes.push("foot is left out: no package foot here".to_owned()),
    }
    let mut found = Found::default();
    let place = turn::Place { programs: &programs, size: SIZE };
    for turn in 0..args.turns {
        let script = Script::new(args.keys, args.seed.wrapping_add(turn.into()));
        found.floor()?;
        eprintln!("turn {} of {}: the scripted client", turn + 1, args.turns);
        found.client(&turn::client(&place, &script)?);
        if foot.is_ok() {
            eprintln!("turn {} of {}: foot", turn + 1, args.turns);
            found.foot(&turn::foot(&place, &script)?);
        }
    }
    found.tell(&mut report);
    args.output.put(&report)
}

/// All turns' figures.
#[derive(Default)]
struct Found {
    floor: Vec<(f64, f64)>,
    ways: Vec<Way>,
    /// When a key was sent, and milliseconds to its picture.
    foot: Vec<(u64, f64)>,
    /// Keys without an answer: of the client, of foot.
    unanswered: [usize; 2],
}

impl Found {
    fn floor(&mut self) -> anyhow::Result<()> {
        let motion = Motion::MarkerOnly;
        let frames = FLOOR_FRAMES;
        let options = floor::Options { size: SIZE, motion, fps: 60, paced: true, frames };
        let before = self.floor.len() as f64 / 60.0;
        let samples = floor::measure(&options)?;
        self.floor.extend(samples.iter().map(|s| (before + s.at, s.total())));
        Ok(())
    }

    fn client(&mut self, turned: &Turned) {
        let Turned { answers, presses, frames } = turned;
        let ways = ways(answers, presses, frames);
        self.unanswered[0] += ways.iter().filter(|way| way.is_none()).count();
        self.ways.extend(ways.into_iter().flatten());
    }

    fn foot(&mut self, turned: &Turned) {
        for answer in &turned.answers {
            match answer.frame {
                Some((_, decoded)) => {
                    let ms = decoded.saturating_sub(answer.sent) as f64 / 1e6;
                    self.foot.push((answer.sent, ms));
                }
                None => self.unanswered[1] += 1,
            }
        }
    }

    fn tell(&self, report: &mut Report) {
        let sent = self.ways.iter().map(|w| w.sent).chain(self.foot.iter().map(|(at, _)| *at));
        let began = sent.min().unwrap_or_default();
        let since = |at: u64| at.saturating_sub(began) as f64 / 1e9;
        let series = |group: &str, name: &str, points: Vec<(f64, f64)>| Series {
            group: group.to_owned(),
            name: name.to_owned(),
            unit: "ms",
            points,
        };
        let totals = self.ways.iter().map(|way| (since(way.sent), way.total)).collect();
        let foot: Vec<_> = self.foot.iter().map(|(at, ms)| (since(*at), *ms)).collect();
        report.series.push(series(TOTAL, "scripted client", totals));
        if !foot.is_empty() {
            report.series.push(series(TOTAL, "foot", foot));
        }
        for (index, name) in PARTS.iter().enumerate() {
            let part = self.ways.iter().map(|way| (since(way.sent), way.parts[index])).collect();
            report.series.push(series(WAY, name, part));
        }
        report.series.push(series(FLOOR, "conversion, encoder, decoder", self.floor.clone()));
        for (group, digits) in [(TOTAL, 2), (WAY, 3), (FLOOR, 3)] {
            report.tables.push(Table::of_samples(group, digits, &report.series, group));
        }
        let mistaken = self.ways.iter().filter(|way| way.mistaken).count();
        let [client, foot] = self.unanswered;
        report.notes.push(format!(
            "Keys without an answer: {client} of the scripted client, {foot} of foot. Of {mistaken} \
             keys of the scripted client `stratus play` took another frame for the answer."
        ));
        report.verdicts = self.verdicts();
    }

    fn verdicts(&self) -> Vec<Verdict> {
        let p50 = |values: Vec<f64>| percentile(&values, 50.0);
        let verdict = |what: &str, figure, limit| {
            let what = what.to_owned();
            Some(Verdict { what, figure: figure?, limit: limit?, unit: "ms" })
        };
        let client = p50(self.ways.iter().map(|way| way.total).collect());
        let game = p50(self.ways.iter().map(|way| way.parts[1]).collect());
        let floor = p50(self.floor.iter().map(|(_, ms)| *ms).collect());
        let sum = game.zip(floor).map(|(game, floor)| game + FLOOR_FACTOR * floor + ALLOWANCE_MS);
        let foot = p50(self.foot.iter().map(|(_, ms)| *ms).collect());
        [
            verdict("scripted client p50: its own p50 + 1.4 floors + 1 ms", client, sum),
            verdict("scripted client p50", client, Some(CLIENT_TARGET_MS)),
            verdict("foot p50", foot, Some(FOOT_TARGET_MS)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_of_the_games_own_time_and_the_floor() {
        let mut parts = [0.0; 8];
        parts[1] = 0.5;
        let way = Way { sent: 1_000_000_000, total: 4.0, parts, mistaken: false };
        let found = Found {
            floor: vec![(0.0, 2.0)],
            ways: vec![way],
            foot: vec![(3_000_000_000, 9.0)],
            unanswered: [1, 2],
        };
        let mut report = Report::default();
        found.tell(&mut report);
        let told: Vec<_> = report.verdicts.iter().map(|v| (v.figure, v.limit)).collect();
        assert_eq!(told.len(), 3);
        assert!((told[0].1 - 4.3).abs() < 1e-9 && told[1] == (4.0, 3.5) && told[2] == (9.0, 15.0));
        assert_eq!(report.series[1].points, [(2.0, 9.0)]);
        assert!(
            report.notes.iter().any(|note| note.contains("1 of the scripted client, 2 of foot"))
        );
        let empty = Found::default();
        empty.tell(&mut report);
        assert!(report.verdicts.is_empty());
    }
}
