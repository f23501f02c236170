//! The stage: a scripted compositor in this process, the real `stratus proxy` in another, and a
//! bystander whose frames are counted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use stratus_harness::client::{Client, Config as Script, End, Pace};
use stratus_harness::compositor::{Compositor, Config, Record, Seen};
use stratus_harness::fds::{Fds, difference, open_fds};
use stratus_harness::raw::{RawClient, RawEvent, Wire};
use stratus_harness::watchdog::{Watchdog, wait_for};

use crate::support::{Session, place, stratus};

/// How long anything may take that a test waits for.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// The compositor, `stratus proxy` in front of it, and a watchdog over both.
pub(crate) struct Stage {
    pub(crate) session: Session,
    pub(crate) compositor: Compositor,
    /// Connections of the proxy itself: it looks whether there is a compositor, and whether that
    /// takes input.
    pub(crate) ours: u64,
    _watchdog: Watchdog,
}

/// How the proxy says that the scripted compositor has no devices for a player's input. That is
/// so, and no client's doing.
const NO_INPUT: &str = "the player's keys and pointer do not reach the game: the compositor offers";

impl Stage {
    pub(crate) fn new(name: &str) -> Self {
        Self::with(name, Record::Nothing, |command| command)
    }

    /// `change` may wrap the command that starts the proxy.
    pub(crate) fn with(
        name: &str,
        record: Record,
        change: impl FnOnce(Command) -> Command,
    ) -> Self {
        allow_many_files();
        let watchdog = Watchdog::start(name, Duration::from_secs(180));
        let place = place();
        let upstream = place.path().join("compositor");
        let compositor =
            Compositor::start(&upstream, Config { record, ..Config::default() }).unwrap();
        let session = Session::start(place, change(proxy(&upstream)));
        let ours = compositor.with_seen(|seen| seen.connected);
        Self { session, compositor, ours, _watchdog: watchdog }
    }

    /// Where clients connect.
    pub(crate) fn socket(&self) -> PathBuf {
        self.session.place.path().join("proxied")
    }

    pub(crate) fn connect(&self) -> RawClient {
        RawClient::connect(&self.socket()).unwrap()
    }

    pub(crate) fn bystander(&self) -> Bystander {
        Bystander::start(&self.socket())
    }

    fn pid(&self) -> u32 {
        self.session.pid().as_raw().unsigned_abs()
    }

    /// The proxy's anonymous memory in KiB.
    pub(crate) fn memory(&self) -> u64 {
        stratus_harness::memory::usage(self.pid()).unwrap().anonymous_kib
    }

    pub(crate) fn fds(&self) -> Fds {
        open_fds(self.pid()).unwrap()
    }

    /// The proxy's fds as soon as only `clients` are left, the end of all others included.
    pub(crate) fn settled_fds(&self, clients: u64) -> Fds {
        let alone = |seen: &Seen| seen.connected == seen.disconnected + clients;
        self.compositor.wait("the end of the others", LIMIT, alone).unwrap();
        // The last of them has its two sockets closed one after the other.
        let mut before = self.fds();
        wait_for("fds that stay", LIMIT, || {
            std::thread::sleep(Duration::from_millis(20));
            let now = self.fds();
            (std::mem::replace(&mut before, now.clone()) == now).then_some(now)
        })
        .unwrap()
    }

    /// Waits until the proxy has as many fds as `before`: which numbers they have is chance.
    pub(crate) fn assert_fds(&self, before: &Fds) {
        let mut now = Fds::new();
        let same = wait_for("the fds of before", LIMIT, || {
            now = self.fds();
            (now.len() == before.len()).then_some(())
        });
        assert!(same.is_ok(), "fds changed:\n{}", difference(before, &now).join("\n"));
    }

