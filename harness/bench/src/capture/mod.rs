//! From the bytes of a commit to its frame in the encoder's mailbox: live with several clients, and
//! of recordings of real ones.

mod live;
mod replayed;

use std::path::{Path, PathBuf};

use crate::machine::Facts;
use crate::programs::{CLIENT, Place, STRATUS, version};
use crate::report::{Output, Report, Series, Table, Verdict};
use crate::session::Frame;
use crate::stats::{median, percentile};
use live::Turn;
use replayed::Pace;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many clients commit at once; may be repeated
    #[arg(long, value_name = "N", default_values_t = [1, 2, 4, 8],
          value_parser = clap::value_parser!(u32).range(1..=64))]
    clients: Vec<u32>,
    /// A recording to say again, may be repeated [default: those of the source tree]
    #[arg(long, value_name = "FILE")]
    recording: Vec<PathBuf>,
    /// Turns of each
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
    /// Seconds of a live turn that count
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Leave out the live sessions
    #[arg(long)]
    no_live: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// Of the figures of recordings, in microseconds.
const LIMITS: [(&str, f64, f64); 2] = [("p50", 50.0, 2.0), ("p99", 99.0, 7.0)];

const LIVE: &str = "live";

/// Frames of a replay that count apart: they load code that a session has long loaded.
const FIRST: usize = 3;
const FIRST_NAME: &str = "first 3 frames of each";

/// Measures, and prints what was found.
///
/// # Errors
/// If a session or a replay cannot be started.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let facts = Facts::gather();
    let programs = args.place.folder(&[STRATUS, CLIENT])?;
    let recordings =
        if args.recording.is_empty() { replayed::usual()? } else { args.recording.clone() };
    let counts = if args.no_live { Vec::new() } else { args.clients.clone() };
    let mut series = empty(&recordings, &counts);
    let mut turns: Vec<Vec<Turn>> = counts.iter().map(|_| Vec::new()).collect();
    for _ in 0..args.turns {
        said_again(&programs, &recordings, &mut series)?;
        for (clients, turns) in counts.iter().zip(&mut turns) {
            let turn = live::play(&programs, *clients, args.seconds)?;
            let name = clients_name(*clients);
            if let Some(series) = series.iter_mut().find(|s| s.name == name) {
                append(series, &points(&turn.frames));
            }
            turns.push(turn);
        }
    }
    let versions = vec![("stratus".to_owned(), version(&programs.join(STRATUS.name))?)];
    let mut tables: Vec<Table> = Pace::ALL.iter().map(|pace| table(pace.name(), &series)).collect();
    if !counts.is_empty() {
        tables.push(table(LIVE, &series));
        tables.push(load(&counts, &turns));
    }
    let verdicts = Pace::ALL.iter().flat_map(|pace| verdicts(pace.name(), &series)).collect();
    let notes = notes();
    args.output.put(&Report { bench: "capture", facts, versions, notes, tables, series, verdicts })
}

fn notes() -> Vec<String> {
    [
        "From recvmsg's return with the bytes of the commit (and of what the client wrote with \
         it: attach, damage, frame) to the moment before the frame is put into the mailbox.",
        "Recordings: stratus replay --through capture, without sockets and compositor; the \
         replay's own work between two requests of one write is left out. The first 3 frames of \
         each replay, while which its code is loaded, have a row of their own and are in no \
         other, nor in the targets.",
        "At its own pace the processor did other things or slept since the last frame, as in a \
         session: the caches are cold, and the same work takes as long as the memory does.",
        "Live: harness-client programs of 1280x720 commit 60 times a second each, through one \
         stratus proxy in front of the harness' scripted compositor, which releases each buffer \
         at once and composes nothing. The window that is watched is the newest; stratus play \
         receives it; frames that a newer one replaced, or that it did not decode, have no figure.",
    ]
    .map(str::to_owned)
    .into()
}

fn clients_name(clients: u32) -> String {
    format!("{clients} client{}", if clients == 1 { "" } else { "s" })
}

/// A series for all that is measured, in the order of the tables.
fn empty(recordings: &[PathBuf], counts: &[u32]) -> Vec<Series> {
    let one = |group: &str, name: String| Series {
        group: group.to_owned(),
        name,
        unit: "µs",
        points: Vec::new(),
    };
    let replayed = Pace::ALL.iter().flat_map(|pace| {
        let names = recordings.iter().map(|path| replayed::name(path));
        names.chain([FIRST_NAME.to_owned()]).map(|name| one(pace.name(), name))
    });
    let live = counts.iter().map(|clients| one(LIVE, clients_name(*clients)));
    replayed.chain(live).collect()
}

