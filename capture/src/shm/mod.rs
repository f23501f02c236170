//! `wl_shm` memory: pools that grow and shrink under us, and the pictures in them.
//!
//! The two files with unsafe code are `mapping_unsafe.rs` and `guard_unsafe.rs`; all numbers that
//! a game states are checked here, before any map or read.

mod guard_unsafe;
mod mapping_unsafe;
mod picture;
mod pool;

pub(crate) use picture::{Layout, ShmPicture, is_readable};
pub(crate) use pool::{Allowance, PoolMemory};
