//! One turn: a session of one game, watched by a player that writes each frame's moments down.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::case::Case;
use super::counts::{Drawn, Taken};
use crate::machine::cpu_time;
use crate::programs::CLIENT;
use crate::session::{Frame, Options, Player, Session};

/// Seconds of the beginning that do not count: the encoder opens, the first keyframe comes, and a
/// still picture is refined.
pub(crate) const WARM: u32 = 1;
/// What a session logs: the usual, and at its end what it counted.
const LOGGED: &str = "info,stratus::assemble=debug,quinn=error,quinn_proto=error,rustls=error";
/// Longer than any machine takes for the rest.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one turn showed.
pub(crate) struct Turn {
    /// Frames that were decoded in the seconds that count.
    pub(crate) frames: Vec<Frame>,
    /// How many more the game's rate would have made between the first and the last of these.
    pub(crate) absent: u64,
    /// How many access units were decoded, repeats included, and in how many seconds.
    pub(crate) decoded: (u64, f64),
    /// Of `stratus run` and `stratus play`, in percent of one processor.
    pub(crate) cpu: [f64; 2],
    /// What the game says, if it came to it.
    pub(crate) drawn: Option<Drawn>,
    /// What capture and encoder say, if they came to it.
    pub(crate) taken: Option<Taken>,
    /// Frames that were encoded and not decoded, of all that the player was there for.
    pub(crate) lost: u64,
    /// Why the player does not call the stream good, if it does not.
    pub(crate) fault: Option<String>,
}

/// Plays `case` and measures it for `seconds`.
///
/// # Errors
/// If the session cannot be started, or shows nothing.
pub(crate) fn play(programs: &Path, case: &Case, seconds: u32) -> anyhow::Result<Turn> {
    let frames = case.fps * (WARM + seconds + 1);
    let session = start(programs, case, frames)?;
    let player = Player::join(programs, &session.link, &[])?;
    let cpu = processors(&session, &player, seconds);
    // The game ends by itself, and the session and the player with it.
    let limit = Duration::from_secs(seconds.into()) + PATIENCE;
    let (played, fault) = player.finish_with_faults(limit)?;
    let log = session.finish();
    let decoded = played.within(|frame| frame.decoded, (WARM, seconds));
    let frames = played.within(|frame| frame.read, (WARM, seconds));
    Ok(Turn {
        absent: absent(&frames, case.fps),
        decoded: (decoded.len() as u64, f64::from(seconds)),
        cpu,
        drawn: Drawn::said_in(&log),
        taken: Taken::said_in(&log),
        lost: lost(&played.report),
        fault: fault.and_then(|said| said.lines().last().map(str::to_owned)),
        frames,
    })
}

/// Starts a session in which the scripted client draws so many frames of `case`; 0 for no end.
///
/// # Errors
/// If it cannot be started.
pub(super) fn start(programs: &Path, case: &Case, frames: u32) -> anyhow::Result<Session> {
    let client = programs.join(CLIENT.name);
    let client = client.to_str().context("the programs' folder has a name in UTF-8")?;
    let (width, height) = case.size;
    let (rate, frames, size) =
        (case.fps.to_string(), frames.to_string(), format!("{width}x{height}"));
    let mut game =
        vec![client, "--fullscreen", "--size", &size, "--rate", &rate, "--frames", &frames];
    game.extend(case.damage.option());
    let Case { size, fps, .. } = *case;
    let options = Options { programs, size, fps, options: &[], game: &game };
    Session::start_with(&options, &[("RUST_LOG", LOGGED)])
}

/// As the player's report counts them.
fn lost(report: &serde_json::Value) -> u64 {
    let counts = ["missing", "damaged", "not_sent"].iter().filter_map(|name| report[name].as_u64());
    counts.sum()
}

/// Lets the beginning pass and measures the processor time of the seconds that follow.
fn processors(session: &Session, player: &Player, seconds: u32) -> [f64; 2] {
    std::thread::sleep(Duration::from_secs(WARM.into()));
    let groups = [session.group(), player.group()];
    let used = || groups.map(|group| cpu_time(&[group]));
    let (before, begun) = (used(), Instant::now());
    std::thread::sleep(Duration::from_secs(seconds.into()));
    let (after, lasted) = (used(), begun.elapsed());
    let percent = |i: usize| {
        after[i].saturating_sub(before[i]) as f64 * 100.0 / lasted.as_nanos().max(1) as f64
    };
    [percent(0), percent(1)]
}

/// How many commits of a game that keeps its rate lie between the first and the last frame, but
/// are none of the frames: what the game itself left out, or what was lost on the way.
fn absent(frames: &[Frame], fps: u32) -> u64 {
    let mut reads = frames.iter().filter_map(|frame| frame.read);
    let Some(first) = reads.next() else { return 0 };
    let last = reads.next_back().unwrap_or(first);
    let due = (last.saturating_sub(first) as f64 * f64::from(fps) / 1e9).round() as u64 + 1;
    due.saturating_sub(frames.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(reads: impl Iterator<Item = u64>) -> Vec<Frame> {
        let frame = |ms| Frame { read: Some(ms * 1_000_000), ..Frame::default() };
        reads.map(frame).collect()
    }

    #[test]
    fn what_was_encoded_and_not_decoded_is_lost() {
        let report = serde_json::json!({ "missing": 1, "damaged": 2, "not_sent": 4, "torn": 8 });
        assert_eq!(lost(&report), 7);
    }

    #[test]
    fn frames_that_did_not_come_are_told_by_the_rate() {
        // Each a little late or early, and 3 of 50 left out.
        let reads = (0..50).filter(|n| ![7, 8, 30].contains(n));
        let some = frames(reads.map(|n| 100 + n * 20 + [0, 9, 4][n as usize % 3]));
        assert_eq!(absent(&some, 50), 3);
        assert_eq!(absent(&some[..7], 50), 0);
        assert_eq!(absent(&[], 50), 0);
    }
}
