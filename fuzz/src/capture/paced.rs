//! Sizes that change while games play, their configures, and frame callbacks.

use std::collections::{BTreeMap, BTreeSet};

use stratus_capture::Screen;
use stratus_frame::Size;
use stratus_protocols::{wl_callback, wl_display, wl_surface, xdg_surface, xdg_toplevel};

use super::client::{Expect, Heard, Kind};
use super::moves::some;
use super::world::World;
use crate::input::Input;

/// The serials of one `xdg_surface`.
#[derive(Debug, Default)]
pub(super) struct Serials {
    /// What the client heard and did not acknowledge, in order.
    heard: Vec<u32>,
    /// What the compositor said and did not hear of.
    said: Vec<u32>,
    next: u32,
}

/// A callback of `wl_surface.frame` whose id is not free.
#[derive(Debug, Default)]
pub(super) struct Callback {
    ended: bool,
    heard: bool,
}

/// What a client and its compositor know of each other.
#[derive(Debug, Default)]
pub(super) struct Paced {
    serials: BTreeMap<u32, Serials>,
    callbacks: BTreeMap<u32, Callback>,
    /// Surfaces that are, or were, windows.
    windows: BTreeSet<u32>,
    /// A surface became a window twice, which ends a client: its serials mean nothing.
    confused: bool,
}

impl Paced {
    /// The client hears a serial, of the compositor or of the capture.
    pub(super) fn hear_serial(&mut self, xdg: u32, serial: u32) {
        let serials = self.serials.entry(xdg).or_default();
        assert!(
            self.confused || !serials.heard.contains(&serial),
            "serial {serial} means two things"
        );
        serials.heard.push(serial);
    }

    /// The compositor hears that a serial is acknowledged.
    pub(super) fn hear_acknowledged(&mut self, xdg: u32, serial: u32) {
        if self.confused {
            return;
        }
        let serials = self.serials.entry(xdg).or_default();
        let at = serials.said.iter().position(|s| *s == serial);
        let at = at.unwrap_or_else(|| panic!("the compositor never said {serial}, or heard of it"));
        serials.said.drain(..=at);
    }

    /// The client hears of a callback's end.
    pub(super) fn hear_done(&mut self, id: u32) {
        let callback = self.callbacks.get_mut(&id).expect("a callback");
        assert!(!callback.heard, "a callback ends once");
        callback.heard = true;
    }

    /// The client hears that an id is free. Answers whether it was a callback's.
    pub(super) fn hear_deleted(&mut self, id: u32) -> bool {
        let Some(callback) = self.callbacks.remove(&id) else { return false };
        assert!(callback.heard || !callback.ended, "an id is free before its end was heard");
        true
    }

    /// A window may have been unmapped: the compositor has forgotten its configures, and a client
    /// that acknowledges one of them makes a mistake.
    pub(super) fn forget_heard(&mut self) {
        for serials in self.serials.values_mut() {
            serials.heard.clear();
        }
    }

    /// A surface becomes a window.
    pub(super) fn window(&mut self, surface: u32) {
        self.confused |= !self.windows.insert(surface);
    }

    /// Another object comes to have the id of an `xdg_surface`.
    pub(super) fn forget(&mut self, xdg: u32) {
        self.serials.remove(&xdg);
    }

    /// Nobody waits for anything any more.
    pub(super) fn assert_all_heard(&self) {
        for (id, callback) in &self.callbacks {
            assert!(callback.heard || !callback.ended, "callback {id} is kept for ever");
        }
    }
}

/// One of them.
pub(super) fn step(world: &mut World, client: usize, input: &mut Input<'_>) {
    match input.byte() & 15 {
        0..=3 => ask(world, client, input),
        4..=6 => end(world, client, input),
        7 | 8 => configure(world, client, input),
        9..=11 => acknowledge(world, client, input),
        12 => world.control.set_watched(input.byte() & 1 == 0),
        _ => {
            let side = |byte: u8| 16 + u32::from(byte & 3);
            let size = Size::new(side(input.byte()), side(input.byte()));
            world.sizes.insert((size.width, size.height));
            let refresh_mhz = 60_000 + u32::from(input.byte() & 1);
            world.control.resize(Screen { size, refresh_mhz }).expect("a good size");
        }
    }
    world.settle();
}

