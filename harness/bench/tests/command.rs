//! The command line of `stratus-bench`.

#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stratus-bench")).args(arguments).output().unwrap()
}

#[test]
fn help_names_every_bench() {
    let said = bench(&["--help"]);
    assert!(said.status.success());
    let text = String::from_utf8(said.stdout).unwrap();
    for name in
        ["relay", "counts", "network", "density", "start", "capture", "glass", "peers", "click"]
    {
        assert!(text.lines().any(|line| line.trim_start().starts_with(name)), "{name}: {text}");
    }
}

#[test]
fn what_is_not_there_is_named() {
    let said = bench(&["counts", "--programs", "/nonexistent"]);
    assert_eq!(said.status.code(), Some(1));
    let text = String::from_utf8(said.stderr).unwrap();
    assert!(text.contains("/nonexistent/stratus-counts"), "{text}");
}
