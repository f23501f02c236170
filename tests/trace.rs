//! `stratus trace`: around a client, and into a session that runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use stratus_harness::client::{self, Client};
use stratus_harness::compositor::{Compositor, Config};
use stratus_harness::sway::{Options, Sway};
use stratus_harness::watchdog::Watchdog;
use stratus_harness::wire_log::{Log, unlike};
use support::{PATIENCE, Session, eventually, files, inhabitants, place, say, stratus};

fn watchdog(name: &str) -> Watchdog {
    Watchdog::start(name, Duration::from_secs(120))
}

/// A compositor at `place/wayland-7`.
fn compositor(place: &Path) -> Compositor {
    Compositor::start(&place.join("wayland-7"), Config::default()).unwrap()
}

/// `stratus trace` with these arguments, a client of that compositor.
fn trace(place: &Path, arguments: &[&str]) -> Command {
    let mut command = stratus(place);
    command.env("WAYLAND_DISPLAY", "wayland-7").arg("trace").args(arguments);
    command
}

/// Traces a program that libwayland carries, and compares with what it logs itself.
fn same_as_its_own_log(sway: &Sway, capture: &str, client: &[&str]) {
    let file = sway.runtime_dir().join("trace.txt");
    let mut command = sway.client(env!("CARGO_BIN_EXE_stratus"), sway.socket());
    command.env("WAYLAND_DEBUG", "1").env_remove("RUST_LOG");
    command.args(["trace", "--numbers", "--capture", capture, "--output"]).arg(&file);
    let said = say({
        command.arg("--").args(client);
        command
    });
    assert_eq!(said.code, Some(0), "{client:?}: {}", said.err);
    let (client_log, trace) = (Log::parse(&said.err), fs::read_to_string(&file).unwrap());
    let wire = Log::parse_trace(&trace);
    assert!(client_log.messages.len() > 40, "{client:?}: {}", said.err);
    assert!(client_log.unread.is_empty() && wire.unread.is_empty(), "{:#?}", wire.unread);
    let found = unlike(&client_log, &wire);
    assert!(found.is_empty(), "{client:?}, capture {capture}: {found:#?}\n{trace}");
}

#[test]
fn real_clients_log_what_the_trace_shows() {
    let _watchdog = watchdog("real clients, traced");
    let sway = Sway::start(&Options::default()).unwrap();
    let foot = ["foot", "sh", "-c", "printf '\\033[1mhello\\033[0m\\n'; sleep 0.3"];
    for capture in ["off", "on"] {
        same_as_its_own_log(&sway, capture, &["wayland-info"]);
        same_as_its_own_log(&sway, capture, &foot);
    }
    let left = files(sway.runtime_dir());
    assert!(!left.iter().any(|name| name.starts_with("stratus-")), "{left:?}");
}

#[test]
fn the_clients_end_is_the_traces_and_nothing_is_left() {
    let _watchdog = watchdog("ends of traced clients");
    let place = place();
    let _compositor = compositor(place.path());
    let before = files(place.path());
    for (client, code) in [
        (&["true"][..], 0),
        (&["sh", "-c", "exit 7"], 7),
        (&["sh", "-c", "kill -KILL $$"], 137),
        (&["sh", "-c", "sleep 1000 & exit 3"], 3),
    ] {
        let said = say(trace(place.path(), &[&["--"], client].concat()));
        assert_eq!(said.code, Some(code), "{client:?}: {}", said.err);
        assert_eq!(said.out, "");
    }
    let missing = say(trace(place.path(), &["--", "/no/such/client"]));
    assert_eq!(missing.code, Some(127), "{}", missing.err);
    let input = say(trace(place.path(), &["--", "sh", "-c", "echo out; echo err >&2"]));
    assert_eq!((&*input.out, &*input.err), ("out\n", "err\n"), "the client's output is its own");
    eventually("all is gone", || {
        (files(place.path()) == before && inhabitants(place.path()).is_empty()).then_some(())
    });
}

#[test]
fn a_signal_ends_the_client_and_the_trace() {
    let _watchdog = watchdog("signals to a trace");
    let place = place();
    let _compositor = compositor(place.path());
    let before = files(place.path());
    for (signal, expected) in [(Signal::SIGTERM, Some(143)), (Signal::SIGKILL, None)] {
        let mut traced = trace(place.path(), &["--", "sleep", "1000"]).spawn().unwrap();
        let pid = Pid::from_raw(traced.id() as i32);
        eventually("the client runs", || {
            inhabitants(place.path()).iter().any(|p| p.name == "sleep").then_some(())
        });
        kill(pid, signal).unwrap();
        assert_eq!(traced.wait().unwrap().code(), expected);
        eventually("all is gone", || {
            (files(place.path()) == before && inhabitants(place.path()).is_empty()).then_some(())
        });
    }
}

