//! What the tests of Stratus stand on: both peers of the proxy, real and scripted, and the means
//! to see what came through.
//!
//! The scripted [`client`] is built on `wayland-client` and the scripted [`compositor`] on
//! `wayland-backend`'s server, so that the proxy's own parser always meets bytes that another
//! implementation wrote. A [`puppet`] is a client that does one request after another as a test
//! tells it. [`raw`] writes bytes by hand where no library would write them. [`sway`] starts the
//! real compositor, [`screencopy`] asks it what it shows, [`copies`] asks for one picture after
//! another.
//!
//! [`marker`] draws a frame number that survives H.264, [`picture`] compares pictures, [`fds`]
//! counts what a process holds, [`wire_log`] compares two `WAYLAND_DEBUG` logs, and [`watchdog`]
//! ends a test that hangs. [`link`] is a network with faults, between sockets of one machine.

pub mod client;
pub mod compositor;
pub mod copies;
pub mod dmabuf;
pub mod fds;
pub mod hand;
pub mod keyboard;
pub mod link;
pub mod marker;
pub mod memory;
pub mod picture;
pub mod puppet;
pub mod raw;
pub mod scene;
pub mod screencopy;
pub mod sway;
pub mod watchdog;
pub mod wire_log;
