//! The two sockets of a server: UDP and TCP on one port number.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use crate::server::ServeError;
use crate::transport;

/// How often another free port is looked for when a free one of UDP is taken on TCP.
const TRIES: usize = 64;

/// Binds both to `addr`; with port 0 to one that is free on both.
pub(crate) fn sockets(addr: SocketAddr) -> Result<(UdpSocket, TcpListener), ServeError> {
    let mut tries = if addr.port() == 0 { TRIES } else { 1 };
    loop {
        let udp = transport::socket(addr).map_err(|e| error(addr, "UDP", e))?;
        let local = udp.local_addr().map_err(|e| error(addr, "UDP", e))?;
        tries -= 1;
        match TcpListener::bind(local).and_then(|tcp| tcp.set_nonblocking(true).map(|()| tcp)) {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(e) if e.kind() == io::ErrorKind::AddrInUse && tries > 0 => {}
            Err(e) => return Err(error(local, "TCP", e)),
        }
    }
}

pub(crate) fn error(addr: SocketAddr, protocol: &'static str, source: io::Error) -> ServeError {
    match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::PortBusy { addr, protocol },
        io::ErrorKind::AddrNotAvailable => ServeError::NoSuchAddress { addr },
        io::ErrorKind::PermissionDenied => ServeError::Privileged { addr },
        _ => ServeError::Socket { addr, protocol, source },
    }
}
