//! Bytes and fds over a Unix socket that waits, as cheaply as they go.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// Fds that go with one system call at most, as in libwayland.
pub(crate) const MAX_FDS: usize = 28;

/// Receives once. The number of bytes is 0 when the peer is gone.
pub(crate) fn receive(
    stream: &UnixStream,
    room: &mut [u8],
    fds: &mut Vec<OwnedFd>,
) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut slices = [IoSliceMut::new(room)];
    let received = match recvmsg(stream, &mut slices, &mut control, RecvFlags::CMSG_CLOEXEC) {
        Ok(received) => received,
        // A peer that dies with our bytes unread resets the connection.
        Err(rustix::io::Errno::CONNRESET) => return Ok(0),
        Err(e) => return Err(e.into()),
    };
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = part {
            fds.extend(rights);
        }
    }
    Ok(received.bytes)
}

/// Sends all bytes, and the fds with the first of them.
pub(crate) fn send<F: AsFd>(stream: &UnixStream, mut bytes: &[u8], fds: &[F]) -> io::Result<()> {
    let borrowed: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
    let mut beside = &borrowed[..];
    while !bytes.is_empty() {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
        let mut control = SendAncillaryBuffer::default();
        if !beside.is_empty() {
            control = SendAncillaryBuffer::new(&mut space);
            if !control.push(SendAncillaryMessage::ScmRights(beside)) {
                return Err(io::Error::other(format!("more than {MAX_FDS} fds at once")));
            }
        }
        let sent = sendmsg(stream, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?;
        bytes = &bytes[sent..];
        beside = &[];
    }
    Ok(())
}
