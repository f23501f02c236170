//! Streams through links with limits and faults: delays, frames lost, recovery, bits, fairness.

mod download;
mod figures;
mod measure;
mod profile;
mod reno;
mod tables;

use std::time::Duration;

use stratus_harness::link::Link;

use crate::machine::Facts;
use crate::programs::{CLIENT, Place, STRATUS, version};
use crate::report::Output;
use measure::{Alone, Beside, Scene, Shared};
use profile::{Changes, Preset, Profile};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A link to measure, may be repeated [default: all]
    #[arg(long, value_enum, value_name = "NAME")]
    profile: Vec<Preset>,
    #[command(flatten)]
    changes: Changes,
    /// Of all that is left to luck
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds of each stretch that is measured
    #[arg(long, default_value_t = 8.0, value_parser = seconds)]
    seconds: f64,
    /// What shares the link in a second run
    #[arg(long, value_enum, default_value = "download")]
    beside: Beside,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

const SIZE: (u32, u32) = (1280, 720);
const FPS: u32 = 60;

/// One link and what was found with it.
struct Found {
    profile: Profile,
    link: Link,
    alone: Alone,
    shared: Option<Shared>,
}

/// Measures, and prints what was found.
///
/// # Errors
/// If a session, a player or a link cannot be started.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let facts = Facts::gather();
    let programs = args.place.folder(&[STRATUS, CLIENT])?;
    let steady = Duration::from_secs_f64(args.seconds);
    let scene = Scene { programs: &programs, size: SIZE, fps: FPS, steady };
    let presets = if args.profile.is_empty() { &Preset::ALL[..] } else { &args.profile };
    let mut found = Vec::new();
    for preset in presets {
        let profile = preset.profile();
        let link = args.changes.applied(&profile, args.seed);
        let alone = scene.alone(&link)?;
        let shared = scene.shared(&link, args.beside)?;
        found.push(Found { profile, link, alone, shared });
    }
    let version = version(&programs.join(STRATUS.name))?;
    args.output.put(&tables::report(facts, version, &found, args))
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(s) if (1.0..=600.0).contains(&s) => Ok(s),
        _ => Err("a number of seconds from 1 to 600".to_owned()),
    }
}
