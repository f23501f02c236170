//! The scripted client's buffers and who has each of them.

use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::rc::Rc;

use anyhow::Context as _;
use nix::sys::memfd::{MFdFlags, memfd_create};
use wayland_client::QueueHandle;
use wayland_client::protocol::{
    wl_buffer::WlBuffer, wl_shm, wl_shm::WlShm, wl_shm_pool::WlShmPool,
};
use wayland_protocols::wp::linux_dmabuf::zv1::client::zwp_linux_buffer_params_v1::Flags;
use wayland_protocols::wp::linux_dmabuf::zv1::client::zwp_linux_dmabuf_v1::ZwpLinuxDmabufV1;

use super::config::{Buffers, Config, Format, POISON};
use super::events::{BufferKey, Game};
use crate::dmabuf::Dmabuf;
use crate::scene::Scene;

/// Memory for one picture.
struct Slot {
    buffer: Option<WlBuffer>,
    generation: u64,
    pool: Rc<Pool>,
    offset: u32,
    /// Committed and not released.
    busy: bool,
    /// Holds a frame of the scene, all of it.
    drawn: bool,
}

impl Slot {
    fn new(pool: Rc<Pool>, offset: u32) -> Self {
        Self { buffer: None, generation: 0, pool, offset, busy: false, drawn: false }
    }
}

struct Pool {
    shared: Shared,
    file: File,
}

/// What the compositor is shown of a pool.
enum Shared {
    Shm(WlShmPool),
    Dmabuf(OwnedFd),
}

impl Pool {
    fn shm(&self) -> Option<&WlShmPool> {
        match &self.shared {
            Shared::Shm(pool) => Some(pool),
            Shared::Dmabuf(_) => None,
        }
    }

    fn destroy(&self) {
        if let Some(pool) = self.shm() {
            pool.destroy();
        }
    }
}

/// All buffers of one size, and those of older sizes that are still with the compositor.
pub(crate) struct Store {
    shm: WlShm,
    dmabuf: Option<ZwpLinuxDmabufV1>,
    kind: Buffers,
    format: wl_shm::Format,
    offset: u32,
    row_gap: u32,
    size: (u32, u32),
    slots: Vec<Slot>,
    retired: Vec<(BufferKey, WlBuffer)>,
    next_generation: u64,
    last_used: usize,
    picture: Vec<u8>,
    poisoned: Vec<u8>,
    /// Nobody but `draw` changes what buffers hold.
    undisturbed: bool,
}

impl Store {
    pub(crate) fn new(shm: WlShm, dmabuf: Option<ZwpLinuxDmabufV1>, config: &Config) -> Self {
        Self {
            shm,
            dmabuf,
            kind: config.kind,
            format: match config.format {
                Format::Xrgb8888 => wl_shm::Format::Xrgb8888,
                Format::Argb8888 => wl_shm::Format::Argb8888,
            },
            offset: config.offset,
            row_gap: config.row_gap,
            size: (0, 0),
            slots: Vec::new(),
            retired: Vec::new(),
            next_generation: 0,
            last_used: 0,
            picture: Vec::new(),
            poisoned: Vec::new(),
            undisturbed: !config.poison && config.tricks.is_empty(),
        }
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        self.size
    }

    fn stride(&self) -> u32 {
        self.size.0 * 4 + self.row_gap
    }

    fn picture_len(&self) -> u32 {
        self.stride() * self.size.1
    }

    /// Makes `count` buffers of `size`; those of the old size go as soon as they are released.
    pub(crate) fn make(
        &mut self,
        size: (u32, u32),
        count: usize,
        queue: &QueueHandle<Game>,
    ) -> anyhow::Result<()> {
        self.retire();
        self.size = size;
        self.picture = vec![0; self.picture_len() as usize];
        let mut pool = None;
        for slot in 0..count {
            let (pool, offset) = match self.kind {
                Buffers::PoolEach | Buffers::Dmabufs => (self.pool(1, queue)?, self.offset),
                Buffers::OnePool | Buffers::FreshEachFrame => {
                    let shared = match &pool {
                        Some(pool) => Rc::clone(pool),
                        None => Rc::clone(pool.insert(self.pool(count as u32, queue)?)),
                    };
                    (shared, self.offset + slot as u32 * self.picture_len())
                }
            };
            self.slots.push(Slot::new(pool, offset));
            if self.kind != Buffers::FreshEachFrame {
                self.renew(slot, queue);
            }
            if self.kind == Buffers::PoolEach {
                self.slots[slot].pool.destroy();
            }
        }
        Ok(())
    }

