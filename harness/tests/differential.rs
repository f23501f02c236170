//! The same client, directly and through the proxy, says and hears the same: exactly so without
//! capture, and with it except for what is declared here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod stage;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use stratus_capture::CaptureConfig;
use stratus_frame::{Arrival, Size, Slot};
use stratus_harness::compositor::{Config, Global, Pace, Release, Request};
use stratus_harness::sway::{Options, Sway};
use stratus_harness::watchdog::Watchdog;
use stratus_harness::wire_log::{Change, Log, Order, Rewrite, compare, undeclared};

use stage::{LIMIT, Proxied, Stage};

/// The stream's size, which is not that of any compositor here.
const STREAM: Size = Size::new(1600, 900);

fn watchdog(name: &str) -> Watchdog {
    Watchdog::start(name, Duration::from_secs(120))
}

/// Runs a client with its log on and returns the log. It must end well by itself.
fn log_of(mut command: Command, socket: &Path) -> Log {
    command
        .env("WAYLAND_DEBUG", "1")
        .env("WAYLAND_DISPLAY", socket)
        .env_remove("DISPLAY")
        .stdin(Stdio::null());
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // An absolute WAYLAND_DISPLAY needs none, but some clients insist.
        command.env("XDG_RUNTIME_DIR", socket.parent().unwrap());
    }
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}:\n{text}", output.status);
    let log = Log::parse(&text);
    assert!(log.unread.is_empty(), "lines of an unknown format: {:#?}", log.unread);
    assert!(log.messages.len() > 20, "{command:?} logged next to nothing:\n{text}");
    log
}

fn scripted(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness-client"));
    command.args(["--frames", "20", "--size", "320x240"]).args(arguments);
    command
}

fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments);
    command
}

/// A compositor whose events do not depend on time.
fn steady() -> Config {
    Config { release: Release::AtOnce, pace: Pace::AtOnce, size: (700, 500), ..Config::default() }
}

/// Reads frames as an encoder would, until the capture is gone.
fn consume(slot: Slot) -> std::thread::JoinHandle<u64> {
    std::thread::spawn(move || {
        let mut frames = 0;
        while let Arrival::Frame(_) = slot.wait(true, None) {
            frames += 1;
        }
        frames
    })
}

/// What the compositor was asked by its only client.
fn asked(stage: &Stage) -> Vec<String> {
    let gone = |seen: &stratus_harness::compositor::Seen| seen.disconnected > 0;
    stage.compositor.wait("the client's end", LIMIT, gone).unwrap();
    let line = |r: Request| format!("{}@{}.{}({})", r.interface, r.object, r.name, r.args);
    stage.compositor.seen().requests.into_iter().map(line).collect()
}

const SCRIPTS: [&[&str]; 4] = [
    &["--size-from-configure"],
    &["--unbounded", "--kind", "fresh-each-frame"],
    &["--kind", "pool-each", "--row-gap", "64", "--argb"],
    &["--still", "--fullscreen", "--size-from-configure"],
];

#[test]
fn without_capture_nothing_differs() {
    let _watchdog = watchdog("the scripted client without capture");
    for script in SCRIPTS {
        let [one, other] = [Stage::new(steady()), Stage::new(steady())];
        let direct = log_of(scripted(script), one.compositor.socket());
        let proxied = other.passing();
        let through = log_of(scripted(script), proxied.socket());
        // Without callbacks to wait for, the client's own pace decides which buffer is free.
        let timed = script.contains(&"--unbounded");
        let order = if timed { Order::PerObject } else { Order::Whole };
        let differences = compare(&direct, &through, order);
        assert_eq!(undeclared(&differences, &[]), Vec::<String>::new(), "{script:?}");
        if !timed {
            // Ids included: the proxy makes no objects of its own.
            assert_eq!(asked(&one), asked(&other), "{script:?}");
        }
    }
}

/// What the capture changes in what a client hears.
const REWRITES: [Rewrite; 4] = [
    Rewrite::new("wl_output", "mode", Change::Changed),
    Rewrite::new("zxdg_output_v1", "logical_size", Change::Changed),
    Rewrite::new("xdg_toplevel", "configure", Change::Changed),
    // Only formats that the encoder takes.
    Rewrite::new("wl_shm", "format", Change::Removed),
];

#[test]
fn with_capture_only_the_declared_rewrites_differ() {
    let _watchdog = watchdog("the scripted client with capture");
    // Clients that keep their size: what they say must not differ at all.
    for script in [SCRIPTS[2], &["--still"], &["--still", "--fullscreen"]] {
        let [one, other] = [Stage::new(steady()), Stage::new(steady())];
        let direct = log_of(scripted(script), one.compositor.socket());
        let (proxied, slot, _stats) = other.capturing(CaptureConfig::new(STREAM));
        let reader = consume(slot);
        let through = log_of(scripted(script), proxied.socket());
        let differences = compare(&direct, &through, Order::PerObject);
        assert_eq!(undeclared(&differences, &REWRITES), Vec::<String>::new(), "{script:?}");
        // Of arrays libwayland's log says the length only; what is in it, fullscreen and
        // activated, is for the tests of the capture.
        let heard = differences.iter().filter_map(|d| Some(d.proxied.as_ref()?.to_string()));
        let heard = heard.map(|line| line.replace("[2, 0, 0, 0, 4, 0, 0, 0]", "array[8]"));
        let expected = [
            "<- wl_output#1.mode(3, 1600, 900, 60000)",
            "<- xdg_toplevel#1.configure(1600, 900, array[8])",
            "<- zxdg_output_v1#1.logical_size(1600, 900)",
        ];
        assert_eq!(heard.collect::<Vec<_>>(), expected, "{script:?}");
        // Both sides tell the same story: the compositor is asked for fullscreen, once.
        let (theirs, ours) = (asked(&one), asked(&other));
        let fullscreen = "xdg_toplevel@11.set_fullscreen(nil)";
        let without = |lines: &[String]| {
            lines.iter().filter(|line| *line != fullscreen).cloned().collect::<Vec<_>>()
        };
        assert_eq!(without(&theirs), without(&ours), "{script:?}");
        assert_eq!(ours.iter().filter(|line| *line == fullscreen).count(), 1, "{script:?}");
        proxied.stop();
        assert!(reader.join().unwrap() > 0);
    }
}

