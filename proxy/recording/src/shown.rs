//! Which memory clients show: pools, buffers and surfaces, as far as a recorder must follow them.
//!
//! A buffer's bytes are looked at when a `wl_surface.commit` shows them. From then until
//! `wl_buffer.release` the client must not write to them (`wl_buffer`), and the compositor cannot
//! have released a buffer whose commit it has not received yet.

use std::collections::HashMap;
use std::ops::Range;

use stratus_protocols::{InterfaceId, wl_buffer, wl_shm_pool, wl_surface, xdg_toplevel_icon_v1};
use stratus_proxy_core::{Args, Malformed, ObjectId};

use crate::content::{Memory, Room, Sink};
use crate::record::What;

/// All pools together are remembered up to this many bytes.
const MAX_REMEMBERED: usize = 512 << 20;

/// An object of a client.
type Key = (u64, ObjectId);

struct Pooled {
    memory: Memory,
    /// The pool object and the buffers made of it: the protocol lets the pool go first.
    users: usize,
}

#[derive(Clone)]
struct Buffer {
    file: u32,
    range: Range<u64>,
}

#[derive(Default)]
struct Surface {
    /// What was attached since the last commit; `Some(None)` is nil.
    attached: Option<Option<Buffer>>,
    content: Option<Buffer>,
    damaged: bool,
}

/// The memory of all clients.
pub(crate) struct Shown {
    memories: HashMap<u32, Pooled>,
    pools: HashMap<Key, u32>,
    buffers: HashMap<Key, Buffer>,
    surfaces: HashMap<Key, Surface>,
    room: Room,
}

impl Shown {
    pub(crate) fn new() -> Self {
        Self {
            memories: HashMap::new(),
            pools: HashMap::new(),
            buffers: HashMap::new(),
            surfaces: HashMap::new(),
            room: Room::new(MAX_REMEMBERED),
        }
    }

    /// `wl_shm.create_pool`.
    pub(crate) fn pool_made(&mut self, client: u64, id: ObjectId, memory: Memory) {
        let file = memory.file();
        self.memories.insert(file, Pooled { memory, users: 1 });
        self.pools.insert((client, id), file);
    }

