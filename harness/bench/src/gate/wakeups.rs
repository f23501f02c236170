//! How often a frame wakes which thread, in a session with a scripted compositor, a scripted game
//! and a player.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use stratus_harness::client::{Client, Config, Pace};
use stratus_harness::compositor::{self, Compositor, Record};

const FPS: f64 = 60.0;
/// Until everything has settled.
const SETTLES: Duration = Duration::from_secs(2);
/// Time in which wake-ups are counted.
const COUNTED: Duration = Duration::from_secs(5);
/// Below this a thread has nothing to do with frames: a timer, or a client's statistics.
const SELDOM: f64 = 0.5;

/// Wake-ups a frame by name of the thread; threads that sleep through most frames are left out.
pub(super) fn of_a_frame(stratus: &Path, folder: &Path) -> anyhow::Result<BTreeMap<String, f64>> {
    let place = folder.join("wakeups");
    fs::DirBuilder::new().mode(0o700).create(&place)?;
    let config = compositor::Config { record: Record::Nothing, ..compositor::Config::default() };
    let compositor = Compositor::start(&place.join("compositor"), config)?;
    let mut proxy = Ended(proxy(stratus, &place)?);
    let link = first_line(&mut proxy.0).context("the proxy's link")?;
    let game =
        Config { frames: u64::MAX, pace: Pace::Rate(FPS), size: (1280, 720), ..Config::default() };
    let game = Client::start(&place.join("stratus-0"), game)?;
    let _player = Ended(player(stratus, &link)?);
    std::thread::sleep(SETTLES);
    let threads = Path::new("/proc").join(proxy.0.id().to_string()).join("task");
    let (before, frames_before) = (sleeps(&threads)?, compositor.seen().frames);
    std::thread::sleep(COUNTED);
    let (after, frames) = (sleeps(&threads)?, compositor.seen().frames - frames_before);
    game.stop()?;
    ensure!(
        frames as f64 > FPS * COUNTED.as_secs_f64() / 2.0,
        "the game showed {frames} frames only"
    );
    let each = after.into_iter().map(|(name, count)| {
        let before = before.get(&name).copied().unwrap_or_default();
        (name, (count - before) as f64 / frames as f64)
    });
    Ok(each.filter(|(_, count)| *count >= SELDOM).collect())
}

/// A program that ends with its value.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn proxy(stratus: &Path, place: &Path) -> anyhow::Result<Child> {
    let config = place.join("no-config.toml");
    fs::write(&config, "")?;
    Command::new(stratus)
        .args(["proxy", "--socket", "stratus-0", "--listen", "127.0.0.1:0", "--config"])
        .arg(config)
        .env("XDG_RUNTIME_DIR", place)
        .env("WAYLAND_DISPLAY", place.join("compositor"))
        .env_remove("WAYLAND_SOCKET")
        .env("RUST_LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting stratus proxy")
}

fn player(stratus: &Path, link: &str) -> anyhow::Result<Child> {
    Command::new(stratus)
        .args(["play", "--headless", link])
        .env("RUST_LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .context("starting stratus play")
}

fn first_line(child: &mut Child) -> anyhow::Result<String> {
    let said = child.stdout.take().context("its output is ours")?;
    let mut line = String::new();
    BufReader::new(said).read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// How often the threads of each name went to sleep by themselves, each of which ends by waking up.
fn sleeps(threads: &Path) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut all = BTreeMap::new();
    for thread in fs::read_dir(threads)? {
        let thread = thread?.path();
        let read = |name| fs::read_to_string(thread.join(name));
        // A thread may end meanwhile.
        let (Ok(name), Ok(status)) = (read("comm"), read("status")) else { continue };
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        let count: u64 = count.context("a count of sleeps")?.trim().parse()?;
        *all.entry(name.trim().to_owned()).or_default() += count;
    }
    Ok(all)
}
