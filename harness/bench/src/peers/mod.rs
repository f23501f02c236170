//! The same game shown by Stratus and by others, in alternating turns: from its commit to the
//! decoded picture of that frame.

mod contestant;
mod copying;
mod cpu;
mod figures;
mod flv;
mod game;
mod pixelflux;
mod recorder;
mod rfb;
mod sight;
mod stratus;
mod turn;
mod vnc;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use stratus_frame::MonoTime;

use crate::machine::Facts;
use crate::programs::{CLIENT, Place, STRATUS, version};
use crate::report::{Output, Report};
use contestant::{Contestant, Kind};
use figures::Played;
use game::{Pace, Scene};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Size of the game in pixels
    #[arg(long, default_value = "1280x720", value_parser = size)]
    size: (u32, u32),
    /// When the game draws
    #[arg(long, value_enum, default_value_t = Pace::Rate)]
    pace: Pace,
    /// Turns of each contestant
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
    /// Length of a turn in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Leave out who has none of these in its name, as in `wayvnc,pixelflux`; Stratus stays
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// The Python that has pixelflux [default: that of `bench-venv` beside the programs' folder]
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    parsed.filter(|&(w, h)| w > 0 && h > 0).ok_or_else(|| format!("{text} is no WIDTHxHEIGHT"))
}

/// How to read the figures.
const NOTES: [&str; 5] = [
    "Each frame bears its number. Its time runs from the game's commit, stamped by the game, to the \
     return of the decoder, which is the same for all that send H.264; no picture is drawn.",
    "Screencopy and wf-recorder have no network: access units come by memory or a pipe. wayvnc \
     sends raw pixels over the loopback, so that nothing is encoded or decoded: its time ends when \
     an update is read. Stratus and wayvnc alone cross a network's stack.",
    "Encoders hold 12 Mbit/s, but for wf-recorder's, which keeps a constant quality.",
    "The processor's time counts compositor, capture, encoder and server; not the game, nor the \
     viewer who decodes.",
    "selkies is left out: it streams what pixelflux encodes, and its viewer is a page for browsers.",
];

/// Measures, and prints what was found.
///
/// # Errors
/// If Stratus cannot be started or shows nothing; peers that do are left out with a note.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let facts = Facts::gather();
    let programs = args.place.folder(&[STRATUS, CLIENT])?;
    let mut report = Report { bench: "peers", facts, ..Report::default() };
    report.notes.extend(NOTES.map(str::to_owned));
    let (width, height) = args.size;
    report.notes.push(match args.pace {
        Pace::Rate => format!("The game: {width}x{height}, all of it moving, 60 times a second."),
        Pace::Callbacks => format!(
            "The game: {width}x{height}, all of it moving, drawn on the compositor's frame \
             callbacks, 60 a second; a compositor of 120 would make it another game and is left \
             out."
        ),
    });
    let contestants = contestants(args, &programs, &mut report)?;
    let scene = Scene { programs, size: args.size, pace: args.pace, commits: PathBuf::new() };
    let played = turns(args, contestants, &scene, &mut report.notes)?;
    report.series = figures::series(&played);
    report.tables = figures::tables(&played, &report.series);
    report.verdicts = figures::verdicts(&played, &report.series);
    args.output.put(&report)
}

/// Plays all turns. A peer that fails is left out from then on.
fn turns(
    args: &Args,
    contestants: Vec<Contestant>,
    scene: &Scene,
    notes: &mut Vec<String>,
) -> anyhow::Result<Vec<Played>> {
    let fresh = |contestant| Played { contestant, turns: Vec::new() };
    let mut played: Vec<Played> = contestants.into_iter().map(fresh).collect();
    let length = Duration::from_secs(args.seconds);
    let began = MonoTime::now();
    for turn in 0..args.turns as usize {
        let mut failed = Vec::new();
        // Another begins each time, so that nobody always follows the same one.
        for place in 0..played.len() {
            let at = (place + turn) % played.len();
            let Played { contestant, turns } = &mut played[at];
            eprintln!("turn {} of {}: {}", turn + 1, args.turns, contestant.name());
            match turn::play(contestant, scene, length, began) {
                Ok(turned) => turns.push(turned),
                Err(e) if contestant.kind == Kind::Stratus => return Err(e.context("Stratus")),
                Err(e) => {
                    notes.push(format!("{} failed: {e:#}", contestant.name()));
                    failed.push(contestant.name());
                }
            }
        }
        played.retain(|p| !failed.contains(&p.contestant.name()));
    }
    Ok(played)
}

/// Who takes part. Notes who does not, and the versions of those who do.
fn contestants(
    args: &Args,
    programs: &Path,
    report: &mut Report,
) -> anyhow::Result<Vec<Contestant>> {
    // With a faster compositor, a game that follows it would be another game.
    let rates: &[u32] = if args.pace == Pace::Rate { &[60, 120] } else { &[60] };
    let mut all = vec![Contestant { kind: Kind::Stratus, hertz: 60 }];
    let mut add = |kind: &Kind, rates: &[u32]| {
        all.extend(rates.iter().map(|&hertz| Contestant { kind: kind.clone(), hertz }));
    };
    report.versions.push(("Stratus".to_owned(), version(&programs.join(STRATUS.name))?));
    report.versions.push(("Sway".to_owned(), version(Path::new("sway"))?));
    add(&Kind::Screencopy, rates);
    for (name, kind) in [("wf-recorder", Kind::WfRecorder), ("wayvnc", Kind::Wayvnc)] {
        match version(Path::new(name)) {
            Ok(version) => {
                report.versions.push((name.to_owned(), version));
                add(&kind, rates);
            }
            Err(_) => report.notes.push(format!("{name} is left out: no package {name} here")),
        }
    }
    let python =
        args.python.clone().or_else(|| Some(programs.parent()?.join("bench-venv/bin/python")));
    match python.context("no Python").and_then(|python| Ok((pixelflux_version(&python)?, python))) {
        Ok((version, python)) => {
            report.versions.push(("pixelflux".to_owned(), version));
            add(&Kind::Pixelflux(python), rates);
        }
        Err(_) => report.notes.push(
            "pixelflux is left out: no PyPI package pixelflux here; scripts/bench installs it"
                .to_owned(),
        ),
    }
    all.retain(|c| {
        let named = |name: &String| c.name().contains(&**name);
        c.kind == Kind::Stratus || args.only.is_empty() || args.only.iter().any(named)
    });
    Ok(all)
}

fn pixelflux_version(python: &Path) -> anyhow::Result<String> {
    let program = "import importlib.metadata as m; print(m.version('pixelflux'))";
    let said = Command::new(python).args(["-c", program]).stdin(Stdio::null()).output()?;
    anyhow::ensure!(said.status.success(), "no pixelflux");
    Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
}
