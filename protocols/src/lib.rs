//! Interface tables, under construction.

/// Every interface that Stratus knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
#[allow(missing_docs)]
pub enum InterfaceId { WlDisplay, WlSurface }

pub use wayland_server::protocol::wl_surface;