    /// The warnings and errors that were logged so far.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let log = self.session.log();
        // The last line may be under way.
        let lines = log.lines().filter_map(|l| serde_json::from_str::<serde_json::Value>(l).ok());
        lines
            .filter(|line| matches!(line["level"].as_str(), Some("WARN" | "ERROR")))
            .map(|line| line["fields"]["message"].as_str().unwrap_or_default().to_owned())
            .filter(|message| !message.starts_with(NO_INPUT))
            .collect()
    }

    /// Waits for the next warning after `known` others, which must be the only one.
    pub(crate) fn one_warning(&self, what: &str, known: usize) -> String {
        let told = || (self.warnings().len() > known).then_some(());
        wait_for(&format!("a warning about {what}"), LIMIT, told).unwrap();
        let warnings = self.warnings();
        assert_eq!(warnings.len(), known + 1, "{what}: {:?}", &warnings[known..]);
        warnings[known].clone()
    }

    /// How often each thread of the proxy's process went to sleep so far, by name and id.
    fn sleeps(&self) -> BTreeMap<(String, String), u64> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap().flatten();
        tasks
            .filter_map(|task| {
                let status = std::fs::read_to_string(task.path().join("status")).ok()?;
                let field = |name: &str| {
                    let line = status.lines().find(|l| l.starts_with(name))?;
                    Some(line.split_whitespace().nth(1)?.to_owned())
                };
                let id = task.file_name().to_string_lossy().into_owned();
                Some(((field("Name:")?, id), field("voluntary_ctxt_switches:")?.parse().ok()?))
            })
            .collect()
    }

    /// How often the proxy's thread wakes up within `time`. A thread that spins does not sleep, so
    /// what it computes is limited as well.
    pub(crate) fn wakeups(&self, time: Duration) -> u64 {
        let proxy = |sleeps: BTreeMap<(String, String), u64>| {
            let found = sleeps.into_iter().find(|((name, _), _)| name == "stratus-proxy");
            found.expect("the proxy's thread").1
        };
        let (before, cpu) = (proxy(self.sleeps()), self.cpu());
        std::thread::sleep(time);
        let (after, spent) = (proxy(self.sleeps()), self.cpu().saturating_sub(cpu));
        assert!(spent < time / 4, "{spent:?} of {time:?} were spent computing");
        after - before
    }

    /// What the process has computed so far.
    fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        // Fields 14 and 15 of proc_pid_stat(5), in ticks of 10 ms.
        let ticks: u64 = fields[11..13].iter().map(|f| f.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10)
    }
}

/// `stratus proxy` in front of `upstream`, with capture on.
pub(crate) fn proxy(upstream: &Path) -> Command {
    let mut command = stratus(upstream.parent().unwrap());
    command
        .args(["proxy", "--size", "320x240", "--socket", "proxied", "--log-format", "json"])
        // Its connections would come and go among those that are counted.
        .args(["--clipboard", "off"])
        .env("WAYLAND_DISPLAY", upstream);
    command
}

/// Crowds of clients and the compositor's side of them live in this process.
fn allow_many_files() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
}

/// A client that plays by the rules.
pub(crate) struct Bystander(Client);

impl Bystander {
    pub(crate) fn start(socket: &Path) -> Self {
        let script = Script {
            size: (320, 240),
            frames: u64::MAX,
            pace: Pace::Rate(100.0),
            ..Script::default()
        };
        let bystander = Self(Client::start(socket, script).unwrap());
        bystander.goes_on("it begins");
        bystander
    }

    pub(crate) fn frames(&self) -> u64 {
        self.0.live().releases.load(Ordering::Relaxed)
    }

    /// Waits until more of its frames came back.
    pub(crate) fn goes_on(&self, after: &str) {
        let before = self.frames();
        let more = || {
            assert!(!self.0.is_finished(), "{after}: the bystander ended");
            (self.frames() > before + 2).then_some(())
        };
        wait_for(&format!("a frame of the bystander after {after}"), LIMIT, more).unwrap();
    }

    /// It was never disturbed.
    pub(crate) fn ends_well(self) {
        let counts = self.0.stop().unwrap();
        assert_eq!((&counts.end, counts.stray_releases), (&End::Finished, 0), "{counts:?}");
    }
}

/// Registers as object 2, and the globals that were offered, by interface: name and version.
pub(crate) fn globals(client: &mut RawClient) -> BTreeMap<String, (u32, u32)> {
    client.message(&Wire::new(1, 1).word(2)).unwrap();
    let events = client.sync(3, LIMIT).unwrap();
    events
        .iter()
        .filter(|e| (e.sender, e.opcode) == (2, 0))
        .map(|e| {
            let version = e.word(e.body.len() / 4 - 1).unwrap();
            (e.string(1).unwrap(), (e.word(0).unwrap(), version))
        })
        .collect()
}

/// `wl_registry.bind` of what was offered.
pub(crate) fn bind(name: u32, interface: &str, version: u32, id: u32) -> Wire {
    Wire::new(2, 0).word(name).string(interface).word(version).word(id)
}

/// The first `wl_display.error` among events.
pub(crate) fn error_of(events: &[RawEvent]) -> Option<(u32, u32, String)> {
    events.iter().find_map(RawEvent::display_error)
}
