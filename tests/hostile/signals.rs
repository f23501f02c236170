//! SIGKILL, SIGSTOP and SIGCONT for each who takes part: the game, the compositor, a player, and
//! Stratus itself. These run the real Sway and the real foot.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{PATIENCE, Session, eventually, inhabitants, place, stratus};
use crate::viewer::Viewer;

/// How long each is stopped: seconds, or as many as this variable says.
const SECONDS: &str = "STRATUS_STOP_SECONDS";

fn stop_time() -> Duration {
    let seconds = std::env::var(SECONDS).ok().and_then(|s| s.parse().ok());
    seconds.map_or(Duration::from_millis(1200), Duration::from_secs)
}

const SCROLLING: [&str; 4] = ["foot", "sh", "-c", "while date +%s.%N; do sleep 0.02; done"];

/// Pictures that differ from each other arrive.
fn goes_on(viewer: &Viewer, after: &str) {
    let before = viewer.seen().pictures;
    viewer.wait(after, PATIENCE, |seen| seen.pictures > before + 5);
}

fn stop(pid: Pid) {
    kill(pid, Signal::SIGSTOP).unwrap();
    eventually("it is stopped", || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(')').next().unwrap().trim_start().starts_with('T').then_some(())
    });
}

/// Stopped for a while, then continued.
fn pause(pid: Pid, meanwhile: impl FnOnce()) {
    stop(pid);
    let until = Instant::now() + stop_time();
    meanwhile();
    std::thread::sleep(until.saturating_duration_since(Instant::now()));
    kill(pid, Signal::SIGCONT).unwrap();
}

/// `stratus play` in a process of its own, which does what `script` says, with a folder to live in.
fn player(link: &str, script: &str) -> (Child, tempfile::TempDir) {
    let place = place();
    let file = place.path().join("script");
    std::fs::write(&file, script).unwrap();
    let mut command: Command = stratus(place.path());
    command.args(["play", "--headless", "--input"]).arg(&file).arg(link);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    (command.spawn().unwrap(), place)
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(child.id().try_into().unwrap())
}

#[test]
fn each_may_be_stopped_and_continued_and_a_player_be_killed() {
    let mut session = Session::run(&["--size", "320x240", "--viewers", "1"], &SCROLLING);
    let viewer = Viewer::watch(&session.link);
    goes_on(&viewer, "the first pictures");

    pause(session.find("foot"), || ());
    goes_on(&viewer, "the game was stopped");

    pause(session.find("sway"), || ());
    goes_on(&viewer, "the compositor was stopped");

    // A viewer that does not read costs the player nothing, whether it is stopped or dead.
    let (mut slow, _place) = player(&session.viewers_link(), "");
    eventually("it joins", || session.log().contains("viewer 2").then_some(()));
    goes_on(&viewer, "a viewer came beside the player");
    pause(pid_of(&slow), || goes_on(&viewer, "that viewer was stopped"));
    goes_on(&viewer, "that viewer went on");
    slow.kill().unwrap();
    slow.wait().unwrap();
    goes_on(&viewer, "that viewer was killed");

    pause(session.pid(), || ());
    goes_on(&viewer, "Stratus was stopped");
    assert_eq!(viewer.seen().missing, 0);

    // Whoever is stopped when the session ends does not stay behind.
    stop(session.find("foot"));
    stop(session.find("sway"));
    session.signal(Signal::SIGTERM);
    assert_eq!(session.wait().code(), Some(0), "{}", session.log());
    assert!(inhabitants(session.place.path()).is_empty(), "{}", session.log());
    let warned =
        session.log().lines().filter(|l| l.contains("WARN") || l.contains("ERROR")).count();
    assert_eq!(warned, 0, "{}", session.log());
}

/// A compositor that hangs fills its sockets while somebody plays, and then takes connections that
/// it never answers.
#[test]
fn a_session_ends_although_its_compositor_is_stopped_under_a_player_s_hands() {
    let mut session = Session::run(&["--size", "320x240"], &SCROLLING);
    session.find("foot");
    let moves: String = (0..10_000).map(|i| format!("{}ms by 1 {}\n", i * 2, i % 3)).collect();
    let (mut player, _place) = player(&session.link, &moves);
    eventually("it plays", || session.log().contains("player 1").then_some(()));
    stop(session.find("sway"));
    let lost = "the player's keys and pointer do not reach the game";
    eventually("its input is not read", || session.log().contains(lost).then_some(()));
    // Within this Sway is tried again.
    std::thread::sleep(Duration::from_millis(1500));
    session.signal(Signal::SIGTERM);
    assert_eq!(session.wait().code(), Some(0), "{}", session.log());
    assert!(inhabitants(session.place.path()).is_empty(), "{}", session.log());
    player.kill().unwrap();
    player.wait().unwrap();
}