    /// Takes note of a request, and tells what it shows before it is told itself. Malformed ones
    /// are the proxy's business.
    pub(crate) fn request(
        &mut self,
        client: u64,
        (interface, sender, opcode): (InterfaceId, ObjectId, u16),
        args: Args<'_>,
        sink: &mut impl Sink,
    ) -> Result<(), Malformed> {
        let key = (client, sender);
        match interface {
            InterfaceId::WlSurface => self.surface(key, opcode, args, sink),
            InterfaceId::WlShmPool => self.pool(key, opcode, args, sink),
            InterfaceId::WlBuffer if opcode == wl_buffer::REQ_DESTROY_OPCODE => {
                if let Some(buffer) = self.buffers.remove(&key) {
                    self.let_go(buffer.file, sink);
                }
                Ok(())
            }
            // The one buffer that is shown without a surface.
            InterfaceId::XdgToplevelIconV1
                if opcode == xdg_toplevel_icon_v1::REQ_ADD_BUFFER_OPCODE =>
            {
                let mut args = args;
                let buffer = self.buffers.get(&(client, args.object()?)).cloned();
                self.show(buffer.as_ref(), sink);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn surface(
        &mut self,
        key: Key,
        opcode: u16,
        mut args: Args<'_>,
        sink: &mut impl Sink,
    ) -> Result<(), Malformed> {
        match opcode {
            wl_surface::REQ_ATTACH_OPCODE => {
                let buffer = self.buffers.get(&(key.0, args.object()?)).cloned();
                self.surfaces.entry(key).or_default().attached = Some(buffer);
            }
            wl_surface::REQ_DAMAGE_OPCODE | wl_surface::REQ_DAMAGE_BUFFER_OPCODE => {
                self.surfaces.entry(key).or_default().damaged = true;
            }
            wl_surface::REQ_COMMIT_OPCODE => {
                let surface = self.surfaces.entry(key).or_default();
                let damaged = std::mem::take(&mut surface.damaged);
                if let Some(attached) = surface.attached.take() {
                    surface.content = attached;
                } else if !damaged {
                    return Ok(());
                }
                let content = surface.content.clone();
                self.show(content.as_ref(), sink);
            }
            wl_surface::REQ_DESTROY_OPCODE => {
                self.surfaces.remove(&key);
            }
            _ => {}
        }
        Ok(())
    }

    fn pool(
        &mut self,
        key: Key,
        opcode: u16,
        mut args: Args<'_>,
        sink: &mut impl Sink,
    ) -> Result<(), Malformed> {
        let Some(&file) = self.pools.get(&key) else { return Ok(()) };
        match opcode {
            wl_shm_pool::REQ_CREATE_BUFFER_OPCODE => {
                let id = args.object()?;
                let numbers = [args.int()?, args.int()?, args.int()?, args.int()?];
                let range = extent(numbers, args.uint()?);
                if let Some(pooled) = self.memories.get_mut(&file) {
                    pooled.users += 1;
                    self.buffers.insert((key.0, id), Buffer { file, range });
                }
            }
            wl_shm_pool::REQ_RESIZE_OPCODE => {
                if let Some(pooled) = self.memories.get_mut(&file) {
                    pooled.memory.keep_size(sink);
                }
            }
            wl_shm_pool::REQ_DESTROY_OPCODE => {
                self.pools.remove(&key);
                self.let_go(file, sink);
            }
            _ => {}
        }
        Ok(())
    }

    fn show(&mut self, buffer: Option<&Buffer>, sink: &mut impl Sink) {
        let Some(buffer) = buffer else { return };
        if let Some(pooled) = self.memories.get_mut(&buffer.file) {
            pooled.memory.keep_size(sink);
            pooled.memory.keep(buffer.range.clone(), &mut self.room, sink);
        }
    }

    fn let_go(&mut self, file: u32, sink: &mut impl Sink) {
        let Some(pooled) = self.memories.get_mut(&file) else { return };
        pooled.users = pooled.users.saturating_sub(1);
        if pooled.users == 0
            && let Some(pooled) = self.memories.remove(&file)
        {
            pooled.memory.forget(&mut self.room);
            sink.put(What::Closed { file });
        }
    }

    /// A client's session ended, and its objects with it.
    pub(crate) fn client_gone(&mut self, client: u64, sink: &mut impl Sink) {
        let of_client = |key: &Key| key.0 == client;
        self.surfaces.retain(|key, _| !of_client(key));
        let pools = self.pools.extract_if(|key, _| of_client(key)).map(|(_, file)| file);
        let mut files: Vec<u32> = pools.collect();
        let buffers = self.buffers.extract_if(|key, _| of_client(key));
        files.extend(buffers.map(|(_, buffer)| buffer.file));
        for file in files {
            self.let_go(file, sink);
        }
    }
}

/// The bytes of its pool that a buffer may show: its offset, width, height and stride as the
/// client wrote them, and its `wl_shm.format`.
fn extent(numbers: [i32; 4], format: u32) -> Range<u64> {
    /// `wl_shm.format.argb8888` and `xrgb8888`.
    const FOUR_BYTES: [u32; 2] = [0, 1];
    let [offset, width, height, stride] = numbers.map(|n| u64::try_from(n).unwrap_or(0));
    // Four numbers of 31 bits: no product of two and sum of three leaves 64.
    let len = if FOUR_BYTES.contains(&format) {
        height.saturating_sub(1) * stride + (width * 4).min(stride)
    } else {
        // Formats with several planes have them one behind the other, 4:4:4 at the most.
        height * stride * if format_has_planes(format) { 3 } else { 1 }
    };
    offset..offset + len
}

/// Whether the format is one of DRM's YUV formats with planes, by its four letters.
fn format_has_planes(format: u32) -> bool {
    let letters = format.to_le_bytes();
    matches!(&letters[..2], b"NV" | b"YU" | b"YV")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extent_of_a_buffer_ends_with_its_last_pixel() {
        assert_eq!(extent([100, 10, 3, 64], 0), 100..100 + 2 * 64 + 40);
        assert_eq!(extent([0, 10, 3, 16], 1), 0..48);
        // NV12
        assert_eq!(extent([8, 16, 4, 16], 0x3231_564e), 8..8 + 3 * 64);
        assert_eq!(extent([-1, -1, -1, -1], 0), 0..0);
        let most = i32::MAX;
        assert!(extent([most; 4], u32::MAX).end < 1 << 63);
    }
}
