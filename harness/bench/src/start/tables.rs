//! What was found, as a report.

use super::Started;
use super::measure::{Moment, Moments};
use crate::machine::Facts;
use crate::report::{Report, Series, Table, Verdict};
use crate::stats::{median, percentile};

pub(super) fn report(
    facts: Facts,
    version: String,
    started: &[Started],
    missing: Vec<String>,
) -> Report {
    let series: Vec<Series> = started.iter().flat_map(moments).collect();
    let of_game = |s: &Started| Table::of_samples(&group(s), 1, &series, &group(s));
    let mut tables: Vec<Table> = started.iter().map(of_game).collect();
    tables.push(parts(started));
    let mut notes = vec![
        "stratus run is started with Sway for a 1280x720 screen, and the player, without a window, \
         as soon as the link is there; games in turn, each on a session of its own"
            .to_owned(),
        "until the link: as read by who started it; the game's, the player's and the first frame's \
         moments as stratus run logs them; the rest by the stamps of the first decoded frame"
            .to_owned(),
        "files come from the page cache, as after a first start".to_owned(),
    ];
    notes.extend(missing);
    Report {
        bench: "start",
        facts,
        versions: vec![("stratus".to_owned(), version)],
        notes,
        tables,
        verdicts: started.iter().filter_map(verdict).collect(),
        series,
    }
}

fn group(started: &Started) -> String {
    format!("{}: since the command, ms", started.game.name)
}

/// A series a moment, a point a turn.
fn moments(started: &Started) -> Vec<Series> {
    let one = |moment: Moment| Series {
        group: group(started),
        name: moment.name().to_owned(),
        unit: "ms",
        points: (0..)
            .map(f64::from)
            .zip(&started.turns)
            .filter_map(|(turn, moments)| Some((turn, moments.at(moment)?)))
            .collect(),
    };
    Moment::ALL.map(one).into()
}

type Part = (&'static str, fn(&Moments) -> Option<f64>);

/// Some are at work at the same time, so that their sum is not the whole.
const PARTS: [Part; 8] = [
    ("command to link", |m| m.at(Moment::Link)),
    ("link to game started (Sway starts)", |m| m.between(Moment::Link, Moment::Game)),
    ("game started to connected", |m| m.between(Moment::Game, Moment::Connected)),
    ("game connected to first frame taken", |m| m.between(Moment::Connected, Moment::Frame)),
    ("player started to joined", |m| m.between(Moment::Link, Moment::Joined)),
    ("frame and player there to encoded", Moments::waited),
    ("encoded to sent", |m| m.between(Moment::Encoded, Moment::Sent)),
    ("sent to decoded", |m| m.between(Moment::Sent, Moment::Decoded)),
];

/// p50 and the worst of each part, two columns a game.
fn parts(started: &[Started]) -> Table {
    let columns =
        started.iter().flat_map(|s| [s.game.name.to_owned(), format!("{} max", s.game.name)]);
    let row = |(name, part): &Part| {
        let figures = started.iter().flat_map(|s| {
            let values: Vec<f64> = s.turns.iter().filter_map(part).collect();
            [median(&values), percentile(&values, 100.0)]
        });
        ((*name).to_owned(), figures.collect())
    };
    Table {
        title: "parts, p50 and max of the turns, ms".to_owned(),
        columns: columns.collect(),
        rows: PARTS.iter().map(row).collect(),
        digits: 1,
    }
}

fn verdict(started: &Started) -> Option<Verdict> {
    let decoded: Vec<f64> =
        started.turns.iter().filter_map(|moments| moments.at(Moment::Decoded)).collect();
    Some(Verdict {
        what: format!("{}: command to first decoded frame, p50", started.game.name),
        figure: median(&decoded)? / 1e3,
        limit: started.game.limit?,
        unit: "s",
    })
}
