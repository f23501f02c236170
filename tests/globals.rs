//! `stratus globals`, with and without a compositor to ask.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::Value;
use stratus_harness::compositor::{Compositor, Config, Global};
use support::{place, say, stratus};

/// Name, version offered and version that games see.
type Seen = (String, Option<u64>, Option<u64>);

fn listed(json: &str) -> (Option<String>, Vec<Seen>) {
    let report: Value = serde_json::from_str(json).unwrap();
    let sections = report["sections"].as_array().unwrap();
    let globals = sections.iter().flat_map(|s| s["globals"].as_array().unwrap());
    let seen = globals.map(|g| {
        assert!(!g["reason"].as_str().unwrap().is_empty(), "{g}");
        (g["name"].as_str().unwrap().to_owned(), g["offered"].as_u64(), g["forwarded"].as_u64())
    });
    (report["compositor"].as_str().map(str::to_owned), seen.collect())
}

#[test]
fn a_compositor_s_globals_are_listed_as_games_see_them() {
    let place = place();
    let globals = [vec![Global::unknown(), Global::screencopy()], Global::usual()].concat();
    let config = Config { globals, ..Config::default() };
    let _compositor = Compositor::start(&place.path().join("wayland-7"), config).unwrap();
    let ask = |arguments: &[&str]| {
        let mut command = stratus(place.path());
        command.env("WAYLAND_DISPLAY", "wayland-7").arg("globals").args(arguments);
        let said = say(command);
        assert_eq!(said.code, Some(0), "{}", said.err);
        said.out
    };
    let (compositor, seen) = listed(&ask(&["--json"]));
    assert_eq!(compositor.as_deref(), Some("wayland-7"));
    let find = |seen: &[Seen], name: &str| {
        let found = seen.iter().find(|(n, ..)| n == name);
        let (_, offered, forwarded) = found.unwrap_or_else(|| panic!("no {name} in {seen:?}"));
        (*offered, *forwarded)
    };
    assert_eq!(find(&seen, "zharness_unheard_of_v7"), (Some(7), None));
    assert_eq!(find(&seen, "zwlr_screencopy_manager_v1"), (Some(3), None));
    let (offered, forwarded) = find(&seen, "wl_compositor");
    assert!(offered.is_some() && offered == forwarded, "{offered:?} {forwarded:?}");

    let changed =
        ["--json", "--allow-global=zwlr_screencopy_manager_v1", "--hide-global=wl_compositor"];
    let (_, seen) = listed(&ask(&changed));
    assert_eq!(find(&seen, "zwlr_screencopy_manager_v1"), (Some(3), Some(3)));
    assert_eq!(find(&seen, "wl_compositor").1, None);

    let text = ask(&[]);
    let line = text.lines().find(|l| l.starts_with("zwlr_screencopy_manager_v1")).unwrap();
    assert!(line.contains("hidden  reads the screen"), "{text}");

    let (compositor, all) = listed(&ask(&["--all", "--json"]));
    assert_eq!(compositor, None);
    assert_eq!(find(&all, "xdg_wm_base").0, None);
    assert!(find(&all, "xdg_wm_base").1.is_some());
    assert_eq!(find(&all, "zaura_shell"), (None, None));
}

#[test]
fn without_a_compositor_there_is_the_table_and_a_wrong_one_is_named() {
    let place = place();
    let mut command = stratus(place.path());
    command.arg("globals");
    let said = say(command);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.contains("zwlr_screencopy_manager_v1"), "{}", said.out);

    let mut command = stratus(place.path());
    command.env("WAYLAND_DISPLAY", "wayland-8").arg("globals");
    let said = say(command);
    assert_eq!(said.code, Some(1), "{}", said.out);
    assert!(said.err.contains("wayland-8") && said.err.contains("what to do"), "{}", said.err);

    let mut command = stratus(place.path());
    command.args(["globals", "--allow-global", "wl_nothing"]);
    assert_eq!(say(command).code, Some(2));
}
