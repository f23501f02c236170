//! A session in memory whose two peers are the test.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use stratus_protocols::{
    InterfaceId, wl_buffer, wl_compositor, wl_display, wl_keyboard, wl_registry, wl_shm,
    wl_shm_pool, wl_surface,
};
use stratus_proxy_core::{
    ClientId, GlobalPolicy, Hook, ObjectId, Observed, PassThrough, Rules, Session, Side, Writer,
};
use stratus_recording::{Reader, Recorder};

/// Proxy and peers of one client.
pub(crate) struct Talk<'h, H> {
    pub(crate) hook: &'h mut H,
    pub(crate) session: Session,
    pub(crate) now: u64,
}

pub(crate) const REGISTRY: ObjectId = ObjectId(2);
pub(crate) const COMPOSITOR: ObjectId = ObjectId(3);
pub(crate) const SHM: ObjectId = ObjectId(4);
pub(crate) const SURFACE: ObjectId = ObjectId(5);
pub(crate) const POOL: ObjectId = ObjectId(6);
pub(crate) const BUFFER: ObjectId = ObjectId(7);

impl<'h, H: Hook> Talk<'h, H> {
    /// The client connects.
    pub(crate) fn new(hook: &'h mut H, client: u64, now: u64) -> Self {
        let client = ClientId(client);
        let rules = Rules::new(&hook.interests(), GlobalPolicy::default());
        hook.client_added(client, Some(std::process::id()));
        let mut session = Session::new(client, Arc::new(rules));
        session.set_observed(true);
        Self { hook, session, now }
    }

    pub(crate) fn request(
        &mut self,
        sender: ObjectId,
        opcode: u16,
        fds: Vec<OwnedFd>,
        args: impl FnOnce(&mut Writer<'_>),
    ) {
        self.say(Side::Client, sender, opcode, fds, args);
    }

    pub(crate) fn event(
        &mut self,
        sender: ObjectId,
        opcode: u16,
        fds: Vec<OwnedFd>,
        args: impl FnOnce(&mut Writer<'_>),
    ) {
        self.say(Side::Compositor, sender, opcode, fds, args);
    }

    fn say(
        &mut self,
        from: Side,
        sender: ObjectId,
        opcode: u16,
        fds: Vec<OwnedFd>,
        args: impl FnOnce(&mut Writer<'_>),
    ) {
        let mut bytes = Vec::new();
        Writer::message(&mut bytes, sender, opcode, args);
        self.now += 1_000_000;
        self.session.feed(from, &bytes, fds, self.now, self.hook).expect("a legal message");
        self.session.take(Side::Client);
        self.session.take(Side::Compositor);
    }

    /// Registry, compositor, shm and a surface, with the ids above.
    pub(crate) fn open(&mut self) {
        let new_id = |id: ObjectId| {
            move |w: &mut Writer<'_>| {
                w.object(id);
            }
        };
        let registry = wl_display::REQ_GET_REGISTRY_OPCODE;
        self.request(ObjectId::DISPLAY, registry, vec![], new_id(REGISTRY));
        for (name, id, interface) in
            [(1, COMPOSITOR, InterfaceId::WlCompositor), (2, SHM, InterfaceId::WlShm)]
        {
            self.event(REGISTRY, wl_registry::EVT_GLOBAL_OPCODE, vec![], |w| {
                w.uint(name).string(interface.name()).uint(1);
            });
            self.request(REGISTRY, wl_registry::REQ_BIND_OPCODE, vec![], |w| {
                w.uint(name).string(interface.name()).uint(1).object(id);
            });
        }
        let surface = wl_compositor::REQ_CREATE_SURFACE_OPCODE;
        self.request(COMPOSITOR, surface, vec![], new_id(SURFACE));
    }

    /// A pool of `memory` and a buffer of 64x64 at its start.
    pub(crate) fn make_buffer(&mut self, memory: &OwnedFd, size: i32) {
        let fd = memory.try_clone().unwrap();
        self.request(SHM, wl_shm::REQ_CREATE_POOL_OPCODE, vec![fd], |w| {
            w.object(POOL).uint(size.cast_unsigned());
        });
        self.request(POOL, wl_shm_pool::REQ_CREATE_BUFFER_OPCODE, vec![], |w| {
            w.object(BUFFER).uint(0).uint(64).uint(64).uint(256).uint(1);
        });
    }

    pub(crate) fn attach_and_commit(&mut self) {
        self.request(SURFACE, wl_surface::REQ_ATTACH_OPCODE, vec![], |w| {
            w.object(BUFFER).uint(0).uint(0);
        });
        self.commit();
    }

    pub(crate) fn commit(&mut self) {
        self.request(SURFACE, wl_surface::REQ_COMMIT_OPCODE, vec![], |_| {});
    }

    pub(crate) fn destroy_pool_and_buffer(&mut self) {
        self.request(POOL, wl_shm_pool::REQ_DESTROY_OPCODE, vec![], |_| {});
        self.request(BUFFER, wl_buffer::REQ_DESTROY_OPCODE, vec![], |_| {});
        for id in [POOL, BUFFER] {
            let delete_id = wl_display::EVT_DELETE_ID_OPCODE;
            self.event(ObjectId::DISPLAY, delete_id, vec![], |w| {
                w.object(id);
            });
        }
    }

    /// The compositor sends a keymap to `keyboard`.
    pub(crate) fn keymap(&mut self, keyboard: ObjectId, fd: OwnedFd, size: u32) {
        self.event(keyboard, wl_keyboard::EVT_KEYMAP_OPCODE, vec![fd], |w| {
            w.uint(1).uint(size);
        });
    }

    pub(crate) fn end(self) {
        self.hook.client_gone(self.session.client());
    }
}

/// Shared memory of `size` zeros.
pub(crate) fn memory(size: u64) -> OwnedFd {
    let fd = memfd_create("test", MemfdFlags::CLOEXEC).unwrap();
    ftruncate(&fd, size).unwrap();
    fd
}

pub(crate) fn draw(memory: impl AsFd, at: u64, bytes: &[u8]) {
    assert_eq!(rustix::io::pwrite(memory, bytes, at), Ok(bytes.len()));
}

/// A hook that only records.
pub(crate) fn recording(recorder: Recorder) -> Observed<PassThrough, Recorder> {
    Observed { hook: PassThrough, observer: recorder }
}

/// All records of a recording but its facts, as text.
pub(crate) fn records(path: &Path) -> Vec<String> {
    let mut reader = Reader::new(std::io::BufReader::new(File::open(path).unwrap())).unwrap();
    let mut all = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        if !matches!(record.what, stratus_recording::What::Fact { .. }) {
            all.push(format!("{record:?}"));
        }
    }
    all
}
