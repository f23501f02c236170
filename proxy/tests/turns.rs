//! What one turn of the loop does: a storm of clients or of messages has its share and no more.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use stratus_protocols::{InterfaceId, wl_display};
use stratus_proxy::core::{
    ClientId, Context, Direction, GlobalPolicy, Hook, Interest, Malformed, Message, Verdict,
};
use stratus_proxy::{Proxy, ProxyConfig, ProxyHandle, SocketName, Wakeup};

const LIMIT: Duration = Duration::from_secs(20);

/// What a hook was told, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Added,
    /// A `wl_display.sync` of this client.
    Sync(u64),
}

/// Notes who comes and who asks.
struct Notes(Arc<Mutex<Vec<Told>>>);

impl Hook for Notes {
    fn interests(&self) -> Vec<Interest> {
        let opcode = wl_display::REQ_SYNC_OPCODE;
        vec![Interest { interface: InterfaceId::WlDisplay, direction: Direction::Request, opcode }]
    }

    fn client_added(&mut self, _: ClientId, _: Option<u32>) {
        self.0.lock().unwrap().push(Told::Added);
    }

    fn request(&mut self, cx: &mut Context<'_>, _: &mut Message<'_>) -> Result<Verdict, Malformed> {
        self.0.lock().unwrap().push(Told::Sync(cx.client().0));
        Ok(Verdict::Forward)
    }

    fn event(&mut self, _: &mut Context<'_>, _: &mut Message<'_>) -> Result<Verdict, Malformed> {
        Ok(Verdict::Forward)
    }
}

/// A proxy that listens and does not run yet, so that a test can queue what it will find.
struct Waiting {
    folder: tempfile::TempDir,
    proxy: Proxy<Notes>,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Waiting {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = SocketName::new(folder.path().join("proxied").as_os_str(), None).unwrap();
        let upstream = folder.path().join("compositor");
        let config = ProxyConfig { socket, upstream, policy: GlobalPolicy::default() };
        let told = Arc::default();
        let hook = Notes(Arc::clone(&told));
        let proxy = Proxy::bind(config, hook, Wakeup::new().unwrap()).unwrap();
        Self { folder, proxy, told }
    }

    fn upstream(&self) -> std::path::PathBuf {
        self.folder.path().join("compositor")
    }

    fn connect(&self) -> UnixStream {
        UnixStream::connect(self.proxy.socket_path()).unwrap()
    }

    fn run(self) -> (Running, Arc<Mutex<Vec<Told>>>) {
        let Self { folder, proxy, told } = self;
        let handle = proxy.handle();
        let thread = std::thread::spawn(move || proxy.run().unwrap());
        (Running { handle, thread: Some(thread), _folder: folder }, told)
    }
}

struct Running {
    handle: ProxyHandle,
    thread: Option<std::thread::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.stop();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn sync(id: u32) -> Vec<u8> {
    [1u32, 12 << 16, id].map(u32::to_ne_bytes).concat()
}

fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + LIMIT;
    while !done() {
        assert!(std::time::Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

#[test]
fn a_storm_of_clients_does_not_keep_the_loop_from_those_who_are_there() {
    const STORM: usize = 300;
    raise_limit();
    let waiting = Waiting::new();
    let _compositor = UnixListener::bind(waiting.upstream()).unwrap();
    let mut bystander = waiting.connect();
    bystander.write_all(&sync(2)).unwrap();
    let storm: Vec<_> = (0..STORM).map(|_| waiting.connect()).collect();
    let (_running, told) = waiting.run();
    eventually("everybody comes in", || {
        told.lock().unwrap().iter().filter(|t| **t == Told::Added).count() == STORM + 1
    });
    let told = told.lock().unwrap();
    let served = told.iter().position(|t| *t == Told::Sync(1)).expect("the bystander is served");
    assert!(served <= 64, "{served} clients came in before the first was served");
    drop(storm);
}

#[test]
fn a_storm_of_messages_has_one_receive_buffer_a_turn() {
    let waiting = Waiting::new();
    let _compositor = UnixListener::bind(waiting.upstream()).unwrap();
    let mut greedy = waiting.connect();
    greedy.set_nonblocking(true).unwrap();
    // As much as the socket holds, and more behind it while the loop runs.
    let many: Vec<u8> = (0..200_000u32).flat_map(|n| sync(n + 2)).collect();
    let mut sent = greedy.write(&many).unwrap();
    let mut bystander = waiting.connect();
    bystander.write_all(&sync(2)).unwrap();
    let (_running, told) = waiting.run();
    eventually("the bystander is served", || {
        if let Ok(more) = greedy.write(&many[sent..]) {
            sent += more;
        }
        told.lock().unwrap().contains(&Told::Sync(2))
    });
    let told = told.lock().unwrap();
    let before = told.iter().take_while(|t| **t != Told::Sync(2)).filter(|t| **t == Told::Sync(1));
    // 128 KiB of requests of 12 bytes each, in the one turn before the bystander's.
    let most = (128 << 10) / 12 + 1;
    let before = before.count();
    assert!(before <= most, "{before} messages were served before the bystander's");
    assert!(sent > 64 << 10, "only {sent} bytes were in its way");
}

/// A listener whose backlog takes one connection, as a busy compositor's takes 128.
fn narrow(path: &Path) -> UnixListener {
    let fd = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    bind(&fd, &SocketAddrUnix::new(path).unwrap()).unwrap();
    listen(&fd, 0).unwrap();
    UnixListener::from(fd)
}

#[test]
fn clients_wait_while_the_compositor_s_backlog_is_full() {
    const CLIENTS: usize = 20;
    let waiting = Waiting::new();
    let compositor = narrow(&waiting.upstream());
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| waiting.connect()).collect();
    for client in &mut clients {
        client.write_all(&sync(2)).unwrap();
        client.set_read_timeout(Some(LIMIT)).unwrap();
    }
    let (_running, _told) = waiting.run();
    std::thread::sleep(Duration::from_millis(100));
    // Each arrives, in order, and is answered.
    let mut arrived = Vec::new();
    for _ in 0..CLIENTS {
        let (mut upstream, _) = compositor.accept().unwrap();
        let mut request = [0; 12];
        upstream.read_exact(&mut request).unwrap();
        assert_eq!(request.to_vec(), sync(2));
        upstream.write_all(&[2u32, 12 << 16, 7].map(u32::to_ne_bytes).concat()).unwrap();
        arrived.push(upstream);
    }
    for client in &mut clients {
        let mut answer = [0; 12];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(answer[..4], 2u32.to_ne_bytes(), "an answer and not a refusal");
    }
}
