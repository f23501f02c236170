//! One client of a world: its ids, its globals, and what either side received.

use std::collections::HashMap;

use stratus_protocols::{InterfaceId, wl_display, wl_registry};
use stratus_proxy_core::{HEADER_LEN, ObjectId, Session, Side};

use super::World;

/// One message as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) sender: ObjectId,
    pub(crate) opcode: u16,
    pub(crate) body: Vec<u8>,
}

/// Argument word `index` of a message.
pub(crate) fn word(said: &Said, index: usize) -> i32 {
    let bytes = said.body[index * 4..index * 4 + 4].try_into().expect("four bytes");
    i32::from_ne_bytes(bytes)
}

pub(crate) struct Client {
    pub(crate) session: Session,
    /// What the compositor received since the last look.
    pub(crate) requests: Vec<Said>,
    /// What the game received since the last look.
    pub(crate) events: Vec<Said>,
    pub(crate) gone: bool,
    globals: HashMap<InterfaceId, ObjectId>,
    next_id: u32,
    free_ids: Vec<ObjectId>,
}

const GLOBALS: &[InterfaceId] = &[
    InterfaceId::WlCompositor,
    InterfaceId::WlSubcompositor,
    InterfaceId::WlShm,
    InterfaceId::WlOutput,
    InterfaceId::WlSeat,
    InterfaceId::WlDataDeviceManager,
    InterfaceId::XdgWmBase,
    InterfaceId::WpViewporter,
    InterfaceId::WpFractionalScaleManagerV1,
    InterfaceId::WpSinglePixelBufferManagerV1,
    InterfaceId::ZxdgOutputManagerV1,
    InterfaceId::ZwpLinuxDmabufV1,
    InterfaceId::WlDrm,
    InterfaceId::WpCursorShapeManagerV1,
    InterfaceId::ZwpPointerConstraintsV1,
    InterfaceId::ZwpTabletManagerV2,
];

const REGISTRY: ObjectId = ObjectId(2);

impl Client {
    pub(crate) fn new(session: Session) -> Self {
        Self {
            session,
            requests: Vec::new(),
            events: Vec::new(),
            gone: false,
            globals: HashMap::new(),
            next_id: 3,
            free_ids: Vec::new(),
        }
    }

    /// The object that the client bound a global to.
    pub(crate) fn global(&self, interface: InterfaceId) -> ObjectId {
        self.globals[&interface]
    }

    /// An id as libwayland gives it: the one freed last, else the next.
    pub(crate) fn new_id(&mut self) -> ObjectId {
        self.free_ids.pop().unwrap_or_else(|| {
            self.next_id += 1;
            ObjectId(self.next_id - 1)
        })
    }

    /// Sorts what left the session into messages.
    pub(crate) fn collect(&mut self) {
        for (side, into) in
            [(Side::Compositor, &mut self.requests), (Side::Client, &mut self.events)]
        {
            let (bytes, _fds) = self.session.take(side);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let head = |at: usize| u32::from_ne_bytes(rest[at..at + 4].try_into().expect("4"));
                let (sender, size, opcode) = (head(0), head(4) >> 16, head(4) as u16);
                let (message, behind) = rest.split_at(size as usize);
                let body = message[HEADER_LEN..].to_vec();
                into.push(Said { sender: ObjectId(sender), opcode, body });
                rest = behind;
            }
        }
    }

    /// Forgets what was received so far.
    pub(crate) fn forget(&mut self) {
        self.requests.clear();
        self.events.clear();
    }

    /// How often the game received event `opcode` of `sender` since the last look.
    pub(crate) fn heard(&self, sender: ObjectId, opcode: u16) -> usize {
        self.events.iter().filter(|s| s.sender == sender && s.opcode == opcode).count()
    }

    /// The opcodes of the requests that `sender` received since the last look.
    pub(crate) fn asked(&self, sender: ObjectId) -> Vec<u16> {
        self.requests.iter().filter(|s| s.sender == sender).map(|s| s.opcode).collect()
    }
}

impl World {
    pub(crate) fn bind_all(&mut self, client: usize) {
        self.request(client, ObjectId::DISPLAY, wl_display::REQ_GET_REGISTRY_OPCODE, |w| {
            w.object(REGISTRY);
        });
        for (name, &interface) in GLOBALS.iter().enumerate() {
            let version = Self::version(interface);
            self.event(client, REGISTRY, wl_registry::EVT_GLOBAL_OPCODE, |w| {
                w.uint(name as u32).string(interface.name()).uint(version);
            });
            let id = self.clients[client].new_id();
            self.bind(client, name as u32, interface, id);
            self.clients[client].globals.insert(interface, id);
        }
        self.clients[client].forget();
    }

    pub(crate) fn bind(&mut self, client: usize, name: u32, interface: InterfaceId, id: ObjectId) {
        let version = Self::version(interface);
        self.request(client, REGISTRY, wl_registry::REQ_BIND_OPCODE, |w| {
            w.uint(name).string(interface.name()).uint(version).object(id);
        });
    }

    /// A request of a global that makes one object, with `args` behind the new id.
    pub(crate) fn make(
        &mut self,
        client: usize,
        global: InterfaceId,
        opcode: u16,
        args: &[ObjectId],
    ) -> ObjectId {
        let (sender, id) = (self.clients[client].global(global), self.clients[client].new_id());
        self.request(client, sender, opcode, |w| {
            w.object(id);
            for &arg in args {
                w.object(arg);
            }
        });
        id
    }

    /// The game destroys an object; its id stays taken.
    pub(crate) fn destroy(&mut self, client: usize, id: ObjectId, opcode: u16) {
        self.request(client, id, opcode, |_| {});
    }

    /// The compositor lets the game use a destroyed object's id anew, which it does next.
    pub(crate) fn delete_id(&mut self, client: usize, id: ObjectId) {
        self.event(client, ObjectId::DISPLAY, wl_display::EVT_DELETE_ID_OPCODE, |w| {
            w.object(id);
        });
        self.clients[client].free_ids.push(id);
    }
}
