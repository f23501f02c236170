//! Keeps the rules of ARCHITECTURE.md that a program can keep.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines after which a file has more than one idea.
const MAX_LINES: usize = 450;

/// Files that are one table, which nobody reads from top to bottom.
const TABLES: &[&str] = &["protocols/src/list.rs"];

/// The crates, with the crates of ours that each may import (layout: no cycles, and a core knows
/// nothing of what stands around it).
const CRATES: &[(&str, &[&str])] = &[
    ("protocols", &[]),
    ("proxy/core", &["stratus-protocols"]),
    ("proxy", &["stratus-proxy-core", "stratus-frame"]),
    (
        "proxy/recording",
        &["stratus-protocols", "stratus-proxy-core", "stratus-proxy", "stratus-frame"],
    ),
    ("proxy/trace", &["stratus-protocols", "stratus-proxy-core", "stratus-frame"]),
    ("capture/frame", &[]),
    ("capture/mapping", &[]),
    ("capture/compose", &["stratus-frame"]),
    ("capture/dmabuf", &["stratus-frame", "stratus-mapping"]),
    (
        "capture",
        &[
            "stratus-proxy-core",
            "stratus-protocols",
            "stratus-frame",
            "stratus-mapping",
            "stratus-compose",
            "stratus-dmabuf",
        ],
    ),
    ("stream/encode", &["stratus-frame"]),
    ("stream/core", &["stratus-frame"]),
    ("stream/input", &["stratus-frame"]),
    ("stream/audio", &["stratus-frame"]),
    ("stream/web", &[]),
    ("stream/window", &["stratus-frame"]),
    ("stream", &["stratus-stream-core", "stratus-frame", "stratus-web"]),
    (
        ".",
        &[
            "stratus-protocols",
            "stratus-proxy-core",
            "stratus-proxy",
            "stratus-recording",
            "stratus-trace",
            "stratus-frame",
            "stratus-capture",
            "stratus-encode",
            "stratus-input",
            "stratus-audio",
            "stratus-window",
            "stratus-stream-core",
            "stratus-stream",
        ],
    ),
    ("harness", &[]),
    (
        "harness/bench",
        &[
            "stratus-encode",
            "stratus-frame",
            "stratus-harness",
            "stratus-mapping",
            "stratus-stream",
        ],
    ),
    (
        "benches/counts",
        &[
            "stratus-protocols",
            "stratus-proxy-core",
            "stratus-frame",
            "stratus-capture",
            "stratus-encode",
        ],
    ),
];

