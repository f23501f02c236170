//! The tables agree with each other, so that a walk along new ids never leaves them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;

use stratus_protocols::{AllowNull, ArgumentType, Interface, InterfaceId, MessageDesc};

const ANONYMOUS: &str = "<anonymous>";

fn messages() -> impl Iterator<Item = (InterfaceId, &'static MessageDesc)> {
    InterfaceId::ALL.iter().flat_map(|&id| {
        let table = id.interface();
        table.requests.iter().chain(table.events).map(move |m| (id, m))
    })
}

fn known(table: &'static Interface) -> bool {
    InterfaceId::of(table).is_some_and(|id| std::ptr::eq(id.interface(), table))
}

#[test]
fn every_child_and_argument_leads_to_a_listed_table() {
    for (id, message) in messages() {
        if let Some(child) = message.child_interface {
            assert!(known(child), "{id}.{}: new id of {}", message.name, child.name);
        }
        for argument in message.arg_interfaces.iter().filter(|i| i.name != ANONYMOUS) {
            assert!(known(argument), "{id}.{}: argument {}", message.name, argument.name);
        }
    }
}

#[test]
fn only_bind_makes_objects_of_an_unnamed_interface() {
    for (id, message) in messages() {
        let made = message.signature.iter().filter(|a| **a == ArgumentType::NewId).count();
        assert!(made <= 1, "{id}.{} makes {made} objects", message.name);
        let untyped = made == 1 && message.child_interface.is_none();
        let is_bind = id == InterfaceId::WlRegistry && message.name == "bind";
        assert_eq!(untyped, is_bind, "{id}.{}", message.name);
    }
}

#[test]
fn names_are_unique_and_found() {
    let names: HashSet<_> = InterfaceId::ALL.iter().map(|id| id.name()).collect();
    assert_eq!(names.len(), InterfaceId::ALL.len());
    for (number, &id) in InterfaceId::ALL.iter().enumerate() {
        assert_eq!(id as usize, number);
        assert_eq!(InterfaceId::find(id.name()), Some(id));
        assert_eq!(InterfaceId::of(id.interface()), Some(id));
    }
    for unknown in ["", "wl_", "wl_surfac", "wl_surface\0", "zzz", ANONYMOUS] {
        assert_eq!(InterfaceId::find(unknown), None, "{unknown:?}");
    }
}

#[test]
fn variants_are_the_names_in_camel_case() {
    for id in InterfaceId::ALL {
        let camel: String = id
            .name()
            .split('_')
            .map(|part| {
                let mut letters = part.chars();
                letters.next().map_or(String::new(), |c| c.to_ascii_uppercase().to_string())
                    + letters.as_str()
            })
            .collect();
        assert_eq!(format!("{id:?}"), camel);
    }
}

#[test]
fn tables_are_found_by_number_and_by_name_and_opcodes_have_names() {
    use stratus_protocols::{wl_surface, xdg_toplevel};
    let table = InterfaceId::WlSurface.interface();
    assert_eq!(table.requests[wl_surface::REQ_COMMIT_OPCODE as usize].name, "commit");
    assert_eq!(InterfaceId::find(b"xdg_toplevel"), Some(InterfaceId::XdgToplevel));
    assert_eq!(InterfaceId::find(b"xdg_topleve"), None);
    assert_eq!(xdg_toplevel::EVT_CONFIGURE_OPCODE, 0);
}

#[test]
fn wl_drm_has_the_signatures_that_mesa_speaks() {
    use ArgumentType::{Fd, Int, NewId, Uint};
    let table = InterfaceId::WlDrm.interface();
    let prime = &table.requests[stratus_protocols::wl_drm::REQ_CREATE_PRIME_BUFFER_OPCODE as usize];
    let expected = [NewId, Fd, Int, Int, Uint, Int, Int, Int, Int, Int, Int];
    assert_eq!(prime.signature, expected);
    assert_eq!(prime.since, 2);
    assert_eq!(prime.child_interface.map(|i| i.name), Some("wl_buffer"));
    assert_eq!(table.requests.len(), 4);
    assert_eq!(table.events.len(), 4);
}

