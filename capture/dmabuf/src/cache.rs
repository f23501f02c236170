//! Memories that were opened lately, for clients that make a new buffer for every frame.
//!
//! Such clients (GTK, vkd3d) turn over a few dmabufs under ever new ids, and importing one costs
//! more than reading it. A dmabuf is known by its inode: an inode number is used anew once its
//! dmabuf is gone, but it is not gone while the memory here keeps a descriptor of it.

use std::io;
use std::sync::Arc;

use nix::sys::stat::fstat;

use crate::layout::{Description, Layout};
use crate::memory::Memory;

/// Memories kept at most; more than any swapchain has. So much may outlive its buffers until the
/// client goes.
const MAX_KEPT: usize = 8;

/// What tells a picture's memory from others: file system, inode, offset and stride of each plane,
/// and how they are understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    planes: Vec<(u64, u64, u32, u32)>,
    layout: Layout,
}

impl Key {
    /// The key of a description whose numbers were found to be `layout`.
    ///
    /// # Errors
    /// If the system does not tell the inodes.
    pub(crate) fn new(described: &Description, layout: Layout) -> io::Result<Self> {
        let mut planes = Vec::with_capacity(described.planes.len());
        for plane in &described.planes {
            let stat = fstat(&plane.fd)?;
            planes.push((stat.st_dev, stat.st_ino, plane.offset, plane.stride));
        }
        Ok(Self { planes, layout })
    }
}

/// The memories, the one used last at the end.
#[derive(Debug, Default)]
pub(crate) struct Cache(Vec<(Key, Arc<Memory>)>);

impl Cache {
    /// The memory that was opened with `key`, or the one that `make` makes.
    pub(crate) fn find_or(&mut self, key: Key, make: impl FnOnce() -> Memory) -> Arc<Memory> {
        let memory = match self.0.iter().position(|(known, _)| *known == key) {
            Some(at) => self.0.remove(at).1,
            None => {
                if self.0.len() >= MAX_KEPT {
                    self.0.remove(0);
                }
                Arc::new(make())
            }
        };
        self.0.push((key, Arc::clone(&memory)));
        memory
    }

    /// Lets go of what no buffer uses.
    pub(crate) fn forget_unused(&mut self) {
        self.0.retain(|(_, memory)| Arc::strong_count(memory) > 1);
    }
}
