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
use stratus_harness::wire_log::{Change, Log, Order, Rewrite, Way, compare, undeclared};

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

/// What the compositor was asked by one client.
fn asked(stage: &Stage, connection: u64) -> Vec<Request> {
    let gone = |seen: &stratus_harness::compositor::Seen| seen.disconnected > connection;
    stage.compositor.wait("the client's end", LIMIT, gone).unwrap();
    let seen = stage.compositor.seen();
    let requests = seen.requests.into_iter().filter(|r| r.client == connection);
    requests.map(|request| Request { client: 0, ..request }).collect()
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
        let stage = Stage::new(steady());
        let direct = log_of(scripted(script), stage.compositor.socket());
        let proxied = stage.passing();
        let through = log_of(scripted(script), proxied.socket());
        let order = if script.contains(&"--unbounded") { Order::PerObject } else { Order::Whole };
        let differences = compare(&direct, &through, order);
        assert_eq!(undeclared(&differences, &[]), Vec::<String>::new(), "{script:?}");
        // Ids included: the proxy makes no objects of its own.
        assert_eq!(asked(&stage, 0), asked(&stage, 1), "{script:?}");
    }
}

/// What the capture changes for a client whose window the compositor would have sized.
const SIZED: [Rewrite; 4] = [
    Rewrite::new("wl_output", "mode", Change::Changed),
    Rewrite::new("zxdg_output_v1", "logical_size", Change::Changed),
    Rewrite::new("xdg_toplevel", "configure", Change::Changed),
    // Only formats that the encoder takes.
    Rewrite::new("wl_shm", "format", Change::Removed),
];

#[test]
fn with_capture_only_the_declared_rewrites_differ() {
    let _watchdog = watchdog("the scripted client with capture");
    for script in [SCRIPTS[0], SCRIPTS[3]] {
        let stage = Stage::new(steady());
        let direct = log_of(scripted(script), stage.compositor.socket());
        let (proxied, slot, _stats) = stage.capturing(CaptureConfig::new(STREAM));
        let reader = consume(slot);
        let through = log_of(scripted(script), proxied.socket());
        let differences = compare(&direct, &through, Order::PerObject);
        for difference in &differences {
            println!("{difference}");
        }
        let ours = asked(&stage, 1);
        let theirs = asked(&stage, 0);
        println!("{:#?}", ours.iter().filter(|r| !theirs.contains(r)).collect::<Vec<_>>());
        assert_eq!(undeclared(&differences, &SIZED), Vec::<String>::new(), "{script:?}");
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
    let hidden: Vec<_> = differences.iter().map(|d| d.direct.as_ref().unwrap().args[1].clone()).collect();
    assert_eq!(hidden, ["\"zharness_unheard_of_v7\"", "\"zwlr_screencopy_manager_v1\""]);
}

/// A real compositor and its real clients. Whatever differs between two direct runs already is
/// Sway's or the client's own, and the comparison leaves it out.
fn against_sway(client: &dyn Fn(&Sway) -> Command, runs: usize) -> (Vec<Log>, Vec<Log>, Vec<Log>) {
    let sway = Sway::start(&Options::default()).unwrap();
    let folder = sway.runtime_dir().to_owned();
    let direct = (0..runs).map(|_| log_of(client(&sway), sway.socket())).collect();
    let passing = Proxied::passing(&folder, sway.socket());
    let through = (0..runs).map(|_| log_of(client(&sway), passing.socket())).collect();
    passing.stop();
    let (capturing, slot, _stats) =
        Proxied::capturing(&folder, sway.socket(), CaptureConfig::new(STREAM));
    let reader = consume(slot);
    let captured = (0..runs).map(|_| log_of(client(&sway), capturing.socket())).collect();
    capturing.stop();
    reader.join().unwrap();
    (direct, through, captured)
}
