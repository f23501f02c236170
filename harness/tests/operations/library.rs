//! The client's side by `wayland-backend`: ids, bytes and fds as its library writes and reads
//! them, with its own buffers and its own moments of sending.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use stratus_harness::raw::{RawEvent, Wire};
use wayland_backend::protocol::{Argument, Interface, Message};
use wayland_backend::rs::client::{Backend, ObjectData, ObjectId, WaylandError};

use super::arg::Arg;

/// An event with what the library made of it.
struct Came {
    event: RawEvent,
    fds: Vec<OwnedFd>,
    made: Option<ObjectId>,
}

/// Stands behind every object, and keeps what comes for it.
#[derive(Default)]
struct Inbox(Mutex<VecDeque<Came>>);

impl ObjectData for Inbox {
    fn event(
        self: Arc<Self>,
        _: &Backend,
        message: Message<ObjectId, OwnedFd>,
    ) -> Option<Arc<dyn ObjectData>> {
        let (mut fds, mut made) = (Vec::new(), None);
        let mut wire = Wire::new(message.sender_id.protocol_id(), message.opcode);
        for argument in message.args {
            wire = match argument {
                Argument::Int(value) | Argument::Fixed(value) => wire.word(value as u32),
                Argument::Uint(value) => wire.word(value),
                Argument::Str(None) => wire.word(0),
                Argument::Str(Some(text)) => wire.array(text.as_bytes_with_nul()),
                Argument::Array(bytes) => wire.array(&bytes),
                Argument::Object(id) => wire.word(id.protocol_id()),
                Argument::NewId(id) => {
                    made = Some(id.clone());
                    wire.word(id.protocol_id())
                }
                Argument::Fd(fd) => {
                    fds.push(fd);
                    wire
                }
            };
        }
        let body = wire.bytes().split_off(8);
        let (sender, opcode) = (message.sender_id.protocol_id(), message.opcode);
        let creates = made.is_some();
        let event = RawEvent { sender, opcode, body };
        self.0.lock().unwrap().push_back(Came { event, fds, made });
        creates.then_some(self as Arc<dyn ObjectData>)
    }

    fn destroyed(&self, _: ObjectId) {}
}

/// A connection of the library's.
pub(crate) struct Library {
    backend: Backend,
    inbox: Arc<Inbox>,
    ids: BTreeMap<u32, ObjectId>,
    fds: VecDeque<OwnedFd>,
    closed: bool,
}

impl Library {
    pub(crate) fn connect(path: &Path) -> io::Result<Self> {
        let backend = Backend::connect(UnixStream::connect(path)?).map_err(io::Error::other)?;
        let ids = BTreeMap::from([(1, backend.display_id())]);
        let inbox = Arc::<Inbox>::default();
        Ok(Self { backend, inbox, ids, fds: VecDeque::new(), closed: false })
    }

    /// Queues a request and says which id it made, or 0. `made` is the interface and version of a
    /// new object where the request's table names none.
    pub(crate) fn request(
        &mut self,
        sender: u32,
        opcode: u16,
        args: &[Arg],
        fd: Option<&OwnedFd>,
        made: Option<(&'static Interface, u32)>,
    ) -> u32 {
        let creates = args.iter().any(|arg| matches!(arg, Arg::New(_)));
        let text = |text: &str| Box::new(CString::new(text).expect("no NUL"));
        let argument = |arg: &Arg| match arg {
            Arg::Int(value) => Argument::Int(*value),
            Arg::Uint(value) => Argument::Uint(*value),
            Arg::Fixed(value) => Argument::Fixed(*value),
            Arg::Text(value) => Argument::Str(Some(text(value))),
            Arg::Object(0) => Argument::Object(ObjectId::null()),
            Arg::Object(id) => Argument::Object(self.ids[id].clone()),
            Arg::New(_) => Argument::NewId(ObjectId::null()),
            Arg::Bytes(bytes) => Argument::Array(Box::new(bytes.clone())),
            Arg::Fd(_) => Argument::Fd(fd.expect("an fd for an fd").as_raw_fd()),
        };
        let args = args.iter().map(argument).collect();
        let message = Message { sender_id: self.ids[&sender].clone(), opcode, args };
        let data = creates.then(|| Arc::clone(&self.inbox) as Arc<dyn ObjectData>);
        // It fails only for objects that are gone, which would be a mistake of the test's.
        let id = self.backend.send_request(message, data, made).expect("a living object");
        if creates {
            self.ids.insert(id.protocol_id(), id.clone());
        }
        if creates { id.protocol_id() } else { 0 }
    }

    /// Sends all, however long that takes: the compositor always reads.
    pub(crate) fn flush(&mut self) {
        while let Err(WaylandError::Io(error)) = self.backend.flush()
            && error.kind() == io::ErrorKind::WouldBlock
        {
            let mut ready = [PollFd::new(self.backend.poll_fd(), PollFlags::POLLOUT)];
            // Other errors show when events are read.
            let _ = poll(&mut ready, PollTimeout::NONE);
        }
    }

    /// The next event, or `None` if the connection is over; an error of the protocol comes as the
    /// event that it was.
    pub(crate) fn event(&mut self, limit: Duration) -> io::Result<Option<RawEvent>> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(came) = self.inbox.0.lock().unwrap().pop_front() {
                self.fds.extend(came.fds);
                if let Some(made) = came.made {
                    self.ids.insert(made.protocol_id(), made);
                }
                return Ok(Some(came.event));
            }
            if self.closed {
                return Ok(None);
            }
            match self.read(deadline) {
                Ok(()) => {}
                Err(WaylandError::Protocol(error)) => {
                    self.closed = true;
                    let wire = Wire::new(1, 0).word(error.object_id).word(error.code);
                    let body = wire.string(&error.message).bytes().split_off(8);
                    return Ok(Some(RawEvent { sender: 1, opcode: 0, body }));
                }
                Err(WaylandError::Io(error)) if error.kind() == io::ErrorKind::TimedOut => {
                    return Err(error);
                }
                Err(WaylandError::Io(_)) => self.closed = true,
            }
        }
    }

    /// Waits until the compositor has let go of an id, so that it may be used anew.
    pub(crate) fn wait_for_deletion(&mut self, id: u32, limit: Duration) -> io::Result<()> {
        let deadline = Instant::now() + limit;
        while self.backend.get_data(self.ids[&id].clone()).is_ok() {
            self.read(deadline).map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn read(&mut self, deadline: Instant) -> Result<(), WaylandError> {
        self.flush();
        let Some(guard) = self.backend.prepare_read() else {
            return self.backend.dispatch_inner_queue().map(drop);
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let mut ready = [PollFd::new(guard.connection_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let count = poll(&mut ready, timeout).map_err(io::Error::from)?;
        if count == 0 {
            return Err(WaylandError::Io(io::ErrorKind::TimedOut.into()));
        }
        match guard.read() {
            Err(WaylandError::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            other => other.map(drop),
        }
    }

    pub(crate) fn take_fd(&mut self) -> Option<OwnedFd> {
        self.fds.pop_front()
    }

    pub(crate) fn fds_left(&self) -> usize {
        self.fds.len()
    }
}
