//! Clients that all commit at once, through one `stratus proxy`.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use stratus_harness::compositor::{Compositor, Config, Record};

use crate::machine::cpu_time;
use crate::programs::CLIENT;
use crate::session::{Frame, Options, Player, Session};

/// Of each client's window in pixels.
pub(super) const SIZE: (u32, u32) = (1280, 720);
/// Commits of each client a second.
pub(super) const RATE: u32 = 60;
/// Seconds of a turn's beginning that do not count.
const WARM: u32 = 1;
/// How long clients have to be there.
const PATIENCE: Duration = Duration::from_secs(30);

/// What one turn showed.
pub(super) struct Turn {
    /// The newest window's frames.
    pub(super) frames: Vec<Frame>,
    /// Of `stratus proxy`, encoding and sending included, in percent of one processor.
    pub(super) cpu: f64,
    /// Commits of all clients a second, as the compositor counted them.
    pub(super) commits: f64,
}

/// A client that ends with this.
struct Client(Child);

impl Client {
    fn start(programs: &Path, socket: &Path) -> anyhow::Result<Self> {
        let (width, height) = SIZE;
        let child = Command::new(programs.join(CLIENT.name))
            .args(["--frames", "0", "--rate", &RATE.to_string()])
            .args(["--size", &format!("{width}x{height}"), "--socket"])
            .arg(socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting the scripted client")?;
        Ok(Self(child))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Has `clients` commit for `seconds` while a player watches the newest one's window.
///
/// # Errors
/// If something of it cannot be started, or shows nothing.
pub(super) fn play(programs: &Path, clients: u32, seconds: u32) -> anyhow::Result<Turn> {
    let folder = tempfile::Builder::new().prefix("stratus-bench-").tempdir_in("/tmp")?;
    let config = Config { record: Record::Nothing, ..Config::default() };
    let compositor = Compositor::start(&folder.path().join("compositor"), config)?;
    let options = Options { programs, size: SIZE, fps: RATE, options: &[], game: &[] };
    let session = Session::in_front_of(compositor.socket(), &options)?;
    let mut all = Vec::new();
    for number in 1..=clients {
        all.push(Client::start(programs, &session.socket())?);
        // One after the other, so that the newest window is the last client's.
        let before = compositor.with_seen(|seen| seen.frames);
        let limit = PATIENCE;
        let mapped = move |seen: &stratus_harness::compositor::Seen| {
            seen.connected >= u64::from(number) && seen.frames > before + u64::from(number)
        };
        compositor.wait("a client's frames", limit, mapped)?;
    }
    let length = (WARM + seconds).to_string();
    let player = Player::join(programs, &session.link, &["--seconds", &length])?;
    std::thread::sleep(Duration::from_secs(WARM.into()));
    let used = || (cpu_time(&[session.group()]), compositor.with_seen(|seen| seen.frames));
    let (before, begun) = (used(), Instant::now());
    // The player counts from its connection, which is later than its start.
    std::thread::sleep(Duration::from_secs(seconds.into()).saturating_sub(PLAYER_ENDS));
    let (after, lasted) = (used(), begun.elapsed());
    // A stream that lost frames has figures of the others.
    let (played, _) = player.finish_with_faults(PATIENCE)?;
    drop(all);
    Ok(Turn {
        frames: played.within(|frame| frame.read, (WARM, seconds)),
        cpu: after.0.saturating_sub(before.0) as f64 * 100.0 / lasted.as_nanos().max(1) as f64,
        commits: after.1.saturating_sub(before.1) as f64 / lasted.as_secs_f64().max(1e-9),
    })
}

/// Before its end nothing of the player's ending may fall into what is measured.
const PLAYER_ENDS: Duration = Duration::from_millis(100);
