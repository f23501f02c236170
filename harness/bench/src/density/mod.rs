//! How many sessions a machine carries, and what each costs.

mod measure;
mod processes;
mod tables;

use std::time::Duration;

use stratus_frame::MonoTime;

use crate::machine::Facts;
use crate::programs::{CLIENT, Place, STRATUS, version};
use crate::report::Output;
use measure::{Scene, Step, measure};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Frames a second of each session
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=240))]
    fps: u32,
    /// Stop adding sessions when 95 % of one's frames are not decoded within this of their commit,
    /// ms
    #[arg(long, default_value_t = 33.0)]
    bound_ms: f64,
    /// Sessions at most
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1000))]
    most: u32,
    /// Seconds that each number of sessions is measured
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

const SIZES: [(u32, u32); 2] = [(1280, 720), (640, 360)];
/// How often a number of sessions that passes the bound is measured.
const TRIES: usize = 3;
/// Whose memory has a target.
const LARGE: (u32, u32) = (1920, 1080);

/// Sessions of one size, one more each time.
struct Ladder {
    size: (u32, u32),
    steps: Vec<Step>,
}

impl Ladder {
    /// How many sessions stayed within the bound.
    fn carried(&self, bound_ms: f64) -> usize {
        self.steps.iter().take_while(|step| is_within(step, bound_ms)).count()
    }
}

fn is_within(step: &Step, bound_ms: f64) -> bool {
    !step.is_broken() && step.worst_p95() <= Some(bound_ms)
}

/// Whether the first one's frames were less late.
fn is_better(one: &Step, other: &Step) -> bool {
    !one.is_broken() && (other.is_broken() || one.worst_p95() < other.worst_p95())
}

/// Measures, and prints what was found.
///
/// # Errors
/// If a session or a player cannot be started.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let facts = Facts::gather();
    let programs = args.place.folder(&[STRATUS, CLIENT])?;
    let length = Duration::from_secs(args.seconds);
    let scene = |size| Scene { programs: &programs, size, fps: args.fps };
    let mut ladders = Vec::new();
    for size in SIZES {
        ladders.push(climb(&scene(size), args, length)?);
    }
    let large = scene(LARGE);
    let one = [large.start()?];
    let large = measure(&large, &one, length, MonoTime::now())?;
    drop(one);
    let version = version(&programs.join(STRATUS.name))?;
    args.output.put(&tables::report(facts, version, &ladders, &large, args))
}

/// Adds sessions until the bound is passed.
fn climb(scene: &Scene<'_>, args: &Args, length: Duration) -> anyhow::Result<Ladder> {
    let begun = MonoTime::now();
    let mut sessions = Vec::new();
    let mut ladder = Ladder { size: scene.size, steps: Vec::new() };
    while sessions.len() < args.most as usize {
        sessions.push(scene.start()?);
        let mut best = measure(scene, &sessions, length, begun)?;
        for _ in 1..TRIES {
            if is_within(&best, args.bound_ms) {
                break;
            }
            let again = measure(scene, &sessions, length, begun)?;
            best = if is_better(&again, &best) { again } else { best };
        }
        ladder.steps.push(best);
        if ladder.carried(args.bound_ms) < sessions.len() {
            break;
        }
    }
    Ok(ladder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(delays: &[&[f64]]) -> Step {
        let session = |delays: &&[f64]| delays.iter().map(|delay| (0.0, *delay)).collect();
        Step { delays: delays.iter().map(session).collect(), ..Step::default() }
    }

    #[test]
    fn one_late_session_is_too_many() {
        let steps = vec![
            step(&[&[5.0, 6.0]]),
            step(&[&[7.0, 8.0], &[9.0, 33.0]]),
            step(&[&[5.0], &[34.0], &[5.0]]),
        ];
        let ladder = Ladder { size: SIZES[0], steps };
        assert_eq!((ladder.carried(33.0), ladder.carried(8.0), ladder.carried(1.0)), (2, 1, 0));
        let silent = Ladder { size: SIZES[0], steps: vec![step(&[&[5.0], &[]])] };
        assert_eq!(silent.carried(33.0), 0);
        let [fine, late] = [step(&[&[5.0]]), step(&[&[50.0]])];
        assert!(is_better(&fine, &late) && !is_better(&late, &fine));
        assert!(is_better(&late, &silent.steps[0]) && !is_better(&silent.steps[0], &late));
    }
}
