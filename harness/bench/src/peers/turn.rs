//! One turn of a contestant: it is started, shows the game for a while, and ends.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use stratus_frame::MonoTime;
use stratus_harness::watchdog::wait_for;

use super::contestant::Contestant;
use super::game::{Scene, commits};
use super::sight::{Seen, Sight};

/// How long until a contestant shows its first pictures.
const START_LIMIT: Duration = Duration::from_secs(30);
/// Different pictures after which it counts as running.
const STARTED: usize = 20;
/// From then on until it is measured: caches and rate control settle.
const WARM_UP: Duration = Duration::from_secs(1);
/// For what is on its way when the turn ends; later, a frame counts as never seen.
const TAIL: Duration = Duration::from_millis(500);

/// What a turn brought.
#[derive(Debug, Default)]
pub(super) struct Turned {
    /// When each frame was committed, in seconds since the run began, and how long it took from
    /// then to the picture, in milliseconds.
    pub(super) delays: Vec<(f64, f64)>,
    /// Frames that were committed.
    pub(super) committed: usize,
    /// Those of them that no picture showed.
    pub(super) unseen: usize,
    /// Percent of a core that the contestant took.
    pub(super) processor: f64,
    /// Pictures that could not be decoded or read.
    pub(super) faults: u64,
}

/// Plays one turn of `length`; `began` is when the run did.
///
/// # Errors
/// If the contestant does not start or shows nothing.
pub(super) fn play(
    contestant: &Contestant,
    scene: &Scene,
    length: Duration,
    began: MonoTime,
) -> anyhow::Result<Turned> {
    let folder = tempfile::Builder::new().prefix("stratus-bench-").tempdir_in("/tmp")?;
    let scene = Scene { commits: folder.path().join("commits"), ..scene.clone() };
    let sight = Sight::default();
    let running = contestant.start(&scene, &sight)?;
    wait_for("its pictures", START_LIMIT, || (sight.count() >= STARTED).then_some(()))
        .with_context(|| {
            let Seen { faults, why, .. } = sight.seen();
            format!("{faults} pictures could not be read: {why}")
        })?;
    thread::sleep(WARM_UP);
    let faults = sight.seen().faults;
    let (from, started, spent) = (MonoTime::now(), Instant::now(), running.processor_time());
    thread::sleep(length);
    let spent = running.processor_time().saturating_sub(spent);
    let (to, elapsed) = (MonoTime::now(), started.elapsed());
    thread::sleep(TAIL);
    let seen = sight.seen();
    drop(running);
    let mut turned = compare(&commits(&scene.commits)?, &seen, (from, to), began);
    turned.processor = spent as f64 * 100.0 / elapsed.as_nanos() as f64;
    turned.faults = seen.faults - faults;
    Ok(turned)
}

/// What became of the commits between two moments.
fn compare(
    commits: &[(u32, u64)],
    seen: &Seen,
    (from, to): (MonoTime, MonoTime),
    began: MonoTime,
) -> Turned {
    let mut turned = Turned::default();
    let window = from.as_nanos()..to.as_nanos();
    for &(number, at) in commits.iter().filter(|(_, at)| window.contains(at)) {
        turned.committed += 1;
        match seen.first.get(&number) {
            Some(shown) => {
                let seconds = at.saturating_sub(began.as_nanos()) as f64 / 1e9;
                turned.delays.push((seconds, shown.saturating_sub(at) as f64 / 1e6));
            }
            None => turned.unseen += 1,
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commits_within_the_turn_count_and_the_unseen_are_told() {
        let ms = |ms: u64| MonoTime::from_nanos(ms * 1_000_000);
        let commits: Vec<(u32, u64)> =
            (1..=5).map(|n| (n, ms(u64::from(n) * 1000).as_nanos())).collect();
        let shown = [(1, 1), (2, 2004), (4, 4009), (5, 5001)];
        let first = shown.map(|(n, at)| (n, ms(at).as_nanos())).into();
        let turned =
            compare(&commits, &Seen { first, ..Seen::default() }, (ms(1500), ms(4500)), ms(1000));
        assert_eq!((turned.committed, turned.unseen), (3, 1));
        assert_eq!(turned.delays, [(1.0, 4.0), (3.0, 9.0)]);
    }
}
