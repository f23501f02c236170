//! The objects of one client, as both sides of the connection count them.
//!
//! Ids follow libwayland's `wl_map`: each side gives its ids without gaps, the client from 1 and
//! the compositor from 0xff000000, and takes freed ones anew.

use stratus_protocols::InterfaceId;

use crate::violation::Problem;
use crate::{Direction, Object, ObjectId};

/// More objects than any program has been seen to use by far; 16 MiB for the table.
pub(crate) const MAX_OBJECTS: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Alive,
    /// The client sent the destructor. It stays known until `wl_display.delete_id`, because
    /// events may be under way to it.
    Destroyed,
    /// The compositor sent an event that ends it. Requests may be under way to it.
    Finished,
}

/// What is known of one object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    data: u64,
    version: u32,
    interface: InterfaceId,
    state: State,
}

impl Entry {
    const FREE: Self =
        Self { data: 0, version: 0, interface: InterfaceId::WlDisplay, state: State::Free };
}

/// What a message needs to know of its sender.
#[derive(Clone, Copy)]
pub(crate) struct Sender {
    pub(crate) interface: InterfaceId,
    pub(crate) version: u32,
    pub(crate) data: u64,
}

/// All objects of one client.
pub(crate) struct Objects {
    /// By id; 0 is never used.
    by_client: Vec<Entry>,
    /// By id, less 0xff000000.
    by_server: Vec<Entry>,
}

impl Objects {
    /// A new connection: there is `wl_display` and nothing else.
    pub(crate) fn new() -> Self {
        let display = Entry { version: 1, state: State::Alive, ..Entry::FREE };
        Self { by_client: vec![Entry::FREE, display], by_server: Vec::new() }
    }

    #[inline]
    fn entry(&self, id: ObjectId) -> Option<&Entry> {
        let entry = if id.is_server() {
            self.by_server.get((id.0 - ObjectId::FIRST_SERVER.0) as usize)
        } else {
            self.by_client.get(id.0 as usize)
        };
        entry.filter(|e| e.state != State::Free)
    }

    #[inline]
    fn entry_mut(&mut self, id: ObjectId) -> Option<&mut Entry> {
        let entry = if id.is_server() {
            self.by_server.get_mut((id.0 - ObjectId::FIRST_SERVER.0) as usize)
        } else {
            self.by_client.get_mut(id.0 as usize)
        };
        entry.filter(|e| e.state != State::Free)
    }

    /// The object that a message is sent to or comes from. A destroyed one takes no requests; one
    /// that ended by an event does, because the client may not have read the event. Events come
    /// from both.
    #[inline]
    pub(crate) fn sender(&mut self, id: ObjectId, direction: Direction) -> Option<&mut Entry> {
        let entry = self.entry_mut(id)?;
        let mute = direction == Direction::Request && entry.state == State::Destroyed;
        (!mute).then_some(entry)
    }

    /// What is wrong with an object that is no sender.
    pub(crate) fn why_not(&self, id: ObjectId) -> Problem {
        self.entry(id).map_or(Problem::UnknownObject, |_| Problem::DeadObject)
    }

    pub(crate) fn lookup(&self, id: ObjectId) -> Option<Object> {
        self.entry(id).map(|e| Object {
            interface: e.interface,
            version: e.version,
            destroyed: e.state != State::Alive,
            data: e.data,
        })
    }

    pub(crate) fn set_data(&mut self, id: ObjectId, data: u64) {
        if let Some(entry) = self.entry_mut(id) {
            entry.data = data;
        }
    }

    /// The client makes an object. The id must be free, and the next one if it was never used.
    #[inline]
    pub(crate) fn create_by_client(
        &mut self,
        id: ObjectId,
        interface: InterfaceId,
        version: u32,
    ) -> Result<(), Box<Problem>> {
        let entry = Entry { data: 0, version, interface, state: State::Alive };
        match self.by_client.get_mut(id.0 as usize) {
            Some(old) if old.state == State::Free && id != ObjectId::NULL => {
                *old = entry;
                Ok(())
            }
            _ => self.create_first(id, entry),
        }
    }

    /// The client makes an object of an id that it never used, or that it may not use.
    #[cold]
    fn create_first(&mut self, id: ObjectId, entry: Entry) -> Result<(), Box<Problem>> {
        if id == ObjectId::NULL || id.is_server() {
            return Err(Problem::NewIdRange(id).into());
        }
        if self.entry(id).is_some() {
            return Err(Problem::NewIdTaken(id).into());
        }
        push_next(&mut self.by_client, id.0 as usize, entry, id)
    }

    /// The compositor makes an object. There is no `delete_id` for its ids: it may use one anew
    /// as soon as the client let go of it, which some interfaces do without a message.
    #[inline]
    pub(crate) fn create_by_server(
        &mut self,
        id: ObjectId,
        interface: InterfaceId,
        version: u32,
    ) -> Result<(), Box<Problem>> {
        if !id.is_server() {
            return Err(Problem::NewIdRange(id).into());
        }
        let entry = Entry { data: 0, version, interface, state: State::Alive };
        let index = (id.0 - ObjectId::FIRST_SERVER.0) as usize;
        match self.by_server.get_mut(index) {
            Some(old) => *old = entry,
            None => push_next(&mut self.by_server, index, entry, id)?,
        }
        Ok(())
    }

    /// A destructor passed.
    pub(crate) fn end(&mut self, id: ObjectId, direction: Direction) {
        if let Some(entry) = self.entry_mut(id) {
            entry.end(direction);
        }
    }

