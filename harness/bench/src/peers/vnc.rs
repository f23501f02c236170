//! wayvnc, which copies Sway's output and serves it by VNC, and a viewer on the same machine.

use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use stratus_frame::MonoTime;
use stratus_harness::watchdog::wait_for;

use super::contestant::{Running, Stage};
use super::cpu;
use super::rfb::Viewer;
use super::sight::Sight;

/// How long it may take to listen.
const START_LIMIT: Duration = Duration::from_secs(10);
/// What is read at once at most where a rectangle is narrower than the screen.
const BUFFER: usize = 1 << 18;

pub(super) struct Vnc {
    child: Child,
    stage: Stage,
}

impl Vnc {
    pub(super) fn start(stage: Stage, sight: &Sight) -> anyhow::Result<Self> {
        // A port that nobody else had a moment ago.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = stage.sway.client("wayvnc", stage.sway.socket());
        // Its limit would be 30 frames a second.
        command.args(["-C", "/dev/null", "-d", "-o", "HEADLESS-1", "--max-fps=120", "127.0.0.1"]);
        command.arg(port.to_string()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let child = command.spawn().context("starting wayvnc")?;
        let vnc = Self { child, stage };
        let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok();
        let stream = wait_for("wayvnc", START_LIMIT, connect)?;
        stream.set_nodelay(true)?;
        let viewer = Viewer::join(Buffered(BufReader::with_capacity(BUFFER, stream)))?;
        let sight = sight.clone();
        std::thread::Builder::new()
            .name("bench-viewer".to_owned())
            // Its end is that of the server.
            .spawn(move || watch(viewer, &sight).ok())
            .context("starting the viewer's thread")?;
        Ok(vnc)
    }
}

fn watch(mut viewer: Viewer<Buffered>, sight: &Sight) -> anyhow::Result<()> {
    loop {
        viewer.update()?;
        sight.look_bgrx(&viewer.pixels, viewer.size, MonoTime::now());
    }
}

impl Running for Vnc {
    fn processor_time(&self) -> u64 {
        cpu::of_processes(&[self.stage.sway.pid(), self.child.id()])
    }
}

impl Drop for Vnc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that is read through a buffer and written to without one.
struct Buffered(BufReader<TcpStream>);

impl Read for Buffered {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.0.read(to)
    }
}

impl Write for Buffered {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.0.get_mut().write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.get_mut().flush()
    }
}
