//! What real programs bind directly, they bind through the proxy too, but for what is hidden from
//! them on purpose and declared here. Under Sway and under Weston, which offer different globals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use stratus_harness::sway::{Options, Sway};
use stratus_harness::watchdog::{Watchdog, wait_for};
use stratus_harness::wire_log::{Log, Message, Way};
use stratus_proxy_core::{GlobalPolicy, Visibility};

use stage::{LIMIT, Proxied};

/// What to run, and what it needs to be run here.
struct Program {
    name: &'static str,
    command: &'static [&'static str],
}

const fn program(name: &'static str, command: &'static [&'static str]) -> Program {
    Program { name, command }
}

const TEST_PICTURE: &str = "av://lavfi:testsrc2=size=320x240:rate=30";
/// Below the compositor's folder, where the test writes it.
const WINDOW_OF_QT: &str = "window.qml";
const WAD: &str = "/usr/share/games/doom/freedoom1.wad";

const CHROMIUM: &[&str] =
    &["chromium", "--no-sandbox", "--disable-gpu", "--ozone-platform=wayland", "about:blank"];

/// Programs and toolkits that play, draw by the GPU's interfaces, or show windows.
const PROGRAMS: &[Program] = &[
    program("wayland-info", &["wayland-info"]),
    program("foot", &["foot", "--config=/dev/null", "sleep", "60"]),
    program("weston-simple-shm", &["weston-simple-shm"]),
    program("weston-flower", &["weston-flower"]),
    program("weston-simple-egl", &["weston-simple-egl"]),
    program("mpv", &["mpv", "--no-config", "--vo=wlshm", "--no-audio", TEST_PICTURE]),
    // Older packages have a program for each window system; theirs named vkcube knows X11 alone.
    program("vkcube", &["vkcube-wayland"]),
    program("vkcube", &["vkcube", "--wsi", "wayland"]),
    program("SDL 2", &["/usr/games/chocolate-doom", "-iwad", WAD, "-nosound", "-window"]),
    program("GTK 3", &["gtk3-widget-factory"]),
    program("GTK 4", &["gtk4-widget-factory"]),
    program("Qt 6", &["/usr/lib/qt6/bin/qml", WINDOW_OF_QT]),
    program("Xwayland", &["Xwayland", "-displayfd", "1"]),
    program("wl-paste", &["wl-paste", "--list-types"]),
    program("Chromium", CHROMIUM),
];

/// Weston without input has no seat, and some programs do not start without one.
const WITHOUT_SEAT: [&str; 4] =
    ["wayland-info", "weston-simple-shm", "weston-simple-egl", "vkcube"];

/// What these programs may miss, for what it would let any game do. Hiding one more is a decision,
/// to be declared here as well.
const MAY_MISS: [&str; 5] = [
    "ext_data_control_manager_v1",
    "zwlr_data_control_manager_v1",
    "wp_drm_lease_device_v1",
    "wp_linux_drm_syncobj_manager_v1",
    "zwp_linux_explicit_synchronization_v1",
];

/// What is asked of the registry: interface and version.
type Globals = BTreeSet<(String, u32)>;

#[derive(Debug, Default)]
struct Asked {
    offered: Globals,
    bound: Globals,
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// One run of a program, with its log.
struct Run {
    child: Child,
    log: PathBuf,
    errors: File,
}

impl Run {
    fn start(program: &Program, folder: &Path, socket: &Path, which: &str) -> Self {
        // Programs keep locks and caches in their runtime and home folders: each has its own.
        let home = folder.join(format!("{which}-{}", program.name.replace(' ', "-")));
        fs::create_dir_all(&home).unwrap();
        let log = home.join("log");
        let errors = File::create(&log).unwrap();
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL"])
            .args(program.command)
            .current_dir(folder)
            .env("QT_QUICK_BACKEND", "software")
            .env("WAYLAND_DEBUG", "1")
            .env("WAYLAND_DISPLAY", socket)
            .env("XDG_RUNTIME_DIR", &home)
            .env("HOME", &home)
            .env("GDK_BACKEND", "wayland")
            .env("QT_QPA_PLATFORM", "wayland")
            .env("SDL_VIDEODRIVER", "wayland")
            .env_remove("DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors.try_clone().unwrap());
        let child = command.spawn().unwrap_or_else(|e| panic!("{}: {e}", program.name));
        Self { child, log, errors }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// Waits until it shows something or ends, and ends it.
    fn finish(mut self) -> (Option<ExitStatus>, String) {
        let deadline = Instant::now() + LIMIT;
        loop {
            let status = self.child.try_wait().unwrap();
            let text = self.text();
            if status.is_some() || shows_something(&text) || Instant::now() > deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                drop(self.errors);
                return (status, text);
            }
            sleep(Duration::from_millis(20));
        }
    }
}

/// A commit after an attached buffer: all that a program wants of the registry it has by then.
fn shows_something(text: &str) -> bool {
    let attached = text.find(".attach(wl_buffer");
    attached.is_some_and(|at| text[at..].contains(".commit("))
}

fn registry(message: &Message, way: Way, name: &str) -> Option<(String, u32)> {
    let wanted = message.interface == "wl_registry" && message.way == way && message.name == name;
    let interface = message.args.get(1).filter(|_| wanted)?.trim_matches('"').to_owned();
    Some((interface, message.args.get(2)?.parse().unwrap()))
}

fn asked(text: &str) -> Asked {
    let mut asked = Asked::default();
    for message in Log::parse(text).messages {
        asked.offered.extend(registry(&message, Way::Received, "global"));
        asked.bound.extend(registry(&message, Way::Sent, "bind"));
    }
    asked
}

/// What of `direct` a policy lets through: hidden globals are not there, versions are at most ours.
fn through(direct: &Globals, policy: &GlobalPolicy) -> Globals {
    let seen = |(name, version): &(String, u32)| {
        let ruling = policy.of(name);
        let shown = ruling.visibility == Visibility::Forwarded;
        let known = ruling.known_version().filter(|_| shown)?;
        Some((name.clone(), known.min(*version)))
    };
    direct.iter().filter_map(seen).collect()
}

/// What is wrong with the two runs of a program.
fn complaints(direct: &Asked, proxied: &Asked, policy: &GlobalPolicy) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, version) in &direct.offered {
        if policy.of(name).reason == policy.of("no such global").reason {
            wrong.push(format!("the compositor offers {name} {version}, which no row names"));
        }
    }
    if proxied.offered != through(&direct.offered, policy) {
        wrong.push(format!(
            "offered directly: {:?}\n  proxied: {:?}",
            direct.offered, proxied.offered
        ));
    }
    let may_miss = |global: &&(String, u32)| MAY_MISS.contains(&global.0.as_str());
    let expected: Globals = direct.bound.iter().filter(|g| !may_miss(g)).cloned().collect();
    // A compositor may be newer than our tables: then the version is theirs.
    let expected: Globals = expected
        .into_iter()
        .map(|(name, version)| {
            let known = policy.of(&name).known_version().unwrap_or(version);
            (name, version.min(known))
        })
        .collect();
    for missing in expected.difference(&proxied.bound) {
        wrong.push(format!("{missing:?} is bound directly, but not through the proxy"));
    }
    // A program that misses something may take another way.
    let misses_something = expected.len() < direct.bound.len();
    for more in proxied.bound.difference(&expected).filter(|_| !misses_something) {
        wrong.push(format!("{more:?} is bound through the proxy alone"));
    }
    wrong
}

/// Runs the programs of `names` in front of `compositor`, each twice at once.
fn compare(folder: &Path, compositor: &Path, names: Option<&[&str]>) {
    let policy = GlobalPolicy::default();
    let proxied = Proxied::passing(folder, compositor);
    let window = "import QtQuick\nWindow { visible: true; Text { text: \"Qt\" } }\n";
    fs::write(folder.join(WINDOW_OF_QT), window).unwrap();
    let mut hidden: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let (mut wrong, mut compared) = (Vec::new(), BTreeSet::new());
    for program in PROGRAMS.iter().filter(|p| names.is_none_or(|n| n.contains(&p.name))) {
        let name = program.name;
        if compared.contains(name) {
            continue;
        }
        if !is_installed(program.command[0]) && !Path::new(program.command[0]).is_file() {
            println!("skipped: {name}, as {} is not installed", program.command[0]);
            continue;
        }
        let runs = [compositor, proxied.socket()].map(|socket| {
            let which = if socket == compositor { "direct" } else { "proxied" };
            Run::start(program, folder, socket, which)
        });
        let [direct, through] = runs.map(|run| asked(&run.finish().1));
        if direct.bound.is_empty() && !direct.offered.is_empty() && through.bound.is_empty() {
            println!("skipped: {name} does not start here");
            continue;
        }
        assert!(!direct.offered.is_empty(), "{name} never asked for globals");
        wrong.extend(complaints(&direct, &through, &policy).iter().map(|c| format!("{name}: {c}")));
        for (global, _) in
            direct.bound.iter().filter(|(n, _)| policy.of(n).visibility == Visibility::Hidden)
        {
            hidden.entry(global.clone()).or_default().insert(name);
        }
        println!("{name}: {} globals bound", direct.bound.len());
        compared.insert(name);
    }
    for (global, programs) in hidden {
        println!("hidden from {programs:?}: {global}, because: {}", policy.of(&global).reason);
    }
    proxied.stop();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared.len() > 3, "only {compared:?} could be compared");
}

