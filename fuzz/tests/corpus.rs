//! Every kept input, and a fixed number of seeded mutations of them, through every target.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use stratus_fuzz::mutate::{Random, mutated};
use stratus_fuzz::{TARGETS, Target};

/// Mutated inputs a target, unless `STRATUS_FUZZ_MUTATIONS` says another number.
const MUTATIONS: usize = 6000;

/// The kept inputs of a target, in the order of their names.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder).expect("a corpus").map(|e| e.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no inputs", folder.display());
    files.into_iter().map(|f| (f.clone(), fs::read(f).expect("an input"))).collect()
}

/// Runs one input and, on a finding, says with which bytes it can be had again.
fn run(target: &Target, what: &str, bytes: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).is_err() {
        let path = std::env::temp_dir().join(format!("stratus-fuzz-{}-finding", target.name));
        let kept = fs::write(&path, bytes).map(|()| path);
        panic!("target {} found something with {what}; its bytes are in {kept:?}", target.name);
    }
}

fn play(name: &str) {
    // The targets tell fds by their numbers, which a process has once only.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let target = TARGETS.iter().find(|t| t.name == name).expect("a target of that name");
    let files = corpus(name);
    for (path, bytes) in &files {
        run(target, &path.display().to_string(), bytes);
    }
    let count = std::env::var("STRATUS_FUZZ_MUTATIONS").ok().and_then(|n| n.parse().ok());
    let inputs: Vec<Vec<u8>> = files.into_iter().map(|(_, bytes)| bytes).collect();
    for seed in 0..count.unwrap_or(MUTATIONS) {
        let bytes = mutated(&inputs, &mut Random::new(seed as u64));
        run(target, &format!("mutation {seed}"), &bytes);
    }
}

#[test]
fn wire() {
    play("wire");
}

#[test]
fn session() {
    play("session");
}

#[test]
fn capture() {
    play("capture");
}

#[test]
fn stream() {
    play("stream");
}

#[test]
fn recording() {
    play("recording");
}

#[test]
fn every_target_is_played_here() {
    let names: Vec<&str> = TARGETS.iter().map(|t| t.name).collect();
    assert_eq!(names, ["wire", "session", "capture", "stream", "recording"]);
}