/// The game asks when to draw.
fn ask(world: &mut World, client: usize, input: &mut Input<'_>) {
    let Some(surface) = some(world, client, input, |k| k == Kind::Surface) else { return };
    let id = world.clients[client].make(Kind::Callback);
    world.clients[client].paced.callbacks.insert(id, Callback::default());
    let to = (surface, wl_surface::REQ_FRAME_OPCODE);
    world.request(client, to, &[id], Expect::Same);
    if input.byte() & 3 > 0 {
        world.commit(client, surface);
    }
}

/// The compositor ends a callback, or only its id.
fn end(world: &mut World, client: usize, input: &mut Input<'_>) {
    let Some(id) = some(world, client, input, |k| k == Kind::Callback) else { return };
    let choice = input.byte();
    let callback = world.clients[client].paced.callbacks.get_mut(&id).expect("a callback");
    if choice & 7 > 0 && !callback.ended {
        callback.ended = true;
        let from = (id, wl_callback::EVT_DONE_OPCODE);
        world.event(client, from, &[u32::from(choice)], Expect::MayDrop);
        if choice & 7 == 1 {
            return;
        }
    }
    // The compositor lets go of an id once.
    if !world.clients[client].deleted.insert(id) {
        return;
    }
    world.event(client, (1, wl_display::EVT_DELETE_ID_OPCODE), &[id], Expect::MayDrop);
}

/// The compositor configures a window, with serials that the capture likes as well.
fn configure(world: &mut World, client: usize, input: &mut Input<'_>) {
    let Some(xdg) = some(world, client, input, |k| k == Kind::Xdg) else { return };
    if let Some(toplevel) = world.clients[client].toplevels.get(&xdg).copied()
        && world.clients[client].objects.get(&toplevel) == Some(&Kind::Toplevel)
        && input.byte() & 7 > 0
    {
        let from = (toplevel, xdg_toplevel::EVT_CONFIGURE_OPCODE);
        world.event(client, from, &[20, 20, 0], Expect::MayChange);
    }
    let serials = world.clients[client].paced.serials.entry(xdg).or_default();
    serials.next = serials.next.max(0x8000_0000) + 1;
    let serial = serials.next;
    serials.said.push(serial);
    let from = (xdg, xdg_surface::EVT_CONFIGURE_OPCODE);
    world.event(client, from, &[serial], Expect::MayChange);
}

/// The game acknowledges a configure, and with it all before.
fn acknowledge(world: &mut World, client: usize, input: &mut Input<'_>) {
    let Some(xdg) = some(world, client, input, |k| k == Kind::Xdg) else { return };
    let serials = world.clients[client].paced.serials.entry(xdg).or_default();
    if serials.heard.is_empty() {
        return;
    }
    let newest = serials.heard.len() - 1;
    let at = if input.byte() & 3 > 0 { newest } else { input.below(newest + 1) };
    let serial = serials.heard.drain(..=at).next_back().expect("it is there");
    let to = (xdg, xdg_surface::REQ_ACK_CONFIGURE_OPCODE);
    world.request(client, to, &[serial], Expect::MayChange);
}

/// Notes what a client, or its compositor, hears of these things. Answers whether it was one.
pub(super) fn hear(world: &mut World, client: usize, to_client: bool, heard: &Heard) -> bool {
    let one = &mut world.clients[client];
    let kind = one.kind(heard.sender);
    match (to_client, kind) {
        (true, Some(Kind::Callback)) => one.paced.hear_done(heard.sender),
        (true, Some(Kind::Xdg)) => one.paced.hear_serial(heard.sender, heard.word(0)),
        (false, Some(Kind::Xdg)) if heard.opcode == xdg_surface::REQ_ACK_CONFIGURE_OPCODE => {
            one.paced.hear_acknowledged(heard.sender, heard.word(0));
        }
        (true, None) if heard.sender == 1 => {
            let id = heard.word(0);
            if one.paced.hear_deleted(id) {
                one.recycle(id);
            }
        }
        _ => return false,
    }
    true
}
