//! The tables against the protocol descriptions that the system has installed.
//!
//! Those are read here by a few lines of text search, so the comparison owes nothing to the scanner
//! that made the tables. An interface only grows at its end: an older description must be the
//! beginning of our table, and a newer one may go on after it. `STRATUS_PROTOCOLS` names further
//! folders, with colons between them, such as checkouts of what is not released yet.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use stratus_protocols::{AllowNull, ArgumentType, InterfaceId, MessageDesc};
use stratus_proxy_core::GlobalPolicy;

/// Where Debian's packages libwayland-dev, wayland-protocols, plasma-wayland-protocols and
/// libraries that bring descriptions of their own put them.
const FOLDERS: [&str; 4] = [
    "/usr/share/wayland",
    "/usr/share/wayland-protocols",
    "/usr/share/plasma-wayland-protocols",
    "/usr/share/wlr-protocols",
];

/// Interfaces of old protocols that are no globals and whose globals are hidden by name.
const PARTS_WITHOUT_TABLES: &[&str] =
    &["zxdg_positioner_v6", "zxdg_surface_v6", "zxdg_toplevel_v6", "zxdg_popup_v6"];

/// Interfaces that are gone from the newest descriptions.
const DROPPED: &[(&str, &str)] = &[
    ("xdg_surface", "xdg-shell-unstable-v5 gave the name to another interface"),
    ("xdg_popup", "xdg-shell-unstable-v5 gave the name to another interface"),
];

#[derive(Debug, PartialEq, Eq)]
struct Message {
    name: String,
    signature: String,
    since: u32,
    destructor: bool,
}

#[derive(Debug)]
struct Described {
    name: String,
    version: u32,
    requests: Vec<Message>,
    events: Vec<Message>,
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "xml") {
            found.push(path);
        }
    }
}

/// The tags of a description in order, comments left out: name and attributes as they stand.
fn tags(text: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        if let Some(after) = rest.strip_prefix("<!--") {
            rest = &after[after.find("-->").expect("a comment ends") + 3..];
            continue;
        }
        let (mut quote, mut end) = (None, 0);
        for (at, c) in rest.char_indices() {
            match (quote, c) {
                (None, '>') => {
                    end = at;
                    break;
                }
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), c) if open == c => quote = None,
                _ => {}
            }
        }
        tags.push(rest[1..end].replace(['\n', '\t'], " "));
        rest = &rest[end..];
    }
    tags
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}="))?;
    let quote = rest.chars().next()?;
    rest[1..].split(quote).next()
}

/// The letter of an argument, as libwayland writes signatures.
fn letter(tag: &str) -> String {
    let kind = attribute(tag, "type").unwrap();
    let null = if attribute(tag, "allow-null") == Some("true") { "?" } else { "" };
    let letter = match kind {
        "int" => "i",
        "uint" => "u",
        "fixed" => "f",
        "string" => "s",
        "object" => "o",
        // Interface, version and id: an untyped new id is three arguments on the wire.
        "new_id" if attribute(tag, "interface").is_none() => "sun",
        "new_id" => "n",
        "array" => "a",
        "fd" => "h",
        other => panic!("an argument of type {other}"),
    };
    format!("{null}{letter}")
}

fn read(text: &str) -> Vec<Described> {
    let mut all: Vec<Described> = Vec::new();
    let mut request = true;
    for tag in tags(text) {
        let kind = tag.split([' ', '/']).next().unwrap_or_default();
        match kind {
            "interface" => all.push(Described {
                name: attribute(&tag, "name").unwrap().to_owned(),
                version: attribute(&tag, "version").unwrap().parse().unwrap(),
                requests: Vec::new(),
                events: Vec::new(),
            }),
            "request" | "event" => {
                request = kind == "request";
                let message = Message {
                    name: attribute(&tag, "name").unwrap().to_owned(),
                    signature: String::new(),
                    since: attribute(&tag, "since").map_or(1, |s| s.parse().unwrap()),
                    destructor: attribute(&tag, "type") == Some("destructor"),
                };
                let last = all.last_mut().unwrap();
                if request { &mut last.requests } else { &mut last.events }.push(message);
            }
            "arg" => {
                let last = all.last_mut().unwrap();
                let messages = if request { &mut last.requests } else { &mut last.events };
                messages.last_mut().unwrap().signature += &letter(&tag);
            }
            _ => {}
        }
    }
    all
}

