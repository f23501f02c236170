//! What a file descriptor that came with a message is.

use std::os::fd::{AsFd, AsRawFd};

use rustix::fs::{FileType, fstat};

/// What a file descriptor is, as far as `fstat` and the kernel's name for it tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FdKind {
    /// Shared memory or a file; its content can be kept.
    Memory,
    /// A pipe.
    Pipe,
    /// A socket.
    Socket,
    /// Memory of a GPU.
    Dmabuf,
    /// A fence of a GPU.
    SyncFile,
    /// A device, such as a DRM lease.
    Device,
    /// Anything else.
    Other,
}

impl FdKind {
    /// Looks at `fd`. Gives its size in bytes as well, 0 where it has none.
    pub(crate) fn look(fd: impl AsFd) -> (Self, u64) {
        let Ok(stat) = fstat(&fd) else { return (Self::Other, 0) };
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        // A dmabuf is of no type of its own, and has a size.
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Fifo => (Self::Pipe, 0),
            FileType::Socket => (Self::Socket, 0),
            FileType::CharacterDevice | FileType::BlockDevice => (Self::Device, 0),
            kind => {
                let name = kernel_name(&fd);
                let is = |part: &str| name.contains(part);
                if is("dmabuf") {
                    (Self::Dmabuf, size)
                } else if is("sync_file") {
                    (Self::SyncFile, 0)
                } else if kind == FileType::RegularFile {
                    (Self::Memory, size)
                } else {
                    (Self::Other, 0)
                }
            }
        }
    }

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Memory => 0,
            Self::Pipe => 1,
            Self::Socket => 2,
            Self::Dmabuf => 3,
            Self::SyncFile => 4,
            Self::Device => 5,
            Self::Other => u8::MAX,
        }
    }

    pub(crate) fn of_number(number: u8) -> Self {
        match number {
            0 => Self::Memory,
            1 => Self::Pipe,
            2 => Self::Socket,
            3 => Self::Dmabuf,
            4 => Self::SyncFile,
            5 => Self::Device,
            _ => Self::Other,
        }
    }
}

/// `/memfd:name (deleted)`, `/dmabuf:`, `anon_inode:sync_file` and so on; empty if not known.
fn kernel_name(fd: impl AsFd) -> String {
    let link = format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd());
    std::fs::read_link(link).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
