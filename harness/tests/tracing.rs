//! What a trace shows is what the client itself logs; and whoever reads it, well or badly, the
//! client does not notice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod stage;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use stratus_capture::{Capture, CaptureConfig};
use stratus_frame::{Arrival, Size, mailbox};
use stratus_harness::client::{self, Client, End};
use stratus_harness::compositor::{Config, Pace, Release};
use stratus_harness::watchdog::Watchdog;
use stratus_harness::wire_log::{Log, unlike};
use stratus_proxy_core::{Hook, Observed, PassThrough};
use stratus_trace::{
    Attached, ControlSocket, Hub, Options, Printer, QUEUE_LIMIT, TRACE, TraceCommand, attach,
    control_path,
};

use stage::{LIMIT, Proxied, Stage};

fn watchdog(name: &str) -> Watchdog {
    Watchdog::start(name, Duration::from_secs(120))
}

/// A compositor that answers at once, in a small window.
fn brisk() -> Config {
    Config { release: Release::AtOnce, pace: Pace::AtOnce, size: (64, 64), ..Config::default() }
}

/// A proxy that is watched, and its hub.
fn watched<H: Hook>(
    stage: &Stage,
    hook: impl FnOnce(&stratus_proxy::Wakeup) -> H + Send + 'static,
) -> (Proxied, Hub) {
    let (told, hub) = std::sync::mpsc::channel();
    let upstream = stage.compositor.socket();
    let proxied = Proxied::start(stage.folder.path(), upstream, move |wakeup| {
        let (hub, tap) = Hub::new(wakeup.waker());
        told.send(hub).unwrap();
        Observed { hook: hook(wakeup), observer: tap }
    });
    (proxied, hub.recv().unwrap())
}

fn print(hub: &Hub, options: &Options) -> JoinHandle<String> {
    let (feed, printer) = (hub.attach(QUEUE_LIMIT), Printer::new(options).unwrap());
    std::thread::spawn(move || {
        let mut lines = Vec::new();
        printer.print_all(feed, &mut lines).unwrap();
        String::from_utf8(lines).unwrap()
    })
}

/// Runs the scripted client and returns what it logged itself.
fn log_of(socket: &Path, arguments: &[&str]) -> Log {
    let output = Command::new(env!("CARGO_BIN_EXE_harness-client"))
        .args(["--frames", "20", "--size", "64x64"])
        .args(arguments)
        .env("WAYLAND_DEBUG", "1")
        .env("WAYLAND_DISPLAY", socket)
        .env("XDG_RUNTIME_DIR", socket.parent().unwrap())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let log = Log::parse(&text);
    assert!(log.unread.is_empty() && log.messages.len() > 100, "{text}");
    log
}

fn assert_same(client: &Log, trace: &str, name: &str) {
    let wire = Log::parse_trace(trace);
    assert!(wire.unread.is_empty(), "{name}: {:#?}", wire.unread);
    let found = unlike(client, &wire);
    assert!(found.is_empty(), "{name}: {found:#?}");
}

const NUMBERS: fn() -> Options = || Options { numbers: true, ..Options::default() };

#[test]
fn a_trace_shows_what_the_client_logs() {
    let _watchdog = watchdog("trace and log");
    for arguments in [&[][..], &["--kind", "fresh-each-frame"], &["--kind", "pool-each"]] {
        let stage = Stage::new(brisk());
        let (proxied, hub) = watched(&stage, |_| PassThrough);
        let lines = print(&hub, &NUMBERS());
        let log = log_of(proxied.socket(), arguments);
        hub.wait_until_nobody(LIMIT);
        proxied.stop();
        assert_same(&log, &lines.join().unwrap(), &format!("{arguments:?}"));
    }
}

#[test]
fn a_trace_shows_what_capture_makes_of_a_conversation() {
    let _watchdog = watchdog("trace with capture");
    let stage = Stage::new(brisk());
    let (post, slot) = mailbox();
    let frames =
        std::thread::spawn(move || while !matches!(slot.wait(true, None), Arrival::Closed) {});
    let config = CaptureConfig::new(Size::new(1600, 900));
    let (proxied, hub) = watched(&stage, move |wakeup| Capture::new(&config, post, wakeup.waker()));
    let lines = print(&hub, &NUMBERS());
    let log = log_of(proxied.socket(), &["--fullscreen"]);
    hub.wait_until_nobody(LIMIT);
    proxied.stop();
    frames.join().unwrap();
    let trace = lines.join().unwrap();
    assert_same(&log, &trace, "capture");
    for mark in [" changed ", " dropped ", " own "] {
        assert!(trace.contains(mark), "capture does its work:\n{trace}");
    }
}

/// A control socket beside the proxy's.
fn control(proxied: &Proxied, hub: &Hub, limit: usize) -> (ControlSocket, PathBuf) {
    let path = control_path(proxied.socket());
    let trace = TraceCommand::new(hub.clone(), limit);
    (ControlSocket::open(&path, vec![(TRACE, Box::new(trace))]).unwrap(), path)
}

