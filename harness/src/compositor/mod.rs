//! A compositor that does what a test tells it, in a thread of its own.
//!
//! It speaks through `wayland-backend`'s server and knows objects by their interface tables alone:
//! whatever global a test advertises works as far as its requests parse, and the few interfaces a
//! game cannot live without (surfaces, shm, xdg-shell, outputs, seats) also behave. It records
//! what it was asked and can be slow, frozen, flooding, rude or dead.

mod behave;
mod config;
pub mod send;
mod server;

use std::io::Write as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;

pub use config::{Config, Global, Pace, Record, Release, UNKNOWN_INTERFACE};

use crate::marker::MarkerError;
use crate::watchdog::wait_for;

/// One request as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which client, numbered from 0 in order of connection.
    pub client: u64,
    /// The interface of the object it was sent to.
    pub interface: &'static str,
    /// The id of that object.
    pub object: u32,
    /// The request's name.
    pub name: &'static str,
    /// Its arguments, separated by `, `.
    pub args: String,
}

/// What a compositor has seen so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Requests, as far as [`Config::record`] asks for them.
    pub requests: Vec<Request>,
    /// Clients that connected.
    pub connected: u64,
    /// Clients that went, by themselves or not.
    pub disconnected: u64,
    /// `wl_surface.commit`s with a buffer attached.
    pub frames: u64,
    /// `wl_buffer.release`s sent.
    pub releases: u64,
    /// Commits that attached a buffer which had not been released since its last commit.
    pub reused_too_early: u64,
    /// What the committed buffers' markers read, if [`Config::read_markers`].
    pub markers: Vec<Result<u32, MarkerError>>,
    /// Globals that were bound, with the version asked for, if [`Config::record`] asks for them.
    pub bound: Vec<(String, u32)>,
}

impl Seen {
    /// How often request `name` of `interface` came.
    #[must_use]
    pub fn count(&self, interface: &str, name: &str) -> usize {
        self.requests.iter().filter(|r| r.interface == interface && r.name == name).count()
    }
}

/// What a test can make a running compositor do.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Freeze(bool),
    Flood(u32),
    Configure(i32, i32),
    Disconnect(Option<u64>),
    ProtocolError(u64),
    Advertise(Global),
    Withdraw(&'static str),
    Stop,
}

/// A running compositor. Dropping it disconnects everybody and removes its socket.
#[derive(Debug)]
pub struct Compositor {
    socket: PathBuf,
    commands: Sender<Command>,
    wake: UnixStream,
    seen: Arc<Mutex<Seen>>,
    thread: Option<JoinHandle<()>>,
}

impl Compositor {
    /// Starts a compositor that listens at `socket`, whose folder must exist.
    ///
    /// # Errors
    /// If the socket cannot be made.
    pub fn start(socket: &Path, config: Config) -> anyhow::Result<Self> {
        let listener = UnixListener::bind(socket)
            .with_context(|| format!("listen at {}", socket.display()))?;
        listener.set_nonblocking(true)?;
        let (wake, woken) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        let (commands, orders) = channel();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let server = server::Server::new(config, Arc::clone(&seen));
        let looped = server::Loop { listener, woken, orders };
        let thread = std::thread::Builder::new()
            .name("compositor".to_owned())
            .spawn(move || looped.run(server))?;
        let socket = socket.to_owned();
        Ok(Self { socket, commands, wake, seen, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// What it has seen so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.lock().clone()
    }

    /// Looks at what it has seen without a copy.
    pub fn with_seen<R>(&self, look: impl FnOnce(&Seen) -> R) -> R {
        look(&self.lock())
    }

    /// Waits until `condition` holds of what it has seen.
    ///
    /// # Errors
    /// If it does not within `limit`; names `what`.
    pub fn wait(
        &self,
        what: &str,
        limit: Duration,
        condition: impl Fn(&Seen) -> bool,
    ) -> anyhow::Result<()> {
        wait_for(what, limit, || condition(&self.lock()).then_some(()))
    }

    /// Stops reading from and writing to clients, or goes on.
    pub fn freeze(&self, frozen: bool) {
        self.order(Command::Freeze(frozen));
    }

    /// Sends `events` harmless events to every client that bound `wl_shm`, as fast as it can.
    pub fn flood(&self, events: u32) {
        self.order(Command::Flood(events));
    }

    /// Configures every toplevel to a size in pixels.
    pub fn configure(&self, width: i32, height: i32) {
        self.order(Command::Configure(width, height));
    }

    /// Closes the connection of one client, or of all, without a word.
    pub fn disconnect(&self, client: Option<u64>) {
        self.order(Command::Disconnect(client));
    }

    /// Sends a client `wl_display.error` about its first object and disconnects it.
    pub fn protocol_error(&self, client: u64) {
        self.order(Command::ProtocolError(client));
    }

    /// Adds a global while clients are there.
    pub fn advertise(&self, global: Global) {
        self.order(Command::Advertise(global));
    }

    /// Takes the global of an interface away.
    pub fn withdraw(&self, interface: &'static str) {
        self.order(Command::Withdraw(interface));
    }

    /// Dies as a crashed compositor does: all connections close, the socket file stays.
    pub fn die(mut self) {
        self.end();
        self.socket.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(&self, command: Command) {
        // A failure means that the thread has ended, which only `end` and its panic bring about.
        if self.commands.send(command).is_ok() {
            let _ = (&self.wake).write_all(&[1]);
        }
    }

    fn end(&mut self) {
        self.order(Command::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            // Not a panic of its own: the test's verdict comes from what it finds missing.
            tracing::error!("the scripted compositor panicked");
        }
    }
}

impl Drop for Compositor {
    fn drop(&mut self) {
        self.end();
        if !self.socket.as_os_str().is_empty() {
            let _ = std::fs::remove_file(&self.socket);
        }
    }
}

#[cfg(test)]
mod tests;
