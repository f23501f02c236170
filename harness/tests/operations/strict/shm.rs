//! `wl_shm`, its pools and buffers, and buffers of one pixel.

use std::collections::{BTreeMap, BTreeSet};

use super::{Desk, Judged, Request, wrong};

/// Pools by size, buffers by width and height.
#[derive(Default)]
pub(crate) struct Memory {
    pools: BTreeMap<u32, i32>,
    pub buffers: BTreeMap<u32, (i32, i32)>,
    /// Buffers that the client waits for.
    pub busy: BTreeSet<u32>,
}

impl Memory {
    pub(super) fn forget(&mut self, id: u32) {
        self.pools.remove(&id);
        self.buffers.remove(&id);
        self.busy.remove(&id);
    }
}

/// `wl_shm.error`.
const INVALID_FORMAT: u32 = 0;
const INVALID_STRIDE: u32 = 1;
const INVALID_FD: u32 = 2;

impl Desk {
    pub(super) fn shm_request(&mut self, interface: &str, name: &str, r: &Request) -> Judged {
        match (interface, name) {
            ("wl_shm", "create_pool") => {
                let (id, size) = (r.id(0), r.number(2));
                let file = nix::sys::stat::fstat(r.fd.as_ref().expect("create_pool has an fd"));
                if size <= 0 || file.map_or(0, |file| file.st_size) < i64::from(size) {
                    return wrong(r.sender, INVALID_FD, "the file is smaller than the pool");
                }
                self.shm.pools.insert(id, size);
            }
            ("wl_shm_pool", "create_buffer") => {
                let [offset, width, height, stride] = [1, 2, 3, 4].map(|i| i64::from(r.number(i)));
                let pool = i64::from(self.shm.pools[&r.sender]);
                if !matches!(r.number(5), 0 | 1) {
                    return wrong(r.sender, INVALID_FORMAT, "not a format that was offered");
                }
                let fits = width > 0
                    && height > 0
                    && offset >= 0
                    && stride >= width * 4
                    && offset + stride * height <= pool;
                if !fits {
                    return wrong(r.sender, INVALID_STRIDE, "the buffer reaches past its pool");
                }
                self.shm.buffers.insert(r.id(0), (width as i32, height as i32));
            }
            ("wl_shm_pool", "resize") => {
                if r.number(0) < self.shm.pools[&r.sender] {
                    return wrong(r.sender, INVALID_FD, "a pool does not shrink");
                }
                self.shm.pools.insert(r.sender, r.number(0));
            }
            ("wp_single_pixel_buffer_manager_v1", "create_u32_rgba_buffer") => {
                self.shm.buffers.insert(r.id(0), (1, 1));
            }
            _ => {}
        }
        Ok(())
    }
}
