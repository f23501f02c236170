//! Sessions side by side for a while: how late their frames are, and what they cost.

use std::path::Path;
use std::time::Duration;

use stratus_frame::MonoTime;

use super::processes::{Process, Role, Usage, machine_cpu, of_session};
use crate::session::{Frame, Options, Player, Session};
use crate::stats::percentile;

/// Until all players have joined, and their first, larger, frames are over.
const SETTLING: Duration = Duration::from_secs(2);
/// How much longer players play than is measured, so that none has ended by then.
const MARGIN: Duration = Duration::from_secs(1);
/// How long a player may take to end beyond its time.
const PATIENCE: Duration = Duration::from_secs(30);

/// What each session plays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    pub(super) programs: &'a Path,
    pub(super) size: (u32, u32),
    pub(super) fps: u32,
}

impl Scene<'_> {
    pub(super) fn start(&self) -> anyhow::Result<Session> {
        let client = self.programs.join("harness-client");
        let (size, fps) = (format!("{}x{}", self.size.0, self.size.1), self.fps.to_string());
        let game = [&*client.to_string_lossy(), "--frames", "0", "--rate", &fps, "--size", &size];
        let Self { programs, size, fps } = *self;
        Session::start(&Options { programs, size, fps, options: &[], game: &game })
    }
}

/// What so many sessions came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    /// Of each session: when a frame was committed, s since the first step began, and how long it
    /// took to be decoded, ms.
    pub(super) delays: Vec<Vec<(f64, f64)>>,
    /// Encoded and not sent, over all sessions, in the players' whole time.
    pub(super) not_sent: u64,
    /// Committed by all sessions, as many as their rate makes, and how many of these were never
    /// decoded.
    pub(super) committed: f64,
    /// See above.
    pub(super) not_shown: f64,
    /// Of each role, all sessions together: processors used (1 is a whole one).
    pub(super) cpu: [f64; 4],
    /// What was used beside them, the kernel's and the bench's own work included.
    pub(super) others: f64,
    /// PSS and RSS in KiB.
    pub(super) pss: [u64; 4],
    pub(super) rss: [u64; 4],
}

impl Step {
    /// Of the session that has the worst.
    pub(super) fn worst_p95(&self) -> Option<f64> {
        let p95 = |delays: &Vec<_>| percentile(&values(delays).collect::<Vec<_>>(), 95.0);
        self.delays.iter().filter_map(p95).reduce(f64::max)
    }

    /// Whether some session showed nothing at all.
    pub(super) fn is_broken(&self) -> bool {
        self.delays.iter().any(Vec::is_empty)
    }

    pub(super) fn all(&self) -> Vec<f64> {
        self.delays.iter().flat_map(|delays| values(delays)).collect()
    }
}

fn values(delays: &[(f64, f64)]) -> impl Iterator<Item = f64> + '_ {
    delays.iter().map(|(_, delay)| *delay)
}

/// Plays all `sessions` for so long, with new players. `begun` is when the first step began.
pub(super) fn measure(
    scene: &Scene<'_>,
    sessions: &[Session],
    length: Duration,
    begun: MonoTime,
) -> anyhow::Result<Step> {
    let seconds = (SETTLING + length + MARGIN).as_secs_f64().to_string();
    let join =
        |session: &Session| Player::join(scene.programs, &session.link, &["--seconds", &seconds]);
    let players: Vec<Player> = sessions.iter().map(join).collect::<anyhow::Result<_>>()?;
    std::thread::sleep(SETTLING);
    let pairs = sessions.iter().zip(&players);
    let processes: Vec<Process> =
        pairs.flat_map(|(session, player)| of_session(session.group(), player.group())).collect();
    let usage = || Role::ALL.map(|role| Usage::of(&processes, role));
    let (from, before, all_before) = (MonoTime::now(), usage(), machine_cpu());
    std::thread::sleep(length);
    let (until, after, all_after) = (MonoTime::now(), usage(), machine_cpu());
    let lasted = until.since(from);
    let cpu = |i: usize| {
        let used = after[i].cpu.saturating_sub(before[i].cpu);
        used as f64 / lasted.as_nanos() as f64
    };
    let all = all_after.saturating_sub(all_before) as f64 / lasted.as_nanos() as f64;
    let mut step = Step {
        cpu: std::array::from_fn(cpu),
        pss: after.map(|usage| usage.pss),
        rss: after.map(|usage| usage.rss),
        ..Step::default()
    };
    step.others = (all - step.cpu.iter().sum::<f64>()).max(0.0);
    let mut shown = 0;
    for player in players {
        let (played, _) = player.finish_with_faults(PATIENCE)?;
        let within =
            |f: &&Frame| f.read.is_some_and(|at| (from.as_nanos()..until.as_nanos()).contains(&at));
        let delay = |f: &Frame| {
            let since = f.read?.saturating_sub(begun.as_nanos()) as f64 / 1e9;
            Some((since, f.total()?))
        };
        let delays: Vec<_> = played.frames.iter().filter(within).filter_map(delay).collect();
        shown += delays.len();
        step.delays.push(delays);
        step.not_sent += played.report["not_sent"].as_u64().unwrap_or_default();
    }
    step.committed = lasted.as_secs_f64() * f64::from(scene.fps) * sessions.len() as f64;
    step.not_shown = (step.committed - shown as f64).max(0.0);
    Ok(step)
}
