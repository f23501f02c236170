//! `recvmsg` and `sendmsg` with fds, which never wait.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use stratus_proxy_core::{MAX_FDS_OUT, Transmit};

/// As many fds as the kernel lets one `sendmsg` carry (SCM_MAX_FD).
const MAX_FDS_IN: usize = 253;

/// What `recvmsg` brought.
pub struct Received {
    /// 0 at the end of the stream.
    pub len: usize,
    /// The kernel had more fds than it could hand over.
    pub lost_fds: bool,
}

/// Receives into `room`, and fds into `fds`, close-on-exec.
///
/// # Errors
/// `WouldBlock` if there is nothing; else those of `recvmsg`.
pub fn receive(
    socket: &UnixStream,
    room: &mut [u8],
    fds: &mut Vec<OwnedFd>,
) -> io::Result<Received> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS_IN))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let message = recvmsg(socket, &mut [IoSliceMut::new(room)], &mut control, flags)?;
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = part {
            fds.extend(rights);
        }
    }
    Ok(Received { len: message.bytes, lost_fds: message.flags.contains(ReturnFlags::CTRUNC) })
}

/// Sends what there is room for. Gives the number of bytes; the fds went with the first of them.
///
/// # Errors
/// `WouldBlock` if there is no room; else those of `sendmsg`.
pub fn send(socket: &UnixStream, transmit: &Transmit<'_>) -> io::Result<usize> {
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    let fds = transmit.fds();
    let Some(first) = fds.first() else {
        let sent = sendmsg(socket, transmit.slices(), &mut SendAncillaryBuffer::default(), flags);
        return Ok(sent?);
    };
    let mut borrowed: [BorrowedFd<'_>; MAX_FDS_OUT] = [first.as_fd(); MAX_FDS_OUT];
    for (slot, fd) in borrowed.iter_mut().zip(fds) {
        *slot = fd.as_fd();
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS_OUT))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    // There is room: a Transmit has at most MAX_FDS_OUT of them.
    let fits = control.push(SendAncillaryMessage::ScmRights(&borrowed[..fds.len()]));
    debug_assert!(fits);
    Ok(sendmsg(socket, transmit.slices(), &mut control, flags)?)
}
