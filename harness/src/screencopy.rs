//! Screenshots through zwlr_screencopy_manager_v1: what the compositor itself shows.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use nix::sys::memfd::{MFdFlags, memfd_create};
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::{
    wl_buffer::WlBuffer,
    wl_output::{self, WlOutput},
    wl_registry::{self, WlRegistry},
    wl_shm::{self, WlShm},
    wl_shm_pool::WlShmPool,
};
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, WEnum, delegate_noop};
use wayland_protocols_wlr::screencopy::v1::client::{
    zwlr_screencopy_frame_v1::{self, Flags, ZwlrScreencopyFrameV1},
    zwlr_screencopy_manager_v1::ZwlrScreencopyManagerV1,
};

use crate::picture::Picture;

/// A buffer as the compositor wants it.
#[derive(Clone, Copy, Debug)]
struct Layout {
    format: wl_shm::Format,
    size: (u32, u32),
    stride: u32,
}

#[derive(Debug, Default)]
struct State {
    mode: Option<(u32, u32)>,
    layout: Option<Layout>,
    upside_down: bool,
    copied: Option<bool>,
}

/// A connection that captures the first output.
#[derive(Debug)]
pub struct Screen {
    queue: EventQueue<State>,
    state: State,
    shm: WlShm,
    output: WlOutput,
    manager: ZwlrScreencopyManagerV1,
}

impl Screen {
    /// Connects to the compositor at `socket`.
    ///
    /// # Errors
    /// If it is not there or offers no output, shm or screencopy.
    pub fn connect(socket: &Path) -> anyhow::Result<Self> {
        let stream = UnixStream::connect(socket)
            .with_context(|| format!("connect to {}", socket.display()))?;
        let connection = Connection::from_socket(stream)?;
        let (globals, mut queue) = registry_queue_init::<State>(&connection)?;
        let handle = queue.handle();
        let shm = globals.bind(&handle, 1..=1, ()).context("bind wl_shm")?;
        let output = globals.bind(&handle, 2..=3, ()).context("bind wl_output")?;
        let manager = globals.bind(&handle, 1..=3, ()).context("bind screencopy")?;
        let mut state = State::default();
        queue.roundtrip(&mut state)?;
        Ok(Self { queue, state, shm, output, manager })
    }

    /// The output's current mode in pixels.
    ///
    /// # Errors
    /// If the compositor is gone.
    pub fn mode(&mut self) -> anyhow::Result<Option<(u32, u32)>> {
        self.queue.roundtrip(&mut self.state)?;
        Ok(self.state.mode)
    }

    /// The whole output without its cursor.
    ///
    /// # Errors
    /// If the compositor is gone, refuses, or offers only a format that is not 8 bits a channel.
    pub fn capture(&mut self) -> anyhow::Result<Picture> {
        let frame = self.manager.capture_output(0, &self.output, &self.queue.handle(), ());
        self.copy(&frame)
    }

    /// A part of the output: left and top edge, width and height in logical pixels.
    ///
    /// # Errors
    /// As for [`Screen::capture`].
    pub fn capture_region(
        &mut self,
        x: i32,
        y: i32,
        width: i32,
        height: i32,
    ) -> anyhow::Result<Picture> {
        let (handle, output) = (self.queue.handle(), &self.output);
        let frame = self.manager.capture_output_region(0, output, x, y, width, height, &handle, ());
        self.copy(&frame)
    }

    fn copy(&mut self, frame: &ZwlrScreencopyFrameV1) -> anyhow::Result<Picture> {
        self.state = State { mode: self.state.mode, ..State::default() };
        // One round trip brings the frame's buffer events, in every version of the protocol.
        self.queue.roundtrip(&mut self.state)?;
        let layout = self.state.layout.ok_or_else(|| anyhow!("the output offers no shm copy"))?;
        let len = layout.stride * layout.size.1;
        let memory = memfd_create("harness-screenshot", MFdFlags::MFD_CLOEXEC)?;
        let file = File::from(memory);
        file.set_len(u64::from(len))?;
        let handle = self.queue.handle();
        let wire_len = i32::try_from(len).context("the output is too large for wl_shm")?;
        let pool = self.shm.create_pool(file.as_fd(), wire_len, &handle, ());
        let (width, height) = (layout.size.0 as i32, layout.size.1 as i32);
        let stride = layout.stride as i32;
        let buffer = pool.create_buffer(0, width, height, stride, layout.format, &handle, ());
        frame.copy(&buffer);
        while self.state.copied.is_none() {
            self.queue.blocking_dispatch(&mut self.state)?;
        }
        frame.destroy();
        buffer.destroy();
        pool.destroy();
        self.queue.flush()?;
        if self.state.copied != Some(true) {
            bail!("the compositor failed to copy its output");
        }
        let mut bytes = vec![0; len as usize];
        file.read_exact_at(&mut bytes, 0)?;
        picture(&mut bytes, layout, self.state.upside_down)
    }
}

fn picture(bytes: &mut [u8], layout: Layout, upside_down: bool) -> anyhow::Result<Picture> {
    match layout.format {
        wl_shm::Format::Xrgb8888 | wl_shm::Format::Argb8888 => {}
        wl_shm::Format::Xbgr8888 | wl_shm::Format::Abgr8888 => {
            bytes.chunks_exact_mut(4).for_each(|pixel| pixel.swap(0, 2));
        }
        other => bail!("the output is copied as {other:?}, which this harness cannot read"),
    }
    let mut picture = Picture::from_bgrx(bytes, layout.stride as usize, layout.size)?;
    if upside_down {
        let row = layout.size.0 as usize * 3;
        picture.rgb = picture.rgb.chunks(row).rev().flatten().copied().collect();
    }
    Ok(picture)
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
            Event::Flags { flags: WEnum::Value(flags) } => {
                state.upside_down = flags.contains(Flags::YInvert);
            }
            Event::Ready { .. } => state.copied = Some(true),
            Event::Failed => state.copied = Some(false),
            _ => {}
        }
    }
}

impl Dispatch<WlOutput, ()> for State {
    fn event(
        state: &mut Self,
        _: &WlOutput,
        event: wl_output::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_output::Event::Mode { flags: WEnum::Value(flags), width, height, .. } = event
            && flags.contains(wl_output::Mode::Current)
        {
            state.mode = Some((width.unsigned_abs(), height.unsigned_abs()));
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

delegate_noop!(State: ignore WlShm);
delegate_noop!(State: ignore WlShmPool);
delegate_noop!(State: ignore WlBuffer);
delegate_noop!(State: ignore ZwlrScreencopyManagerV1);
