//! What is known of every Wayland interface: its messages, their signatures, their numbers.
//!
//! [`InterfaceId`] names the interfaces; [`InterfaceId::interface`] leads to the table of one.
//! Each interface also has a module of its name at the root of this crate, with its opcodes as
//! constants, so that nobody writes a bare number:
//!
//! ```
//! use stratus_protocols::{InterfaceId, wl_surface, xdg_toplevel};
//!
//! let table = InterfaceId::WlSurface.interface();
//! assert_eq!(table.requests[wl_surface::REQ_COMMIT_OPCODE as usize].name, "commit");
//! assert_eq!(InterfaceId::find(b"xdg_toplevel"), Some(InterfaceId::XdgToplevel));
//! assert_eq!(xdg_toplevel::EVT_CONFIGURE_OPCODE, 0);
//! ```
//!
//! The tables are those that the wayland-rs crates generate from the protocol descriptions; the
//! client side of those crates is used because only it has `wl_display`. What games speak and no
//! crate has is described in `xml/`.

mod interface;
mod list;
mod own_unsafe;
mod sources;

pub use interface::InterfaceId;
pub use list::modules::*;
pub use wayland_backend::protocol::{AllowNull, ArgumentType, Interface, MessageDesc};
