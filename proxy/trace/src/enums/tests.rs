//! The table against known values, and against the protocol descriptions in the crates.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use stratus_protocols::{wl_output, wl_shm};

use super::*;

fn name(interface: &str, direction: Direction, message: &str, arg: usize, value: u32) -> String {
    let id = InterfaceId::find(interface).unwrap();
    let messages = match direction {
        Direction::Request => id.interface().requests,
        Direction::Event => id.interface().events,
    };
    let opcode = messages.iter().position(|m| m.name == message).unwrap() as u16;
    let namer = argument(id, direction, opcode, arg).or_else(|| array(id, direction, opcode, arg));
    namer.unwrap()(value).unwrap_or_else(|| "-".to_owned())
}

#[test]
fn known_values_have_their_names() {
    use Direction::{Event, Request};
    for (interface, direction, message, arg, value, expected) in [
        ("wl_shm", Event, "format", 0, 1, "xrgb8888"),
        ("wl_shm", Event, "format", 0, 0x3432_4241, "abgr8888"),
        ("wl_shm", Event, "format", 0, 77, "-"),
        ("wl_seat", Event, "capabilities", 0, 3, "pointer|keyboard"),
        ("wl_seat", Event, "capabilities", 0, 0, "-"),
        ("wl_seat", Event, "capabilities", 0, 0x42, "keyboard|0x40"),
        ("wl_output", Event, "geometry", 4, 2, "horizontal_rgb"),
        ("wl_output", Event, "geometry", 7, 5, "flipped90"),
        ("wl_output", Event, "geometry", 7, 1, "90"),
        ("wl_output", Event, "mode", 0, 3, "current|preferred"),
        ("wl_pointer", Event, "button", 3, 1, "pressed"),
        ("wl_pointer", Event, "axis", 1, 1, "horizontal_scroll"),
        ("wl_keyboard", Event, "keymap", 0, 1, "xkb_v1"),
        ("wl_data_offer", Request, "set_actions", 1, 2, "move"),
        ("xdg_positioner", Request, "set_anchor", 0, 8, "bottom_right"),
        ("xdg_toplevel", Request, "resize", 2, 10, "bottom_right"),
        ("xdg_toplevel", Event, "configure", 2, 4, "activated"),
        ("xdg_toplevel", Event, "wm_capabilities", 0, 3, "fullscreen"),
        ("wp_cursor_shape_device_v1", Request, "set_shape", 1, 4, "pointer"),
        ("wl_surface", Request, "set_buffer_transform", 0, 0, "normal"),
    ] {
        assert_eq!(
            name(interface, direction, message, arg, value),
            expected,
            "{interface}.{message}"
        );
    }
    assert_eq!(errors(InterfaceId::WlDisplay).unwrap()(1).unwrap(), "invalid_method");
    assert_eq!(errors(InterfaceId::XdgWmBase).unwrap()(4).unwrap(), "invalid_surface_state");
    assert!(errors(InterfaceId::WlCallback).is_none());
    // The generated code agrees with the numbers above.
    assert_eq!(u32::from(wl_shm::Format::Abgr8888), 0x3432_4241);
    assert_eq!(u32::from(wl_output::Transform::Flipped90), 5);
}

/// The protocol descriptions that the code of the crates names, read as plain text.
fn descriptions() -> Vec<PathBuf> {
    let out = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .expect("cargo runs");
    let json = String::from_utf8(out.stdout).unwrap();
    let mut found = Vec::new();
    for manifest in json.split("\"manifest_path\":\"").skip(1) {
        let folder = Path::new(manifest.split('"').next().unwrap()).parent().unwrap();
        let name = folder.file_name().unwrap().to_string_lossy();
        if !["wayland-client-", "wayland-protocols-"].iter().any(|p| name.starts_with(p)) {
            continue;
        }
        for entry in std::fs::read_dir(folder.join("src")).unwrap().flatten() {
            let Ok(code) = std::fs::read_to_string(entry.path()) else { continue };
            let code = code.lines().filter(|l| !l.trim_start().starts_with("//"));
            let quoted = code.flat_map(|l| l.split('"').skip(1).step_by(2));
            found.extend(quoted.filter(|t| t.ends_with(".xml")).map(|t| folder.join(t)));
        }
    }
    found.sort();
    found.dedup();
    assert!(found.len() > 90, "{found:?}");
    found
}

