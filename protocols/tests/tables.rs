//! The tables agree with each other, so that a walk along new ids never leaves them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;

use stratus_protocols::{ArgumentType, Interface, InterfaceId, MessageDesc};

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
