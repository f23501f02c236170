//! The files of a recording, made anew for those who hear it again.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use rustix::fs::{MemfdFlags, Mode, OFlags, ftruncate, memfd_create};
use rustix::io::{Errno, pwrite};

use crate::fds::FdKind;
use crate::record::What;

/// Why a file of a recording cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFile {
    /// The recording speaks of a file that it did not introduce, or closed.
    #[error("the recording speaks of file {0}, which it does not have")]
    Unknown(u32),
    /// Memory for it cannot be had.
    #[error("file {0} of the recording cannot be made: {1}")]
    Failed(u32, Errno),
}

struct File {
    kind: FdKind,
    /// Of what is no memory there is nothing to keep.
    memory: Option<OwnedFd>,
}

/// The files that are open at one moment of a recording.
#[derive(Default)]
pub struct Files {
    by_number: HashMap<u32, File>,
    /// The other ends of pipes and sockets that were handed out.
    ends: Vec<OwnedFd>,
}

impl Files {
    /// Follows a record that is about a file; others change nothing.
    ///
    /// # Errors
    /// [`NoFile`] if the record cannot be followed.
    pub fn follow(&mut self, what: &What<'_>) -> Result<(), NoFile> {
        match *what {
            What::File { file, kind, size } => {
                let failed = |e| NoFile::Failed(file, e);
                let memory = (kind == FdKind::Memory).then(|| {
                    let fd = memfd_create("stratus-replay", MemfdFlags::CLOEXEC)?;
                    ftruncate(&fd, size).map(|()| fd)
                });
                let memory = memory.transpose().map_err(failed)?;
                self.by_number.insert(file, File { kind, memory });
            }
            What::Size { file, size } => {
                if let Some(memory) = self.memory(file)? {
                    ftruncate(memory, size).map_err(|e| NoFile::Failed(file, e))?;
                }
            }
            What::Content { file, offset, bytes } => {
                let mut done = 0;
                while let Some(memory) = self.memory(file)?.filter(|_| done < bytes.len()) {
                    let at = offset.saturating_add(done as u64);
                    match pwrite(memory, &bytes[done..], at) {
                        Ok(0) => return Err(NoFile::Failed(file, Errno::NOSPC)),
                        Ok(len) => done += len,
                        Err(Errno::INTR) => {}
                        Err(e) => return Err(NoFile::Failed(file, e)),
                    }
                }
            }
            What::Closed { file } => {
                self.by_number.remove(&file);
            }
            _ => {}
        }
        Ok(())
    }

    fn memory(&self, file: u32) -> Result<Option<&OwnedFd>, NoFile> {
        let file = self.by_number.get(&file).ok_or(NoFile::Unknown(file))?;
        Ok(file.memory.as_ref())
    }

    /// What the file is.
    #[must_use]
    pub fn kind(&self, file: u32) -> Option<FdKind> {
        self.by_number.get(&file).map(|file| file.kind)
    }

    /// A file descriptor of its own for each who is given the file: its memory, one end of a pipe
    /// or socket that is not used otherwise, and `/dev/null` for all that cannot be made anew.
    ///
    /// # Errors
    /// [`NoFile`] if there is no such file or no file descriptor.
    pub fn open(&mut self, file: u32) -> Result<OwnedFd, NoFile> {
        let failed = |e| NoFile::Failed(file, e);
        let to_errno = |e: std::io::Error| failed(Errno::from_io_error(&e).unwrap_or(Errno::IO));
        let found = self.by_number.get(&file).ok_or(NoFile::Unknown(file))?;
        if let Some(memory) = &found.memory {
            return memory.try_clone().map_err(to_errno);
        }
        match found.kind {
            FdKind::Pipe => {
                let flags = rustix::pipe::PipeFlags::CLOEXEC;
                let (reader, writer) = rustix::pipe::pipe_with(flags).map_err(failed)?;
                self.keep_end(reader);
                Ok(writer)
            }
            FdKind::Socket => {
                let (ours, theirs) = UnixStream::pair().map_err(to_errno)?;
                self.keep_end(ours.into());
                Ok(theirs.into())
            }
            _ => {
                let flags = OFlags::RDWR | OFlags::CLOEXEC;
                rustix::fs::open("/dev/null", flags, Mode::empty()).map_err(failed)
            }
        }
    }

    /// Keeps the newest few open, so that whoever was given the others is not told of an end.
    fn keep_end(&mut self, end: OwnedFd) {
        const KEPT: usize = 64;
        if self.ends.len() == KEPT {
            self.ends.remove(0);
        }
        self.ends.push(end);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rustix::io::pread;

    use super::*;

    #[test]
    fn memory_has_the_content_that_was_told_and_zeros() {
        let mut files = Files::default();
        files.follow(&What::File { file: 1, kind: FdKind::Memory, size: 10 }).unwrap();
        files.follow(&What::Content { file: 1, offset: 4, bytes: b"abc" }).unwrap();
        let fd = files.open(1).unwrap();
        let mut bytes = [9; 16];
        assert_eq!(pread(&fd, &mut bytes, 0), Ok(10));
        assert_eq!(&bytes[..10], b"\0\0\0\0abc\0\0\0");
        files.follow(&What::Size { file: 1, size: 5 }).unwrap();
        assert_eq!(pread(&fd, &mut bytes, 0), Ok(5));
        files.follow(&What::Closed { file: 1 }).unwrap();
        assert_eq!(files.open(1).err(), Some(NoFile::Unknown(1)));
        assert_eq!(pread(&fd, &mut bytes, 4), Ok(1), "who was given it keeps it");
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let mut files = Files::default();
        let content = What::Content { file: 7, offset: 0, bytes: b"x" };
        assert_eq!(files.follow(&content), Err(NoFile::Unknown(7)));
        let huge = What::File { file: 1, kind: FdKind::Memory, size: u64::MAX };
        assert!(matches!(files.follow(&huge), Err(NoFile::Failed(1, _))));
        files.follow(&What::File { file: 2, kind: FdKind::Memory, size: 1 }).unwrap();
        let far = What::Content { file: 2, offset: u64::MAX, bytes: b"x" };
        assert!(matches!(files.follow(&far), Err(NoFile::Failed(2, _))));
        for kind in [FdKind::Pipe, FdKind::Socket, FdKind::Dmabuf, FdKind::Other] {
            files.follow(&What::File { file: 3, kind, size: 0 }).unwrap();
            files.open(3).unwrap();
            assert_eq!(files.kind(3), Some(kind));
        }
    }
}
