//! `wl_drm`, which no crate ships: what the scanner makes of our description of its messages.
//!
//! The generated tables come with twins for C, whose raw pointers need `unsafe`; Stratus never
//! follows them.
#![allow(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "generated: addresses of statics are stored in statics, nothing is dereferenced"
)]
#![allow(missing_docs, unreachable_pub, dead_code, unused_imports, unused_unsafe)]
#![allow(non_upper_case_globals, non_camel_case_types, clippy::all, clippy::pedantic)]

use wayland_client;
use wayland_client::protocol::*;

pub mod __interfaces {
    use wayland_client::protocol::__interfaces::*;
    wayland_scanner::generate_interfaces!("./xml/wl_drm.xml");
}
use self::__interfaces::*;

wayland_scanner::generate_client_code!("./xml/wl_drm.xml");
