//! A real program and all the processes that it starts, which can be stopped where they stand.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Child;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use stratus_harness::sway::Sway;

/// A running program, in a process group of its own. Dropping it ends the group.
pub(crate) struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `command`, in which `FOLDER` stands for the compositor's folder.
    pub(crate) fn start(sway: &Sway, socket: &Path, command: &[&str]) -> Self {
        let folder = sway.runtime_dir();
        let name = folder.to_str().expect("the folder's name is ASCII");
        let arguments = command.iter().map(|argument| argument.replace("FOLDER", name));
        let log = folder.join("program.log");
        let file = File::create(&log).unwrap();
        let mut process = sway.client("setpriv", socket);
        process
            .args(["--pdeathsig", "KILL"])
            .args(arguments)
            .env("HOME", folder)
            .env("XDG_CONFIG_HOME", folder.join("config-home"))
            .env("XDG_CACHE_HOME", folder.join("cache-home"))
            .env("XDG_DATA_HOME", folder.join("data-home"))
            .env("GDK_BACKEND", "wayland")
            .env("GSK_RENDERER", "cairo")
            .env("QT_QPA_PLATFORM", "wayland")
            .env("QT_QUICK_BACKEND", "software")
            .env("SDL_VIDEODRIVER", "wayland")
            .env("SDL_AUDIODRIVER", "dummy")
            .env("ALSOFT_DRIVERS", "null")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("NO_AT_BRIDGE", "1")
            .process_group(0)
            .stdout(file.try_clone().unwrap())
            .stderr(file);
        let child = process.spawn().expect("start a program through setpriv");
        Self { child, log }
    }

    /// Stops all its processes where they stand.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// What it said if it has ended.
    pub(crate) fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().unwrap()?;
        Some(format!("{status}:\n{}", self.said()))
    }

    /// What it wrote.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) {
        // The leader is ours and not waited for, so the group is still its own.
        let _ = killpg(Pid::from_raw(self.child.id() as i32), signal);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            // Also those that stand still.
            self.signal(Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}
