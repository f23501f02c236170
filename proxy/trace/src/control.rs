//! The control socket of a running proxy, and the way to it.
//!
//! It lies beside the games' socket, as `stratus-0.control` beside `stratus-0`, with mode 0600,
//! and takes only processes of the same user. What is spoken there:
//!
//! ```text
//! peer     trace {"only":["wl_surface"]}      one line: a command and its arguments
//! Stratus  ok stratus 0.1.0                   or: error and what is wrong with the line
//! Stratus  …                                  whatever the command gives, until one side closes
//! ```
//!
//! All of it is UTF-8, and lines end with a line feed. A request is at most 64 KiB long.

use std::fs::Permissions;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The longest request line, in bytes.
const LONGEST_REQUEST: u64 = 64 << 10;

/// How many peers are served at a time.
const MOST_PEERS: usize = 32;

/// How long a peer may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long peers have to take the last of what they asked for when the proxy ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// The control socket of the proxy that serves `socket`.
#[must_use]
pub fn control_path(socket: &Path) -> PathBuf {
    let mut path = socket.as_os_str().to_owned();
    path.push(".control");
    path.into()
}

/// What answers a request, on a thread of its own, until it returns.
pub type Answer = Box<dyn FnOnce(UnixStream) + Send>;

/// Something that peers can ask for.
pub trait Command: Send + Sync {
    /// Begins to answer a request with these arguments.
    ///
    /// # Errors
    /// What is wrong with the arguments, for the peer to read.
    fn begin(&self, arguments: &str) -> Result<Answer, String>;
}

