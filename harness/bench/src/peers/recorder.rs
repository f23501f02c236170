//! wf-recorder, which copies Sway's output into libx264 and a file; here the file is a pipe.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Sender;

use anyhow::Context as _;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::contestant::{Running, Stage, threads};
use super::cpu;
use super::flv::Units;
use super::sight::{Sight, Unit, decoding};

pub(super) struct Recorder {
    child: Child,
    stage: Stage,
    pipe: PathBuf,
}

impl Recorder {
    pub(super) fn start(stage: Stage, sight: &Sight) -> anyhow::Result<Self> {
        let pipe = stage.sway.runtime_dir().join("recording.flv");
        mkfifo(&pipe, Mode::S_IRUSR | Mode::S_IWUSR).context("making a pipe")?;
        let units = decoding(sight.clone())?;
        let from = pipe.clone();
        std::thread::Builder::new()
            .name("bench-reader".to_owned())
            // Its end is that of the recorder.
            .spawn(move || read(&from, &units).ok())
            .context("starting the reader's thread")?;
        let child = command(&stage, &pipe).spawn();
        let child = child.context("starting wf-recorder")?;
        Ok(Self { child, stage, pipe })
    }
}

/// The least delay that its options give: no frames held back by threads or order, and each
/// written when it is encoded. It keeps its own constant quality, since it tells libx264 no rate of
/// frames that a bitrate could be held by.
fn command(stage: &Stage, pipe: &Path) -> Command {
    let threads = format!("threads={}", threads(stage.size));
    let mut command = stage.sway.client("wf-recorder", stage.sway.socket());
    command.args(["-o", "HEADLESS-1", "-F", "format=yuv420p", "-m", "flv"]);
    command.args(["-c", "libx264", "-b", "0"]);
    for parameter in ["preset=ultrafast", "tune=zerolatency", "thread_type=slice", &threads] {
        command.args(["-p", parameter]);
    }
    command.arg("-f").arg(pipe);
    command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command
}

fn read(pipe: &Path, units: &Sender<Unit>) -> anyhow::Result<()> {
    let mut from = Units::begin(File::open(pipe)?)?;
    loop {
        units.send(Box::new(from.read_unit()?))?;
    }
}

impl Running for Recorder {
    fn processor_time(&self) -> u64 {
        cpu::of_processes(&[self.stage.sway.pid(), self.child.id()])
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A reader that still waits for somebody to write sees the end.
        let nonblocking = OFlag::O_NONBLOCK.bits();
        drop(OpenOptions::new().write(true).custom_flags(nonblocking).open(&self.pipe));
    }
}
