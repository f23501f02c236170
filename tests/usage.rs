//! What is said to a wrong command line, and the commands that start nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::path::Path;

use support::{Said, place, say, stratus};

fn with(arguments: &[&str]) -> Said {
    let place = place();
    let mut command = stratus(place.path());
    command.args(arguments);
    say(command)
}

#[test]
fn wrong_values_are_refused_before_anything_starts() {
    for (arguments, reason) in [
        (&["--size", "0x720"][..], "the width is 0"),
        (&["--size", "1280x721"], "the height is odd"),
        (&["--size", "100000x720"], "above what the encoder takes"),
        (&["--size", "big"], "WIDTHxHEIGHT"),
        (&["--fps", "0"], "1..=240"),
        (&["--fps", "241"], "1..=240"),
        (&["--codec", "vp9"], "h264"),
        (&["--bitrate", "1"], "between 100k and 500M"),
        (&["--bitrate", "fast"], "12M"),
        (&["--listen", "nowhere"], "--listen"),
        (&["--socket", "../x"], "../x"),
        (&["--encoder-threads", "0"], "1..=64"),
        (&["--cert", "chain.pem"], "goes with its private key"),
        (&["--viewers", "65"], "0..=64"),
        (&["--capture", "maybe"], "[possible values: on, off]"),
        (&["--config", "/nonexistent/file"], "/nonexistent/file"),
        (&["--window"], "--window"),
        (&["--hide-global", "wl_nothing"], "wl_nothing"),
        (&["--allow-global", "zaura_shell"], "no table of its messages"),
        (&["--allow-global", "wl_surface"], "made by other objects"),
    ] {
        let arguments = [&["run"], arguments, &["--", "true"]].concat();
        let said = with(&arguments);
        assert_eq!(said.code, Some(2), "{arguments:?}: {}", said.err);
        assert!(said.err.contains(reason), "{arguments:?}: {}", said.err);
        assert_eq!(said.out, "");
    }
}

#[test]
fn a_game_must_be_named_behind_two_dashes() {
    assert_eq!(with(&["run"]).code, Some(2));
    let said = with(&["run", "foot"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("-- <GAME>"), "{}", said.err);
}

/// Each source names a socket that cannot be, and the complaint tells which one counted.
#[test]
fn the_command_line_beats_the_environment_beats_the_file() {
    let complaint = |environment: Option<&str>, argument: Option<&str>| {
        let place = place();
        fs::create_dir(place.path().join("stratus")).unwrap();
        fs::write(place.path().join("stratus/config.toml"), "socket = 'from/file'\n").unwrap();
        let mut command = stratus(place.path());
        command.arg("proxy");
        if let Some(value) = environment {
            command.env("STRATUS_SOCKET", value);
        }
        if let Some(value) = argument {
            command.args(["--socket", value]);
        }
        let said = say(command);
        assert_eq!(said.code, Some(2), "{}", said.err);
        said.err
    };
    assert!(complaint(None, None).contains("from/file"));
    assert!(complaint(Some("from/env"), None).contains("from/env"));
    assert!(complaint(Some("from/env"), Some("from/args")).contains("from/args"));
}

#[test]
fn a_config_file_with_a_mistake_is_named_with_the_mistake() {
    let place = place();
    let path = place.path().join("my.toml");
    fs::write(&path, "fps = 30\nsise = '1x1'\n").unwrap();
    let mut command = stratus(place.path());
    command.args(["run", "--config"]).arg(&path).args(["--", "true"]);
    let said = say(command);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("my.toml") && said.err.contains("sise"), "{}", said.err);
}

#[test]
fn help_is_complete_and_the_inside_is_hidden() {
    let said = with(&["--help"]);
    assert_eq!(said.code, Some(0));
    for command in ["run", "proxy", "play", "trace", "doctor", "completions"] {
        assert!(said.out.contains(&format!("\n  {command}")), "{command}: {}", said.out);
    }
    assert!(!said.out.contains("janitor"));
    let said = with(&["run", "--help"]);
    for option in ["--size", "--fps", "--codec", "--bitrate", "--listen", "--socket", "--config"] {
        assert!(said.out.contains(option), "{option}");
    }
    assert!(!said.out.contains("--slow-encoder"));
    assert!(with(&["--version"]).out.starts_with("stratus "));
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let said = with(&["completions", shell]);
        assert_eq!(said.code, Some(0));
        assert!(said.out.contains("doctor") && said.out.contains("headless"), "{shell}");
    }
}