/// The commands of a control socket, by name.
pub type Commands = Vec<(&'static str, Box<dyn Command>)>;

/// A control socket that is served. Withdraw it before the lock of the games' socket is released.
pub struct ControlSocket {
    path: PathBuf,
    listener: UnixListener,
    served: Arc<Served>,
    thread: Option<JoinHandle<()>>,
    withdrawn: bool,
}

struct Served {
    commands: Commands,
    stop: AtomicBool,
    /// The peers that are being answered, by a number of their own.
    peers: Mutex<Vec<(u64, UnixStream)>>,
    left: Condvar,
}

impl ControlSocket {
    /// Listens at `path`. The caller holds the lock of the games' socket beside it, so whatever
    /// lies at `path` was left by someone who is gone, and is replaced.
    ///
    /// # Errors
    /// Those of making the socket or its thread.
    pub fn open(path: &Path, commands: Commands) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        let served = Arc::new(Served {
            commands,
            stop: AtomicBool::new(false),
            peers: Mutex::default(),
            left: Condvar::new(),
        });
        let mut socket =
            Self { path: path.to_owned(), listener, served, thread: None, withdrawn: false };
        // Whoever connected before this is asked for its user like all others.
        std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
        let (listener, served) = (socket.listener.try_clone()?, Arc::clone(&socket.served));
        let thread = std::thread::Builder::new().name("stratus-control".into());
        socket.thread = Some(thread.spawn(move || accept_all(&listener, &served))?);
        Ok(socket)
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the socket and takes no new peers. Those who are there stay.
    pub fn withdraw(&mut self) {
        if std::mem::replace(&mut self.withdrawn, true) {
            return;
        }
        if let Err(e) = std::fs::remove_file(&self.path) {
            tracing::warn!("cannot remove {}: {e}", self.path.display());
        }
        self.served.stop.store(true, Ordering::Release);
        // A listener that is shut down accepts nobody any more: its thread ends.
        let _ = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Takes leave of the peers, which have a second to take what is left for them: end first what
/// answers them.
impl Drop for ControlSocket {
    fn drop(&mut self) {
        self.withdraw();
        let peers = lock(&self.served.peers);
        let (peers, _) = self
            .served
            .left
            .wait_timeout_while(peers, FAREWELL, |peers| !peers.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        for (_, peer) in peers.iter() {
            let _ = peer.shutdown(Shutdown::Both);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept_all(listener: &UnixListener, served: &Arc<Served>) {
    let mut number = 0;
    while !served.stop.load(Ordering::Acquire) {
        let peer = match listener.accept() {
            Ok((peer, _)) => peer,
            Err(e) if served.stop.load(Ordering::Acquire) => {
                tracing::trace!("the control socket is closed: {e}");
                return;
            }
            Err(e) => {
                // Most likely the limit of open files; asking again at once would spin.
                tracing::warn!("the control socket cannot take a peer for now: {e}");
                std::thread::sleep(Duration::from_millis(200));
                continue;
            }
        };
        number += 1;
        if let Err(e) = admit(peer, number, served) {
            tracing::warn!("the control socket turned a peer away: {e}");
        }
    }
}

fn admit(peer: UnixStream, number: u64, served: &Arc<Served>) -> io::Result<()> {
    let user = rustix::net::sockopt::socket_peercred(&peer)?.uid;
    if user != rustix::process::geteuid() {
        return Err(io::Error::other(format!("it is of user {}", user.as_raw())));
    }
    let mut peers = lock(&served.peers);
    if peers.len() >= MOST_PEERS {
        return Err(io::Error::other(format!("there are {MOST_PEERS} already")));
    }
    peers.push((number, peer.try_clone()?));
    drop(peers);
    let leave = Leave { number, served: Arc::clone(served) };
    std::thread::Builder::new().name("stratus-answer".into()).spawn(move || {
        if let Err(e) = answer(peer, &leave.served.commands) {
            tracing::debug!("control peer {}: {e}", leave.number);
        }
    })?;
    Ok(())
}

/// Strikes a peer off the list, however its thread ends.
struct Leave {
    number: u64,
    served: Arc<Served>,
}

impl Drop for Leave {
    fn drop(&mut self) {
        lock(&self.served.peers).retain(|(number, _)| *number != self.number);
        self.served.left.notify_all();
    }
}

fn answer(mut peer: UnixStream, commands: &Commands) -> io::Result<()> {
    peer.set_read_timeout(Some(PATIENCE))?;
    // One line and nothing behind it: no byte is lost in this buffer.
    let mut line = String::new();
    BufReader::new(peer.try_clone()?).take(LONGEST_REQUEST).read_line(&mut line)?;
    peer.set_read_timeout(None)?;
    let Some(request) = line.strip_suffix('\n') else {
        return writeln!(peer, "error a request is one line of at most {LONGEST_REQUEST} bytes");
    };
    let (name, arguments) = request.split_once(' ').unwrap_or((request, ""));
    let Some((_, command)) = commands.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
        return writeln!(peer, "error there is no command {name:?}, only: {}", known.join(", "));
    };
    match command.begin(arguments) {
        Ok(answer) => {
            writeln!(peer, "ok stratus {}", env!("CARGO_PKG_VERSION"))?;
            answer(peer);
            Ok(())
        }
        Err(why) => writeln!(peer, "error {}", why.replace('\n', " ")),
    }
}

/// Why a running proxy cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum CannotAttach {
    /// Nobody answers there.
    #[error("nobody answers at {path}: {source}")]
    Silent {
        /// The control socket.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The proxy does not do what it was asked for.
    #[error("the proxy refuses: {0}")]
    Refused(String),
    /// What came is no answer.
    #[error("what answers at {0} is no Stratus")]
    Foreign(PathBuf),
}

/// The answer of a proxy. Reading it ends when the proxy ends, or when [`Attached::closer`] says.
pub struct Attached(BufReader<UnixStream>);

impl Attached {
    /// A handle to the connection that [`UnixStream::shutdown`] ends from another thread.
    ///
    /// # Errors
    /// Those of duplicating an fd.
    pub fn closer(&self) -> io::Result<UnixStream> {
        self.0.get_ref().try_clone()
    }
}

impl Read for Attached {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// Asks the proxy with the control socket `path` for `command`.
///
/// # Errors
/// [`CannotAttach`] says why there is no answer.
pub fn attach(path: &Path, command: &str, arguments: &str) -> Result<Attached, CannotAttach> {
    let silent = |source| CannotAttach::Silent { path: path.to_owned(), source };
    let mut stream = UnixStream::connect(path).map_err(silent)?;
    stream.write_all(format!("{command} {arguments}\n").as_bytes()).map_err(silent)?;
    let mut answer = BufReader::new(stream);
    let mut first = String::new();
    answer.by_ref().take(LONGEST_REQUEST).read_line(&mut first).map_err(silent)?;
    match first.trim_end().split_once(' ') {
        Some(("ok", _)) => Ok(Attached(answer)),
        Some(("error", why)) => Err(CannotAttach::Refused(why.to_owned())),
        _ => Err(CannotAttach::Foreign(path.to_owned())),
    }
}
