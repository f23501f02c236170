//! Ids and names that a compositor chose: those of the recording, and those of the one that is
//! played to.

use std::collections::HashMap;

use stratus_proxy_core::ObjectId;

/// The objects that compositors made. The first that an event of one kind on one object made in
/// the recording is the first that the same event makes now, and so on.
#[derive(Default)]
pub(super) struct Made {
    pairs: HashMap<(ObjectId, u16), Pairs>,
    to_live: HashMap<ObjectId, ObjectId>,
    to_told: HashMap<ObjectId, ObjectId>,
}

#[derive(Default)]
struct Pairs {
    told: Vec<ObjectId>,
    live: Vec<ObjectId>,
}

impl Made {
    /// An event of the recording made `id`. The sender is as in the recording, here and below.
    pub(super) fn told(&mut self, sender: ObjectId, opcode: u16, id: ObjectId) {
        // The id may have been another object's before.
        if let Some(old) = self.to_live.remove(&id) {
            self.to_told.remove(&old);
        }
        let pairs = self.pairs.entry((sender, opcode)).or_default();
        pairs.told.push(id);
        if let Some(&live) = pairs.live.get(pairs.told.len() - 1) {
            self.link(id, live);
        }
    }

    /// An event of the compositor made `id`.
    pub(super) fn live(&mut self, sender: ObjectId, opcode: u16, id: ObjectId) {
        if let Some(old) = self.to_told.remove(&id) {
            self.to_live.remove(&old);
        }
        let pairs = self.pairs.entry((sender, opcode)).or_default();
        pairs.live.push(id);
        if let Some(&told) = pairs.told.get(pairs.live.len() - 1) {
            self.link(told, id);
        }
    }

    fn link(&mut self, told: ObjectId, live: ObjectId) {
        self.to_live.insert(told, live);
        self.to_told.insert(live, told);
    }

    /// What the compositor calls an object of the recording. `None` if it has not made it.
    pub(super) fn to_live(&self, id: ObjectId) -> Option<ObjectId> {
        if id.is_server() { self.to_live.get(&id).copied() } else { Some(id) }
    }

    /// What the recording calls an object of the compositor. An object that has no name there
    /// keeps its own, which no other has.
    pub(super) fn to_told(&self, id: ObjectId) -> ObjectId {
        if id.is_server() { self.to_told.get(&id).copied().unwrap_or(id) } else { id }
    }

    /// An id of the client names another object from now on.
    pub(super) fn forget(&mut self, id: ObjectId) {
        self.pairs.retain(|(sender, _), _| *sender != id);
    }
}

/// The globals of one client, as either compositor named them.
#[derive(Default)]
pub(super) struct Globals {
    /// By name in the recording: the interface, and which of that interface it is.
    told: HashMap<u32, (Vec<u8>, usize)>,
    /// By interface: names and versions of the compositor.
    live: HashMap<Vec<u8>, Vec<(u32, u32)>>,
}

impl Globals {
    /// `wl_registry.global` of the recording. Each registry of a client is told all.
    pub(super) fn told(&mut self, name: u32, interface: &[u8]) {
        if !self.told.contains_key(&name) {
            let index = self.told.values().filter(|(other, _)| other == interface).count();
            self.told.insert(name, (interface.to_owned(), index));
        }
    }

    /// `wl_registry.global` of the compositor.
    pub(super) fn live(&mut self, name: u32, interface: &[u8], version: u32) {
        let all = self.live.entry(interface.to_owned()).or_default();
        if !all.iter().any(|(other, _)| *other == name) {
            all.push((name, version));
        }
    }

    /// Name and version of the global that the recording calls `name`; the first of its interface
    /// if there are fewer. `None` if there is none.
    pub(super) fn to_live(&self, name: u32) -> Option<(u32, u32)> {
        let (interface, index) = self.told.get(&name)?;
        let all = self.live.get(interface)?;
        all.get(*index).or_else(|| all.first()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: ObjectId = ObjectId(9);

    fn server(number: u32) -> ObjectId {
        ObjectId(ObjectId::FIRST_SERVER.0 + number)
    }

    #[test]
    fn objects_are_paired_in_the_order_in_which_each_side_made_them() {
        let mut made = Made::default();
        made.told(DEVICE, 0, server(0));
        assert_eq!(made.to_live(server(0)), None);
        assert_eq!(made.to_live(ObjectId(3)), Some(ObjectId(3)), "a client's id is the same");
        // The compositor made something else first.
        made.live(DEVICE, 1, server(0));
        made.live(DEVICE, 0, server(1));
        assert_eq!(made.to_live(server(0)), Some(server(1)));
        assert_eq!(made.to_told(server(1)), server(0));
        made.live(DEVICE, 0, server(2));
        made.told(DEVICE, 0, server(1));
        assert_eq!(made.to_live(server(1)), Some(server(2)));
        // An id that is used anew is another object.
        made.told(DEVICE, 0, server(0));
        assert_eq!(made.to_live(server(0)), None);
    }

    #[test]
    fn globals_are_found_by_interface_and_order() {
        let mut globals = Globals::default();
        for (name, interface) in [(1, "wl_output"), (2, "wl_seat"), (7, "wl_output")] {
            // Each registry is told.
            globals.told(name, interface.as_bytes());
            globals.told(name, interface.as_bytes());
        }
        globals.live(40, b"wl_output", 4);
        assert_eq!(globals.to_live(1), Some((40, 4)));
        assert_eq!(globals.to_live(7), Some((40, 4)), "there is but one");
        globals.live(41, b"wl_output", 3);
        assert_eq!(globals.to_live(7), Some((41, 3)));
        assert_eq!(globals.to_live(2), None);
        assert_eq!(globals.to_live(99), None);
    }
}
