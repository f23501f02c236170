//! The client of the bench: what it says in one round, and the wait for the last answer.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use nix::sys::memfd::{MFdFlags, memfd_create};
use stratus_harness::raw::Wire;

use super::server::{GLOBALS, whole, word};
use super::socket::{receive, send};

const DISPLAY: u32 = 1;
const REGISTRY: u32 = 2;
/// Of the first round trip; free after it, and never used again.
const FIRST_CALLBACK: u32 = 3;
const COMPOSITOR: u32 = 4;
const SHM: u32 = 5;
const WM_BASE: u32 = 6;
const SURFACE: u32 = 7;
const XDG_SURFACE: u32 = 8;
const TOPLEVEL: u32 = 9;
const POOL: u32 = 10;
const BUFFERS: [u32; 3] = [11, 12, 13];
/// Rounds make their objects from here on, and all of them are gone at the round's end.
const SCRATCH: u32 = 14;

const SIZE: (u32, u32) = (1280, 720);
const BUFFER_BYTES: u32 = SIZE.0 * SIZE.1 * 4;

/// What one round says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    /// So many `wl_display.sync` in one write. Each is answered by `done` and `delete_id`.
    Sync(u32),
    /// So many `wl_shm.create_pool`, each with its fd, as many `destroy`, and one sync.
    Pools(u32),
    /// A picture: attach, damage, frame callback, commit; until the callback is done.
    Frame,
}

impl Workload {
    /// Messages that pass in one round, in both directions together.
    pub(crate) fn messages(self) -> u64 {
        match self {
            Self::Sync(batch) => u64::from(batch) * 3,
            Self::Pools(batch) => u64::from(batch) * 3 + 3,
            Self::Frame => 7,
        }
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Sync(batch) => format!("sync x{batch}"),
            Self::Pools(batch) => format!("pools x{batch}"),
            Self::Frame => "frame".to_owned(),
        }
    }

    fn bytes(self) -> Vec<u8> {
        let sync = |id| Wire::new(DISPLAY, 0).word(id).bytes();
        match self {
            Self::Sync(batch) => (0..batch).flat_map(|n| sync(SCRATCH + n)).collect(),
            Self::Pools(batch) => {
                let pool = |n| Wire::new(SHM, 0).word(SCRATCH + n).word(4096).bytes();
                let destroy = |n| Wire::new(SCRATCH + n, 1).bytes();
                let mut bytes: Vec<u8> = (0..batch).flat_map(pool).collect();
                bytes.extend((0..batch).flat_map(destroy));
                bytes.extend(sync(SCRATCH + batch));
                bytes
            }
            Self::Frame => {
                let messages = [
                    Wire::new(SURFACE, 1).word(BUFFERS[0]).word(0).word(0),
                    Wire::new(SURFACE, 9).word(0).word(0).word(16).word(16),
                    Wire::new(SURFACE, 3).word(SCRATCH),
                    Wire::new(SURFACE, 6),
                ];
                messages.iter().flat_map(Wire::bytes).collect()
            }
        }
    }

    /// How many `delete_id` end the round.
    fn ends(self) -> u32 {
        match self {
            Self::Sync(batch) => batch,
            Self::Pools(batch) => batch + 1,
            Self::Frame => 1,
        }
    }
}

/// One connection with a window, whose size it was told.
pub(crate) struct Client {
    stream: UnixStream,
    room: Vec<u8>,
    filled: usize,
    /// Ids that were freed since it was last looked at.
    deleted: u32,
    /// Which of [`BUFFERS`] the compositor has.
    lent: [bool; BUFFERS.len()],
    workload: Workload,
    bytes: Vec<u8>,
    fds: Vec<OwnedFd>,
}

impl Client {
    /// Connects as soon as somebody listens at `socket`.
    pub(crate) fn connect(socket: &Path, patience: Duration) -> anyhow::Result<Self> {
        let start = Instant::now();
        let stream = loop {
            match UnixStream::connect(socket) {
                Ok(stream) => break stream,
                Err(_) if start.elapsed() < patience => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(e) => {
                    return Err(e).with_context(|| format!("nobody serves {}", socket.display()));
                }
            }
        };
        let mut client = Self {
            stream,
            room: vec![0; 64 << 10],
            filled: 0,
            deleted: 0,
            lent: [false; BUFFERS.len()],
            workload: Workload::Sync(1),
            bytes: Workload::Sync(1).bytes(),
            fds: Vec::new(),
        };
        client
            .open_window()
            .with_context(|| format!("opening a window at {}", socket.display()))?;
        Ok(client)
    }

    fn say(&self, messages: &[Wire], fds: &[OwnedFd]) -> io::Result<()> {
        let bytes: Vec<u8> = messages.iter().flat_map(Wire::bytes).collect();
        send(&self.stream, &bytes, fds)
    }

