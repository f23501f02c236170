//! A game that hangs while the compositor has much to say to it: under a real Sway it is killed,
//! and behind the proxy it plays on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod stage;

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use stratus_capture::CaptureConfig;
use stratus_frame::{Arrival, Size};
use stratus_harness::sway::{Options, Sway};
use stratus_harness::watchdog::{Watchdog, wait_for};
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::wl_registry::{Event, WlRegistry};
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, delegate_noop};
use wayland_protocols_wlr::virtual_pointer::v1::client::{
    zwlr_virtual_pointer_manager_v1::ZwlrVirtualPointerManagerV1,
    zwlr_virtual_pointer_v1::ZwlrVirtualPointerV1,
};

use stage::{LIMIT, Proxied};

/// How long the game is stopped at least: seconds, or none but what the flood takes.
const SECONDS: &str = "STRATUS_FREEZE_SECONDS";

/// Movements of the pointer while the game hangs: those of a mouse of 1,000 Hz in two minutes.
/// They are 4 MB of events, of which a socket takes 200 kB and Sway keeps 1 MiB at most.
const MOVEMENTS: u32 = 120_000;

const SIZE: (u32, u32) = (320, 240);

struct Nothing;

impl Dispatch<WlRegistry, GlobalListContents> for Nothing {
    fn event(
        _: &mut Self,
        _: &WlRegistry,
        _: Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

delegate_noop!(Nothing: ZwlrVirtualPointerManagerV1);
delegate_noop!(Nothing: ZwlrVirtualPointerV1);

/// A mouse of Sway's, which it takes from a client of its own.
struct Mouse {
    queue: EventQueue<Nothing>,
    pointer: ZwlrVirtualPointerV1,
}

impl Mouse {
    fn plug_in(sway: &Sway) -> Self {
        let stream = UnixStream::connect(sway.socket()).unwrap();
        let connection = Connection::from_socket(stream).unwrap();
        let (globals, queue) = registry_queue_init::<Nothing>(&connection).unwrap();
        let handle = queue.handle();
        let manager: ZwlrVirtualPointerManagerV1 = globals.bind(&handle, 1..=1, ()).unwrap();
        let pointer = manager.create_virtual_pointer(None, &handle, ());
        let mut mouse = Self { queue, pointer };
        // Into the middle of the screen.
        mouse.pointer.motion_absolute(0, SIZE.0 / 2, SIZE.1 / 2, SIZE.0, SIZE.1);
        mouse.pointer.frame();
        mouse.heard();
        mouse
    }

    /// All that it said has reached Sway.
    fn heard(&mut self) {
        self.queue.roundtrip(&mut Nothing).unwrap();
    }

    fn shake(&mut self, movements: u32) {
        for n in 0..movements {
            let way = if n % 2 == 0 { 1.0 } else { -1.0 };
            self.pointer.motion(n, way, 0.0);
            self.pointer.frame();
            if n % 100 == 0 {
                self.heard();
            }
        }
        self.heard();
    }
}

/// Foot, which draws, and takes the pointer when it is over its window.
struct Foot(Child);

impl Foot {
    fn start(sway: &Sway, socket: &Path) -> Self {
        let mut command = sway.client("foot", socket);
        command.args(["--fullscreen", "sh", "-c", "while date +%s.%N; do sleep 0.02; done"]);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), signal).unwrap();
    }

    /// Whether it has ended.
    fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Foot {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn mapped(sway: &Sway) {
    let shown = || sway.message(&["-t", "get_tree"]).unwrap().contains("\"foot\"").then_some(());
    wait_for("foot's window", LIMIT, shown).unwrap();
}

/// Stops foot while the mouse moves; it goes on afterwards, if it can.
fn hang(sway: &Sway, foot: &Foot) {
    let mut mouse = Mouse::plug_in(sway);
    // It takes the pointer before it hangs.
    mouse.shake(20);
    std::thread::sleep(Duration::from_millis(300));
    foot.signal(Signal::SIGSTOP);
    let seconds = std::env::var(SECONDS).ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    let until = Instant::now() + Duration::from_secs(seconds);
    mouse.shake(MOVEMENTS);
    std::thread::sleep(until.saturating_duration_since(Instant::now()));
    foot.signal(Signal::SIGCONT);
}

#[test]
fn a_hanging_game_that_its_compositor_would_kill_survives_behind_the_proxy() {
    let _watchdog = Watchdog::start("a hanging game", Duration::from_secs(180));
    let options = Options { size: SIZE, ..Options::default() };

    let sway = Sway::start(&options).unwrap();
    let mut direct = Foot::start(&sway, sway.socket());
    mapped(&sway);
    hang(&sway, &direct);
    let ended = || direct.has_ended().then_some(());
    wait_for("the end of foot without a proxy: the flood is too small", LIMIT, ended).unwrap();
    drop(sway);

    let sway = Sway::start(&options).unwrap();
    let config = CaptureConfig::new(Size::new(SIZE.0, SIZE.1));
    let (proxied, slot, stats) = Proxied::capturing(sway.runtime_dir(), sway.socket(), config);
    let reader = std::thread::spawn(move || while let Arrival::Frame(_) = slot.wait(true, None) {});
    let mut through = Foot::start(&sway, proxied.socket());
    mapped(&sway);
    hang(&sway, &through);
    let before = stats.commits.value();
    let goes_on = || {
        assert!(!through.has_ended(), "foot ended behind the proxy");
        (stats.commits.value() > before + 50).then_some(())
    };
    wait_for("foot's next frames", LIMIT, goes_on).unwrap();
    drop(through);
    proxied.stop();
    reader.join().unwrap();
}