    /// Grows the pool by its own size and moves all buffers into the new half.
    pub(crate) fn grow(&mut self, queue: &QueueHandle<Game>) -> anyhow::Result<()> {
        let Some(first) = self.slots.first() else { return Ok(()) };
        let (pool, count) = (Rc::clone(&first.pool), self.slots.len());
        let old = self.offset + count as u32 * self.picture_len();
        let new = old + count as u32 * self.picture_len();
        pool.file.set_len(u64::from(new)).context("grow the pool")?;
        if let Some(pool) = pool.shm() {
            pool.resize(new as i32);
        }
        self.retire_buffers();
        for slot in 0..count {
            let offset = old + slot as u32 * self.picture_len();
            let pool = Rc::clone(&pool);
            self.slots.push(Slot::new(pool, offset));
            self.renew(slot, queue);
        }
        Ok(())
    }

    fn pool(&self, pictures: u32, queue: &QueueHandle<Game>) -> anyhow::Result<Rc<Pool>> {
        let len = u64::from(self.offset) + u64::from(pictures) * u64::from(self.picture_len());
        let wire_len = i32::try_from(len).context("the pool is too large for wl_shm")?;
        if self.kind == Buffers::Dmabufs {
            let Dmabuf { memory: file, shared } = Dmabuf::new(len)?;
            return Ok(Rc::new(Pool { shared: Shared::Dmabuf(shared), file }));
        }
        let memory = memfd_create("harness-pool", MFdFlags::MFD_CLOEXEC).context("memfd_create")?;
        let file = File::from(memory);
        file.set_len(len).context("size the pool")?;
        let shared = Shared::Shm(self.shm.create_pool(file.as_fd(), wire_len, queue, ()));
        Ok(Rc::new(Pool { shared, file }))
    }

    /// Gives `slot` a new `wl_buffer`.
    fn renew(&mut self, slot: usize, queue: &QueueHandle<Game>) {
        self.next_generation += 1;
        let key = BufferKey { slot, generation: self.next_generation };
        let (width, height) = (self.size.0 as i32, self.size.1 as i32);
        let (stride, format) = (self.stride() as i32, self.format);
        let place = &mut self.slots[slot];
        let buffer = match &place.pool.shared {
            Shared::Shm(pool) => {
                let offset = place.offset as i32;
                Some(pool.create_buffer(offset, width, height, stride, format, queue, key))
            }
            Shared::Dmabuf(memory) => self.dmabuf.as_ref().map(|dmabuf| {
                let params = dmabuf.create_params(queue, ());
                // Linear, which is modifier 0.
                params.add(memory.as_fd(), 0, place.offset, stride as u32, 0, 0);
                let format = drm_format(format);
                let buffer = params.create_immed(width, height, format, Flags::empty(), queue, key);
                params.destroy();
                buffer
            }),
        };
        place.generation = key.generation;
        place.buffer = buffer;
        place.busy = false;
    }

    fn retire_buffers(&mut self) {
        for (slot, place) in self.slots.drain(..).enumerate() {
            let Some(buffer) = place.buffer else { continue };
            if place.busy {
                self.retired.push((BufferKey { slot, generation: place.generation }, buffer));
            } else {
                buffer.destroy();
            }
        }
    }

    fn retire(&mut self) {
        let shared = self.slots.first().filter(|_| self.kind != Buffers::PoolEach);
        let pool = shared.map(|slot| Rc::clone(&slot.pool));
        self.retire_buffers();
        if let Some(pool) = pool {
            pool.destroy();
        }
    }

    /// The next free buffer in turn.
    pub(crate) fn free(&self) -> Option<usize> {
        let count = self.slots.len();
        (1..=count).map(|i| (self.last_used + i) % count).find(|&slot| !self.slots[slot].busy)
    }

    /// Buffers that are with the compositor.
    pub(crate) fn busy(&self) -> usize {
        self.slots.iter().filter(|slot| slot.busy).count() + self.retired.len()
    }

