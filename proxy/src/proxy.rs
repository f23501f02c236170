//! The loop: one thread, all clients.

use std::collections::BTreeMap;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use stratus_frame::MonoTime;
use stratus_proxy_core::{ClientId, GlobalPolicy, Hook, Rules, Session, Side};

use crate::closer::Closer;
use crate::connection::Connection;
use crate::door::{Door, Guest};
use crate::listener::{BindError, Listener, SocketName};
use crate::wakeup::{ProxyHandle, Wakeup};

/// Tokens below this one are the loop's own; a client's two are its id times two, and one more.
const FIRST_CLIENT: u64 = 1;
const LISTENER: u64 = 0;
const WAKEUP: u64 = 1;

/// What a proxy needs to know.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// Where games connect.
    pub socket: SocketName,
    /// The compositor's socket, see [`crate::upstream_path`].
    pub upstream: PathBuf,
    /// Which globals games see.
    pub policy: GlobalPolicy,
}

/// The loop cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("the proxy's loop failed at {what}: {source}")]
pub struct RunError {
    what: &'static str,
    source: io::Error,
}

/// A proxy that listens. [`Proxy::run`] serves it.
pub struct Proxy<H> {
    door: Door,
    closer: Closer,
    rules: Arc<Rules>,
    hook: H,
    wakeup: Wakeup,
    epoll: OwnedFd,
    connections: BTreeMap<u64, Connection>,
    next_client: u64,
    /// Whether the hook observes: what each session was last told.
    observed: bool,
    /// Fds between `recvmsg` and the session; kept so that nothing is allocated for them.
    fds: Vec<OwnedFd>,
}

impl<H: Hook> Proxy<H> {
    /// Takes the socket, so that games may connect from now on, and waits with serving them.
    ///
    /// # Errors
    /// [`BindError`] says what is in the way.
    pub fn bind(config: ProxyConfig, hook: H, wakeup: Wakeup) -> Result<Self, BindError> {
        let listener = Listener::bind(&config.socket)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(to_loop)?;
        // Told of each ring once, the loop need not read the eventfd to silence it.
        let ring = EventFlags::IN | EventFlags::ET;
        epoll::add(&epoll, wakeup.event(), EventData::new_u64(WAKEUP), ring).map_err(to_loop)?;
        let door =
            Door::open(listener, config.upstream, &epoll, LISTENER).map_err(BindError::Loop)?;
        tracing::info!("listening on {}", door.path().display());
        Ok(Self {
            door,
            closer: Closer::default(),
            rules: Arc::new(Rules::new(&hook.interests(), config.policy)),
            hook,
            wakeup,
            epoll,
            connections: BTreeMap::new(),
            next_client: FIRST_CLIENT,
            observed: false,
            fds: Vec::new(),
        })
    }

    /// The path of the socket; good as WAYLAND_DISPLAY.
    #[must_use]
    pub fn socket_path(&self) -> &Path {
        self.door.path()
    }

    /// Stops the loop from elsewhere.
    #[must_use]
    pub fn handle(&self) -> ProxyHandle {
        self.wakeup.handle()
    }

    /// Serves clients until [`ProxyHandle::stop`]. Then all are disconnected, and the socket and
    /// its lock are gone.
    ///
    /// # Errors
    /// [`RunError`] if the loop itself fails; no client can bring that about.
    pub fn run(mut self) -> Result<(), RunError> {
        let result = self.serve();
        for (client, connection) in std::mem::take(&mut self.connections) {
            if !connection.is_gone {
                self.hook.client_gone(ClientId(client));
            }
        }
        result
    }

    fn serve(&mut self) -> Result<(), RunError> {
        let mut space = [const { MaybeUninit::<epoll::Event>::uninit() }; 64];
        loop {
            let timeout = self.timeout();
            let events = match epoll::wait(&self.epoll, &mut space[..], timeout.as_ref()) {
                Ok((events, _)) => events,
                Err(rustix::io::Errno::INTR) => continue,
                Err(e) => return Err(RunError { what: "epoll_wait", source: e.into() }),
            };
            self.ask_observer();
            for event in events.iter() {
                let (data, flags) = (event.data, event.flags);
                match data.u64() {
                    LISTENER => self.let_in()?,
                    WAKEUP => self.wakeup.acknowledge(),
                    token => self.handle_client(token, flags)?,
                }
            }
            if self.wakeup.must_stop() {
                return Ok(());
            }
            self.handle_time()?;
            self.serve_hook()?;
        }
    }