/// One message as the two sides speak it: signature in libwayland's letters, version, destructor.
type Spoken = (&'static str, &'static str, u32, bool);

/// What stands in the sources of the programs that speak these interfaces.
const SPOKEN: &[(&str, &[Spoken], &[Spoken])] = &[
    (
        "frog_color_management_factory_v1",
        &[("destroy", "", 1, true), ("get_color_managed_surface", "on", 1, false)],
        &[],
    ),
    (
        "frog_color_managed_surface",
        &[
            ("destroy", "", 1, true),
            ("set_known_transfer_function", "u", 1, false),
            ("set_known_container_color_volume", "u", 1, false),
            ("set_render_intent", "u", 1, false),
            ("set_hdr_metadata", "uuuuuuuuuuuu", 1, false),
        ],
        &[("preferred_metadata", "uuuuuuuuuuuu", 1, false)],
    ),
    ("frog_fifo_manager_v1", &[("destroy", "", 1, true), ("get_fifo", "no", 1, false)], &[]),
    (
        "frog_fifo_surface_v1",
        &[("set_barrier", "", 1, false), ("wait_barrier", "", 1, false), ("destroy", "", 1, true)],
        &[],
    ),
    (
        "gtk_shell1",
        &[
            ("get_gtk_surface", "no", 1, false),
            ("set_startup_id", "?s", 1, false),
            ("system_bell", "?o", 1, false),
            ("notify_launch", "s", 3, false),
        ],
        &[("capabilities", "u", 1, false)],
    ),
    (
        "gtk_surface1",
        &[
            ("set_dbus_properties", "?s?s?s?s?s?s", 1, false),
            ("set_modal", "", 1, false),
            ("unset_modal", "", 1, false),
            ("present", "u", 1, false),
            ("request_focus", "?s", 3, false),
            ("release", "", 4, true),
            ("titlebar_gesture", "uou", 5, false),
            ("set_a11y_properties", "ss", 7, false),
        ],
        &[("configure", "a", 1, false), ("configure_edges", "a", 2, false)],
    ),
    ("xdg_session_manager_v1", &[("destroy", "", 1, true), ("get_session", "nu?s", 1, false)], &[]),
    (
        "xdg_session_v1",
        &[
            ("destroy", "", 1, true),
            ("remove", "", 1, true),
            ("add_toplevel", "nos", 1, false),
            ("restore_toplevel", "nos", 1, false),
            ("remove_toplevel", "s", 1, false),
        ],
        &[("created", "s", 1, false), ("restored", "", 1, false), ("replaced", "", 1, false)],
    ),
    (
        "xdg_toplevel_session_v1",
        &[("destroy", "", 1, true), ("rename", "s", 1, false)],
        &[("restored", "", 1, false)],
    ),
];

fn letters(message: &MessageDesc) -> String {
    let letter = |argument: &ArgumentType| match argument {
        ArgumentType::Int => "i",
        ArgumentType::Uint => "u",
        ArgumentType::Fixed => "f",
        ArgumentType::Str(AllowNull::No) => "s",
        ArgumentType::Str(AllowNull::Yes) => "?s",
        ArgumentType::Object(AllowNull::No) => "o",
        ArgumentType::Object(AllowNull::Yes) => "?o",
        ArgumentType::NewId => "n",
        ArgumentType::Array => "a",
        ArgumentType::Fd => "h",
    };
    message.signature.iter().map(letter).collect()
}

#[test]
fn our_own_descriptions_say_what_programs_speak() {
    for (name, requests, events) in SPOKEN {
        let table = InterfaceId::find(name).unwrap().interface();
        for (ours, theirs) in [(table.requests, requests), (table.events, events)] {
            let ours: Vec<_> =
                ours.iter().map(|m| (m.name, letters(m), m.since, m.is_destructor)).collect();
            let theirs: Vec<_> =
                theirs.iter().map(|&(n, s, since, end)| (n, s.to_owned(), since, end)).collect();
            assert_eq!(ours, theirs, "{name}");
        }
    }
}
