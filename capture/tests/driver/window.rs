//! What games do with windows, pools and buffers, a line each.

use std::fs::File;
use std::os::unix::fs::FileExt;

use nix::sys::memfd::{MFdFlags, memfd_create};
use stratus_frame::Size;
use stratus_protocols::{
    InterfaceId, wl_buffer, wl_compositor, wl_shm, wl_shm_pool, wl_surface, xdg_surface,
    xdg_toplevel, xdg_wm_base,
};
use stratus_proxy_core::{ObjectId, Writer};

use super::{SCREEN, World};

/// A memory file of `len` bytes.
pub(crate) fn memfd(len: u64) -> File {
    let file = File::from(memfd_create(c"pool", MFdFlags::MFD_CLOEXEC).expect("a memfd"));
    file.set_len(len).expect("its length");
    file
}

/// A `wl_shm_pool` and the file behind it.
pub(crate) struct Pool {
    pub(crate) id: ObjectId,
    pub(crate) file: File,
}

impl Pool {
    /// Writes one pixel at `offset` bytes.
    pub(crate) fn paint(&self, offset: u64, pixel: u32) {
        self.file.write_all_at(&pixel.to_le_bytes(), offset).expect("a pixel");
    }
}

/// The objects of one window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) client: usize,
    pub(crate) surface: ObjectId,
    pub(crate) xdg: ObjectId,
    pub(crate) toplevel: ObjectId,
}

impl World {
    pub(crate) fn surface(&mut self, client: usize) -> ObjectId {
        self.make(client, InterfaceId::WlCompositor, wl_compositor::REQ_CREATE_SURFACE_OPCODE, &[])
    }

    /// A window before its first commit.
    pub(crate) fn new_window(&mut self, client: usize) -> Window {
        let surface = self.surface(client);
        let opcode = xdg_wm_base::REQ_GET_XDG_SURFACE_OPCODE;
        let xdg = self.make(client, InterfaceId::XdgWmBase, opcode, &[surface]);
        let toplevel = self.clients[client].new_id();
        self.request(client, xdg, xdg_surface::REQ_GET_TOPLEVEL_OPCODE, |w| {
            w.object(toplevel);
        });
        Window { client, surface, xdg, toplevel }
    }

    /// A window that is configured and shows nothing yet.
    pub(crate) fn window(&mut self, client: usize) -> Window {
        let window = self.new_window(client);
        self.commit(client, window.surface);
        self.configure(window, 0, 0, &[]);
        window
    }

    pub(crate) fn configure(&mut self, window: Window, width: i32, height: i32, states: &[u32]) {
        let states: Vec<u8> = states.iter().flat_map(|s| s.to_ne_bytes()).collect();
        let opcode = xdg_toplevel::EVT_CONFIGURE_OPCODE;
        self.event(window.client, window.toplevel, opcode, |w| {
            w.int(width).int(height).array(&states);
        });
        self.event(window.client, window.xdg, xdg_surface::EVT_CONFIGURE_OPCODE, |w| {
            w.uint(7);
        });
    }

    pub(crate) fn set_parent(&mut self, window: Window, parent: ObjectId) {
        let opcode = xdg_toplevel::REQ_SET_PARENT_OPCODE;
        self.request(window.client, window.toplevel, opcode, |w| {
            w.object(parent);
        });
    }

    pub(crate) fn pool(&mut self, client: usize, len: i32) -> Pool {
        let file = memfd(u64::try_from(len).expect("a length"));
        let id = self.pool_of(client, &file, len);
        Pool { id, file }
    }

    pub(crate) fn pool_of(&mut self, client: usize, file: &File, len: i32) -> ObjectId {
        let shm = self.clients[client].global(InterfaceId::WlShm);
        let id = self.clients[client].new_id();
        let mut bytes = Vec::new();
        Writer::message(&mut bytes, shm, wl_shm::REQ_CREATE_POOL_OPCODE, |w| {
            w.object(id).int(len);
        });
        let fd = file.try_clone().expect("an fd").into();
        self.game_sends(client, &bytes, vec![fd]);
        id
    }