    /// Tells the sessions if the hook begins or ceases to observe.
    fn ask_observer(&mut self) {
        let observed = self.hook.observes();
        if observed == self.observed {
            return;
        }
        self.observed = observed;
        for connection in self.connections.values_mut() {
            connection.session.set_observed(observed);
        }
    }

    /// How long the loop may sleep.
    fn timeout(&self) -> Option<Timespec> {
        let deadline =
            [self.hook.poll_deadline(), self.door.shut_until()].into_iter().flatten().min()?;
        let left = deadline.saturating_sub(MonoTime::now().as_nanos());
        // Whole milliseconds, rounded up: finer ones need a system call that old kernels lack,
        // and waking too early would spin.
        let left = Duration::from_millis(left.div_ceil(1_000_000));
        Timespec::try_from(left).ok()
    }

    fn handle_time(&mut self) -> Result<(), RunError> {
        let hook_deadline = self.hook.poll_deadline();
        let door_deadline = self.door.shut_until();
        if hook_deadline.is_none() && door_deadline.is_none() {
            return Ok(());
        }
        let now = MonoTime::now().as_nanos();
        if hook_deadline.is_some_and(|at| at <= now) {
            self.hook.handle_timeout(now);
        }
        if door_deadline.is_some_and(|at| at <= now) {
            self.door.reopen(&self.epoll).map_err(to_epoll)?;
            self.let_in()?;
        }
        Ok(())
    }

    /// Lets the hook say what no message caused.
    fn serve_hook(&mut self) -> Result<(), RunError> {
        while let Some(client) = self.hook.poll_ready() {
            // A client that is gone gets no answer; client_gone told the hook so.
            let Some(connection) = self.connections.get_mut(&client.0) else { continue };
            connection.session.inject(MonoTime::now().as_nanos(), &mut self.hook);
            self.settle(client.0)?;
        }
        Ok(())
    }

    fn handle_client(&mut self, token: u64, flags: EventFlags) -> Result<(), RunError> {
        let (client, side) = owner(token);
        // It may have ended earlier in the same batch of events.
        let Some(connection) = self.connections.get_mut(&client) else { return Ok(()) };
        if flags.contains(EventFlags::OUT) || flags.intersects(EventFlags::HUP | EventFlags::ERR) {
            connection.handle_writable(side);
        }
        if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            connection.handle_readable(side, &mut self.fds, &mut self.hook);
        }
        self.settle(client)
    }

    /// Sends what waits for a client, and closes it if all is said.
    fn settle(&mut self, client: u64) -> Result<(), RunError> {
        let Some(connection) = self.connections.get_mut(&client) else { return Ok(()) };
        connection.flush();
        if connection.session.is_closing() && !connection.is_gone {
            connection.is_gone = true;
            connection.let_go_of_compositor();
            self.hook.client_gone(ClientId(client));
        }
        let mut unwanted = Vec::new();
        connection.session.take_unwanted_fds(&mut unwanted);
        self.closer.close(unwanted);
        if !connection.session.is_finished() {
            let updated = connection.update_interest(&self.epoll);
            return updated.map_err(to_epoll);
        }
        let gone = self.connections.remove(&client).is_some_and(|c| c.is_gone);
        if !gone {
            self.hook.client_gone(ClientId(client));
        }
        tracing::debug!("client {client}: gone");
        self.door.look_again();
        Ok(())
    }

    fn let_in(&mut self) -> Result<(), RunError> {
        for guest in self.door.admit(&self.epoll).map_err(to_epoll)? {
            self.add_client(guest)?;
        }
        Ok(())
    }

    fn add_client(&mut self, guest: Guest) -> Result<(), RunError> {
        let Guest { stream, process, upstream } = guest;
        let client = self.next_client;
        self.next_client += 1;
        let mut session = Session::new(ClientId(client), Arc::clone(&self.rules));
        session.set_observed(self.observed);
        if let Err(text) = &upstream {
            tracing::warn!("client {client}: {text}");
        }
        tracing::debug!("client {client}: connected (process {process:?})");
        let connection = Connection::new(session, stream, upstream, tokens(client));
        self.connections.insert(client, connection);
        self.hook.client_added(ClientId(client), process);
        self.settle(client)
    }
}

fn to_epoll(source: io::Error) -> RunError {
    RunError { what: "epoll_ctl", source }
}

fn to_loop(error: rustix::io::Errno) -> BindError {
    BindError::Loop(error.into())
}

fn tokens(client: u64) -> [u64; 2] {
    [client * 2, client * 2 + 1]
}

fn owner(token: u64) -> (u64, Side) {
    (token / 2, if token.is_multiple_of(2) { Side::Client } else { Side::Compositor })
}