    /// Takes note of a release. Returns false if nobody waited for it.
    pub(crate) fn released(&mut self, key: BufferKey) -> bool {
        if let Some(at) = self.retired.iter().position(|(retired, _)| *retired == key) {
            self.retired.swap_remove(at).1.destroy();
            return true;
        }
        let Some(slot) = self.slots.get_mut(key.slot).filter(|s| s.generation == key.generation)
        else {
            return false;
        };
        let expected = std::mem::replace(&mut slot.busy, false);
        if self.kind == Buffers::FreshEachFrame
            && let Some(buffer) = slot.buffer.take()
        {
            buffer.destroy();
        }
        expected
    }

    /// Paints over what a buffer that was just released shows.
    pub(crate) fn poison(&mut self, key: BufferKey) -> anyhow::Result<()> {
        let slot = self.slots.get(key.slot).filter(|s| s.generation == key.generation);
        // The memory of a retired buffer may be another's by now.
        let Some(slot) = slot else { return Ok(()) };
        if self.poisoned.len() != self.picture.len() {
            self.poisoned = POISON.repeat(self.picture.len() / POISON.len());
        }
        slot.pool.file.write_all_at(&self.poisoned, u64::from(slot.offset)).context("poison")
    }

    /// Draws frame `number` into `slot`.
    pub(crate) fn draw(&mut self, slot: usize, scene: &Scene, number: u32) -> anyhow::Result<()> {
        let stride = self.stride() as usize;
        let place = &mut self.slots[slot];
        // As a game does that stands still: a frame costs it no more than what changes.
        let again = std::mem::replace(&mut place.drawn, self.undisturbed);
        let changed = if again {
            scene.redraw(&mut self.picture, stride, number);
            scene.damage()
        } else {
            scene.draw(&mut self.picture, stride, number);
            vec![(0, 0, self.size.0, self.size.1)]
        };
        for (_, y, _, height) in changed {
            let start = y as usize * stride;
            let end = ((y + height) as usize * stride).min(self.picture.len());
            let at = u64::from(place.offset) + start as u64;
            // Through the file and not a mapping of our own: the pages are the same, and nobody's
            // truncation can harm this side.
            place.pool.file.write_all_at(&self.picture[start..end], at).context("draw")?;
        }
        Ok(())
    }

    /// The `wl_buffer` of `slot`, which is with the compositor from now on.
    pub(crate) fn give(&mut self, slot: usize, queue: &QueueHandle<Game>) -> Option<WlBuffer> {
        if self.slots[slot].buffer.is_none() {
            self.renew(slot, queue);
        }
        self.last_used = slot;
        let place = &mut self.slots[slot];
        place.busy = true;
        place.buffer.clone()
    }

    /// Destroys the buffer of `slot` although it is with the compositor, and makes another.
    pub(crate) fn destroy_early(&mut self, slot: usize, queue: &QueueHandle<Game>) {
        if let Some(buffer) = self.slots[slot].buffer.take() {
            buffer.destroy();
        }
        self.renew(slot, queue);
    }

    /// Takes the memory behind `slot` away.
    pub(crate) fn truncate(&self, slot: usize) -> anyhow::Result<()> {
        self.slots[slot].pool.file.set_len(0).context("truncate the pool")
    }

    /// Gives it back, filled with zeros.
    pub(crate) fn restore(&self) -> anyhow::Result<()> {
        let each = matches!(self.kind, Buffers::PoolEach | Buffers::Dmabufs);
        let pictures = if each { 1 } else { self.slots.len() };
        let len = u64::from(self.offset) + pictures as u64 * u64::from(self.picture_len());
        for slot in &self.slots {
            slot.pool.file.set_len(len).context("restore the pool")?;
        }
        Ok(())
    }

    /// A buffer that claims more memory than the pool has.
    pub(crate) fn oversized(&self, queue: &QueueHandle<Game>) -> Option<WlBuffer> {
        let (width, height) = (self.size.0 as i32, self.size.1 as i32 * 1000);
        let key = BufferKey { slot: usize::MAX, generation: 0 };
        let proxy = self.slots.first()?.pool.shm()?;
        let stride = self.stride() as i32;
        Some(proxy.create_buffer(0, width, height, stride, self.format, queue, key))
    }
}

/// The name of a format of `wl_shm` in DRM: the same, but for the two that came first.
fn drm_format(format: wl_shm::Format) -> u32 {
    match format {
        wl_shm::Format::Argb8888 => u32::from_le_bytes(*b"AR24"),
        wl_shm::Format::Xrgb8888 => u32::from_le_bytes(*b"XR24"),
        other => other.into(),
    }
}
