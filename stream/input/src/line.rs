//! The line to the compositor: a connection that is made within bounded time, or not, and that
//! another thread may cut.
//!
//! A compositor that hangs takes connections, as the kernel does that for it, and then answers
//! nothing. So whatever waits for an answer here has a deadline, and ends when the line is cut.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use thiserror::Error;
use wayland_client::backend::WaylandError;
use wayland_client::protocol::wl_callback::{self, WlCallback};
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::{Connection, Dispatch, EventQueue, Proxy, QueueHandle};

/// How long the compositor may leave its socket unread, or a question unanswered.
pub(crate) const STALL: Duration = Duration::from_secs(2);
/// Between attempts to connect to a compositor whose backlog is full: nothing tells when there is
/// room.
const AGAIN: Duration = Duration::from_millis(10);

/// Why there is no line, or no more.
#[derive(Debug, Error)]
pub(crate) enum LineError {
    /// The compositor cannot be reached.
    #[error("connect to the compositor at {path}: {source}")]
    Connect {
        /// Its socket.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The compositor ended the connection, or does not read or answer.
    #[error("talk to the compositor: {0}")]
    Lost(String),
}

pub(crate) fn lost(error: impl std::fmt::Display) -> LineError {
    LineError::Lost(error.to_string())
}

/// Cuts a line from another thread, so that it waits for the compositor no more. Once cut there
/// will be no other.
#[derive(Debug, Default)]
pub(crate) struct Cutter(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The newest line's socket, as long as there is that line.
    socket: Weak<UnixStream>,
    cut: bool,
}

impl Cutter {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn cut(&self) {
        let mut state = self.lock();
        state.cut = true;
        if let Some(socket) = state.socket.upgrade() {
            // One that is closed by the compositor waits for nothing.
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.lock().cut
    }

