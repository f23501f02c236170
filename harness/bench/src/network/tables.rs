//! What was found, as a report.

use serde_json::Value;

use super::figures::{AS_BEFORE, CALM, Steady, jain};
use super::measure::{Beside, FASTEST_SHARED, OUTAGE, Shared};
use super::profile::described;
use super::{Args, FPS, Found, SIZE};
use crate::machine::Facts;
use crate::report::{Report, Series, Table};

/// Groups of series.
const ALONE: &str = "commit to decoded, the link to itself, ms";
const BESIDE: &str = "commit to decoded, beside another flow, ms";

pub(super) fn report(facts: Facts, version: String, found: &[Found], args: &Args) -> Report {
    let mut series: Vec<Series> = found.iter().map(alone).collect();
    series.extend(found.iter().filter_map(shared));
    let mut tables = vec![
        Table::of_samples(ALONE, 2, &series, ALONE),
        frames("frames a second, the link to itself", found, |f| Some(&f.alone.steady)),
        gaps(found),
        bits(found),
        sizes(found),
        packets(found),
        emulator(found),
    ];
    if found.iter().any(|f| f.shared.is_some()) {
        tables.push(Table::of_samples(BESIDE, 2, &series, BESIDE));
        tables.push(frames("frames a second, beside another flow", found, steady_beside));
        tables.extend([shares(found), fairness(found)]);
    }
    Report {
        bench: "network",
        facts,
        versions: vec![("stratus".to_owned(), version)],
        notes: notes(found, args),
        tables,
        series,
        verdicts: Vec::new(),
    }
}

fn notes(found: &[Found], args: &Args) -> Vec<String> {
    let (width, height) = SIZE;
    let beside = match args.beside {
        Beside::Download => {
            "a download by the rules of TCP Reno, which sends nothing again and has as much to \
             send as fits"
        }
        Beside::Session => "a second session of Stratus with the same game",
        Beside::Nothing => "nothing",
    };
    let mut notes = vec![
        format!(
            "a moving scene of {width}x{height} at {FPS} frames a second, through a link on \
             loopback, the same both ways; seed {}; {} s of each run are measured, after 2 s",
            args.seed, args.seconds
        ),
        format!(
            "after them the link is cut for {} ms; frames are back when for {} ms none takes more \
             than {AS_BEFORE} ms longer than 95 % did before",
            OUTAGE.as_millis(),
            CALM / 1_000_000
        ),
        format!(
            "beside the stream, in a run of its own: {beside}; not where the link is faster than \
             {} Mbit/s, as the processors would be shared and not the link. Jain's index is 1 \
             where both have the same, 0.5 where one has all; a stream takes no more than its own \
             bit rate, so it says little where the link has room for that",
            FASTEST_SHARED / 1_000_000
        ),
        "refused and overrun are datagrams that the kernel dropped around the link, and no part \
         of what it does; input is a key that the game does not answer, up to the first picture \
         committed after it"
            .to_owned(),
        "a frame's delay counts only if it was decoded; what was not is counted beside it".into(),
    ];
    for f in found {
        notes.push(format!("{}: {}", f.profile.name, described(&f.link.down)));
    }
    for f in found {
        let fault = f.alone.fault.as_ref().and_then(|text| text.lines().last());
        notes.extend(fault.map(|text| format!("{}: the player said: {text}", f.profile.name)));
    }
    notes
}

fn alone(f: &Found) -> Series {
    series(ALONE, f, &f.alone.steady.delays)
}

fn shared(f: &Found) -> Option<Series> {
    Some(series(BESIDE, f, &beside(f)?.steady.delays))
}

fn beside(f: &Found) -> Option<&Shared> {
    f.shared.as_ref()
}

fn steady_beside(f: &Found) -> Option<&Steady> {
    Some(&beside(f)?.steady)
}

fn series(group: &str, f: &Found, points: &[(f64, f64)]) -> Series {
    Series {
        group: group.to_owned(),
        name: f.profile.name.to_owned(),
        unit: "ms",
        points: points.to_vec(),
    }
}

