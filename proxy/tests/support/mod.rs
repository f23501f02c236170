//! A compositor and clients on other people's libraries, with a proxy between.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use stratus_proxy::core::{GlobalPolicy, PassThrough};
use stratus_proxy::{Proxy, ProxyConfig, ProxyHandle, RunError, SocketName, Wakeup};
use tempfile::TempDir;
use wayland_server::backend::{ClientData, ClientId, DisconnectReason, GlobalId};
use wayland_server::protocol::{
    wl_compositor, wl_output, wl_region, wl_shm, wl_shm_pool, wl_surface,
};
use wayland_server::{Client, DataInit, Dispatch, Display, DisplayHandle, GlobalDispatch, New};

/// What the compositor saw.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    Commit,
    /// The first bytes behind the pool's fd.
    Pool(Vec<u8>),
    Gone,
}

struct State {
    seen: Sender<Seen>,
}

struct Gone(Sender<Seen>);

impl ClientData for Gone {
    fn initialized(&self, _: ClientId) {}
    fn disconnected(&self, _: ClientId, _: DisconnectReason) {
        let _ = self.0.send(Seen::Gone);
    }
}

impl GlobalDispatch<wl_compositor::WlCompositor, ()> for State {
    fn bind(
        _: &mut Self,
        _: &DisplayHandle,
        _: &Client,
        new: New<wl_compositor::WlCompositor>,
        (): &(),
        init: &mut DataInit<'_, Self>,
    ) {
        init.init(new, ());
    }
}

impl GlobalDispatch<wl_shm::WlShm, ()> for State {
    fn bind(
        _: &mut Self,
        _: &DisplayHandle,
        _: &Client,
        new: New<wl_shm::WlShm>,
        (): &(),
        init: &mut DataInit<'_, Self>,
    ) {
        let shm = init.init(new, ());
        shm.format(wl_shm::Format::Argb8888);
        shm.format(wl_shm::Format::Xrgb8888);
    }
}

impl GlobalDispatch<wl_output::WlOutput, ()> for State {
    fn bind(
        _: &mut Self,
        _: &DisplayHandle,
        _: &Client,
        new: New<wl_output::WlOutput>,
        (): &(),
        init: &mut DataInit<'_, Self>,
    ) {
        init.init(new, ());
    }
}

impl Dispatch<wl_compositor::WlCompositor, ()> for State {
    fn request(
        _: &mut Self,
        _: &Client,
        _: &wl_compositor::WlCompositor,
        request: wl_compositor::Request,
        (): &(),
        _: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        match request {
            wl_compositor::Request::CreateSurface { id } => drop(init.init(id, ())),
            wl_compositor::Request::CreateRegion { id } => drop(init.init(id, ())),
            _ => {}
        }
    }
}

impl Dispatch<wl_surface::WlSurface, ()> for State {
    fn request(
        state: &mut Self,
        _: &Client,
        _: &wl_surface::WlSurface,
        request: wl_surface::Request,
        (): &(),
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
        if matches!(request, wl_surface::Request::Commit) {
            let _ = state.seen.send(Seen::Commit);
        }
    }
}

impl Dispatch<wl_shm::WlShm, ()> for State {
    fn request(
        state: &mut Self,
        _: &Client,
        _: &wl_shm::WlShm,
        request: wl_shm::Request,
        (): &(),
        _: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        if let wl_shm::Request::CreatePool { id, fd, .. } = request {
            init.init(id, ());
            let mut start = vec![0; 5];
            std::fs::File::from(fd).read_exact_at(&mut start, 0).unwrap();
            let _ = state.seen.send(Seen::Pool(start));
        }
    }
}

macro_rules! ignore_requests {
    ($($interface:ty, $request:ty;)*) => {$(
        impl Dispatch<$interface, ()> for State {
            fn request(
                _: &mut Self,
                _: &Client,
                _: &$interface,
                _: $request,
                (): &(),
                _: &DisplayHandle,
                _: &mut DataInit<'_, Self>,
            ) {
            }
        }
    )*};
}

ignore_requests! {
    wl_region::WlRegion, wl_region::Request;
    wl_shm_pool::WlShmPool, wl_shm_pool::Request;
    wl_output::WlOutput, wl_output::Request;
}