#[test]
fn programs_bind_under_sway_what_they_bind_directly() {
    let _watchdog = Watchdog::start("binds under Sway", Duration::from_secs(240));
    let sway = Sway::start(&Options::default()).unwrap();
    compare(sway.runtime_dir(), sway.socket(), None);
}

/// Programs that live from what is hidden say so and end.
#[test]
fn who_needs_a_hidden_global_hears_that_it_is_not_there() {
    let _watchdog = Watchdog::start("clear refusals", Duration::from_secs(120));
    let sway = Sway::start(&Options::default()).unwrap();
    let folder = sway.runtime_dir().to_owned();
    let proxied = Proxied::passing(&folder, sway.socket());
    for refused in [
        program("grim", &["grim", "/dev/null"]),
        program("wl-paste", &["wl-paste", "--watch", "true"]),
    ] {
        let (status, text) = Run::start(&refused, &folder, proxied.socket(), "proxied").finish();
        let status = status.unwrap_or_else(|| panic!("{} does not end:\n{text}", refused.name));
        assert!(!status.success(), "{}: {status}", refused.name);
        let own_words = text.lines().find(|l| l.contains("support"));
        println!("{}: {}", refused.name, own_words.unwrap_or_default());
        assert!(own_words.is_some(), "{} does not say what it misses:\n{text}", refused.name);
        assert!(!text.contains("error("), "{} was ended by a protocol error", refused.name);
    }
}

