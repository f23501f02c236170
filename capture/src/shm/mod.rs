//! `wl_shm` memory: pools that grow and shrink under us, and the pictures in them.
//!
//! All numbers that a game states are checked here, before any map or read.

mod picture;
mod pool;

pub(crate) use picture::{Layout, ShmPicture, format_of};
pub(crate) use pool::PoolMemory;
