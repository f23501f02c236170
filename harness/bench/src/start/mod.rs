//! From the command to the first decoded frame, and where that time goes.

mod games;
mod log;
mod measure;
mod tables;

use crate::machine::Facts;
use crate::programs::{CLIENT, Place, STRATUS, version};
use crate::report::Output;
use games::{Game, games};
use measure::{Moments, start};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Starts of each game
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// A game and all its starts.
struct Started {
    game: Game,
    turns: Vec<Moments>,
}

/// Measures, and prints what was found.
///
/// # Errors
/// If a session or a player cannot be started.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let facts = Facts::gather();
    let programs = args.place.folder(&[STRATUS, CLIENT])?;
    let (games, missing) = games(&programs);
    let mut started: Vec<Started> =
        games.into_iter().map(|game| Started { game, turns: Vec::new() }).collect();
    for _ in 0..args.turns {
        for Started { game, turns } in &mut started {
            turns.push(start(&programs, game)?);
        }
    }
    let version = version(&programs.join(STRATUS.name))?;
    args.output.put(&tables::report(facts, version, &started, missing))
}