/// A headless Weston.
struct Weston {
    child: Child,
    folder: tempfile::TempDir,
}

impl Weston {
    fn start() -> Self {
        // Weston 10 wants the name of a file, Weston 12 and later the name of the backend.
        ["headless-backend.so", "headless"]
            .iter()
            .find_map(|backend| Self::with(backend))
            .expect("a headless Weston (package weston)")
    }

    fn with(backend: &str) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("stratus-test-").tempdir_in("/tmp").unwrap();
        let log = File::create(folder.path().join("weston.log")).unwrap();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "weston", "--no-config", "--socket=weston"])
            .args([&format!("--backend={backend}"), "--width=640", "--height=480"])
            .env("XDG_RUNTIME_DIR", folder.path())
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DISPLAY")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("setpriv (package util-linux)");
        let mut weston = Self { child, folder };
        let listens = wait_for("Weston's socket", LIMIT, || match weston.child.try_wait() {
            Ok(Some(_)) => Some(false),
            _ => std::os::unix::net::UnixStream::connect(weston.socket()).is_ok().then_some(true),
        });
        listens.unwrap().then_some(weston)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("weston")
    }
}

impl Drop for Weston {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn programs_bind_under_weston_what_they_bind_directly() {
    let _watchdog = Watchdog::start("binds under Weston", Duration::from_secs(240));
    let weston = Weston::start();
    compare(weston.folder.path(), &weston.socket(), Some(&WITHOUT_SEAT));
}

/// The comparison can fail.
#[test]
fn a_lost_global_is_named() {
    let policy = GlobalPolicy::default();
    let globals = |list: &[(&str, u32)]| -> Globals {
        list.iter().map(|(name, version)| ((*name).to_owned(), *version)).collect()
    };
    let asked = |list| Asked { offered: globals(list), bound: globals(list) };
    let usual = asked(&[("wl_shm", 1), ("wl_seat", 5)]);
    assert_eq!(complaints(&usual, &usual, &policy), Vec::<String>::new());
    let lost = complaints(&usual, &asked(&[("wl_shm", 1)]), &policy);
    assert!(lost.iter().any(|line| line.contains("wl_seat")), "{lost:?}");
    let news = asked(&[("wl_shm", 1), ("zharness_unheard_of_v7", 1)]);
    assert!(!complaints(&news, &asked(&[("wl_shm", 1)]), &policy).is_empty());
    let spying = asked(&[("wl_shm", 1), ("ext_data_control_manager_v1", 1)]);
    assert_eq!(complaints(&spying, &asked(&[("wl_shm", 1)]), &policy), Vec::<String>::new());
}
