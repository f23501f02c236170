//! What was found, as a report.

use super::measure::Step;
use super::processes::Role;
use super::{Args, LARGE, Ladder, TRIES};
use crate::machine::Facts;
use crate::report::{Report, Series, Table, Verdict};
use crate::stats::percentile;

/// What a 1080p session may take beside Sway, game and player, MiB.
const MEMORY_LIMIT: f64 = 150.0;

pub(super) fn report(
    facts: Facts,
    version: String,
    ladders: &[Ladder],
    large: &Step,
    args: &Args,
) -> Report {
    let mut tables = vec![carried(ladders, args)];
    for ladder in ladders {
        let name = name(ladder.size, args);
        tables.extend([delays(ladder, &name), frames(ladder, &name), processors(ladder, &name)]);
        tables.push(memory(ladder, &name));
    }
    tables.push(large_session(large, args));
    Report {
        bench: "density",
        versions: vec![("stratus".to_owned(), version)],
        notes: notes(&facts, args),
        facts,
        tables,
        series: ladders.iter().flat_map(|ladder| series(ladder, args)).collect(),
        verdicts: verdict(large).into_iter().collect(),
    }
}

/// None where the kernel does not let us look.
fn verdict(large: &Step) -> Option<Verdict> {
    let rss = large.rss[0];
    (rss > 0).then(|| Verdict {
        what: "memory of a 1080p session beside Sway and the game (RSS)".to_owned(),
        figure: rss as f64 / 1024.0,
        limit: MEMORY_LIMIT,
        unit: "MiB",
    })
}

fn notes(facts: &Facts, args: &Args) -> Vec<String> {
    vec![
        format!(
            "each session is a moving scene of the scripted client at {} frames a second with a \
             player that decodes, all on {} processors; one more each time, until 95 % of one \
             session's frames take more than {} ms or there are {}",
            args.fps, facts.processors, args.bound_ms, args.most
        ),
        format!("{} s are measured of each number, after 2 s; players are new each time", args.seconds),
        format!(
            "a number of sessions that passes the bound is measured {TRIES} times at most, and the \
             time with the best worst p95 counts: what else the machine does only adds"
        ),
        "processor time of threads that live; 100 % is one processor. Players would be on machines \
         of their own; here they share this one. Not ours: of all else on the machine, interrupts \
         and other people's work included, in % of one processor"
            .to_owned(),
        "frames not shown were committed and never decoded; those not sent were encoded and found \
         no room, in the players' whole time"
            .to_owned(),
        "PSS counts what processes share by its part, RSS whole: the target is held against RSS. \
         stratus is stratus run with the helper that cleans up after it"
            .to_owned(),
    ]
}

fn name((width, height): (u32, u32), args: &Args) -> String {
    format!("{width}x{height} at {}", args.fps)
}

fn table(title: String, digits: usize, columns: &[&str], rows: Vec<Row>) -> Table {
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    Table { title, columns, rows, digits }
}

type Row = (String, Vec<Option<f64>>);

/// A row for each number of sessions.
fn rows(ladder: &Ladder, row: impl Fn(&Step, f64) -> Vec<Option<f64>>) -> Vec<Row> {
    let numbered = (1u32..).zip(&ladder.steps);
    numbered.map(|(n, step)| (sessions(n), row(step, f64::from(n)))).collect()
}

fn sessions(n: u32) -> String {
    if n == 1 { "1 session".to_owned() } else { format!("{n} sessions") }
}

fn carried(ladders: &[Ladder], args: &Args) -> Table {
    let row = |ladder: &Ladder| {
        let carried = ladder.carried(args.bound_ms);
        (name(ladder.size, args), vec![Some(carried as f64), Some(ladder.steps.len() as f64)])
    };
    let title = format!("sessions whose p95 stays within {} ms", args.bound_ms);
    table(title, 0, &["carried", "tried"], ladders.iter().map(row).collect())
}

fn delays(ladder: &Ladder, name: &str) -> Table {
    let rows = rows(ladder, |step, _| {
        let all = step.all();
        let mut row: Vec<_> = [50.0, 95.0, 99.0].map(|part| percentile(&all, part)).to_vec();
        row.extend([step.worst_p95(), Some(all.len() as f64)]);
        row
    });
    let columns = ["p50", "p95", "p99", "worst p95", "samples"];
    table(format!("{name}: commit to decoded, all sessions, ms"), 2, &columns, rows)
}

fn frames(ladder: &Ladder, name: &str) -> Table {
    let rows = rows(ladder, |step, _| {
        vec![Some(step.committed), Some(step.not_shown), Some(step.not_sent as f64)]
    });
    let columns = ["committed", "not shown", "not sent"];
    table(format!("{name}: frames of all sessions"), 0, &columns, rows)
}

fn processors(ladder: &Ladder, name: &str) -> Table {
    let rows = rows(ladder, |step, n| {
        let mut row: Vec<_> = step.cpu.iter().map(|used| Some(used * 100.0 / n)).collect();
        row.extend([step.cpu.iter().sum(), step.others].map(|used: f64| Some(used * 100.0)));
        row
    });
    let mut columns = Role::ALL.map(Role::name).to_vec();
    columns.extend(["all together", "not ours"]);
    table(format!("{name}: processors a session, %"), 1, &columns, rows)
}

fn memory(ladder: &Ladder, name: &str) -> Table {
    let rows = rows(ladder, |step, n| {
        let mut row: Vec<_> = step.pss.iter().map(|kib| mib(*kib).map(|v| v / n)).collect();
        row.push(mib(step.pss.iter().sum()));
        row
    });
    let mut columns = Role::ALL.map(Role::name).to_vec();
    columns.push("all together");
    table(format!("{name}: memory a session, PSS in MiB"), 1, &columns, rows)
}

/// None of what the kernel does not let us look at: no process has no memory.
fn mib(kib: u64) -> Option<f64> {
    (kib > 0).then(|| kib as f64 / 1024.0)
}

fn large_session(large: &Step, args: &Args) -> Table {
    let all = |kib: &[u64; 4]| kib.iter().map(|kib| mib(*kib)).collect();
    let rows = vec![("PSS".to_owned(), all(&large.pss)), ("RSS".to_owned(), all(&large.rss))];
    let title = format!("one session of {}: memory in MiB", name(LARGE, args));
    table(title, 1, &Role::ALL.map(Role::name), rows)
}

/// Delays of the first, the middle and the last number of sessions, for the plots.
fn series(ladder: &Ladder, args: &Args) -> Vec<Series> {
    let group = format!("{}: commit to decoded, ms", name(ladder.size, args));
    let last = ladder.steps.len();
    let mut shown = vec![1, last.div_ceil(2), last];
    shown.dedup();
    let one = |n: usize| {
        let step = ladder.steps.get(n.checked_sub(1)?)?;
        let mut points: Vec<(f64, f64)> = step.delays.iter().flatten().copied().collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let name = sessions(u32::try_from(n).ok()?);
        Some(Series { group: group.clone(), name, unit: "ms", points })
    };
    shown.into_iter().filter_map(one).collect()
}