/// One turn of all recordings.
fn said_again(
    programs: &Path,
    recordings: &[PathBuf],
    series: &mut [Series],
) -> anyhow::Result<()> {
    for pace in Pace::ALL {
        for recording in recordings {
            let name = replayed::name(recording);
            let points = replayed::play(programs, recording, pace)?;
            let (first, rest) = points.split_at(points.len().min(FIRST));
            for (name, points) in [(FIRST_NAME, first), (&*name, rest)] {
                let own = |s: &&mut Series| s.group == pace.name() && s.name == name;
                if let Some(series) = series.iter_mut().find(own) {
                    append(series, points);
                }
            }
        }
    }
    Ok(())
}

/// Adds a turn behind those that are there.
fn append(series: &mut Series, points: &[(f64, f64)]) {
    let start = series.points.last().map_or(0.0, |(at, _)| *at);
    series.points.extend(points.iter().map(|(at, value)| (start + at, *value)));
}

fn points(frames: &[Frame]) -> Vec<(f64, f64)> {
    let begun = frames.first().and_then(|frame| frame.read);
    let point = |frame: &Frame| {
        let at = Frame::ms(begun, frame.read)? / 1e3;
        Some((at, Frame::ms(frame.read, frame.handed)? * 1e3))
    };
    frames.iter().filter_map(point).collect()
}

/// The samples of all series of a group, but for the first frames of replays.
fn samples(group: &str, series: &[Series]) -> Vec<f64> {
    let own = series.iter().filter(|s| s.group == group && s.name != FIRST_NAME);
    own.flat_map(Series::values).collect()
}

fn table(group: &str, series: &[Series]) -> Table {
    let title = format!("commit read to handed over, {group}, µs");
    let mut table = Table::of_samples(&title, 2, series, group);
    if group != LIVE {
        let points = samples(group, series).into_iter().map(|value| (0.0, value)).collect();
        let all =
            Series { group: group.to_owned(), name: "all others".to_owned(), unit: "µs", points };
        table.rows.extend(Table::of_samples("", 2, &[all], group).rows);
    }
    table
}

fn verdicts(group: &str, series: &[Series]) -> Vec<Verdict> {
    let values = samples(group, series);
    let verdict = |(name, part, limit): (&str, f64, f64)| {
        let what = format!("commit read to handed over, {group}, without the first 3, {name}");
        Some(Verdict { what, figure: percentile(&values, part)?, limit, unit: "µs" })
    };
    LIMITS.into_iter().filter_map(verdict).collect()
}

/// What the machine had to do in the live turns.
fn load(counts: &[u32], turns: &[Vec<Turn>]) -> Table {
    let middle = |turns: &[Turn], figure: fn(&Turn) -> f64| {
        median(&turns.iter().map(figure).collect::<Vec<_>>())
    };
    let row = |(clients, turns): (&u32, &Vec<Turn>)| {
        let figures = vec![middle(turns, |turn| turn.commits), middle(turns, |turn| turn.cpu)];
        (clients_name(*clients), figures)
    };
    Table {
        title: "live, medians of the turns: commits of all clients a second; processor time of \
                stratus proxy, encoding included, % of one processor"
            .to_owned(),
        columns: vec!["commits/s".to_owned(), "processor %".to_owned()],
        rows: counts.iter().zip(turns).map(row).collect(),
        digits: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_follow_each_other_and_all_count_together() {
        let paths = ["a/x.wlrec", "a/y.wlrec"].map(PathBuf::from);
        let mut series = empty(&paths, &[1, 2]);
        let names: Vec<_> = series.iter().map(|s| &*s.name).collect();
        let replayed = ["a/x", "a/y", FIRST_NAME].repeat(2);
        assert_eq!(names, [&replayed[..], &["1 client", "2 clients"]].concat());
        append(&mut series[0], &[(0.0, 1.0), (2.0, 3.0)]);
        append(&mut series[0], &[(0.0, 1.0), (1.0, 9.0)]);
        append(&mut series[1], &[(0.0, 1.0)]);
        append(&mut series[2], &[(0.0, 99.0)]);
        assert_eq!(series[0].points[3], (3.0, 9.0));
        let group = Pace::Fast.name();
        let table = table(group, &series);
        assert_eq!(table.rows.len(), 4);
        assert_eq!(table.rows[3].1, [1.0, 9.0, 9.0, 9.0, 5.0].map(Some));
        let verdicts = verdicts(group, &series);
        let holds: Vec<_> = verdicts.iter().map(Verdict::holds).collect();
        assert_eq!(holds, [true, false]);
    }
}
