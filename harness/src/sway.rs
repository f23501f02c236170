//! A real compositor for tests: headless Sway with a runtime folder of its own.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use tempfile::TempDir;

use crate::picture::Picture;
use crate::screencopy::Screen;
use crate::watchdog::wait_for;

/// How long Sway may take to listen, and to set its output's mode.
const START_LIMIT: Duration = Duration::from_secs(20);
/// How long it may take to end when asked to.
const END_LIMIT: Duration = Duration::from_secs(3);

/// What a test wants of Sway.
#[derive(Clone, Debug)]
pub struct Options {
    /// Mode of the one output, in pixels.
    pub size: (u32, u32),
    /// Its ticks a second. Sway rounds the tick to whole milliseconds.
    pub refresh: u32,
    /// Whether X11 clients may connect.
    pub xwayland: bool,
    /// Further lines of its config.
    pub config: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { size: (1280, 720), refresh: 60, xwayland: false, config: String::new() }
    }
}

/// A running Sway. Dropping it ends it and removes its folder.
///
/// It ends by itself when the thread that started it ends, so that an aborted test leaves no
/// compositor behind.
#[derive(Debug)]
pub struct Sway {
    child: Child,
    socket: PathBuf,
    size: (u32, u32),
    folder: TempDir,
}

impl Sway {
    /// Starts Sway and waits until its output has the wanted mode.
    ///
    /// # Errors
    /// As root, if Sway is not installed, or if it ends or hangs while it starts; its log is part
    /// of the message.
    pub fn start(options: &Options) -> anyhow::Result<Self> {
        if geteuid().is_root() {
            bail!(
                "Sway refuses to run as root: run the tests through scripts/test, which continues \
                 as an unprivileged user"
            );
        }
        // Socket paths have room for 107 bytes, so the folder lies in /tmp whatever TMPDIR says.
        let folder = tempfile::Builder::new().prefix("stratus-test-").tempdir_in("/tmp")?;
        let config = folder.path().join("config");
        fs::write(&config, config_text(options)).context("write Sway's config")?;
        let log = File::create(folder.path().join("sway.log"))?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "sway", "--config"])
            .arg(&config)
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DEBUG")
            .env("XDG_RUNTIME_DIR", folder.path())
            .env("WLR_BACKENDS", "headless")
            .env("WLR_LIBINPUT_NO_DEVICES", "1")
            .env("WLR_RENDERER", "pixman")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("start sway through setpriv (packages sway and util-linux)")?;
        let mut sway = Self { child, socket: PathBuf::new(), size: options.size, folder };
        sway.wait_until_ready().with_context(|| format!("Sway's log:\n{}", sway.log()))?;
        Ok(sway)
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let folder = self.folder.path().to_owned();
        let child = &mut self.child;
        // The socket's file appears before it listens: only a connection proves that it does.
        let socket = wait_for("a Wayland socket of Sway's", START_LIMIT, || {
            if let Ok(Some(status)) = child.try_wait() {
                return Some(Err(anyhow::anyhow!("Sway ended at once: {status}")));
            }
            listening_socket(&folder).map(Ok)
        })??;
        self.socket = socket;
        let mut screen = self.screen()?;
        let wanted = self.size;
        let limit = START_LIMIT;
        wait_for("the mode of Sway's output", limit, || match screen.mode() {
            Ok(mode) => (mode == Some(wanted)).then_some(Ok(())),
            Err(error) => Some(Err(error)),
        })?
    }

    /// The Wayland socket's path.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Its `XDG_RUNTIME_DIR`, which tests may use for sockets of their own.
    #[must_use]
    pub fn runtime_dir(&self) -> &Path {
        self.folder.path()
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its major and minor version.
    ///
    /// # Errors
    /// If it does not answer, or not with a version.
    pub fn version(&self) -> anyhow::Result<(u32, u32)> {
        let text = self.message(&["-t", "get_version"])?;
        let answer: serde_json::Value = serde_json::from_str(&text)?;
        let number = |key: &str| answer[key].as_u64().and_then(|n| n.try_into().ok());
        number("major").zip(number("minor")).with_context(|| format!("a version in {text}"))
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("sway.log")).unwrap_or_default()
    }

    /// A program that connects to `socket`, with this runtime folder and without X11.
    #[must_use]
    pub fn client(&self, program: impl AsRef<OsStr>, socket: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_remove("DISPLAY")
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("WAYLAND_DISPLAY", socket)
            .stdin(Stdio::null());
        command
    }

    /// A connection that takes screenshots.
    ///
    /// # Errors
    /// If Sway is gone or offers no screencopy.
    pub fn screen(&self) -> anyhow::Result<Screen> {
        Screen::connect(&self.socket)
    }

    /// The picture that Sway shows now, cursor excluded.
    ///
    /// # Errors
    /// As for [`Sway::screen`].
    pub fn screenshot(&self) -> anyhow::Result<Picture> {
        self.screen()?.capture()
    }

    /// Sends a command as `swaymsg` does and returns its output.
    ///
    /// # Errors
    /// If Sway refuses it.
    pub fn message(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let found = self.folder.path().join(format!("sway-ipc.{}.{}.sock", geteuid(), self.pid()));
        let output = Command::new("swaymsg")
            .arg("--socket")
            .arg(&found)
            .args(arguments)
            .output()
            .context("run swaymsg (package sway)")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr);
            bail!("swaymsg {arguments:?}: {text}{complaint}");
        }
        Ok(text)
    }

    /// Ends it at once, as a crash does.
    pub fn crash(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Sway {
    fn drop(&mut self) {
        // A pid fits an i32; the child is ours and not yet waited for, so the pid is still its.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM);
        }
        let deadline = Instant::now() + END_LIMIT;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn config_text(options: &Options) -> String {
    let (width, height) = options.size;
    let xwayland = if options.xwayland { "enable" } else { "disable" };
    format!(
        "xwayland {xwayland}\n\
         output HEADLESS-1 mode --custom {width}x{height}@{}Hz\n\
         output HEADLESS-1 position 0 0\n\
         seat * hide_cursor 1\n\
         default_border none\n\
         {}\n",
        options.refresh, options.config
    )
}

fn listening_socket(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    entries
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with("wayland-") && !name.ends_with(".lock")
        })
        .map(|entry| entry.path())
        .find(|path| UnixStream::connect(path).is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::client::{self, End, Pace};
    use crate::marker;
    use crate::watchdog::Watchdog;

    #[test]
    fn it_shows_what_a_client_draws_and_leaves_nothing_behind() {
        let _watchdog = Watchdog::start("Sway", Duration::from_secs(60));
        let options = Options { size: (640, 480), ..Options::default() };
        let sway = Sway::start(&options).unwrap();
        let config = client::Config {
            frames: u64::MAX,
            pace: Pace::Rate(30.0),
            fullscreen: true,
            ..Default::default()
        };
        let client = client::Client::start(sway.socket(), config).unwrap();
        let mut screen = sway.screen().unwrap();
        let mut read = || {
            let picture = screen.capture().unwrap();
            assert_eq!(picture.size, (640, 480));
            let luma: Vec<u8> = picture.rgb.chunks(3).map(|pixel| pixel[1]).collect();
            marker::read(&luma, 640, picture.size).ok()
        };
        let first = wait_for("a marker", START_LIMIT, &mut read).unwrap();
        let later = || read().filter(|&number| number > first);
        wait_for("a later marker", START_LIMIT, later).unwrap();
        let counts = client.stop().unwrap();
        assert_eq!(counts.end, End::Finished);
        assert!(counts.modes.contains(&(640, 480, 60_000)), "{:?}", counts.modes);
        assert!(sway.message(&["-t", "get_version"]).unwrap().contains("human_readable"));
        assert!(sway.message(&["no such command"]).is_err());
        let (folder, pid) = (sway.runtime_dir().to_owned(), sway.pid());
        drop(sway);
        assert!(!folder.exists());
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }

    #[test]
    fn two_run_side_by_side_and_one_crash_is_not_the_others() {
        let _watchdog = Watchdog::start("two Sways", Duration::from_secs(60));
        let a = Sway::start(&Options { size: (320, 240), ..Options::default() }).unwrap();
        let b = Sway::start(&Options { size: (800, 600), ..Options::default() }).unwrap();
        assert_eq!(a.screenshot().unwrap().size, (320, 240));
        a.crash();
        assert_eq!(b.screenshot().unwrap().size, (800, 600));
    }
}
