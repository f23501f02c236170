//! One turn: a session with a game that stands still, and a player who presses keys.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use stratus_harness::watchdog::wait_for;
use tempfile::TempDir;

use super::script::Script;
use super::way::{Answer, Press, answers, presses};
use crate::session::{Frame, Options, Played, Player, Session};

/// How long a shell may take to start.
const START_LIMIT: Duration = Duration::from_secs(20);
/// How much longer than its script a player may run.
const SPARE: Duration = Duration::from_secs(20);
/// Inverts the whole terminal with one key and sets it right with the next.
const FLASH: &str =
    r"while IFS= read -rsn1; do printf '\033[?5h'; IFS= read -rsn1; printf '\033[?5l'; done";

/// What a turn brought.
pub(super) struct Turned {
    pub(super) answers: Vec<Answer>,
    /// What the game tells, if it does.
    pub(super) presses: Vec<Press>,
    pub(super) frames: Vec<Frame>,
}

/// What is played in.
pub(super) struct Place<'a> {
    pub(super) programs: &'a Path,
    pub(super) size: (u32, u32),
}

/// Keys for the scripted client, which commits a frame for each at once.
///
/// # Errors
/// If the session or its player fails.
pub(super) fn client(place: &Place<'_>, script: &Script) -> anyhow::Result<Turned> {
    let files = tempfile::Builder::new().prefix("stratus-bench-").tempdir_in("/tmp")?;
    let noted = files.path().join("presses");
    let program = place.programs.join("harness-client");
    let size = format!("{}x{}", place.size.0, place.size.1);
    let (program, file) = (program.to_string_lossy(), noted.to_string_lossy());
    let game = [&*program, "--frames", "0", "--size", &size, "--fullscreen", "--on-key", &file];
    let session = start(place, &game)?;
    let mut turned = play(place, &session, script, &files)?;
    drop(session);
    turned.presses = presses(&fs::read_to_string(&noted).context("what the game noted")?)?;
    Ok(turned)
}

/// Keys for a shell in foot, which inverts its colours for each.
///
/// # Errors
/// As for [`client`].
pub(super) fn foot(place: &Place<'_>, script: &Script) -> anyhow::Result<Turned> {
    let files = tempfile::Builder::new().prefix("stratus-bench-").tempdir_in("/tmp")?;
    let ready = files.path().join("ready");
    let shell = format!("stty raw -echo; touch {}; {FLASH}", ready.display());
    let game = ["foot", "--config=/dev/null", "-o", "cursor.blink=no", "bash", "-c", &shell];
    let session = start(place, &game)?;
    wait_for("the shell in foot", START_LIMIT, || ready.exists().then_some(()))?;
    play(place, &session, script, &files)
}

fn start(place: &Place<'_>, game: &[&str]) -> anyhow::Result<Session> {
    let Place { programs, size } = *place;
    Session::start(&Options { programs, size, fps: 60, options: &[], game })
}

fn play(
    place: &Place<'_>,
    session: &Session,
    script: &Script,
    files: &TempDir,
) -> anyhow::Result<Turned> {
    let (input, answered) = (files.path().join("input"), files.path().join("answers"));
    fs::write(&input, &script.text)?;
    let seconds = script.seconds.to_string();
    let (input, told) = (input.to_string_lossy(), answered.to_string_lossy());
    let arguments = ["--seconds", &seconds, "--input", &input, "--answers", &told];
    let player = Player::join(place.programs, &session.link, &arguments)?;
    let limit = Duration::from_secs_f64(script.seconds) + SPARE;
    let Played { frames, .. } = player.finish(limit).with_context(|| session.log())?;
    let answers = answers(&fs::read_to_string(&answered)?)?;
    Ok(Turned { answers, presses: Vec::new(), frames })
}
