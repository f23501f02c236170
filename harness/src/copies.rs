//! Copies of an output, one after another, as those who record a screen take them:
//! `zwlr_screencopy_frame_v1.copy_with_damage`, which waits until something changed.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use nix::sys::memfd::{MFdFlags, memfd_create};
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::{
    wl_buffer::WlBuffer,
    wl_output::WlOutput,
    wl_registry::{self, WlRegistry},
    wl_shm::{self, WlShm},
    wl_shm_pool::WlShmPool,
};
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, WEnum, delegate_noop};
use wayland_protocols_wlr::screencopy::v1::client::{
    zwlr_screencopy_frame_v1::{self, Flags, ZwlrScreencopyFrameV1},
    zwlr_screencopy_manager_v1::ZwlrScreencopyManagerV1,
};

/// Buffers that are filled in turn: one can be read while the next is being filled.
pub const BUFFERS: usize = 2;

/// How the bytes of a copy lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Bytes from one row to the next.
    pub stride: u32,
    format: wl_shm::Format,
}

#[derive(Debug, Default)]
struct State {
    layout: Option<Layout>,
    /// All that was said of the buffer that is wanted.
    described: bool,
    upside_down: bool,
    copied: Option<bool>,
}

/// A connection that copies the first output.
#[derive(Debug)]
pub struct Copies {
    queue: EventQueue<State>,
    state: State,
    output: WlOutput,
    manager: ZwlrScreencopyManagerV1,
    layout: Layout,
    memory: Vec<File>,
    buffers: Vec<WlBuffer>,
    /// The copy that was asked for, and into which buffer.
    asked: Option<(ZwlrScreencopyFrameV1, usize)>,
    next: usize,
}

impl Copies {
    /// Connects to the compositor at `socket` and makes buffers as it wants them.
    ///
    /// # Errors
    /// If it is not there, offers no screencopy with damage, or has pixels that are not bytes of
    /// blue, green, red and one more.
    pub fn connect(socket: &Path) -> anyhow::Result<Self> {
        let stream = UnixStream::connect(socket)
            .with_context(|| format!("connect to {}", socket.display()))?;
        let connection = Connection::from_socket(stream)?;
        let (globals, mut queue) = registry_queue_init::<State>(&connection)?;
        let handle = queue.handle();
        let shm: WlShm = globals.bind(&handle, 1..=1, ()).context("bind wl_shm")?;
        let output = globals.bind(&handle, 2..=3, ()).context("bind wl_output")?;
        let manager: ZwlrScreencopyManagerV1 =
            globals.bind(&handle, 3..=3, ()).context("bind screencopy with damage")?;
        let mut state = State::default();
        let frame = manager.capture_output(0, &output, &handle, ());
        while !state.described && state.copied.is_none() {
            queue.blocking_dispatch(&mut state)?;
        }
        frame.destroy();
        let layout = state.layout.context("the output offers no shm copy")?;
        ensure!(
            matches!(layout.format, wl_shm::Format::Xrgb8888 | wl_shm::Format::Argb8888),
            "the output is copied as {:?}",
            layout.format
        );
        let mut copies = Self {
            queue,
            state,
            output,
            manager,
            layout,
            memory: Vec::new(),
            buffers: Vec::new(),
            asked: None,
            next: 0,
        };
        for _ in 0..BUFFERS {
            copies.make(&shm)?;
        }
        Ok(copies)
    }

    fn make(&mut self, shm: &WlShm) -> anyhow::Result<()> {
        let Layout { size, stride, format } = self.layout;
        let file = File::from(memfd_create("harness-copy", MFdFlags::MFD_CLOEXEC)?);
        let len = stride * size.1;
        file.set_len(u64::from(len))?;
        let handle = self.queue.handle();
        let wire_len = i32::try_from(len).context("the output is too large for wl_shm")?;
        let pool = shm.create_pool(file.as_fd(), wire_len, &handle, ());
        let (width, height) = (size.0 as i32, size.1 as i32);
        let buffer = pool.create_buffer(0, width, height, stride as i32, format, &handle, ());
        pool.destroy();
        self.memory.push(file);
        self.buffers.push(buffer);
        Ok(())
    }

    /// How the bytes of all copies lie.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The memory of the buffers, in turn.
    #[must_use]
    pub fn memory(&self) -> &[File] {
        &self.memory
    }

    /// Asks for a copy into the next buffer, as soon as the output shows something else than in
    /// the copy before.
    ///
    /// # Errors
    /// If the compositor is gone.
    pub fn ask(&mut self) -> anyhow::Result<()> {
        let handle = self.queue.handle();
        let frame = self.manager.capture_output(0, &self.output, &handle, ());
        // The compositor's wishes are those of the first time, so nothing is waited for.
        frame.copy_with_damage(&self.buffers[self.next]);
        self.state = State::default();
        self.asked = Some((frame, self.next));
        self.next = (self.next + 1) % BUFFERS;
        self.queue.flush()?;
        Ok(())
    }

    /// Waits for the copy that was asked for; the index of its buffer.
    ///
    /// # Errors
    /// If the compositor is gone or refuses, or nothing was asked for.
    pub fn wait(&mut self) -> anyhow::Result<usize> {
        let (frame, buffer) = self.asked.take().context("no copy was asked for")?;
        while self.state.copied.is_none() {
            self.queue.blocking_dispatch(&mut self.state)?;
        }
        frame.destroy();
        if self.state.copied != Some(true) || self.state.upside_down {
            bail!("the compositor did not copy its output as it stands");
        }
        Ok(buffer)
    }
}

impl Dispatch<ZwlrScreencopyFrameV1, ()> for State {
    fn event(
        state: &mut Self,
        _: &ZwlrScreencopyFrameV1,
        event: zwlr_screencopy_frame_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        use zwlr_screencopy_frame_v1::Event;
        match event {
            Event::Buffer { format: WEnum::Value(format), width, height, stride } => {
                state.layout = Some(Layout { format, size: (width, height), stride });
            }
            Event::BufferDone => state.described = true,
            Event::Flags { flags: WEnum::Value(flags) } => {
                state.upside_down = flags.contains(Flags::YInvert);
            }
            Event::Ready { .. } => state.copied = Some(true),
            Event::Failed => state.copied = Some(false),
            _ => {}
        }
    }
}

impl Dispatch<WlRegistry, GlobalListContents> for State {
    fn event(
        _: &mut Self,
        _: &WlRegistry,
        _: wl_registry::Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

delegate_noop!(State: ignore WlOutput);
delegate_noop!(State: ignore WlShm);
delegate_noop!(State: ignore WlShmPool);
delegate_noop!(State: ignore WlBuffer);
delegate_noop!(State: ignore ZwlrScreencopyManagerV1);