fn read_lines(mut attached: Attached) -> Vec<String> {
    let mut text = String::new();
    attached.read_to_string(&mut text).unwrap();
    // Who attaches at different times has different times in front.
    text.lines().map(|l| l.split_once("] ").map_or(l, |(_, rest)| rest).to_owned()).collect()
}

/// Plays frames as fast as the compositor answers; all of them must arrive.
fn play(socket: &Path, frames: u64) {
    let config = client::Config {
        frames,
        pace: client::Pace::FrameCallbacks,
        size: (64, 64),
        ..Default::default()
    };
    let client = Client::start(socket, config).unwrap();
    let counts = client.join().unwrap();
    assert_eq!((counts.end, counts.commits), (End::Finished, frames));
}

#[test]
fn a_tracer_that_stalls_loses_lines_and_the_game_nothing() {
    let _watchdog = watchdog("a stalled tracer");
    let stage = Stage::new(brisk());
    let (proxied, hub) = watched(&stage, |_| PassThrough);
    let all = print(&hub, &Options::default());
    let (control, path) = control(&proxied, &hub, 16 << 10);
    // These two do not read; the second is killed.
    let stalled = attach(&path, TRACE, "").unwrap();
    let killed = attach(&path, TRACE, "{}").unwrap();
    play(proxied.socket(), 1000);
    drop(killed);
    play(proxied.socket(), 1000);
    hub.wait_until_nobody(LIMIT);
    let late = std::thread::spawn(move || read_lines(stalled));
    proxied.stop();
    drop(control);
    let lines = late.join().unwrap();
    let (told, shown): (Vec<_>, Vec<_>) =
        lines.iter().partition(|line| line.contains(" messages are missing here"));
    let number = |line: &&String| line.split(' ').nth(1).unwrap().parse::<usize>().unwrap();
    let lost: usize = told.iter().map(number).sum();
    let all = all.join().unwrap().lines().count();
    assert!(lost > 1000, "lost {lost} of {all}");
    assert_eq!(shown.len() + lost, all, "each line is shown or counted");
}

#[test]
fn tracers_come_and_go_and_each_sees_the_rest() {
    let _watchdog = watchdog("several tracers");
    let stage = Stage::new(brisk());
    let (proxied, hub) = watched(&stage, |_| PassThrough);
    let (control, path) = control(&proxied, &hub, QUEUE_LIMIT);
    let config = client::Config {
        frames: u64::MAX,
        pace: client::Pace::Rate(200.0),
        size: (64, 64),
        ..Default::default()
    };
    let game = Client::start(proxied.socket(), config).unwrap();
    let mut first = BufReader::new(attach(&path, TRACE, "").unwrap());
    let mut line = String::new();
    // The game plays already; its objects were made before anyone looked.
    while !line.contains("wl_surface@") {
        line.clear();
        first.read_line(&mut line).unwrap();
    }
    let tracers: Vec<JoinHandle<Vec<String>>> = (0..6)
        .map(|_| {
            std::thread::sleep(Duration::from_millis(15));
            let attached = attach(&path, TRACE, "").unwrap();
            std::thread::spawn(move || read_lines(attached))
        })
        .collect();
    std::thread::sleep(Duration::from_millis(50));
    game.stop().unwrap();
    hub.wait_until_nobody(LIMIT);
    proxied.stop();
    drop(control);
    let mut rest = String::new();
    first.read_to_string(&mut rest).unwrap();
    let all: Vec<&str> =
        rest.lines().map(|l| l.split_once("] ").map_or(l, |(_, rest)| rest)).collect();
    let mut shortest = usize::MAX;
    for tracer in tracers {
        let lines = tracer.join().unwrap();
        assert!(lines[0].starts_with("# client 1 is connected: process "), "{}", lines[0]);
        assert!(lines.len() > 5 && lines.len() < shortest, "each attached later than the last");
        shortest = lines.len();
        assert_eq!(lines[1..], all[all.len() - (lines.len() - 1)..]);
        assert!(lines.iter().any(|l| l.contains("wl_surface@") && l.contains(".commit()")));
        assert!(!lines.iter().any(|l| l.contains("[unknown]")), "{lines:#?}");
    }
}

#[test]
fn a_control_socket_says_what_is_wrong_with_a_request() {
    let _watchdog = watchdog("bad requests");
    let stage = Stage::new(brisk());
    let (proxied, hub) = watched(&stage, |_| PassThrough);
    let (control, path) = control(&proxied, &hub, QUEUE_LIMIT);
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    for (command, arguments, reason) in [
        ("dance", "", "there is no command \"dance\", only: trace"),
        (TRACE, "{", "in the options"),
        (TRACE, "{\"only\":[\"wl_surfce\"]}", "did you mean wl_surface?"),
        (TRACE, "{\"onyl\":[]}", "unknown field"),
    ] {
        let refused = attach(&path, command, arguments).err().unwrap().to_string();
        assert!(refused.contains(reason), "{refused}");
    }
    let long = "x".repeat(70 << 10);
    assert!(attach(&path, TRACE, &long).is_err());
    drop(control);
    assert!(!path.exists());
    assert!(attach(&path, TRACE, "").err().unwrap().to_string().contains("nobody answers"));
    proxied.stop();
}