/// What a core must not touch: it takes bytes and time as arguments.
const FORBIDDEN_IN_CORES: &[&str] = &[
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "std::os::unix::net",
    "Instant::now",
    "SystemTime",
    "MonoTime::now",
    "std::thread",
    "nix::",
    "tokio::",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// All Rust sources below `dir`, relative to the root, built and hidden folders left out.
fn sources(dir: &str) -> Vec<PathBuf> {
    fn walk(dir: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                walk(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                out.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    let mut out = Vec::new();
    walk(&root().join(dir), &mut out);
    out.sort();
    assert!(!out.is_empty(), "no sources in {dir}");
    out
}

fn fail_if_any(rule: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{rule}:\n  {}", offenders.join("\n  "));
}

#[test]
fn every_file_says_first_what_it_is() {
    let offenders: Vec<String> = sources(".")
        .iter()
        .filter(|p| !read(&root().join(p)).starts_with("//!"))
        .map(|p| p.display().to_string())
        .collect();
    fail_if_any("a file starts with its module documentation", &offenders);
}

#[test]
fn files_stay_short() {
    let offenders: Vec<String> = sources(".")
        .iter()
        .filter(|p| !TABLES.iter().any(|table| p.ends_with(table)))
        .map(|p| (p, read(&root().join(p)).lines().count()))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .map(|(p, lines)| format!("{} has {lines} lines", p.display()))
        .collect();
    fail_if_any("a file has at most 450 lines; split it by sub-state", &offenders);
}

#[test]
fn crates_import_only_what_the_layout_allows() {
    let mut offenders = Vec::new();
    for (dir, allowed) in CRATES {
        let manifest: toml::Table =
            read(&root().join(dir).join("Cargo.toml")).parse().expect("a manifest is TOML");
        let imported = manifest["dependencies"].as_table().expect("dependencies");
        for name in imported.keys().filter(|n| n.starts_with("stratus")) {
            if !allowed.contains(&name.as_str()) {
                offenders.push(format!("{dir} imports {name}"));
            }
        }
    }
    fail_if_any("imports follow ARCHITECTURE.md", &offenders);
}

#[test]
fn cores_have_no_clock_no_socket_and_no_thread() {
    let mut offenders = Vec::new();
    for path in sources("proxy/core/src").into_iter().chain(sources("stream/core/src")) {
        if path.to_string_lossy().contains("tests") {
            continue;
        }
        let text = read(&root().join(&path));
        // Tests inside a file come last, after this attribute.
        let code = text.split("#[cfg(test)]").next().unwrap_or(&text);
        for word in FORBIDDEN_IN_CORES {
            if code.lines().any(|l| !l.trim_start().starts_with("//") && l.contains(word)) {
                offenders.push(format!("{} uses {word}", path.display()));
            }
        }
    }
    fail_if_any("a core takes bytes and time as arguments", &offenders);
}

#[test]
fn unsafe_stays_in_the_files_that_the_architecture_names() {
    let architecture = read(&root().join("ARCHITECTURE.md"));
    let offenders: Vec<String> = sources(".")
        .into_iter()
        .filter(|p| !p.ends_with("tests/tidy.rs"))
        .filter(|p| {
            // The attribute may have a reason and stand on several lines.
            let text = read(&root().join(p));
            let attributes =
                text.split("#![allow(").skip(1).filter_map(|rest| rest.split(")]").next());
            attributes.into_iter().any(|a| a.contains("unsafe_code"))
        })
        .map(|p| p.display().to_string())
        .filter(|p| !architecture.contains(&format!("`{p}`")))
        .collect();
    fail_if_any("a file with unsafe code is listed in ARCHITECTURE.md", &offenders);
}

#[test]
fn every_dependency_has_its_sentence() {
    let manifest: toml::Table =
        read(&root().join("Cargo.toml")).parse().expect("the manifest is TOML");
    let fuzz: toml::Table =
        read(&root().join("fuzz/Cargo.toml")).parse().expect("the manifest is TOML");
    let architecture = read(&root().join("ARCHITECTURE.md"));
    let dependencies = manifest["workspace"]["dependencies"].as_table().expect("dependencies");
    let offenders: Vec<String> = dependencies
        .keys()
        .chain(fuzz["dependencies"].as_table().expect("dependencies").keys())
        .filter(|name| !name.starts_with("stratus"))
        .filter(|name| !architecture.contains(&format!("`{name}`")))
        .cloned()
        .collect();
    fail_if_any("a dependency has a sentence in ARCHITECTURE.md", &offenders);
    let ours: BTreeSet<&str> = CRATES.iter().map(|(dir, _)| *dir).collect();
    let members = manifest["workspace"]["members"].as_array().expect("members");
    for member in members.iter().filter_map(toml::Value::as_str).filter(|m| *m != "benches") {
        assert!(ours.contains(member), "{member} is missing from this test's table of crates");
    }
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = ["todo!(", "unimplemented!(", "FIXME", "XXX", "HACK"];
    let mut offenders = Vec::new();
    for path in sources(".") {
        if path.ends_with("tests/tidy.rs") {
            continue;
        }
        for (number, line) in read(&root().join(&path)).lines().enumerate() {
            if marks.iter().any(|m| line.contains(m)) {
                offenders.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    fail_if_any("unfinished work is an issue, not a mark in the code", &offenders);
}

#[test]
fn the_table_of_hostile_programs_names_tests_that_exist() {
    let table = read(&root().join("docs/hostile.md"));
    let named = table.split('`').filter(|span| span.contains(".rs::"));
    let offenders: Vec<String> = named
        .clone()
        .filter(|span| {
            let (file, test) = span.split_once("::").expect("both");
            !fs::read_to_string(root().join(file))
                .is_ok_and(|text| text.contains(&format!("fn {test}(")))
        })
        .map(str::to_owned)
        .collect();
    assert!(named.count() > 40, "the table is there");
    fail_if_any("docs/hostile.md names tests by file and name", &offenders);
}
