//! The compositor's loop, its clients and its globals.

use std::collections::HashMap;
use std::io::Read as _;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use wayland_backend::protocol::{Argument, Message};
use wayland_backend::server::{
    Backend, ClientData, ClientId, DisconnectReason, GlobalHandler, GlobalId, Handle, ObjectData,
    ObjectId,
};

use super::behave::Desk;
use super::{Command, Config, Global, Record, Request, Seen, send};

/// Requests of one kind that are kept at most: a flood must not eat the machine.
const MAX_RECORDED: usize = 2_000_000;

/// What the loop waits for beside its clients.
pub(crate) struct Loop {
    pub(crate) listener: UnixListener,
    pub(crate) woken: UnixStream,
    pub(crate) orders: Receiver<Command>,
}

/// All state that requests change.
pub(crate) struct Server {
    pub(crate) config: Config,
    pub(crate) desk: Desk,
    seen: Arc<Mutex<Seen>>,
    clients: HashMap<ClientId, u64>,
    gone: Arc<Mutex<Vec<ClientId>>>,
    globals: Vec<(GlobalId, &'static str)>,
    /// Bound `wl_shm`s, the targets of a flood.
    shms: Vec<ObjectId>,
    frozen: bool,
    /// Clients that were killed and not yet cleaned up.
    doomed: Vec<ClientId>,
}

/// Notes a client's end, for which the backend gives no access to the server.
struct Peer {
    seen: Arc<Mutex<Seen>>,
    gone: Arc<Mutex<Vec<ClientId>>>,
}

impl ClientData for Peer {
    fn disconnected(&self, client: ClientId, _reason: DisconnectReason) {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).push(client);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).disconnected += 1;
    }
}

/// Stands behind every object: requests are told apart by interface and name.
struct Anything;

/// Stands behind every global.
struct Offer;

impl Server {
    pub(crate) fn new(config: Config, seen: Arc<Mutex<Seen>>) -> Self {
        Self {
            desk: Desk::new(&config),
            config,
            seen,
            clients: HashMap::new(),
            gone: Arc::default(),
            globals: Vec::new(),
            shms: Vec::new(),
            frozen: false,
            doomed: Vec::new(),
        }
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advertise(&mut self, handle: &Handle, global: Global) {
        let Global { interface, version } = global;
        let id = handle.create_global::<Self>(interface, version, Arc::new(Offer));
        self.globals.push((id, interface.name));
    }

    fn forget_the_gone(&mut self) {
        let gone = std::mem::take(&mut *self.gone.lock().unwrap_or_else(PoisonError::into_inner));
        for client in gone {
            self.clients.remove(&client);
        }
    }

    fn accept(&mut self, handle: &mut Handle, listener: &UnixListener) {
        while let Ok((stream, _)) = listener.accept() {
            let peer =
                Arc::new(Peer { seen: Arc::clone(&self.seen), gone: Arc::clone(&self.gone) });
            if let Ok(client) = handle.insert_client(stream, peer) {
                let mut seen = self.seen();
                let number = seen.connected;
                seen.connected += 1;
                drop(seen);
                self.clients.insert(client, number);
            }
        }
    }

    /// Returns false when it is time to stop.
    fn obey(&mut self, handle: &Handle, command: Command) -> bool {
        match command {
            Command::Freeze(frozen) => self.frozen = frozen,
            Command::Flood(events) => self.flood(handle, events),
            Command::Configure(width, height) => self.desk.configure_all(handle, width, height),
            Command::Disconnect(which) => {
                for client in self.numbered(which) {
                    handle.kill_client(client.clone(), DisconnectReason::ConnectionClosed);
                    self.doomed.push(client);
                }
            }
            Command::ProtocolError(which) => {
                for client in self.numbered(Some(which)) {
                    let mut objects = Vec::new();
                    let _ = handle.with_all_objects_for(client.clone(), |id| objects.push(id));
                    self.doomed.push(client);
                    if let Some(first) = objects.into_iter().next() {
                        // wl_display.error.implementation; of the others libwayland makes errors
                        // of the system, without code and text.
                        handle.post_error(first, 3, c"asked for by the test".to_owned());
                    }
                }
            }
            Command::Advertise(global) => self.advertise(handle, global),
            Command::Withdraw(interface) => {
                for (id, _) in self.globals.extract_if(.., |(_, name)| *name == interface) {
                    handle.remove_global::<Self>(id);
                }
            }
            Command::Stop => return false,
        }
        true
    }

    fn numbered(&self, which: Option<u64>) -> Vec<ClientId> {
        let wanted = |number: &u64| which.is_none_or(|w| w == *number);
        self.clients.iter().filter(|(_, n)| wanted(n)).map(|(c, _)| c.clone()).collect()
    }

    fn flood(&mut self, handle: &Handle, events: u32) {
        let shms = self.shms.clone();
        for _ in 0..events {
            for shm in &shms {
                // A client may be told of a format as often as the compositor likes.
                send::event(handle, shm, "format", [send::uint(1)]);
            }
        }
    }

    fn record(&self, client: &ClientId, message: &Message<ObjectId, OwnedFd>, name: &'static str) {
        if self.config.record == Record::Nothing {
            return;
        }
        let args: Vec<String> = message.args.iter().map(argument_text).collect();
        let request = Request {
            client: self.clients.get(client).copied().unwrap_or(u64::MAX),
            interface: message.sender_id.interface().name,
            object: message.sender_id.protocol_id(),
            name,
            args: args.join(", "),
        };
        let mut seen = self.seen();
        if seen.requests.len() < MAX_RECORDED {
            seen.requests.push(request);
        }
    }
}

/// An argument as a log shows it; fds by their presence alone, since their numbers say nothing.
fn argument_text(argument: &Argument<ObjectId, OwnedFd>) -> String {
    match argument {
        Argument::Fd(_) => "fd".to_owned(),
        Argument::Str(Some(text)) => format!("{:?}", text.to_string_lossy()),
        Argument::Str(None) => "nil".to_owned(),
        Argument::Object(id) if id.is_null() => "nil".to_owned(),
        Argument::Object(id) => format!("{}@{}", id.interface().name, id.protocol_id()),
        Argument::NewId(id) => format!("new id {}@{}", id.interface().name, id.protocol_id()),
        Argument::Array(bytes) => format!("array[{}]", bytes.len()),
        Argument::Int(v) => v.to_string(),
        Argument::Uint(v) => v.to_string(),
        Argument::Fixed(v) => (f64::from(*v) / 256.0).to_string(),
    }
}

impl GlobalHandler<Server> for Offer {
    fn bind(
        self: Arc<Self>,
        handle: &Handle,
        server: &mut Server,
        _client: ClientId,
        _global: GlobalId,
        object: ObjectId,
    ) -> Arc<dyn ObjectData<Server>> {
        let version = handle.object_info(object.clone()).map_or(0, |info| info.version);
        let name = object.interface().name;
        if server.config.record == Record::All {
            server.seen().bound.push((name.to_owned(), version));
        }
        if name == "wl_shm" {
            server.shms.push(object.clone());
        }
        server.desk.bound(handle, &object);
        Arc::new(Anything)
    }
}

impl ObjectData<Server> for Anything {
    fn request(
        self: Arc<Self>,
        handle: &Handle,
        server: &mut Server,
        client: ClientId,
        message: Message<ObjectId, OwnedFd>,
    ) -> Option<Arc<dyn ObjectData<Server>>> {
        let interface = message.sender_id.interface();
        let request = interface.requests.get(usize::from(message.opcode))?;
        server.record(&client, &message, request.name);
        let creates = message.args.iter().any(|arg| matches!(arg, Argument::NewId(_)));
        server.behave(handle, request.name, message);
        creates.then(|| Arc::new(Self) as Arc<dyn ObjectData<Server>>)
    }

