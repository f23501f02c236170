//! Who stands between client and compositor: started as a user would, each in a process group of
//! its own.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How long a program may take until it serves, also below valgrind.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What stands in the middle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing.
    Direct,
    /// The bare byte relay, which is this program.
    Relay,
    /// `stratus proxy` of this binary, with frames taken or not.
    Stratus { binary: PathBuf, capture: bool },
    /// The library wl-proxy, below a program of a few lines.
    WlProxy { binary: PathBuf },
    /// Both halves of waypipe, joined by a Unix socket.
    Waypipe,
}

/// One of those that are compared.
#[derive(Clone, Debug)]
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// A running contestant, or none where there is none to run.
pub(crate) struct Running {
    /// Where clients connect.
    pub(crate) socket: PathBuf,
    children: Vec<Child>,
}

impl Contestant {
    pub(crate) fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind }
    }

    /// Starts it in the folder `place` in front of the compositor at `upstream`, below the
    /// program and arguments `tool` if there are any.
    pub(crate) fn start(
        &self,
        place: &Path,
        upstream: &Path,
        tool: &[OsString],
    ) -> anyhow::Result<Running> {
        if !place.exists() {
            fs::DirBuilder::new().mode(0o700).create(place)?;
        }
        let mut running = Running { socket: upstream.to_owned(), children: Vec::new() };
        let started = self.start_in(&mut running, place, upstream, tool);
        started.with_context(|| format!("starting {}", self.name))?;
        Ok(running)
    }

    fn start_in(
        &self,
        running: &mut Running,
        place: &Path,
        upstream: &Path,
        tool: &[OsString],
    ) -> anyhow::Result<()> {
        let program = |program: &Path| {
            let mut all = tool.to_vec();
            all.push(program.into());
            let mut command = Command::new(&all[0]);
            command.args(&all[1..]).env("XDG_RUNTIME_DIR", place).env("WAYLAND_DISPLAY", upstream);
            command.env_remove("WAYLAND_SOCKET").env("RUST_LOG", "warn");
            command.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
            command
        };
        match &self.kind {
            Kind::Direct => {}
            Kind::Relay => {
                running.socket = place.join("relay");
                let mut command = program(&std::env::current_exe()?);
                running.spawn(command.arg("carry").arg(running.socket.clone()).arg(upstream))?;
            }
            Kind::Stratus { binary, capture } => {
                running.socket = place.join("stratus-0");
                let mut command = program(binary);
                command.args(["proxy", "--socket", "stratus-0", "--listen", "127.0.0.1:0"]);
                let none = place.join("no-config.toml");
                fs::write(&none, "")?;
                command.arg("--config").arg(none);
                // Nobody watches, for which a game would be slowed down.
                command.args(["--idle-fps", "0"]);
                running.spawn(command.args(["--capture", if *capture { "on" } else { "off" }]))?;
            }
            Kind::WlProxy { binary } => {
                let mut command = program(binary);
                let child = running.spawn(command.stdout(Stdio::piped()))?;
                let mut name = String::new();
                let said = child.stdout.take().context("its output is ours")?;
                BufReader::new(said).read_line(&mut name)?;
                running.socket = place.join(name.trim());
            }
            Kind::Waypipe => {
                let link = place.join("link");
                let half = || {
                    let mut command = program(Path::new("waypipe"));
                    command.arg("--no-gpu").arg("--socket").arg(&link);
                    command
                };
                running.spawn(half().arg("client"))?;
                let start = Instant::now();
                while !link.exists() {
                    if start.elapsed() > PATIENCE {
                        bail!("waypipe's client did not open {}", link.display());
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
                running.socket = place.join("waypipe-0");
                let mut server = half();
                server.arg("--display").arg(&running.socket).arg("server");
                // It wants a program to run, and ends with it.
                running.spawn(server.args(["--", "sleep", "infinity"]))?;
            }
        }
        Ok(())
    }
}

impl Running {
    fn spawn(&mut self, command: &mut Command) -> anyhow::Result<&mut Child> {
        let child = command
            .spawn()
            .with_context(|| format!("running {}", command.get_program().to_string_lossy()))?;
        self.children.push(child);
        self.children.last_mut().context("it was just pushed")
    }

    /// The process groups of what runs here.
    pub(crate) fn groups(&self) -> Vec<u32> {
        self.children.iter().map(Child::id).collect()
    }

    /// Ends it, and waits until it did.
    pub(crate) fn end(mut self) {
        self.end_all();
    }

    fn end_all(&mut self) {
        for mut child in self.children.drain(..).rev() {
            let group = Pid::from_raw(child.id().cast_signed());
            let _ = killpg(group, Signal::SIGTERM);
            let start = Instant::now();
            while matches!(child.try_wait(), Ok(None)) {
                if start.elapsed() > Duration::from_secs(10) {
                    let _ = killpg(group, Signal::SIGKILL);
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            // Children of it that outlived it.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end_all();
    }
}
