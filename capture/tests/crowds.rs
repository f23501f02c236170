//! A message costs what it costs, however many objects there are.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod driver;

use std::time::{Duration, Instant};

use driver::World;
use stratus_protocols::{
    InterfaceId, wl_subcompositor, wl_subsurface, wl_surface, xdg_surface, xdg_toplevel,
};

/// Objects in a small and in a large crowd. Where each message looked at all of them, the large
/// one would take a hundred times as long for each message.
const FEW: usize = 400;
const MANY: usize = 40_000;

/// A crowd may cost so many times more for each message: caches are smaller than it.
const TOLERANCE: u32 = 8;

fn assert_even(what: &str, cost: impl Fn(usize) -> Duration) {
    let few = (0..5).map(|_| cost(FEW)).min().unwrap();
    let many = cost(MANY);
    let times = (MANY / FEW) as u32 * TOLERANCE;
    assert!(many < few * times, "{what}: {FEW} take {few:?}, {MANY} take {many:?}");
}

#[test]
fn ending_a_window_does_not_look_at_all_the_others() {
    assert_even("windows", |count| {
        let mut w = World::new();
        let c = w.connect();
        let windows: Vec<_> = (0..count).map(|_| w.new_window(c)).collect();
        let start = Instant::now();
        for window in windows {
            w.destroy(c, window.toplevel, xdg_toplevel::REQ_DESTROY_OPCODE);
            w.destroy(c, window.xdg, xdg_surface::REQ_DESTROY_OPCODE);
        }
        start.elapsed()
    });
}

#[test]
fn ending_a_dialog_does_not_look_at_all_the_others() {
    assert_even("dialogs", |count| {
        let mut w = World::new();
        let c = w.connect();
        let root = w.new_window(c);
        let dialogs: Vec<_> = (0..count).map(|_| w.new_window(c)).collect();
        for dialog in &dialogs {
            w.set_parent(*dialog, root.toplevel);
        }
        let start = Instant::now();
        for dialog in dialogs {
            w.destroy(c, dialog.toplevel, xdg_toplevel::REQ_DESTROY_OPCODE);
        }
        start.elapsed()
    });
}

#[test]
fn a_surface_s_commit_and_the_end_of_its_subsurfaces_do_not_look_at_all_of_them() {
    assert_even("subsurfaces", |count| {
        let mut w = World::new();
        let c = w.connect();
        let window = w.new_window(c);
        let subcompositor = w.clients[c].global(InterfaceId::WlSubcompositor);
        let parts: Vec<_> = (0..count)
            .map(|_| {
                let surface = w.surface(c);
                let part = w.clients[c].new_id();
                let opcode = wl_subcompositor::REQ_GET_SUBSURFACE_OPCODE;
                w.request(c, subcompositor, opcode, |m| {
                    m.object(part).object(surface).object(window.surface);
                });
                (part, surface)
            })
            .collect();
        let start = Instant::now();
        for (part, surface) in parts {
            w.commit(c, window.surface);
            w.destroy(c, part, wl_subsurface::REQ_DESTROY_OPCODE);
            w.destroy(c, surface, wl_surface::REQ_DESTROY_OPCODE);
        }
        start.elapsed()
    });
}
