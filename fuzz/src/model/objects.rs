//! The objects of one client, in a map.

use std::collections::BTreeMap;

use stratus_protocols::InterfaceId;
use stratus_proxy_core::Side;

use super::Fault;

/// The first id that compositors give (`WL_SERVER_ID_START`).
pub const FIRST_SERVER: u32 = 0xff00_0000;

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing yet.
    Alive,
    /// The client destroyed it; the compositor may not know.
    Destroyed,
    /// The compositor ended it; the client may not know.
    Finished,
}

/// An object.
#[derive(Clone, Copy, Debug)]
pub struct Thing {
    /// Its interface.
    pub interface: InterfaceId,
    /// Its version.
    pub version: u32,
    /// Whether it still lives.
    pub state: State,
    /// What the hook stored with it.
    pub data: u64,
}

/// All of them, by id.
#[derive(Debug)]
pub struct Objects {
    /// Those that exist, dead ones too until their id may be used anew.
    pub all: BTreeMap<u32, Thing>,
    /// The lowest ids that were never used.
    next: [u32; 2],
}

impl Objects {
    pub(super) fn new() -> Self {
        let display =
            Thing { interface: InterfaceId::WlDisplay, version: 1, state: State::Alive, data: 0 };
        Self { all: BTreeMap::from([(1, display)]), next: [2, FIRST_SERVER] }
    }

    /// The object of that id.
    #[must_use]
    pub fn find(&self, id: u32) -> Option<Thing> {
        self.all.get(&id).copied()
    }

    /// The lowest id that `by` never gave.
    #[must_use]
    pub fn next(&self, by: Side) -> u32 {
        self.next[super::at(by)]
    }

    pub(super) fn create(
        &mut self,
        by: Side,
        id: u32,
        interface: InterfaceId,
        version: u32,
    ) -> Result<(), Fault> {
        let range = match by {
            Side::Client => 1..FIRST_SERVER,
            Side::Compositor => FIRST_SERVER..u32::MAX,
        };
        if !range.contains(&id) && id != u32::MAX || (by == Side::Client && id == u32::MAX) {
            return Err(Fault::IdRange);
        }
        let next = &mut self.next[super::at(by)];
        if id > *next {
            return Err(Fault::IdGap);
        }
        // The compositor gives its ids anew without a word.
        if by == Side::Client && self.all.contains_key(&id) {
            return Err(Fault::IdTaken);
        }
        *next = (*next).max(id + 1);
        self.all.insert(id, Thing { interface, version, state: State::Alive, data: 0 });
        Ok(())
    }

    /// One side ended it by a message.
    pub(super) fn end(&mut self, by: Side, id: u32) {
        if let Some(thing) = self.all.get_mut(&id) {
            match (by, thing.state) {
                (Side::Client, _) => thing.state = State::Destroyed,
                (Side::Compositor, State::Alive) => thing.state = State::Finished,
                (Side::Compositor, _) => {}
            }
        }
    }

    /// The client may use the id anew, if it is one of its own.
    pub(super) fn delete(&mut self, id: u32) {
        if id != 1 && id < FIRST_SERVER {
            self.all.remove(&id);
        }
    }

    pub(super) fn set_data(&mut self, id: u32, data: u64) {
        if let Some(thing) = self.all.get_mut(&id) {
            thing.data = data;
        }
    }
}
