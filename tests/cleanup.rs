//! Whatever ends a session, and however, nothing of it is left: no process, no socket, no file.
//!
//! These run the real Sway and the real foot.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::net::UdpSocket;
use std::os::unix::process::ExitStatusExt;

use nix::sys::signal::{Signal, kill};
use support::{Session, inhabitants, place, say, script, stratus};

const FOOT: [&str; 3] = ["foot", "sleep", "1000"];

/// Foot in a session; returns when foot runs.
fn foot() -> Session {
    let session = Session::run(&[], &FOOT);
    session.find("foot");
    session.find("sleep");
    session
}

#[test]
fn stratus_is_asked_to_end() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let mut session = foot();
        session.signal(signal);
        let status = session.wait();
        assert_eq!(status.code(), Some(0), "{signal}: {}", session.log());
        // Not eventually: when Stratus has ended by itself, all has.
        assert!(inhabitants(session.place.path()).is_empty(), "{signal}");
        assert!(support::files(session.place.path()).is_empty(), "{signal}");
    }
}

#[test]
fn stratus_is_killed() {
    let mut session = foot();
    session.signal(Signal::SIGKILL);
    assert_eq!(session.wait().signal(), Some(Signal::SIGKILL as i32));
    session.assert_gone();
}

#[test]
fn stratus_is_killed_after_its_janitor_was() {
    let mut session = foot();
    let first = session.find_janitor();
    kill(first, Signal::SIGKILL).unwrap();
    support::eventually("a new janitor runs", || (session.find_janitor() != first).then_some(()));
    session.signal(Signal::SIGKILL);
    session.wait();
    session.assert_gone();
}

#[test]
fn the_janitor_outlives_what_ends_by_name() {
    let mut session = foot();
    let janitor = session.find_janitor();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        kill(janitor, signal).unwrap();
    }
    session.signal(Signal::SIGKILL);
    session.wait();
    session.assert_gone();
}

#[test]
fn the_game_is_killed() {
    let mut session = foot();
    kill(session.find("foot"), Signal::SIGKILL).unwrap();
    let status = session.wait();
    assert_eq!(status.code(), Some(128 + 9), "{}", session.log());
    assert!(session.log().contains("signal 9"), "{}", session.log());
    session.assert_gone();
}

#[test]
fn the_compositor_is_killed() {
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        let mut session = foot();
        kill(session.find("sway"), signal).unwrap();
        let status = session.wait();
        assert_eq!(status.code(), Some(1), "{}", session.log());
        assert!(session.log().contains("Sway ended"), "{signal}: {}", session.log());
        session.assert_gone();
    }
}

/// A game that ignores SIGTERM, and children of it that detach and lose their environment.
#[test]
fn the_game_resists() {
    let game = "trap '' TERM; setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' & \
                env -i sleep 1234 & while :; do sleep 1; done";
    let mut session = Session::run(&[], &["sh", "-c", game]);
    session.find("sleep");
    session.signal(Signal::SIGINT);
    assert_eq!(session.wait().code(), Some(0), "{}", session.log());
    session.assert_gone();
    assert!(!runs("sleep 1234"));

    let mut session = Session::run(&[], &["sh", "-c", &game.replace("env -i", "")]);
    session.find("sleep");
    session.signal(Signal::SIGKILL);
    session.wait();
    session.assert_gone();
}

/// Whether any process at all has this command line.
fn runs(command: &str) -> bool {
    let wanted: Vec<u8> = command.replace(' ', "\0").into_bytes();
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|p| std::fs::read(p.path().join("cmdline")).ok())
        .any(|found| found.strip_suffix(b"\0") == Some(&wanted[..]))
}

#[test]
fn the_game_ends_by_itself() {
    for (script, code) in [("exit 0", 0), ("echo broken shader >&2; exit 3", 3)] {
        let mut session = Session::run(&[], &["sh", "-c", script]);
        assert_eq!(session.wait().code(), Some(code), "{}", session.log());
        session.assert_gone();
        if code != 0 {
            assert!(session.log().contains("it ended with exit code 3"), "{}", session.log());
            assert!(session.log().contains("broken shader"), "{}", session.log());
        }
    }
}

#[test]
fn the_game_does_not_exist() {
    let mut session = Session::run(&[], &["/nonexistent/game"]);
    assert_eq!(session.wait().code(), Some(1));
    let log = session.log();
    assert!(log.contains("/nonexistent/game") && log.contains("no such program"), "{log}");
    session.assert_gone();
}

#[test]
fn the_port_is_busy() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let place = place();
    let mut command = stratus(place.path());
    command.args(["run", "--listen", &address, "--"]).args(FOOT);
    let said = say(command);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains(&address) && said.err.contains("--listen"), "{}", said.err);
    assert!(inhabitants(place.path()).is_empty() && support::files(place.path()).is_empty());
}

#[test]
fn sway_is_missing_or_fails() {
    let place = place();
    let mut command = stratus(place.path());
    command.args(["run", "--", "/bin/true"]).env("PATH", "/nonexistent");
    let said = say(command);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("apt install sway"), "{}", said.err);

    let programs = support::place();
    script(&programs.path().join("sway"), "echo the screen is on fire >&2; exit 7");
    let mut command = stratus(place.path());
    command.args(["run", "--", "/bin/true"]).env("PATH", programs.path());
    let said = say(command);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("exit code 7"), "{}", said.err);
    assert!(said.err.contains("the screen is on fire"), "{}", said.err);
    assert!(inhabitants(place.path()).is_empty() && support::files(place.path()).is_empty());
}

/// An FFmpeg without libx264, as some distributions ship it: a library in front of the real one
/// that finds no encoder.
#[test]
fn the_encoder_is_missing() {
    let library = support::place();
    let source = library.path().join("none.c");
    let built = library.path().join("none.so");
    let code = "const void *avcodec_find_encoder_by_name(const char *name) { return 0; }\n";
    std::fs::write(&source, code).unwrap();
    let compiled = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&built, &source])
        .status()
        .unwrap();
    assert!(compiled.success());
    let place = place();
    let mut command = stratus(place.path());
    command.args(["run", "--"]).args(FOOT).env("LD_PRELOAD", &built);
    let said = say(command);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("no encoder libx264"), "{}", said.err);
    assert!(inhabitants(place.path()).is_empty() && support::files(place.path()).is_empty());

    let mut doctor = stratus(place.path());
    doctor.arg("doctor").env("LD_PRELOAD", &built);
    let said = say(doctor);
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
    assert!(said.out.contains("libx264"), "{}", said.out);
}

#[test]
fn two_sessions_do_not_touch_each_other() {
    let first = foot();
    let mut second = foot();
    assert_ne!(first.link, second.link);
    second.signal(Signal::SIGTERM);
    assert_eq!(second.wait().code(), Some(0));
    second.assert_gone();
    for name in ["sway", "foot"] {
        first.find(name);
    }
}
