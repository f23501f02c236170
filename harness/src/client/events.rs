//! What the scripted client does with events: it notes them for the loop in `play`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use wayland_client::protocol::{
    wl_buffer::{self, WlBuffer},
    wl_callback::{self, WlCallback},
    wl_compositor::WlCompositor,
    wl_output::{self, WlOutput},
    wl_registry::{self, WlRegistry},
    wl_shm::{self, WlShm},
    wl_shm_pool::WlShmPool,
    wl_surface::WlSurface,
};
use wayland_client::{Connection, Dispatch, QueueHandle, WEnum, delegate_noop};
use wayland_protocols::wp::linux_dmabuf::zv1::client::{
    zwp_linux_buffer_params_v1::ZwpLinuxBufferParamsV1, zwp_linux_dmabuf_v1::ZwpLinuxDmabufV1,
};
use wayland_protocols::xdg::shell::client::{
    xdg_surface::{self, XdgSurface},
    xdg_toplevel::{self, XdgToplevel},
    xdg_wm_base::{self, XdgWmBase},
};
use wayland_protocols::xdg::xdg_output::zv1::client::{
    zxdg_output_manager_v1::ZxdgOutputManagerV1,
    zxdg_output_v1::{self, ZxdgOutputV1},
};

use super::Live;
use super::counts::Counts;
use super::keys::Devices;

/// Which buffer a `wl_buffer` is: its place, and which of the buffers that were ever there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BufferKey {
    pub(crate) slot: usize,
    pub(crate) generation: u64,
}

/// What events have told so far.
pub(crate) struct Game {
    pub(crate) counts: Counts,
    pub(crate) live: Arc<Live>,
    /// Names of globals beside what [`Counts::globals`] keeps of them.
    pub(crate) names: Vec<u32>,
    /// Size in the last `xdg_toplevel.configure`.
    pub(crate) size: (i32, i32),
    /// Serial of an `xdg_surface.configure` that nobody acknowledged yet.
    pub(crate) configured: Option<u32>,
    /// Whether the last `wl_surface.frame` was answered.
    pub(crate) frame_done: bool,
    /// Whether the last `wl_display.sync` was answered.
    pub(crate) synced: bool,
    pub(crate) closed: bool,
    pub(crate) released: Vec<BufferKey>,
    pub(crate) devices: Devices,
    /// When keys and buttons were heard of that no frame answered yet, in nanoseconds.
    pub(crate) presses: VecDeque<u64>,
}

impl Game {
    pub(crate) fn new(live: Arc<Live>) -> Self {
        Self {
            counts: Counts::default(),
            live,
            names: Vec::new(),
            size: (0, 0),
            configured: None,
            frame_done: true,
            synced: false,
            closed: false,
            released: Vec::new(),
            devices: Devices::default(),
            presses: VecDeque::new(),
        }
    }
}

/// What a callback was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked {
    Frame,
    Sync,
}

impl Dispatch<WlRegistry, ()> for Game {
    fn event(
        game: &mut Self,
        _: &WlRegistry,
        event: wl_registry::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_registry::Event::Global { name, interface, version } = event {
            game.names.push(name);
            game.counts.globals.push((interface, version));
        }
    }
}

impl Dispatch<WlCallback, Asked> for Game {
    fn event(
        game: &mut Self,
        _: &WlCallback,
        event: wl_callback::Event,
        asked: &Asked,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let wl_callback::Event::Done { .. } = event else { return };
        match asked {
            Asked::Frame => {
                game.frame_done = true;
                game.counts.frame_callbacks += 1;
            }
            Asked::Sync => game.synced = true,
        }
    }
}

impl Dispatch<WlShm, ()> for Game {
    fn event(
        game: &mut Self,
        _: &WlShm,
        event: wl_shm::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_shm::Event::Format { format } = event {
            let code = match format {
                WEnum::Value(known) => known.into(),
                WEnum::Unknown(code) => code,
            };
            // A flooding compositor repeats itself.
            if !game.counts.formats.contains(&code) {
                game.counts.formats.push(code);
            }
        }
    }
}

impl Dispatch<WlBuffer, BufferKey> for Game {
    fn event(
        game: &mut Self,
        _: &WlBuffer,
        event: wl_buffer::Event,
        key: &BufferKey,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_buffer::Event::Release = event {
            game.counts.releases += 1;
            game.live.releases.fetch_add(1, Ordering::Relaxed);
            game.released.push(*key);
        }
    }
}

impl Dispatch<WlOutput, ()> for Game {
    fn event(
        game: &mut Self,
        _: &WlOutput,
        event: wl_output::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_output::Event::Mode { width, height, refresh, .. } = event {
            game.counts.modes.push((width, height, refresh));
        }
    }
}

impl Dispatch<ZxdgOutputV1, ()> for Game {
    fn event(
        game: &mut Self,
        _: &ZxdgOutputV1,
        event: zxdg_output_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let zxdg_output_v1::Event::LogicalSize { width, height } = event {
            game.counts.logical_sizes.push((width, height));
        }
    }
}

impl Dispatch<XdgWmBase, ()> for Game {
    fn event(
        _: &mut Self,
        base: &XdgWmBase,
        event: xdg_wm_base::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_wm_base::Event::Ping { serial } = event {
            base.pong(serial);
        }
    }
}

impl Dispatch<XdgSurface, ()> for Game {
    fn event(
        game: &mut Self,
        _: &XdgSurface,
        event: xdg_surface::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_surface::Event::Configure { serial } = event {
            game.configured = Some(serial);
        }
    }
}

impl Dispatch<XdgToplevel, ()> for Game {
    fn event(
        game: &mut Self,
        _: &XdgToplevel,
        event: xdg_toplevel::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            xdg_toplevel::Event::Configure { width, height, states } => {
                game.size = (width, height);
                game.counts.configures.push((width, height));
                let words = states.chunks_exact(4);
                game.counts.states =
                    words.map(|w| u32::from_ne_bytes([w[0], w[1], w[2], w[3]])).collect();
            }
            xdg_toplevel::Event::Close => game.closed = true,
            _ => {}
        }
    }
}

delegate_noop!(Game: ignore WlCompositor);
delegate_noop!(Game: ignore WlSurface);
delegate_noop!(Game: ignore WlShmPool);
delegate_noop!(Game: ignore ZxdgOutputManagerV1);
delegate_noop!(Game: ignore ZwpLinuxDmabufV1);
delegate_noop!(Game: ignore ZwpLinuxBufferParamsV1);

/// The place of the global of `interface` in the list, and the version to bind it in.
pub(crate) fn find(game: &Game, interface: &str, known: u32) -> Option<(u32, u32)> {
    let at = game.counts.globals.iter().position(|(name, _)| name == interface)?;
    Some((game.names[at], game.counts.globals[at].1.min(known)))
}

/// Binds the global of interface `I`, in at most version `known`.
pub(crate) fn bind<I>(
    registry: &WlRegistry,
    game: &Game,
    queue: &QueueHandle<Game>,
    known: u32,
) -> anyhow::Result<I>
where
    I: wayland_client::Proxy + 'static,
    Game: Dispatch<I, ()>,
{
    let name = I::interface().name;
    let (global, version) = find(game, name, known)
        .ok_or_else(|| anyhow::anyhow!("the compositor offers no {name}"))?;
    Ok(registry.bind(global, version, queue, ()))
}