    /// `wl_display.delete_id`: the client may use the id anew. libwayland's clients ignore it for
    /// ids that they do not know or did not give, and so does this.
    #[inline]
    pub(crate) fn delete_id(&mut self, id: ObjectId) {
        if id == ObjectId::DISPLAY {
            return;
        }
        if let Some(entry) = self.by_client.get_mut(id.0 as usize) {
            *entry = Entry::FREE;
        }
    }
}

impl Entry {
    #[inline]
    pub(crate) fn interface(&self) -> InterfaceId {
        self.interface
    }

    #[inline]
    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    #[inline]
    pub(crate) fn facts(&self) -> Sender {
        Sender { interface: self.interface, version: self.version, data: self.data }
    }

    /// Its destructor passed: a request that the client sent, or an event that ends it.
    #[inline]
    pub(crate) fn end(&mut self, direction: Direction) {
        self.state = match (direction, self.state) {
            (Direction::Request, _) => State::Destroyed,
            (Direction::Event, State::Alive) => State::Finished,
            (Direction::Event, state) => state,
        };
    }
}

#[cold]
fn push_next(
    table: &mut Vec<Entry>,
    index: usize,
    entry: Entry,
    id: ObjectId,
) -> Result<(), Box<Problem>> {
    if index != table.len() {
        return Err(Problem::NewIdGap(id).into());
    }
    if index >= MAX_OBJECTS {
        return Err(Problem::TooManyObjects.into());
    }
    table.push(entry);
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const SURFACE: InterfaceId = InterfaceId::WlSurface;

    #[test]
    fn a_clients_id_is_known_until_delete_id_and_free_after() {
        let mut objects = Objects::new();
        let id = ObjectId(2);
        objects.create_by_client(id, SURFACE, 4).unwrap();
        objects.set_data(id, 77);
        assert_eq!(objects.create_by_client(id, SURFACE, 4), Err(Problem::NewIdTaken(id).into()));
        objects.end(id, Direction::Request);
        assert!(objects.sender(id, Direction::Request).is_none());
        assert_eq!(objects.why_not(id), Problem::DeadObject);
        assert_eq!(objects.sender(id, Direction::Event).unwrap().data, 77);
        assert!(objects.lookup(id).unwrap().destroyed);
        assert_eq!(objects.create_by_client(id, SURFACE, 4), Err(Problem::NewIdTaken(id).into()));
        objects.delete_id(id);
        assert!(objects.sender(id, Direction::Event).is_none());
        assert_eq!(objects.why_not(id), Problem::UnknownObject);
        objects.create_by_client(id, InterfaceId::WlRegion, 1).unwrap();
        let anew = objects.lookup(id).unwrap();
        assert_eq!((anew.data, anew.interface), (0, InterfaceId::WlRegion));
    }

    #[test]
    fn ids_without_gaps_in_the_right_range() {
        let mut objects = Objects::new();
        let first = ObjectId::FIRST_SERVER;
        for (id, problem) in [
            (ObjectId::NULL, Problem::NewIdRange(ObjectId::NULL)),
            (first, Problem::NewIdRange(first)),
            (ObjectId(3), Problem::NewIdGap(ObjectId(3))),
            (ObjectId(0xfeff_ffff), Problem::NewIdGap(ObjectId(0xfeff_ffff))),
            (ObjectId::DISPLAY, Problem::NewIdTaken(ObjectId::DISPLAY)),
        ] {
            assert_eq!(objects.create_by_client(id, SURFACE, 1), Err(problem.into()));
        }
        let second = ObjectId(first.0 + 1);
        assert_eq!(
            objects.create_by_server(ObjectId(2), SURFACE, 1),
            Err(Problem::NewIdRange(ObjectId(2)).into())
        );
        assert_eq!(
            objects.create_by_server(second, SURFACE, 1),
            Err(Problem::NewIdGap(second).into())
        );
        objects.create_by_server(first, SURFACE, 1).unwrap();
        objects.create_by_server(second, SURFACE, 1).unwrap();
    }

    #[test]
    fn a_servers_id_outlives_its_destructor_and_is_replaced() {
        let mut objects = Objects::new();
        let id = ObjectId::FIRST_SERVER;
        objects.create_by_server(id, InterfaceId::WlDataOffer, 3).unwrap();
        objects.end(id, Direction::Request);
        objects.delete_id(id);
        assert!(objects.sender(id, Direction::Event).is_some());
        assert!(objects.sender(id, Direction::Request).is_none());
        objects.create_by_server(id, InterfaceId::WlBuffer, 1).unwrap();
        assert_eq!(
            objects.sender(id, Direction::Request).unwrap().interface,
            InterfaceId::WlBuffer
        );
    }

    #[test]
    fn an_end_by_event_leaves_requests_that_are_under_way() {
        let mut objects = Objects::new();
        objects.create_by_client(ObjectId(2), InterfaceId::WlCallback, 1).unwrap();
        objects.end(ObjectId(2), Direction::Event);
        assert!(objects.lookup(ObjectId(2)).unwrap().destroyed);
        assert!(objects.sender(ObjectId(2), Direction::Request).is_some());
    }

    #[test]
    fn the_table_has_an_end() {
        let mut objects = Objects::new();
        for id in 2..MAX_OBJECTS as u32 {
            objects.create_by_client(ObjectId(id), SURFACE, 1).unwrap();
        }
        let next = ObjectId(MAX_OBJECTS as u32);
        assert_eq!(objects.create_by_client(next, SURFACE, 1), Err(Problem::TooManyObjects.into()));
    }

    #[test]
    fn the_display_is_never_freed() {
        let mut objects = Objects::new();
        objects.delete_id(ObjectId::DISPLAY);
        objects.delete_id(ObjectId(4000));
        objects.delete_id(ObjectId::NULL);
        assert!(objects.sender(ObjectId::DISPLAY, Direction::Request).is_some());
    }
}