/// The tags of a description, in order, without comments: name and attributes.
fn tags(path: &Path) -> Vec<String> {
    let mut text = std::fs::read_to_string(path).unwrap();
    while let Some(start) = text.find("<!--") {
        let end = text[start..].find("-->").unwrap() + start + 3;
        text.replace_range(start..end, "");
    }
    text.split('<').skip(1).map(|t| t.split('>').next().unwrap().replace('\n', " ")).collect()
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

fn number(text: &str) -> u32 {
    match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).unwrap(),
        None => text.parse().unwrap(),
    }
}

#[derive(Default)]
struct Described {
    /// By `interface.enum`.
    enums: HashMap<String, Vec<(String, u32)>>,
    /// Interface, direction, message, argument, `interface.enum`.
    uses: Vec<(String, Direction, String, usize, String)>,
}

impl Described {
    fn read(&mut self, path: &Path) {
        let (mut interface, mut of_enum, mut message, mut direction, mut index) =
            (String::new(), String::new(), String::new(), Direction::Request, 0);
        for tag in tags(path) {
            let named = |name: &str| attribute(&tag, name).unwrap_or_default().to_owned();
            match tag.split_whitespace().next().unwrap_or_default() {
                "interface" => interface = named("name"),
                kind @ ("request" | "event") => {
                    direction =
                        if kind == "request" { Direction::Request } else { Direction::Event };
                    (message, index) = (named("name"), 0);
                }
                "enum" => of_enum = format!("{interface}.{}", named("name")),
                "entry" => {
                    let entry = (named("name"), number(&named("value")));
                    self.enums.entry(of_enum.clone()).or_default().push(entry);
                }
                "arg" => {
                    if let Some(kind) = attribute(&tag, "enum") {
                        let kind = if kind.contains('.') {
                            kind.to_owned()
                        } else {
                            format!("{interface}.{kind}")
                        };
                        let place = (interface.clone(), direction, message.clone(), index, kind);
                        self.uses.push(place);
                    }
                    index += 1;
                }
                _ => {}
            }
        }
    }
}

/// A name as Rust code can keep it.
fn kept(name: &str) -> String {
    let mut kept = String::new();
    for c in name.chars().rev() {
        if c == '_' && kept.ends_with(|last: char| last.is_ascii_digit()) {
            continue;
        }
        kept.push(c.to_ascii_lowercase());
    }
    kept.chars().rev().collect()
}

#[test]
fn every_enum_argument_of_the_descriptions_has_the_names_of_its_enum() {
    let mut described = Described::default();
    descriptions().iter().for_each(|path| described.read(path));
    assert!(described.uses.len() > 150);
    for (interface, direction, message, index, kind) in &described.uses {
        for (entry, value) in &described.enums[kind] {
            let found = name(interface, *direction, message, *index, *value);
            // A bit field has no name for no bits, and joins those of several.
            let fits = found == kept(entry) || found == "-" && *value == 0 || found.contains('|');
            assert!(fits, "{interface}.{message}[{index}]: {value} is {entry}, not {found}");
        }
    }
    // Nothing is in the table that no description has.
    assert!(BY_PLACE.len() <= described.uses.len() + 20, "{}", BY_PLACE.len());
    for (kind, entries) in described.enums.iter().filter(|(kind, _)| kind.ends_with(".error")) {
        let id = InterfaceId::find(kind.trim_end_matches(".error")).unwrap();
        for (entry, value) in entries {
            assert_eq!(errors(id).unwrap()(*value), Some(kept(entry)), "{kind}");
        }
    }
}