/// A compositor on a thread of its own.
pub struct Compositor {
    pub seen: Receiver<Seen>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Compositor {
    pub fn start(path: &Path) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (sender, seen) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || serve(&listener, sender, &stopped));
        Self { seen, stop, thread: Some(thread) }
    }

    /// What it sees next.
    pub fn sees(&self) -> Seen {
        self.seen.recv_timeout(Duration::from_secs(20)).expect("the compositor sees something")
    }

    /// Dies with all its connections.
    pub fn kill(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Compositor {
    fn drop(&mut self) {
        self.kill();
    }
}

fn serve(listener: &UnixListener, sender: Sender<Seen>, stop: &AtomicBool) {
    let mut display = Display::<State>::new().unwrap();
    let mut handle = display.handle();
    let _: [GlobalId; 3] = [
        handle.create_global::<State, wl_compositor::WlCompositor, ()>(5, ()),
        handle.create_global::<State, wl_shm::WlShm, ()>(1, ()),
        handle.create_global::<State, wl_output::WlOutput, ()>(3, ()),
    ];
    let mut state = State { seen: sender.clone() };
    while !stop.load(Ordering::Acquire) {
        while let Ok((stream, _)) = listener.accept() {
            let _ = handle.insert_client(stream, Arc::new(Gone(sender.clone())));
        }
        let _ = display.dispatch_clients(&mut state);
        let _ = display.flush_clients();
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// A proxy on a thread of its own, with a compositor's path that may or may not be served.
pub struct Running {
    pub folder: TempDir,
    pub socket: PathBuf,
    handle: ProxyHandle,
    thread: Option<JoinHandle<Result<(), RunError>>>,
}

impl Running {
    pub fn start(policy: GlobalPolicy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = SocketName::new(OsStr::new("stratus-0"), Some(folder.path().as_os_str()));
        let config = ProxyConfig {
            socket: name.unwrap(),
            upstream: folder.path().join("wayland-0"),
            policy,
        };
        let proxy = Proxy::bind(config, PassThrough, Wakeup::new().unwrap()).unwrap();
        let socket = proxy.socket_path().to_path_buf();
        let handle = proxy.handle();
        let thread = std::thread::spawn(move || proxy.run());
        Self { folder, socket, handle, thread: Some(thread) }
    }

    pub fn upstream(&self) -> PathBuf {
        self.folder.path().join("wayland-0")
    }

    pub fn compositor(&self) -> Compositor {
        let _ = std::fs::remove_file(self.upstream());
        Compositor::start(&self.upstream())
    }

    pub fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    pub fn client(&self) -> TestClient {
        TestClient::new(self.connect())
    }

    pub fn stop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Open fds of this process.
pub fn open_fds() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

mod client {
    use wayland_client::protocol::{
        wl_callback, wl_compositor, wl_output, wl_registry, wl_shm, wl_shm_pool, wl_surface,
    };
    use wayland_client::{
        Connection, Dispatch, EventQueue, Proxy as _, QueueHandle, delegate_noop,
    };

    use super::{OwnedFd, UnixStream};

    #[derive(Default)]
    pub struct Heard {
        pub globals: Vec<(u32, String, u32)>,
        pub formats: usize,
        pub done: usize,
    }

    impl Dispatch<wl_registry::WlRegistry, ()> for Heard {
        fn event(
            heard: &mut Self,
            _: &wl_registry::WlRegistry,
            event: wl_registry::Event,
            (): &(),
            _: &Connection,
            _: &QueueHandle<Self>,
        ) {
            if let wl_registry::Event::Global { name, interface, version } = event {
                heard.globals.push((name, interface, version));
            }
        }
    }

    impl Dispatch<wl_shm::WlShm, ()> for Heard {
        fn event(
            heard: &mut Self,
            _: &wl_shm::WlShm,
            _: wl_shm::Event,
            (): &(),
            _: &Connection,
            _: &QueueHandle<Self>,
        ) {
            heard.formats += 1;
        }
    }

    impl Dispatch<wl_callback::WlCallback, ()> for Heard {
        fn event(
            heard: &mut Self,
            _: &wl_callback::WlCallback,
            _: wl_callback::Event,
            (): &(),
            _: &Connection,
            _: &QueueHandle<Self>,
        ) {
            heard.done += 1;
        }
    }

    delegate_noop!(Heard: wl_compositor::WlCompositor);
    delegate_noop!(Heard: ignore wl_surface::WlSurface);
    delegate_noop!(Heard: ignore wl_output::WlOutput);
    delegate_noop!(Heard: wl_shm_pool::WlShmPool);

    /// A client on wayland-client.
    pub struct TestClient {
        pub connection: Connection,
        pub queue: EventQueue<Heard>,
        pub registry: wl_registry::WlRegistry,
        pub heard: Heard,
    }

    impl TestClient {
        pub fn new(stream: UnixStream) -> Self {
            let connection = Connection::from_socket(stream).unwrap();
            let queue = connection.new_event_queue();
            let registry = connection.display().get_registry(&queue.handle(), ());
            Self { connection, queue, registry, heard: Heard::default() }
        }

        pub fn roundtrip(&mut self) -> Result<usize, wayland_client::DispatchError> {
            self.queue.roundtrip(&mut self.heard)
        }

        pub fn bind<I>(&mut self) -> I
        where
            I: wayland_client::Proxy + 'static,
            Heard: Dispatch<I, ()>,
        {
            let interface = I::interface().name;
            let (name, _, version) =
                self.heard.globals.iter().find(|(_, i, _)| i == interface).expect("offered");
            self.registry.bind(*name, *version, &self.queue.handle(), ())
        }

        pub fn surface(&mut self) -> wl_surface::WlSurface {
            let compositor: wl_compositor::WlCompositor = self.bind();
            compositor.create_surface(&self.queue.handle(), ())
        }

        pub fn pool(&mut self, fd: OwnedFd) -> wl_shm_pool::WlShmPool {
            use std::os::fd::AsFd;
            let shm: wl_shm::WlShm = self.bind();
            shm.create_pool(fd.as_fd(), 4096, &self.queue.handle(), ())
        }

        /// The protocol error that ended the connection, as (interface, object, code, text).
        pub fn error(&self) -> Option<(String, u32, u32, String)> {
            let e = self.connection.protocol_error()?;
            Some((e.object_interface, e.object_id, e.code, e.message))
        }

        pub fn is_alive(&self) -> bool {
            self.registry.is_alive()
        }
    }
}

pub use client::TestClient;