/// A row of figures for each link.
fn table<const N: usize>(
    title: &str,
    digits: usize,
    columns: [&str; N],
    found: &[Found],
    row: impl Fn(&Found) -> [Option<f64>; N],
) -> Table {
    Table {
        title: title.to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: found.iter().map(|f| (f.profile.name.to_owned(), row(f).to_vec())).collect(),
        digits,
    }
}

fn frames(title: &str, found: &[Found], steady: impl Fn(&Found) -> Option<&Steady>) -> Table {
    let columns = ["committed", "decoded", "not encoded", "not decoded"];
    table(title, 1, columns, found, |f| {
        let Some(steady) = steady(f) else { return [None; 4] };
        let Steady { committed, shown, encoded_in_vain, .. } = *steady;
        let seconds = committed / f64::from(FPS);
        [committed, shown as f64, steady.left_out(), encoded_in_vain as f64]
            .map(|frames| Some(frames / seconds))
    })
}

fn gaps(found: &[Found]) -> Table {
    let columns = ["longest gap", "first after cut", "back after cut", "input p50", "input p95"];
    table("gaps, return after a cut, input to picture, ms", 1, columns, found, |f| {
        let (p50, p95) = f.alone.input.unzip();
        let recovery = f.alone.recovery;
        [f.alone.steady.longest_gap, recovery.first, recovery.calm, p50, p95]
    })
}

fn bits(found: &[Found]) -> Table {
    let columns = ["rate of link", "frames", "down", "up"];
    table("Mbit/s, the link to itself", 3, columns, found, |f| {
        let alone = &f.alone;
        let rate = f.link.down.rate.map(|rate| rate as f64);
        [rate, Some(alone.steady.bitrate), Some(alone.down), Some(alone.up)]
            .map(|bits| Some(bits? / 1e6))
    })
}

/// Whether pictures get smaller where the link is slow.
fn sizes(found: &[Found]) -> Table {
    let mean = |steady: &Steady| {
        let seconds = steady.committed / f64::from(FPS);
        (steady.shown > 0).then(|| steady.bitrate * seconds / 8e3 / steady.shown as f64)
    };
    table("access units, mean of kB", 1, ["alone", "beside"], found, |f| {
        [mean(&f.alone.steady), steady_beside(f).and_then(mean)]
    })
}

fn packets(found: &[Found]) -> Table {
    let columns = [
        "sent",
        "overflowed",
        "lost",
        "cut off",
        "reordered",
        "refused",
        "overrun",
        "keyframes",
        "not sent",
        "missing",
    ];
    table("packets down, and frames, in the whole run", 0, columns, found, |f| {
        let seen = &f.alone.seen;
        let down = &seen.down;
        let count = |name: &str| f.alone.report.get(name).and_then(Value::as_f64);
        let of = |n: u64| Some(n as f64);
        [
            of(down.packets),
            of(down.overflowed),
            of(down.lost),
            of(down.dark),
            of(down.reordered),
            of(seen.refused),
            of(seen.overrun),
            count("keyframes"),
            count("not_sent"),
            count("missing"),
        ]
    })
}

fn emulator(found: &[Found]) -> Table {
    let columns = ["longest wait", "late p50", "late p99", "late max"];
    let title = "the link: wait in its queue, its own lateness, ms";
    table(title, 3, columns, found, |f| {
        let seen = &f.alone.seen;
        let ms = |ns: u64| ns as f64 / 1e6;
        [
            Some(ms(seen.down.longest_wait)),
            seen.late.percentile(50).map(ms),
            seen.late.percentile(99).map(ms),
            Some(ms(seen.late.worst())),
        ]
    })
}

fn shares(found: &[Found]) -> Table {
    let columns = ["rate of link", "stream alone", "stream", "other"];
    table("Mbit/s down, beside another flow", 3, columns, found, |f| {
        let rate = f.link.down.rate.map(|rate| rate as f64);
        let shared = beside(f);
        [rate, Some(f.alone.down), shared.map(|s| s.session), shared.map(|s| s.other)]
            .map(|bits| Some(bits? / 1e6))
    })
}

fn fairness(found: &[Found]) -> Table {
    let columns = ["stream's part", "Jain's index"];
    table("fairness to another flow", 2, columns, found, |f| {
        let Some(Shared { session, other, .. }) = beside(f) else { return [None; 2] };
        [Some(session / (session + other)), jain(*session, *other)]
    })
}