    fn open_window(&mut self) -> anyhow::Result<()> {
        let sync = Wire::new(DISPLAY, 0).word(FIRST_CALLBACK);
        self.say(&[Wire::new(DISPLAY, 1).word(REGISTRY), sync], &[])?;
        let mut names = [0; GLOBALS.len()];
        self.hear(|client, message| {
            if word(message, 0) == REGISTRY {
                let text = message.get(16..).unwrap_or_default();
                let place = GLOBALS.iter().position(|(name, _)| {
                    text.starts_with(name.as_bytes()) && text.get(name.len()) == Some(&0)
                });
                place.into_iter().for_each(|place| names[place] = word(message, 2));
            }
            client.deleted > 0
        })?;
        ensure!(names.iter().all(|name| *name != 0), "a global is missing");
        let bind = |place: usize, id| {
            let (interface, version) = GLOBALS[place];
            Wire::new(REGISTRY, 0).word(names[place]).string(interface).word(version).word(id)
        };
        let window = [
            bind(0, COMPOSITOR),
            bind(1, SHM),
            bind(2, WM_BASE),
            Wire::new(COMPOSITOR, 0).word(SURFACE),
            Wire::new(WM_BASE, 2).word(XDG_SURFACE).word(SURFACE),
            Wire::new(XDG_SURFACE, 1).word(TOPLEVEL),
            Wire::new(SURFACE, 6),
        ];
        self.say(&window, &[])?;
        let mut serial = 0;
        self.hear(|_, message| {
            let is_configure = word(message, 0) == XDG_SURFACE;
            serial = if is_configure { word(message, 2) } else { serial };
            is_configure
        })?;
        let pool = Wire::new(SHM, 0).word(POOL).word(BUFFER_BYTES * BUFFERS.len() as u32);
        let mut pictures = vec![Wire::new(XDG_SURFACE, 4).word(serial), pool];
        pictures.extend((0u32..).zip(BUFFERS).map(|(n, id)| {
            let (width, height) = SIZE;
            let buffer = Wire::new(POOL, 0).word(id).word(n * BUFFER_BYTES);
            // Format 1 is xrgb8888.
            buffer.word(width).word(height).word(width * 4).word(1)
        }));
        let memory = memory(u64::from(BUFFER_BYTES) * BUFFERS.len() as u64)?;
        self.say(&pictures, &[memory])?;
        Ok(())
    }

    /// What [`Client::round`] says from now on.
    pub(crate) fn choose(&mut self, workload: Workload) -> io::Result<()> {
        self.workload = workload;
        self.bytes = workload.bytes();
        self.fds.clear();
        if let Workload::Pools(batch) = workload {
            let one = memory(4096)?;
            self.fds = (0..batch).map(|_| one.try_clone()).collect::<io::Result<_>>()?;
        }
        Ok(())
    }

    /// Says it once and waits for the last answer.
    pub(crate) fn round(&mut self) -> anyhow::Result<()> {
        if self.workload == Workload::Frame {
            self.hear_if_needed(|client| client.lent.contains(&false))?;
            let free = self.lent.iter().position(|lent| !lent).unwrap_or_default();
            self.lent[free] = true;
            self.bytes[8..12].copy_from_slice(&BUFFERS[free].to_ne_bytes());
        }
        self.deleted = 0;
        send(&self.stream, &self.bytes, &self.fds)?;
        let ends = self.workload.ends();
        self.hear(|client, _| client.deleted >= ends)
    }

    fn hear_if_needed(&mut self, enough: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        if enough(self) { Ok(()) } else { self.hear(|client, _| enough(client)) }
    }

    /// Takes events, and shows each to `enough`, until that says so.
    fn hear(&mut self, mut enough: impl FnMut(&Self, &[u8]) -> bool) -> anyhow::Result<()> {
        let mut done = false;
        while !done {
            let len = receive(&self.stream, &mut self.room[self.filled..], &mut Vec::new())?;
            ensure!(len > 0, "the connection was closed");
            self.filled += len;
            let room = std::mem::take(&mut self.room);
            let mut at = 0;
            while let Some(message) = whole(&room[at..self.filled]) {
                at += message.len();
                self.note(message)?;
                done |= enough(self, message);
            }
            self.room = room;
            self.room.copy_within(at..self.filled, 0);
            self.filled -= at;
        }
        Ok(())
    }

    fn note(&mut self, message: &[u8]) -> anyhow::Result<()> {
        match (word(message, 0), word(message, 1) as u16) {
            (DISPLAY, 0) => bail!(
                "it is at fault: {}",
                String::from_utf8_lossy(message.get(20..).unwrap_or_default())
            ),
            (DISPLAY, 1) => self.deleted += 1,
            (id, 0) => {
                if let Some(place) = BUFFERS.iter().position(|buffer| *buffer == id) {
                    self.lent[place] = false;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn memory(len: u64) -> io::Result<OwnedFd> {
    let file = File::from(memfd_create(c"stratus-bench", MFdFlags::MFD_CLOEXEC)?);
    file.set_len(len)?;
    Ok(file.into())
}
