//! The list holds every interface of the crates and nothing that they do not have.
//!
//! Expectations come from the protocol descriptions that lie in the crates' own sources and are
//! named by their code, read here as plain text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use stratus_protocols::InterfaceId;

const CRATES: [&str; 6] = [
    "wayland-client",
    "wayland-protocols",
    "wayland-protocols-wlr",
    "wayland-protocols-misc",
    "wayland-protocols-plasma",
    "wayland-protocols-experimental",
];

/// What no crate has and we describe ourselves.
const OUR_OWN: [(&str, u32); 10] = [
    ("wl_drm", 2),
    ("frog_color_management_factory_v1", 1),
    ("frog_color_managed_surface", 1),
    ("frog_fifo_manager_v1", 1),
    ("frog_fifo_surface_v1", 1),
    ("gtk_shell1", 7),
    ("gtk_surface1", 7),
    ("xdg_session_manager_v1", 1),
    ("xdg_session_v1", 1),
    ("xdg_toplevel_session_v1", 1),
];

/// The folders of the crates that this build uses, as Cargo knows them.
fn crate_folders() -> Vec<PathBuf> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let json = String::from_utf8(out.stdout).expect("metadata is UTF-8");
    let manifests: Vec<&str> = json
        .split("\"manifest_path\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    CRATES
        .iter()
        .map(|name| {
            let folder = manifests.iter().filter_map(|m| Path::new(m).parent()).find(|folder| {
                let version = folder.file_name().unwrap().to_string_lossy();
                version.strip_prefix(name).is_some_and(|rest| {
                    rest.strip_prefix('-')
                        .is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()))
                })
            });
            folder.unwrap_or_else(|| panic!("no source of {name}")).to_path_buf()
        })
        .collect()
}

/// The descriptions that the code of a crate names.
fn descriptions(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder.join("src")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "rs") {
            let code = std::fs::read_to_string(&path).unwrap();
            let code = code.lines().filter(|l| !l.trim_start().starts_with("//"));
            found.extend(
                code.flat_map(|l| l.split('"').skip(1).step_by(2))
                    .filter(|text| text.ends_with(".xml"))
                    .map(|text| folder.join(text)),
            );
        }
    }
    found.sort();
    found.dedup();
    found
}

fn attribute<'a>(tag: &'a str, name: &str) -> &'a str {
    let (_, rest) =
        tag.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("{name}: {tag}"));
    rest.split('"').next().unwrap()
}

/// A description without its comments.
fn text_of(description: &Path) -> String {
    let mut text = std::fs::read_to_string(description).unwrap();
    while let Some(start) = text.find("<!--") {
        let end = text[start..].find("-->").unwrap() + start + 3;
        text.replace_range(start..end, "");
    }
    text
}

/// Names and versions of the interfaces of one description.
fn interfaces(description: &Path) -> Vec<(String, u32)> {
    text_of(description)
        .split("<interface")
        .skip(1)
        .map(|rest| {
            let tag = rest.split('>').next().unwrap().replace('\n', " ");
            (attribute(&tag, "name").to_owned(), attribute(&tag, "version").parse().unwrap())
        })
        .collect()
}

/// Every description in a folder and below it, but for those that tests of the crates bring.
fn all_descriptions(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            found.extend(all_descriptions(&path));
        } else if path.extension().is_some_and(|e| e == "xml") {
            found.push(path);
        }
    }
    found
}

fn described() -> BTreeMap<String, u32> {
    let mut all = BTreeMap::new();
    for folder in crate_folders() {
        let files = descriptions(&folder);
        assert!(!files.is_empty(), "{} names no description", folder.display());
        all.extend(files.iter().flat_map(|f| interfaces(f)));
    }
    all
}

#[test]
fn every_interface_of_the_crates_is_listed_with_its_version() {
    let mut expected = described();
    assert!(expected.contains_key("wl_display") && expected.contains_key("xdg_popup"));
    for (name, version) in OUR_OWN {
        let in_a_crate = expected.insert(name.to_owned(), version);
        assert_eq!(in_a_crate, None, "a crate has {name} now: its table is to be taken");
    }
    let listed: BTreeMap<String, u32> =
        InterfaceId::ALL.iter().map(|id| (id.name().to_owned(), id.version())).collect();
    assert_eq!(listed, expected);
}

/// A crate may ship a description that no code of it names. Its interfaces are listed all the
/// same, by a description of ours.
#[test]
fn what_lies_unused_in_a_crate_is_described_by_us() {
    let mut unused = 0;
    for folder in crate_folders() {
        let used = descriptions(&folder);
        for file in all_descriptions(&folder).iter().filter(|file| !used.contains(file)) {
            unused += 1;
            for (name, version) in interfaces(file) {
                let listed = InterfaceId::find(&name).map(InterfaceId::version);
                assert_eq!(listed, Some(version), "{name} of {}", file.display());
            }
        }
    }
    assert!(unused < 3, "{unused} descriptions without code: is the search right?");
}

/// What of an interface is seen on the wire: its messages and the types of their arguments.
fn messages(interface: &str) -> Vec<String> {
    let body = interface.split("</interface>").next().unwrap();
    let tags = body.split('<').skip(1).map(|rest| rest.split('>').next().unwrap());
    let seen = |tag: &str| {
        let kind = tag.split([' ', '\n']).next().unwrap();
        let optional = |name: &str| {
            tag.split_once(&format!(" {name}=\""))
                .map_or("", |(_, rest)| rest.split('"').next().unwrap())
        };
        match kind {
            "request" | "event" => {
                Some([kind, optional("name"), optional("type"), optional("since")].join(" "))
            }
            "arg" => Some([kind, optional("type"), optional("interface")].join(" ")),
            _ => None,
        }
    };
    tags.filter_map(seen).collect()
}

/// Where two crates describe an interface it does not matter whose table is taken.
#[test]
fn crates_that_describe_the_same_interface_agree() {
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut twice = Vec::new();
    for file in crate_folders().iter().flat_map(|folder| descriptions(folder)) {
        for interface in text_of(&file).split("<interface").skip(1) {
            let name = attribute(interface, "name").to_owned();
            let messages = messages(interface);
            if let Some(before) = known.insert(name.clone(), messages.clone()) {
                assert_eq!(before, messages, "{name} of {}", file.display());
                twice.push(name);
            }
        }
    }
    twice.sort();
    let decorations = ["org_kde_kwin_server_decoration", "org_kde_kwin_server_decoration_manager"];
    assert_eq!(twice, decorations);
}
