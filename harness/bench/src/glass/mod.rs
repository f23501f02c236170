//! From the game's commit to the picture: decoded in the native player, drawn in Chromium.

mod browser;
mod case;
mod counts;
mod figures;
mod turn;

use std::path::Path;

use crate::floor;
use crate::machine::Facts;
use crate::programs::{CLIENT, Place, STRATUS, version};
use crate::report::{Output, Report};
use browser::Browser;
use case::{Case, Damage};
use figures::{Figures, overview};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A game's size, rate and damage, as in 720p60-full or 1080p120-partial; may be repeated
    /// [default: 720p60, 1080p60 and 1080p120, each with full, partial and no damage]
    #[arg(long, value_name = "CASE")]
    case: Vec<Case>,
    /// Turns of each case
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
    /// Seconds of a turn that count
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Measure in Chromium too: the cases of full damage and at most 60 frames a second
    #[arg(long)]
    browser: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// Seconds of the floor that are measured before each turn, at most.
const FLOOR_SECONDS: u32 = 5;

/// Measures, and prints what was found.
///
/// # Errors
/// If a session or its player cannot be started, or there is no encoder.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let facts = Facts::gather();
    let programs = args.place.folder(&[STRATUS, CLIENT])?;
    let cases = if args.case.is_empty() { Case::usual() } else { args.case.clone() };
    let mut notes = notes(&facts);
    let mut versions = vec![("stratus".to_owned(), version(&programs.join(STRATUS.name))?)];
    let browser = match args.browser.then(Browser::find) {
        Some(Ok(browser)) => {
            versions.push(("chromium".to_owned(), browser.version.clone()));
            Some(browser)
        }
        Some(Err(e)) => {
            notes.push(format!("Chromium is left out: {e:#}"));
            None
        }
        None => None,
    };
    let mut all: Vec<Figures> = cases.into_iter().map(empty).collect();
    for _ in 0..args.turns {
        for figures in &mut all {
            turn(figures, args, &programs, browser.as_ref(), &mut notes)?;
        }
    }
    args.output.put(&report(&all, facts, versions, notes))
}

fn empty(case: Case) -> Figures {
    Figures { case, turns: Vec::new(), floors: Vec::new(), pages: Vec::new() }
}

/// One turn of a case: its floor, the native player, the browser.
fn turn(
    figures: &mut Figures,
    args: &Args,
    programs: &Path,
    browser: Option<&Browser>,
    notes: &mut Vec<String>,
) -> anyhow::Result<()> {
    let case = figures.case;
    if case.damage != Damage::None {
        figures.floors.push(floor::measure(&floor::Options {
            size: case.size,
            motion: case.damage.motion(),
            fps: case.fps,
            paced: true,
            frames: args.seconds.min(FLOOR_SECONDS) * case.fps,
        })?);
    }
    let turn = turn::play(programs, &case, args.seconds)?;
    if let Some(fault) = &turn.fault {
        notes.push(format!("{case}, turn {}: {fault}", figures.turns.len() + 1));
    }
    if let Some(drawn) = turn.drawn.filter(|drawn| drawn.size != case.size) {
        notes.push(format!("{case}: the game drew {:?} pixels", drawn.size));
    }
    figures.turns.push(turn);
    if let Some(browser) = browser.filter(|_| case.damage == Damage::Full && case.fps <= 60) {
        match browser.play(programs, &case, args.seconds) {
            Ok(page) => figures.pages.push(page),
            Err(e) => notes.push(format!("{case}, in Chromium: {e:#}")),
        }
    }
    Ok(())
}

/// The load average from which on others take so much that the figures are no limits.
const BUSY: f64 = 0.5;

fn notes(facts: &Facts) -> Vec<String> {
    let mut notes: Vec<String> = [
        "The harness' scripted client draws a numbered scene at a fixed rate under stratus run \
         with its own headless Sway; stratus play decodes on the same machine, over loopback. \
         Cases take turns; the first second of each session is left out.",
        "commit read: recvmsg gave the proxy the bytes of the wl_surface.commit. What the game \
         takes to draw and to write is before that. Frames that the encoder makes anew of an old \
         commit are in no stage.",
        "floor: conversion, encoding and decoding of the same scene alone, in one thread of this \
         program, with the session's encoder settings and at its pace, measured before each turn \
         while no session runs.",
        "Counts of frames: skipped, moments of its rate that the game did not draw at; stalls, how \
         often it found no free buffer; handed, given to the encoder (a commit that changes \
         nothing makes no frame); replaced, by a newer one before they were encoded; lost, \
         encoded and not decoded; repeats, encoded again for a new player or to refine a still \
         picture.",
        "Moments without a picture are those that the game itself skipped, too: the client counts \
         them from its start to its end.",
    ]
    .map(str::to_owned)
    .into();
    if facts.load.parse::<f64>().is_ok_and(|load| load > BUSY) {
        notes.push(
            "Others were at work on this machine: they take turns with the floor, which is one long \
             stretch of work a frame, more than with the threads of a session; compare again when \
             it is idle."
                .to_owned(),
        );
    }
    if cfg!(debug_assertions) {
        notes.push(
            "This is a debug build of the bench: the floor is that of less optimised code."
                .to_owned(),
        );
    }
    notes
}

fn report(
    all: &[Figures],
    facts: Facts,
    versions: Vec<(String, String)>,
    mut notes: Vec<String>,
) -> Report {
    let series: Vec<_> = all.iter().flat_map(Figures::all_series).collect();
    let mut tables = Vec::new();
    for figures in all {
        tables.extend(figures.tables(&series));
        tables.extend(browser::table(&figures.case, &figures.pages));
        let last = figures.pages.last().map(|page| {
            let lines: Vec<_> = page.figures.iter().map(|(n, v)| format!("{n} {v}")).collect();
            format!("{}, in Chromium, last turn: {}", figures.case, lines.join("; "))
        });
        notes.extend(last);
    }
    if all.iter().any(|figures| !figures.pages.is_empty()) {
        notes.push(
            "In Chromium: what the page's own statistics say of the newest 300 frames at the end \
             of each turn. Drawn is when the page gave the picture to its canvas; what Chromium \
             and a screen add to that is not in it."
                .to_owned(),
        );
    }
    tables.extend(overview(all));
    let verdicts = all.iter().flat_map(|figures| figures.verdicts(&series)).collect();
    Report { bench: "glass", facts, versions, notes, tables, series, verdicts }
}
