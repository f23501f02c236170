//! A compositor that knows the rules which a client of the core protocol and of xdg-shell can
//! break, and answers each breach as the protocol's text says.
//!
//! It does nothing by itself: what it sends is an answer to a request, at once and in an order
//! that follows from the requests alone. So two runs with the same requests hear the same bytes.
//! What a compositor would do by its own will it does when told through the mime types of a data
//! source (see [`wand`]).

mod data;
mod shell;
mod shm;
mod surface;
mod wand;

use std::collections::BTreeMap;
use std::ffi::CString;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use stratus_harness::compositor::Global;
use stratus_harness::compositor::send::{self, event};
use stratus_harness::watchdog::wait_for;
use wayland_backend::protocol::{Argument, Message};
use wayland_backend::server::{
    Backend, ClientData, ClientId, DisconnectReason, GlobalHandler, GlobalId, Handle, ObjectData,
    ObjectId,
};
use wayland_protocols::wp::presentation_time::server::wp_presentation::WpPresentation;
use wayland_protocols::wp::single_pixel_buffer::v1::server::wp_single_pixel_buffer_manager_v1::WpSinglePixelBufferManagerV1;
use wayland_protocols::wp::viewporter::server::wp_viewporter::WpViewporter;
use wayland_protocols::xdg::shell::server::xdg_wm_base::XdgWmBase;
use wayland_protocols::xdg::xdg_output::zv1::server::zxdg_output_manager_v1::ZxdgOutputManagerV1;
use wayland_server::Resource as _;
use wayland_server::protocol::{
    wl_compositor::WlCompositor, wl_data_device_manager::WlDataDeviceManager, wl_output::WlOutput,
    wl_seat::WlSeat, wl_shm::WlShm, wl_subcompositor::WlSubcompositor,
};

use super::arg::{Arg, Identities, line};

/// What is offered, with the versions.
pub(crate) fn globals() -> Vec<Global> {
    vec![
        Global::new(WlDataDeviceManager::interface(), 3),
        Global::new(WlCompositor::interface(), 6),
        Global::new(WlSubcompositor::interface(), 1),
        Global::new(WlShm::interface(), 1),
        Global::new(XdgWmBase::interface(), 6),
        Global::new(WlOutput::interface(), 4),
        Global::new(ZxdgOutputManagerV1::interface(), 3),
        Global::new(WlSeat::interface(), 9),
        Global::new(WpViewporter::interface(), 1),
        Global::new(WpSinglePixelBufferManagerV1::interface(), 1),
        Global::new(WpPresentation::interface(), 1),
    ]
}

/// When answers come that a compositor gives in its own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    AtOnce,
    /// At the surface's next commit.
    NextCommit,
    /// When the wand says "tick".
    Tick,
}

/// What differs from case to case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manners {
    pub releases: When,
    pub callbacks: When,
}

/// A breach of the protocol.
pub(crate) struct Wrong {
    pub object: u32,
    pub code: u32,
    pub text: &'static str,
}

pub(crate) type Judged = Result<(), Wrong>;

pub(crate) fn wrong<T>(object: u32, code: u32, text: &'static str) -> Result<T, Wrong> {
    Err(Wrong { object, code, text })
}

/// A request in hand: its arguments by place.
pub(crate) struct Request {
    pub sender: u32,
    pub args: Vec<Arg>,
    pub fd: Option<OwnedFd>,
}

impl Request {
    /// An int, uint or fixed.
    pub(crate) fn number(&self, index: usize) -> i32 {
        match self.args[index] {
            Arg::Int(value) | Arg::Fixed(value) => value,
            Arg::Uint(value) => value as i32,
            _ => panic!("{:?} has no number {index}", self.args),
        }
    }

    /// An object or new id.
    pub(crate) fn id(&self, index: usize) -> u32 {
        match self.args[index] {
            Arg::Object(id) | Arg::New(id) => id,
            _ => panic!("{:?} has no object {index}", self.args),
        }
    }

    pub(crate) fn text(&self, index: usize) -> &str {
        match &self.args[index] {
            Arg::Text(text) => text,
            _ => panic!("{:?} has no text {index}", self.args),
        }
    }
}

