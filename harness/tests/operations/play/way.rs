//! How a client reaches its compositor: by bytes of its own or by a library.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use stratus_harness::raw::{RawEvent, Wire};
use wayland_backend::protocol::Interface;

use crate::arg::Arg;
use crate::library::Library;
use crate::link::Link;

pub(crate) enum Way {
    Bytes(Link),
    Library(Library),
}

impl Way {
    pub(super) fn is_bytes(&self) -> bool {
        matches!(self, Self::Bytes(_))
    }

    /// Queues a request and says which id it made, or 0. The library chooses ids by itself;
    /// otherwise `Arg::New` holds it. `made` is for a new object that the table says nothing of.
    pub(super) fn request(
        &mut self,
        sender: u32,
        opcode: u16,
        args: &[Arg],
        fd: Option<OwnedFd>,
        made: Option<(&'static Interface, u32)>,
    ) -> u32 {
        let link = match self {
            Self::Library(library) => {
                return library.request(sender, opcode, args, fd.as_ref(), made);
            }
            Self::Bytes(link) => link,
        };
        let (mut wire, mut id) = (Wire::new(sender, opcode), 0);
        for arg in args {
            wire = match arg {
                Arg::Int(value) | Arg::Fixed(value) => wire.word(*value as u32),
                Arg::Uint(value) | Arg::Object(value) => wire.word(*value),
                Arg::Text(text) => wire.string(text),
                Arg::Bytes(bytes) => wire.array(bytes),
                Arg::Fd(_) => wire,
                Arg::New(new) => {
                    id = *new;
                    wire.word(*new)
                }
            };
        }
        link.push(&wire.bytes(), fd);
        id
    }

    /// Sends what is queued; bytes of our own but for the last `keep`.
    pub(super) fn flush(&mut self, keep: usize) -> io::Result<()> {
        match self {
            Self::Bytes(link) => link.flush(keep),
            Self::Library(library) => {
                library.flush();
                Ok(())
            }
        }
    }

    pub(super) fn event(&mut self, limit: Duration) -> io::Result<Option<RawEvent>> {
        match self {
            Self::Bytes(link) => link.event(limit),
            Self::Library(library) => library.event(limit),
        }
    }

    pub(super) fn take_fd(&mut self) -> Option<OwnedFd> {
        match self {
            Self::Bytes(link) => link.take_fd(),
            Self::Library(library) => library.take_fd(),
        }
    }

    pub(super) fn fds_left(&self) -> usize {
        match self {
            Self::Bytes(link) => link.fds_left(),
            Self::Library(library) => library.fds_left(),
        }
    }
}