    fn destroyed(
        self: Arc<Self>,
        _handle: &Handle,
        server: &mut Server,
        _client: ClientId,
        object: ObjectId,
    ) {
        server.shms.retain(|shm| *shm != object);
        server.desk.destroyed(&object);
    }
}

impl Loop {
    /// Serves clients until a [`Command::Stop`]; everything closes when it returns.
    pub(crate) fn run(mut self, mut server: Server) {
        let mut backend = match Backend::<Server>::new() {
            Ok(backend) => backend,
            Err(error) => return tracing::error!("the scripted compositor cannot start: {error}"),
        };
        let mut handle = backend.handle();
        for global in server.config.globals.clone() {
            server.advertise(&handle, global);
        }
        loop {
            while let Ok(command) = self.orders.try_recv() {
                if !server.obey(&handle, command) {
                    return;
                }
            }
            for client in std::mem::take(&mut server.doomed) {
                // The backend closes the socket of a killed client only while it serves it.
                let _ = backend.dispatch_single_client(&mut server, client);
            }
            if !server.frozen {
                server.accept(&mut handle, &self.listener);
                // Errors concern single clients, which the backend has already dropped.
                let _ = backend.dispatch_all_clients(&mut server);
                server.forget_the_gone();
                server.tick(&handle, Instant::now());
                let _ = backend.flush(None);
            }
            self.sleep(&backend, &server);
        }
    }

    fn sleep(&mut self, backend: &Backend<Server>, server: &Server) {
        let mut fds = vec![PollFd::new(self.woken.as_fd(), PollFlags::POLLIN)];
        let mut timeout = None;
        if !server.frozen {
            fds.push(PollFd::new(self.listener.as_fd(), PollFlags::POLLIN));
            fds.push(PollFd::new(backend.poll_fd(), PollFlags::POLLIN));
            timeout = server.desk.deadline().map(|at| at.saturating_duration_since(Instant::now()));
        }
        // Rounded up: waking a moment too early would spin until the deadline.
        let timeout = timeout.map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX)
        });
        let _ = poll(&mut fds, timeout);
        let mut bytes = [0; 64];
        while self.woken.read(&mut bytes).is_ok_and(|count| count > 0) {}
    }
}