    /// A buffer of XRGB pixels with these offset, width, height and stride.
    pub(crate) fn buffer_at(
        &mut self,
        client: usize,
        pool: ObjectId,
        numbers: [i32; 4],
    ) -> ObjectId {
        self.buffer_of(client, pool, numbers, 1)
    }

    pub(crate) fn buffer_of(
        &mut self,
        client: usize,
        pool: ObjectId,
        numbers: [i32; 4],
        format: u32,
    ) -> ObjectId {
        let id = self.clients[client].new_id();
        self.request(client, pool, wl_shm_pool::REQ_CREATE_BUFFER_OPCODE, |w| {
            w.object(id);
            for n in numbers {
                w.int(n);
            }
            w.uint(format);
        });
        id
    }

    /// A buffer of the stream's size with a pool of its own, filled with one `pixel` at the start.
    pub(crate) fn buffer(&mut self, client: usize, pixel: u32) -> ObjectId {
        self.buffer_sized(client, SCREEN, pixel)
    }

    pub(crate) fn buffer_sized(&mut self, client: usize, size: Size, pixel: u32) -> ObjectId {
        let (width, height) = (size.width as i32, size.height as i32);
        let pool = self.pool(client, width * height * 4);
        pool.paint(0, pixel);
        let id = self.buffer_at(client, pool.id, [0, width, height, width * 4]);
        self.destroy(client, pool.id, wl_shm_pool::REQ_DESTROY_OPCODE);
        id
    }

    /// A buffer with a pool of its own, all of one colour; see [`World::paint`].
    pub(crate) fn filled(&mut self, client: usize, size: Size, colour: u32) -> ObjectId {
        let (width, height) = (size.width as i32, size.height as i32);
        let pool = self.pool(client, width * height * 4);
        let id = self.buffer_at(client, pool.id, [0, width, height, width * 4]);
        self.destroy(client, pool.id, wl_shm_pool::REQ_DESTROY_OPCODE);
        self.files.insert(id, pool.file);
        self.paint(id, colour);
        id
    }

    /// The game draws one colour all over a buffer of [`World::filled`].
    pub(crate) fn paint(&mut self, buffer: ObjectId, colour: u32) {
        let file = &self.files[&buffer];
        let len = usize::try_from(file.metadata().expect("a file").len()).expect("a length");
        let bytes: Vec<u8> = colour.to_le_bytes().into_iter().cycle().take(len).collect();
        file.write_all_at(&bytes, 0).expect("pixels");
    }

    pub(crate) fn attach(&mut self, client: usize, surface: ObjectId, buffer: ObjectId) {
        self.request(client, surface, wl_surface::REQ_ATTACH_OPCODE, |w| {
            w.object(buffer).int(0).int(0);
        });
    }

    pub(crate) fn damage(&mut self, client: usize, surface: ObjectId, rect: [i32; 4]) {
        self.request(client, surface, wl_surface::REQ_DAMAGE_BUFFER_OPCODE, |w| {
            for n in rect {
                w.int(n);
            }
        });
    }

    pub(crate) fn commit(&mut self, client: usize, surface: ObjectId) {
        self.request(client, surface, wl_surface::REQ_COMMIT_OPCODE, |_| {});
    }

    /// Attaches, damages everything and commits.
    pub(crate) fn show(&mut self, window: Window, buffer: ObjectId) {
        self.show_on(window.client, window.surface, buffer);
    }

    pub(crate) fn show_on(&mut self, client: usize, surface: ObjectId, buffer: ObjectId) {
        self.attach(client, surface, buffer);
        self.damage(client, surface, [0, 0, i32::MAX, i32::MAX]);
        self.commit(client, surface);
    }

    /// The compositor is done with a buffer.
    pub(crate) fn release(&mut self, client: usize, buffer: ObjectId) {
        self.event(client, buffer, wl_buffer::EVT_RELEASE_OPCODE, |_| {});
    }

    /// How many releases of a buffer the game got since the last question.
    pub(crate) fn released(&mut self, client: usize, buffer: ObjectId) -> usize {
        let heard = self.clients[client].heard(buffer, wl_buffer::EVT_RELEASE_OPCODE);
        self.clients[client]
            .events
            .retain(|s| (s.sender, s.opcode) != (buffer, wl_buffer::EVT_RELEASE_OPCODE));
        heard
    }
}