fn of_table(message: &MessageDesc) -> Message {
    let untyped = message.child_interface.is_none();
    let letter = |argument: &ArgumentType| match argument {
        ArgumentType::Int => "i",
        ArgumentType::Uint => "u",
        ArgumentType::Fixed => "f",
        ArgumentType::Str(AllowNull::No) => "s",
        ArgumentType::Str(AllowNull::Yes) => "?s",
        ArgumentType::Object(AllowNull::No) => "o",
        ArgumentType::Object(AllowNull::Yes) => "?o",
        ArgumentType::NewId if untyped => "sun",
        ArgumentType::NewId => "n",
        ArgumentType::Array => "a",
        ArgumentType::Fd => "h",
    };
    let mut signature: String = message.signature.iter().map(letter).collect();
    // Where a table already spells out interface and version, they stand once.
    signature = signature.replace("susun", "sun");
    Message {
        name: message.name.to_owned(),
        signature,
        since: message.since,
        destructor: message.is_destructor,
    }
}

/// What differs between a description's messages and ours, beyond one going on after the other.
fn differences(theirs: &[Message], ours: &[MessageDesc], versions: (u32, u32)) -> Vec<String> {
    let (their_version, our_version) = versions;
    let mut found = Vec::new();
    for (at, message) in theirs.iter().enumerate() {
        match ours.get(at).map(of_table) {
            Some(ours) if ours == *message => {}
            // Nothing on the wire: a later description may let an argument be null.
            Some(ours) if equal_but_for_null(&ours, message) => {}
            None if message.since > our_version => {}
            ours => found.push(format!("{message:?}, but the table has {ours:?}")),
        }
    }
    for message in ours.iter().skip(theirs.len()).filter(|m| m.since <= their_version) {
        found.push(format!("the table has {} more", message.name));
    }
    found
}

fn equal_but_for_null(ours: &Message, theirs: &Message) -> bool {
    let plain = |m: &Message| m.signature.replace('?', "");
    (&ours.name, plain(ours), ours.since, ours.destructor)
        == (&theirs.name, plain(theirs), theirs.since, theirs.destructor)
}

fn installed() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let more = std::env::var_os("STRATUS_PROTOCOLS").unwrap_or_default();
    let folders = FOLDERS.iter().map(PathBuf::from).chain(std::env::split_paths(&more));
    for folder in folders.filter(|folder| !folder.as_os_str().is_empty()) {
        let before = found.len();
        files(&folder, &mut found);
        if found.len() == before {
            println!("skipped: there are no descriptions in {}", folder.display());
        }
    }
    // Descriptions that test how others read descriptions are none.
    found.retain(|path| !path.to_string_lossy().contains("/tests/"));
    found
}

#[test]
fn every_installed_description_is_the_beginning_of_its_table() {
    let policy = GlobalPolicy::default();
    let (mut compared, mut wrong) = (0, Vec::new());
    for path in installed() {
        for theirs in read(&std::fs::read_to_string(&path).unwrap()) {
            if path.to_string_lossy().contains("unstable-v5")
                && DROPPED.iter().any(|(name, _)| *name == theirs.name)
            {
                continue;
            }
            let Some(id) = InterfaceId::find(&theirs.name) else {
                let known = policy.of(&theirs.name).reason != policy.of("no such global").reason;
                if !known && !PARTS_WITHOUT_TABLES.contains(&theirs.name.as_str()) {
                    wrong.push(format!("{} of {} is unknown", theirs.name, path.display()));
                }
                continue;
            };
            compared += 1;
            let (table, versions) = (id.interface(), (theirs.version, id.version()));
            let messages = differences(&theirs.requests, table.requests, versions)
                .into_iter()
                .chain(differences(&theirs.events, table.events, versions));
            wrong.extend(messages.map(|m| format!("{} of {}: {m}", id, path.display())));
        }
    }
    println!("{compared} interfaces compared");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The comparison can fail.
#[test]
fn a_wrong_description_is_seen_as_wrong() {
    let text = "<protocol><!-- <interface name=\"no\"> --><interface name='wl_shm' version='1'>
        <request name=\"create_pool\"><arg name=\"id\" type=\"new_id\" interface=\"wl_shm_pool\"/>
        <arg name=\"size\" type=\"int\" summary=\"a > b\"/></request>
        <event name=\"format\"><arg name=\"format\" type=\"uint\"/></event>
        <event name=\"new\" since=\"99\"/></interface></protocol>";
    let wrong = &read(text)[0];
    let table = InterfaceId::WlShm.interface();
    assert_eq!(wrong.requests[0].signature, "ni");
    assert_eq!(differences(&wrong.requests, table.requests, (1, 2)).len(), 1);
    assert_eq!(differences(&wrong.events, table.events, (1, 2)), Vec::<String>::new());
    assert_eq!(differences(&wrong.events[..0], table.events, (1, 2)).len(), 1);
}
