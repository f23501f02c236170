//! The proxy's outside: the socket that games connect to, the way to the compositor, and the loop
//! that moves bytes between them.
//!
//! All that is known of Wayland is in `stratus_proxy_core`; here are system calls and nothing
//! else. One thread serves all clients, each with a session of its own; in the usual case a
//! message costs one `epoll_wait`, one `recvmsg` and one `sendmsg`.
#![forbid(unsafe_code)]

mod closer;
mod connection;
mod door;
mod listener;
mod proxy;
pub mod socket;
mod upstream;
mod wakeup;

pub use listener::{BindError, SocketName};
pub use proxy::{Proxy, ProxyConfig, RunError};
pub use stratus_proxy_core as core;
pub use upstream::{NoUpstream, connect, upstream_path};
pub use wakeup::{ProxyHandle, Wakeup};
