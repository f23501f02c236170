//! pixelflux, a Python package with a Wayland compositor of its own that encodes what it shows.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::Sender;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use super::contestant::{BITRATE, Running};
use super::cpu;
use super::game::{Game, Scene};
use super::sight::{Sight, Unit, decoding};

/// What drives it.
const SCRIPT: &str = include_str!("../../../../benches/peers/pixelflux.py");
/// No frame is as large: 64 MiB.
const LARGEST: usize = 1 << 26;

pub(super) struct Pixelflux {
    child: Child,
    // It would hang on to a compositor that is gone.
    _game: Game,
    _folder: TempDir,
}

impl Pixelflux {
    pub(super) fn start(
        python: &Path,
        hertz: u32,
        scene: &Scene,
        sight: &Sight,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("stratus-bench-").tempdir_in("/tmp")?;
        let (width, height) = scene.size;
        let mut child = Command::new(python)
            .args(["-c", SCRIPT])
            .args([width.to_string(), height.to_string(), hertz.to_string(), BITRATE.to_string()])
            .env("XDG_RUNTIME_DIR", folder.path())
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DISPLAY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("starting pixelflux")?;
        let said = child.stdout.take().context("its output is ours")?;
        match Self::show(&mut child, said, &folder, scene, sight) {
            Ok(game) => Ok(Self { child, _game: game, _folder: folder }),
            Err(e) => {
                end(&mut child);
                Err(e)
            }
        }
    }

    fn show(
        child: &mut Child,
        said: ChildStdout,
        folder: &TempDir,
        scene: &Scene,
        sight: &Sight,
    ) -> anyhow::Result<Game> {
        let mut said = BufReader::new(said);
        let mut name = String::new();
        said.read_line(&mut name)?;
        let name = name.trim_end();
        ensure!(!name.is_empty(), "pixelflux' compositor did not start");
        child.stdin.as_mut().context("its input is ours")?.write_all(b"\n")?;
        let units = decoding(sight.clone())?;
        std::thread::Builder::new()
            .name("bench-reader".to_owned())
            // Its end is that of the process.
            .spawn(move || read(said, &units).ok())
            .context("starting the reader's thread")?;
        Game::start(scene, &folder.path().join(name))
    }
}

fn read(mut from: BufReader<ChildStdout>, units: &Sender<Unit>) -> anyhow::Result<()> {
    loop {
        let mut len = [0; 4];
        from.read_exact(&mut len)?;
        let len = u32::from_be_bytes(len) as usize;
        ensure!(len <= LARGEST, "a frame of {len} bytes");
        let mut unit = vec![0; len];
        from.read_exact(&mut unit)?;
        units.send(Box::new(unit))?;
    }
}

impl Running for Pixelflux {
    fn processor_time(&self) -> u64 {
        cpu::of_processes(&[self.child.id()])
    }
}

impl Drop for Pixelflux {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