#[test]
fn a_c_client_hears_of_all_globals_but_the_hidden_ones() {
    let _watchdog = watchdog("wayland-info");
    let mut config = steady();
    config.globals.extend([Global::unknown(), Global::screencopy()]);
    let stage = Stage::new(config);
    let proxied = stage.passing();
    let direct = log_of(program("wayland-info", &[]), stage.compositor.socket());
    let through = log_of(program("wayland-info", &[]), proxied.socket());
    let differences = compare(&direct, &through, Order::Whole);
    let rewrites = [Rewrite::new("wl_registry", "global", Change::Removed)];
    assert_eq!(undeclared(&differences, &rewrites), Vec::<String>::new());
    let hidden: Vec<_> =
        differences.iter().map(|d| d.direct.as_ref().unwrap().args[1].clone()).collect();
    assert_eq!(hidden, ["\"zharness_unheard_of_v7\"", "\"zwlr_screencopy_manager_v1\""]);
}

/// The policy hides globals that are no game's business (Sway has a dozen).
const HIDDEN: Rewrite = Rewrite::new("wl_registry", "global", Change::Removed);
const MODE: Rewrite = REWRITES[0];
const LOGICAL_SIZE: Rewrite = REWRITES[1];
const CONFIGURE: Rewrite = REWRITES[2];
const FORMATS: Rewrite = REWRITES[3];

/// Logs of a client against a real compositor: directly, through the proxy, and through the
/// proxy with a capture of size `stream`.
struct Runs {
    direct: Vec<Log>,
    passing: Vec<Log>,
    capturing: Vec<Log>,
}

fn against_sway(client: &dyn Fn() -> Command, stream: Size, runs: usize) -> Runs {
    let sway = Sway::start(&Options::default()).unwrap();
    let folder = sway.runtime_dir().to_owned();
    let logs = |socket: &Path| -> Vec<Log> {
        let run = |_| {
            let mut command = client();
            command.env("XDG_RUNTIME_DIR", &folder);
            log_of(command, socket)
        };
        (0..runs).map(run).collect()
    };
    let direct = logs(sway.socket());
    let proxied = Proxied::passing(&folder, sway.socket());
    let passing = logs(proxied.socket());
    proxied.stop();
    let (proxied, slot, _stats) =
        Proxied::capturing(&folder, sway.socket(), CaptureConfig::new(stream));
    let reader = consume(slot);
    let capturing = logs(proxied.socket());
    proxied.stop();
    reader.join().unwrap();
    Runs { direct, passing, capturing }
}

/// What stays undeclared in each pair of runs.
fn surprises(some: &[Log], others: &[Log], rewrites: &[Rewrite]) -> Vec<Vec<String>> {
    let pairs = some.iter().flat_map(|one| others.iter().map(move |other| (one, other)));
    pairs.map(|(a, b)| undeclared(&compare(a, b, Order::PerObject), rewrites)).collect()
}

fn none(surprises: &[Vec<String>]) {
    for surprise in surprises {
        assert_eq!(surprise, &Vec::<String>::new());
    }
}

#[test]
fn real_globals_are_told_as_they_are() {
    let _watchdog = watchdog("wayland-info and Sway");
    let runs = against_sway(&|| program("wayland-info", &[]), STREAM, 2);
    none(&surprises(&runs.direct, &runs.direct, &[]));
    none(&surprises(&runs.direct, &runs.passing, &[HIDDEN]));
    none(&surprises(&runs.direct, &runs.capturing, &[HIDDEN, MODE, LOGICAL_SIZE, FORMATS]));
}

#[test]
fn a_scripted_client_of_a_real_compositor_sees_the_declared_rewrites_alone() {
    let _watchdog = watchdog("the scripted client and Sway");
    let client = || scripted(&["--rate", "60"]);
    let runs = against_sway(&client, STREAM, 2);
    none(&surprises(&runs.direct, &runs.direct, &[]));
    none(&surprises(&runs.direct, &runs.passing, &[HIDDEN]));
    let rewrites = [HIDDEN, MODE, LOGICAL_SIZE, CONFIGURE, FORMATS];
    none(&surprises(&runs.direct, &runs.capturing, &rewrites));
}

#[test]
fn a_real_client_of_a_real_compositor_has_the_same_conversation() {
    let _watchdog = watchdog("foot and Sway");
    // Fullscreen and at Sway's own size, so that foot has no reason to draw anything else.
    let foot = || program("foot", &["--config=/dev/null", "--fullscreen", "sh", "-c", "sleep 0.3"]);
    let runs = against_sway(&foot, Size::new(1280, 720), 4);
    // How often foot draws depends on when its shell writes, so two direct runs differ now and
    // then. A whole conversation of some hundred messages is not the same by chance: one equal
    // pair shows what the proxy does.
    let same = |others: &[Log], rewrites: &[Rewrite]| {
        let surprises = surprises(&runs.direct, others, rewrites);
        assert!(surprises.iter().any(Vec::is_empty), "in all pairs: {:#?}", surprises[0]);
    };
    same(&runs.passing, &[HIDDEN]);
    same(&runs.capturing, &[HIDDEN, MODE, CONFIGURE, FORMATS]);
}