#[test]
fn what_cannot_be_traced_is_said_with_what_to_do() {
    let place = place();
    for (arguments, code, words) in [
        (&["--only", "wl_surfce"][..], 2, "did you mean wl_surface?"),
        (&["--except", "wl_surface.comit", "--", "true"], 2, "did you mean commit?"),
        (&["--capture", "on"], 2, "<CLIENT>"),
        (&["--socket", "x", "--", "true"], 2, "cannot be used with"),
        (&[], 1, "none runs that can be asked"),
        (&["--socket", "/nowhere/stratus-0"], 1, "nobody answers at /nowhere/stratus-0.control"),
        (&["--", "true"], 1, "cannot reach the compositor"),
    ] {
        let said = say(trace(place.path(), arguments));
        assert_eq!(said.code, Some(code), "{arguments:?}: {}", said.err);
        assert!(said.err.contains(words), "{arguments:?}: {}", said.err);
    }
}

fn commits(game: &Client) -> u64 {
    game.live().commits.load(Ordering::Relaxed)
}

/// A `stratus proxy` without capture in front of a scripted compositor.
struct Proxy {
    process: Child,
    _compositor: Compositor,
    place: tempfile::TempDir,
}

impl Proxy {
    fn start() -> Self {
        let place = place();
        let compositor = compositor(place.path());
        let mut command = stratus(place.path());
        command.env("WAYLAND_DISPLAY", "wayland-7").args(["proxy", "--capture", "off"]);
        let process = command.stderr(Stdio::null()).spawn().unwrap();
        eventually("the control socket", || {
            place.path().join("stratus-0.control").exists().then_some(())
        });
        Self { process, _compositor: compositor, place }
    }

    fn tracer(&self, arguments: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
        let mut command = stratus(self.place.path());
        let mut tracer =
            command.arg("trace").args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(tracer.stdout.take().unwrap());
        (tracer, out)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn tracers_attach_to_a_running_session_and_leave_it_as_they_like() {
    let _watchdog = watchdog("live tracers");
    let mut proxy = Proxy::start();
    let mode = fs::metadata(proxy.place.path().join("stratus-0.control")).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
    let config = client::Config {
        frames: u64::MAX,
        pace: client::Pace::Rate(100.0),
        size: (64, 64),
        ..Default::default()
    };
    let game = Client::start(&proxy.place.path().join("stratus-0"), config).unwrap();
    eventually("the game plays", || (commits(&game) > 3).then_some(()));

    let line_with = |out: &mut BufReader<std::process::ChildStdout>, words: &str| {
        let deadline = Instant::now() + PATIENCE;
        let mut line = String::new();
        while !line.contains(words) {
            assert!(Instant::now() < deadline, "no line with {words}");
            line.clear();
            assert!(out.read_line(&mut line).unwrap() > 0, "the trace ended before {words}");
        }
        line
    };
    let (mut killed, mut out) = proxy.tracer(&[]);
    let attach = line_with(&mut out, ".attach(");
    assert!(attach.contains("-> wl_surface@") && attach.contains("(wl_buffer@"), "{attach}");
    let (mut interrupted, mut json) = proxy.tracer(&["--json", "--only", "wl_surface.commit"]);
    let commit: serde_json::Value =
        serde_json::from_str(&line_with(&mut json, "\"commit\"")).unwrap();
    assert_eq!((&commit["client"], &commit["interface"]), (&1.into(), &"wl_surface".into()));
    let (mut stays, mut rest) = proxy.tracer(&["--direction", "events"]);
    line_with(&mut rest, ".release(");
    killed.kill().unwrap();
    killed.wait().unwrap();
    kill(Pid::from_raw(interrupted.id() as i32), Signal::SIGINT).unwrap();
    assert_eq!(interrupted.wait().unwrap().code(), Some(0));
    let played = commits(&game);
    eventually("the game plays on", || (commits(&game) > played + 20).then_some(()));
    line_with(&mut rest, ".release(");
    game.stop().unwrap();
    line_with(&mut rest, "# client 1 is gone");

    kill(Pid::from_raw(proxy.process.id() as i32), Signal::SIGTERM).unwrap();
    assert!(proxy.process.wait().unwrap().success());
    let mut last = String::new();
    rest.read_to_string(&mut last).unwrap();
    assert_eq!(stays.wait().unwrap().code(), Some(0), "the trace ends with the session: {last}");
    assert_eq!(files(proxy.place.path()), ["wayland-7"], "nothing of the session is left");
}

#[test]
fn a_tracer_finds_the_session_of_a_run_and_ends_with_it() {
    let _watchdog = watchdog("a traced run");
    let options = ["--size", "640x360"];
    // It writes a line each time that the test looks for one.
    let typing = "while :; do date +%N; sleep 0.1; done";
    let mut session = Session::run(&options, &["foot", "sh", "-c", typing]);
    session.find("foot");
    // A name in `$XDG_RUNTIME_DIR` finds the private directory of the session below it.
    let mut command = stratus(session.place.path());
    command.args(["trace", "--only", "wl_surface.commit", "--only", "xdg_*"]);
    let mut tracer = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tracer.stdout.take().unwrap()).lines();
    let commit = lines.find(|line| line.as_ref().unwrap().contains("-> wl_surface@"));
    assert!(commit.unwrap().unwrap().ends_with(".commit()"));
    session.signal(Signal::SIGTERM);
    assert!(session.wait().success());
    assert!(lines.all(|line| !line.unwrap().contains("wl_buffer@")), "only what was asked for");
    assert_eq!(tracer.wait().unwrap().code(), Some(0));
    session.assert_gone();
}
