//! Times: all contestants take turns, so that whatever else the machine does meets all of them.

use std::path::Path;
use std::time::{Duration, Instant};

use super::client::{Client, Workload};
use super::contestants::{Contestant, PATIENCE, Running};
use crate::machine::cpu_time;

/// What one contestant did in one turn.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turn {
    /// Nanoseconds of a round, from its first byte written to its last answer read.
    pub(crate) p50: u64,
    pub(crate) p95: u64,
    pub(crate) p99: u64,
    pub(crate) rounds: u64,
    pub(crate) lasted: Duration,
    /// Nanoseconds of processor time that the contestant used, without client and compositor.
    pub(crate) cpu: u64,
}

/// All turns of one contestant with one workload.
pub(crate) struct Turns {
    pub(crate) contestant: usize,
    pub(crate) workload: Workload,
    pub(crate) turns: Vec<Turn>,
}

/// Plays every workload through every contestant in turn, `turns` times, each turn as long as
/// `turn`. A contestant that cannot play a workload is said so on standard error and left out.
pub(crate) fn measure(
    contestants: &[Contestant],
    workloads: &[Workload],
    (turns, turn): (u32, Duration),
    (folder, upstream): (&Path, &Path),
) -> Vec<Turns> {
    let mut players: Vec<(usize, Running, Client)> = Vec::new();
    for (index, contestant) in contestants.iter().enumerate() {
        let place = folder.join(format!("c{index}"));
        let ready = contestant.start(&place, upstream, &[]).and_then(|running| {
            let client = Client::connect(&running.socket, PATIENCE)?;
            Ok((index, running, client))
        });
        match ready {
            Ok(player) => players.push(player),
            Err(e) => eprintln!("{} is left out: {e:#}", contestant.name),
        }
    }
    let mut all: Vec<Turns> = Vec::new();
    for &workload in workloads {
        let mut results: Vec<Turns> = players
            .iter()
            .map(|(contestant, _, _)| Turns { contestant: *contestant, workload, turns: vec![] })
            .collect();
        for number in 0..turns as usize {
            // Another one begins each time, so that none always follows the same.
            for step in 0..players.len() {
                let at = (number + step) % players.len();
                let (index, running, client) = &mut players[at];
                match play(client, running, workload, turn) {
                    Ok(turn) => results[at].turns.push(turn),
                    Err(e) => eprintln!("{}, {}: {e:#}", contestants[*index].name, workload.name()),
                }
            }
        }
        all.extend(results.into_iter().filter(|r| r.turns.len() == turns as usize));
    }
    all
}

fn play(
    client: &mut Client,
    running: &Running,
    workload: Workload,
    turn: Duration,
) -> anyhow::Result<Turn> {
    client.choose(workload)?;
    // Caches are cold after the turns of the others.
    for _ in 0..50 {
        client.round()?;
    }
    let groups = running.groups();
    let cpu = cpu_time(&groups);
    let start = Instant::now();
    let mut times = Vec::with_capacity(1 << 16);
    let mut before = start;
    while before.duration_since(start) < turn {
        client.round()?;
        let now = Instant::now();
        times.push(now.duration_since(before).as_nanos() as u64);
        before = now;
    }
    let cpu = cpu_time(&groups) - cpu;
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    Ok(Turn {
        p50: at(50),
        p95: at(95),
        p99: at(99),
        rounds: times.len() as u64,
        lasted: before.duration_since(start),
        cpu,
    })
}