    /// Connects to the compositor whose socket is `path`, unless it was cut already.
    fn connect(&self, path: &Path, until: Instant) -> io::Result<Arc<UnixStream>> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
        let address = UnixAddr::new(path)?;
        loop {
            if self.is_cut() {
                return Err(io::Error::other("the session ends"));
            }
            match connect(socket.as_raw_fd(), &address) {
                Ok(()) => break,
                Err(Errno::EAGAIN) if Instant::now() < until => std::thread::sleep(AGAIN),
                Err(Errno::EAGAIN) => return Err(ErrorKind::TimedOut.into()),
                Err(Errno::EINTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
        let socket = Arc::new(UnixStream::from(socket));
        let mut state = self.lock();
        state.socket = Arc::downgrade(&socket);
        // It may have been cut meanwhile.
        if state.cut { Err(io::Error::other("the session ends")) } else { Ok(socket) }
    }
}

/// What is heard over every line.
#[derive(Debug, Default)]
pub(crate) struct Basics {
    /// What the compositor offers: name, interface and version.
    globals: Vec<(u32, String, u32)>,
    /// Whether it has read everything up to the last `wl_display.sync`.
    synced: bool,
}

/// Who hears what comes over a line.
pub(crate) trait Hear:
    Default + Dispatch<WlRegistry, ()> + Dispatch<WlCallback, ()> + 'static
{
    fn basics(&mut self) -> &mut Basics;
}

/// A connection to the compositor.
pub(crate) struct Line<D> {
    connection: Connection,
    queue: EventQueue<D>,
    pub(crate) told: D,
    registry: WlRegistry,
    /// What the cutter shuts down.
    _socket: Arc<UnixStream>,
}

impl<D: Hear> Line<D> {
    /// Connects to the compositor whose socket is `path` and hears what it offers, by `until` at
    /// the latest.
    pub(crate) fn connect(path: &Path, cutter: &Cutter, until: Instant) -> Result<Self, LineError> {
        let socket = cutter
            .connect(path, until)
            .map_err(|source| LineError::Connect { path: path.display().to_string(), source })?;
        let mut line = Self::over(socket)?;
        line.roundtrip(until)?;
        Ok(line)
    }

    /// Over a socket that is connected.
    pub(crate) fn over(socket: Arc<UnixStream>) -> Result<Self, LineError> {
        let stream = socket.try_clone().map_err(lost)?;
        let connection = Connection::from_socket(stream).map_err(lost)?;
        let queue = connection.new_event_queue();
        let registry = connection.display().get_registry(&queue.handle(), ());
        Ok(Self { connection, queue, told: D::default(), registry, _socket: socket })
    }

    /// What makes objects whose events are heard here.
    pub(crate) fn handle(&self) -> QueueHandle<D> {
        self.queue.handle()
    }

    /// The first global of this interface, of the version `newest` or what older one there is.
    pub(crate) fn bind<I>(&mut self, newest: u32) -> Option<I>
    where
        I: Proxy + 'static,
        D: Dispatch<I, ()>,
    {
        let wanted = I::interface().name;
        let mut globals = self.told.basics().globals.iter();
        let (name, _, version) =
            globals.find(|(_, name, version)| name == wanted && *version > 0)?;
        let (name, version) = (*name, (*version).min(newest));
        Some(self.registry.bind(name, version, &self.queue.handle(), ()))
    }

    /// What becomes readable when [`Line::listen`] has something to do.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }

    /// Takes in what the compositor told. Does not wait.
    pub(crate) fn listen(&mut self) -> Result<(), LineError> {
        if let Some(guard) = self.connection.prepare_read() {
            match guard.read() {
                Ok(_) => {}
                Err(WaylandError::Io(e)) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(lost(e)),
            }
        }
        self.queue.dispatch_pending(&mut self.told).map_err(lost).map(drop)
    }

    /// Sends as much as the compositor takes without being waited for; whether that is all.
    pub(crate) fn push(&self) -> Result<bool, LineError> {
        match self.connection.flush() {
            Ok(()) => Ok(true),
            Err(WaylandError::Io(e)) if e.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(e) => Err(lost(e)),
        }
    }

    /// Sends everything. Waits for a compositor that does not read, but not longer than `until`.
    pub(crate) fn flush(&self, until: Instant) -> Result<(), LineError> {
        while !self.push()? {
            self.wait(PollFlags::POLLOUT, until, "it does not read")?;
        }
        Ok(())
    }

    /// Returns when the compositor has read everything and what it answered was heard.
    pub(crate) fn roundtrip(&mut self, until: Instant) -> Result<(), LineError> {
        self.told.basics().synced = false;
        self.connection.display().sync(&self.queue.handle(), ());
        loop {
            self.flush(until)?;
            self.listen()?;
            if self.told.basics().synced {
                return Ok(());
            }
            self.wait(PollFlags::POLLIN, until, "it does not answer")?;
        }
    }

    /// Waits for the socket; `otherwise` is what is wrong if that takes until `until`.
    fn wait(&self, what: PollFlags, until: Instant, otherwise: &str) -> Result<(), LineError> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(lost(otherwise));
        }
        // A poll that ends before its time would only be repeated.
        let timeout = PollTimeout::try_from(left + Duration::from_micros(999));
        let mut fds = [PollFd::new(self.fd(), what)];
        match poll(&mut fds, timeout.unwrap_or(PollTimeout::ZERO)) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(e) => Err(lost(e)),
        }
    }
}

impl<D: Hear> Dispatch<WlRegistry, (), D> for Basics {
    fn event(
        told: &mut D,
        _: &WlRegistry,
        event: wl_registry::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<D>,
    ) {
        let globals = &mut told.basics().globals;
        match event {
            wl_registry::Event::Global { name, interface, version } => {
                globals.push((name, interface, version));
            }
            wl_registry::Event::GlobalRemove { name } => globals.retain(|(n, ..)| *n != name),
            _ => {}
        }
    }
}

impl<D: Hear> Dispatch<WlCallback, (), D> for Basics {
    fn event(
        told: &mut D,
        _: &WlCallback,
        _: wl_callback::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<D>,
    ) {
        told.basics().synced = true;
    }
}