/// All that is known of the one client.
pub(crate) struct Desk {
    pub handle: Handle,
    pub manners: Manners,
    pub identities: Identities,
    /// Living objects.
    pub ids: BTreeMap<u32, ObjectId>,
    pub serial: u32,
    pub surfaces: surface::Surfaces,
    pub shm: shm::Memory,
    pub shell: shell::Shell,
    pub data: data::Exchange,
    /// A global that the wand adds and takes away.
    pub extra: Option<GlobalId>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Desk {
    pub(crate) fn serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    /// Sends an event to an object that lives.
    pub(crate) fn send(&self, to: u32, name: &str, args: impl IntoIterator<Item = send::Arg>) {
        if let Some(id) = self.ids.get(&to) {
            event(&self.handle, id, name, args);
        }
    }

    /// The living objects of an interface.
    pub(crate) fn all(&self, interface: &str) -> Vec<u32> {
        let of = |(id, object): (&u32, &ObjectId)| (object.interface().name == interface, *id);
        self.ids.iter().map(of).filter(|(wanted, _)| *wanted).map(|(_, id)| id).collect()
    }

    fn judge(&mut self, interface: &str, name: &str, request: Request) -> Judged {
        match interface {
            "wl_compositor" | "wl_surface" | "wl_subcompositor" | "wl_subsurface"
            | "wp_viewporter" | "wp_viewport" | "wp_presentation" => {
                self.surface_request(interface, name, &request)
            }
            "wl_shm" | "wl_shm_pool" | "wp_single_pixel_buffer_manager_v1" => {
                self.shm_request(interface, name, &request)
            }
            "xdg_wm_base" | "xdg_surface" | "xdg_toplevel" | "xdg_popup" | "xdg_positioner" => {
                self.shell_request(interface, name, &request)
            }
            "wl_seat"
            | "wl_pointer"
            | "wl_data_device_manager"
            | "wl_data_device"
            | "wl_data_source"
            | "wl_data_offer" => self.data_request(interface, name, request),
            "zxdg_output_manager_v1" if name == "get_xdg_output" => {
                let id = request.id(0);
                self.send(id, "logical_position", [send::int(0), send::int(0)]);
                self.send(id, "logical_size", [send::int(1024), send::int(768)]);
                self.send(id, "name", [send::text("STRICT-1")]);
                self.send(id, "done", []);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn learn(&mut self, object: ObjectId) {
        self.forget(object.protocol_id());
        self.ids.insert(object.protocol_id(), object);
    }

    fn forget(&mut self, id: u32) {
        self.ids.remove(&id);
        self.surfaces.forget(id);
        self.shm.forget(id);
        self.shell.forget(id);
        self.data.forget(id);
    }
}

/// Stands behind every object.
struct Anything;

/// Stands behind every global.
pub(crate) struct Offer;

/// Notes a client's end.
struct Peer(Arc<AtomicBool>);

impl ClientData for Peer {
    fn disconnected(&self, _: ClientId, _: DisconnectReason) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl GlobalHandler<Desk> for Offer {
    fn bind(
        self: Arc<Self>,
        handle: &Handle,
        desk: &mut Desk,
        _: ClientId,
        _: GlobalId,
        object: ObjectId,
    ) -> Arc<dyn ObjectData<Desk>> {
        let version = handle.object_info(object.clone()).map_or(0, |info| info.version);
        let (interface, id) = (object.interface().name, object.protocol_id());
        desk.log.lock().unwrap().push(format!("bind {interface} version {version} as #{id}"));
        desk.learn(object);
        desk.introduce(interface, id);
        Arc::new(Anything)
    }
}

impl ObjectData<Desk> for Anything {
    fn request(
        self: Arc<Self>,
        handle: &Handle,
        desk: &mut Desk,
        _: ClientId,
        message: Message<ObjectId, OwnedFd>,
    ) -> Option<Arc<dyn ObjectData<Desk>>> {
        let interface = message.sender_id.interface();
        let name = interface.requests.get(usize::from(message.opcode))?.name;
        let (sender, mut fd, mut creates) = (message.sender_id.protocol_id(), None, false);
        let mut args = Vec::new();
        for argument in message.args {
            args.push(match argument {
                Argument::Int(value) => Arg::Int(value),
                Argument::Uint(value) => Arg::Uint(value),
                Argument::Fixed(value) => Arg::Fixed(value),
                Argument::Str(text) => {
                    Arg::Text(text.map(|t| t.to_string_lossy().into_owned()).unwrap_or_default())
                }
                Argument::Object(id) => Arg::Object(id.protocol_id()),
                Argument::NewId(id) => {
                    creates = true;
                    desk.learn(id.clone());
                    Arg::New(id.protocol_id())
                }
                Argument::Array(bytes) => Arg::Bytes(*bytes),
                Argument::Fd(received) => {
                    let label = desk.identities.label(&received);
                    fd = Some(received);
                    Arg::Fd(label)
                }
            });
        }
        desk.log.lock().unwrap().push(line(interface.name, sender, name, &args));
        let judged = desk.judge(interface.name, name, Request { sender, args, fd });
        if let Err(Wrong { object, code, text }) = judged {
            let text = CString::new(text).unwrap_or_default();
            handle.post_error(desk.ids[&object].clone(), code, text);
        }
        creates.then(|| Arc::new(Self) as Arc<dyn ObjectData<Desk>>)
    }

    fn destroyed(self: Arc<Self>, _: &Handle, desk: &mut Desk, _: ClientId, object: ObjectId) {
        // Word of an object's end may come when its id is another's.
        if desk.ids.get(&object.protocol_id()) == Some(&object) {
            desk.forget(object.protocol_id());
        }
    }
}

/// A running compositor for one client. Dropping it ends it.
pub(crate) struct Strict {
    log: Arc<Mutex<Vec<String>>>,
    gone: Arc<AtomicBool>,
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Strict {
    pub(crate) fn start(socket: &Path, manners: Manners, identities: Identities) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let (stop, stopped) = UnixStream::pair().unwrap();
        let (log, gone) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let (written, peer) = (Arc::clone(&log), Peer(Arc::clone(&gone)));
        let (told, ready) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let backend = Backend::<Desk>::new().unwrap();
            told.send(()).unwrap();
            serve(backend, &listener, &stopped, peer, manners, identities, written);
        });
        // All fds of its own are open from here on.
        ready.recv().expect("the compositor starts");
        Self { log, gone, stop: Some(stop), thread: Some(thread) }
    }

    /// The requests so far, one line each; `wl_display`'s and `wl_registry.bind`'s own apart.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the client is gone.
    pub(crate) fn wait_for_the_end(&self, limit: Duration) -> anyhow::Result<()> {
        let gone = || self.gone.load(Ordering::SeqCst).then_some(());
        wait_for("the compositor's client's end", limit, gone)
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let joined = thread.join();
            assert!(joined.is_ok() || std::thread::panicking(), "the compositor panicked");
        }
    }
}

fn serve(
    mut backend: Backend<Desk>,
    listener: &UnixListener,
    stopped: &UnixStream,
    peer: Peer,
    manners: Manners,
    identities: Identities,
    log: Arc<Mutex<Vec<String>>>,
) {
    let mut handle = backend.handle();
    for Global { interface, version } in globals() {
        handle.create_global::<Desk>(interface, version, Arc::new(Offer));
    }
    let mut desk = Desk {
        handle: handle.clone(),
        manners,
        identities,
        ids: BTreeMap::new(),
        serial: 0,
        surfaces: surface::Surfaces::default(),
        shm: shm::Memory::default(),
        shell: shell::Shell::default(),
        data: data::Exchange::default(),
        extra: None,
        log,
    };
    let mut peer = Some(peer);
    loop {
        let mut fds = [
            PollFd::new(stopped.as_fd(), PollFlags::POLLIN),
            PollFd::new(listener.as_fd(), PollFlags::POLLIN),
            PollFd::new(backend.poll_fd(), PollFlags::POLLIN),
        ];
        // Only one client is served: the listener is not asked again.
        if peer.is_none() {
            fds[1] = PollFd::new(stopped.as_fd(), PollFlags::POLLIN);
        }
        let _ = poll(&mut fds, PollTimeout::NONE);
        let [stop, accept, _] = fds.map(|fd| fd.any() == Some(true));
        if stop {
            return;
        }
        if accept && let Some(peer) = peer.take() {
            let (stream, _) = listener.accept().unwrap();
            handle.insert_client(stream, Arc::new(peer)).unwrap();
        }
        // Errors concern the client, which the backend has already dropped.
        let _ = backend.dispatch_all_clients(&mut desk);
        let _ = backend.flush(None);
    }
}
