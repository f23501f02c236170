//! A limit of open files that is reached: those who are there go on, those who come wait.

use std::process::Command;

use stratus_harness::compositor::Record;
use stratus_harness::raw::{RawClient, Wire};

use crate::stage::{LIMIT, Stage};

/// Open files that the proxy may have.
const FILES: u32 = 128;

fn with_few_files(command: Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -n {FILES}; exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

#[test]
fn when_no_files_are_left_newcomers_wait_and_the_others_still_send_theirs() {
    let stage = Stage::with("few files", Record::Nothing, with_few_files);
    let bystander = stage.bystander();
    let mut early = crate::attacks::prepared(&stage.socket());
    let crowd: Vec<RawClient> = (0..FILES).map(|_| stage.connect()).collect();
    let said = stage.one_warning("files", 0);
    assert!(said.contains("new clients have to wait"), "{said}");
    // One that is there still gets fds through, as many as it likes one after the other.
    let memory = tempfile::tempfile().unwrap();
    memory.set_len(4096).unwrap();
    for n in 0..200 {
        let pool = Wire::new(5, 0).word(8).word(4096).bytes();
        let fds = [std::os::fd::AsFd::as_fd(&memory)];
        early.send(&pool, &fds).unwrap();
        early.message(&Wire::new(8, 1)).unwrap();
        early.sync(3, LIMIT).unwrap_or_else(|e| panic!("pool {n}: {e}"));
    }
    let woken = stage.compositor.with_seen(|seen| seen.connected);
    assert!(woken < u64::from(FILES) / 2, "{woken} clients came in");
    bystander.goes_on("no files were left");
    assert_eq!(stage.warnings().len(), 1, "{:?}", stage.warnings());
    drop(crowd);
    // The newcomer comes in as soon as there is room.
    let mut late = stage.connect();
    late.sync(2, LIMIT).unwrap();
    bystander.ends_well();
}
