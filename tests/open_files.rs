//! The limit of open files: as high as it may be for us, and as it was for the game.
//!
//! These run the real Sway.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::process::Command;

use support::{Session, place, stratus};

/// The soft and the hard limit of open files of process `pid`, as the kernel tells them.
fn limits(pid: &str) -> (String, String) {
    let text = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = text.lines().find(|l| l.starts_with("Max open files")).expect("a line of it");
    let mut fields = line.split_whitespace().skip(3).map(str::to_owned);
    (fields.next().unwrap(), fields.next().unwrap())
}

#[test]
fn stratus_may_open_what_the_system_allows_and_its_game_what_it_could_before() {
    let (_, hard) = limits("self");
    let place = place();
    let run = stratus(place.path());
    // A shell lowers the soft limit, as most systems do, before it becomes Stratus.
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -Sn 256; exec \"$0\" \"$@\""])
        .arg(run.get_program())
        .args(["run", "--", "sleep", "1000"]);
    for (name, value) in run.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let session = Session::start(place, command);
    assert_eq!(limits(&session.pid().to_string()), (hard.clone(), hard.clone()));
    let game = session.find("sleep");
    assert_eq!(limits(&game.to_string()), ("256".to_owned(), hard));
}