#[test]
fn playing_needs_a_display_or_headless_and_a_whole_link() {
    let link = "stratus://127.0.0.1:9/#x";
    let said = with(&["play", link]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("--headless"), "{}", said.err);
    let said = with(&["play", "--headless", link]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("copy it whole"), "{}", said.err);
    let said = with(&["play", "--headless", "--frames", "0", link]);
    assert_eq!(said.code, Some(2));
}

#[test]
fn a_missing_compositor_is_named() {
    let place = place();
    let mut command = stratus(place.path());
    command.arg("proxy");
    let said = say(command);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("WAYLAND_DISPLAY is not set"), "{}", said.err);

    let mut command = stratus(place.path());
    command.arg("proxy").env("WAYLAND_DISPLAY", "wayland-77");
    let said = say(command);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("wayland-77"), "{}", said.err);

    let mut command = stratus(place.path());
    command.args(["proxy", "--socket", "here"]).env("WAYLAND_DISPLAY", "here");
    let said = say(command);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("talk to itself"), "{}", said.err);

    let mut command = stratus(place.path());
    command.arg("proxy").env_remove("XDG_RUNTIME_DIR").env("WAYLAND_DISPLAY", "wayland-77");
    let said = say(command);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("XDG_RUNTIME_DIR"), "{}", said.err);
    assert!(support::files(place.path()).is_empty());
}

#[test]
fn doctor_tells_by_its_exit_code_what_it_tells_in_words() {
    let said = with(&["doctor", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let can = report["can_stream"].as_bool().unwrap();
    assert_eq!(said.code, Some(i32::from(!can)));
    let findings = report["findings"].as_array().unwrap();
    let state = |what: &str| {
        let finding = findings.iter().find(|f| f["what"] == what);
        finding.unwrap_or_else(|| panic!("no word of {what}"))["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state("Sway"), "good");
    assert_eq!(state("libx264"), "good");
    assert_eq!(state("runtime directory"), "good");
    assert!(!report["limits"].as_array().unwrap().is_empty());

    let place = place();
    let mut command = stratus(place.path());
    command.arg("doctor").env("PATH", "/nonexistent");
    let said = say(command);
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains("apt install sway"), "{}", said.out);
}

#[test]
fn doctor_says_which_browser_there_is_and_what_for() {
    let programs = place();
    let chromium = || {
        let mut command = stratus(programs.path());
        command.args(["doctor", "--json"]).env("PATH", programs.path());
        let report: serde_json::Value = serde_json::from_str(&say(command).out).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        let found = findings.clone().find(|f| f["what"] == "Chromium").unwrap();
        (found["state"].as_str().unwrap().to_owned(), found["detail"].as_str().unwrap().to_owned())
    };
    let (state, detail) = chromium();
    assert_eq!(state, "absent");
    assert!(detail.contains("browser player") && !detail.contains("not used"), "{detail}");
    support::script(&programs.path().join("chromium"), "echo 'Chromium 131.0.6778.33 built here'");
    let (state, detail) = chromium();
    assert_eq!(state, "good");
    assert!(detail.starts_with("Chromium 131.0.6778.33 built here"), "{detail}");
    assert!(detail.contains("browser player") && !detail.contains("not used"), "{detail}");
}

#[test]
fn the_janitor_removes_nothing_but_a_sessions_directory() {
    let place = place();
    let other = place.path().join("precious");
    fs::create_dir(&other).unwrap();
    let janitor = |directory: &Path| {
        let mut command = stratus(place.path());
        command.args(["janitor", "--session", "nobody", "--directory"]).arg(directory);
        say(command)
    };
    assert_eq!(janitor(&other).code, Some(1));
    assert!(other.exists());
    let session = place.path().join("stratus-abc");
    fs::create_dir(&session).unwrap();
    assert_eq!(janitor(&session).code, Some(0));
    assert!(!session.exists());
}
