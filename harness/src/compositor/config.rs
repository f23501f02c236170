//! What a scripted compositor offers and how it behaves.

use std::time::Duration;

use wayland_backend::protocol::{ArgumentType, Interface, MessageDesc};
use wayland_protocols::wp::linux_dmabuf::zv1::server::zwp_linux_dmabuf_v1::ZwpLinuxDmabufV1;
use wayland_protocols::wp::viewporter::server::wp_viewporter::WpViewporter;
use wayland_protocols::xdg::shell::server::xdg_wm_base::XdgWmBase;
use wayland_protocols::xdg::xdg_output::zv1::server::zxdg_output_manager_v1::ZxdgOutputManagerV1;
use wayland_protocols_wlr::screencopy::v1::server::zwlr_screencopy_manager_v1::ZwlrScreencopyManagerV1;
use wayland_server::Resource as _;
use wayland_server::protocol::{
    wl_compositor::WlCompositor, wl_data_device_manager::WlDataDeviceManager, wl_output::WlOutput,
    wl_seat::WlSeat, wl_shm::WlShm, wl_subcompositor::WlSubcompositor,
};

/// An interface that no protocol table holds. It takes and sends an fd, so that whoever forwards
/// it without knowing its signature loses count of fds.
pub static UNKNOWN_INTERFACE: Interface = Interface {
    name: "zharness_unheard_of_v7",
    version: 7,
    requests: &[MessageDesc {
        name: "take",
        signature: &[ArgumentType::Fd, ArgumentType::Uint],
        since: 1,
        is_destructor: false,
        child_interface: None,
        arg_interfaces: &[],
    }],
    events: &[MessageDesc {
        name: "given",
        signature: &[ArgumentType::Fd],
        since: 1,
        is_destructor: false,
        child_interface: None,
        arg_interfaces: &[],
    }],
    c_ptr: None,
};

/// A global to advertise.
#[derive(Clone, Copy, Debug)]
pub struct Global {
    /// Its interface.
    pub interface: &'static Interface,
    /// The version offered. It may exceed what the interface table knows.
    pub version: u32,
}

impl Global {
    /// A global of `interface` in `version`.
    #[must_use]
    pub const fn new(interface: &'static Interface, version: u32) -> Self {
        Self { interface, version }
    }

    /// What a game needs: compositor, subcompositor, shm, xdg-shell, output, xdg-output, seat,
    /// viewporter and the data device manager.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        vec![
            Self::new(WlCompositor::interface(), 5),
            Self::new(WlSubcompositor::interface(), 1),
            Self::new(WlShm::interface(), 1),
            Self::new(XdgWmBase::interface(), 5),
            Self::new(WlOutput::interface(), 4),
            Self::new(ZxdgOutputManagerV1::interface(), 3),
            Self::new(WlSeat::interface(), 7),
            Self::new(WpViewporter::interface(), 1),
            Self::new(WlDataDeviceManager::interface(), 3),
        ]
    }

    /// Buffers of dmabufs. It takes all that it is given and looks at none.
    #[must_use]
    pub fn dmabuf() -> Self {
        Self::new(ZwpLinuxDmabufV1::interface(), 3)
    }

    /// A global that reads the screen, which games must not see.
    #[must_use]
    pub fn screencopy() -> Self {
        Self::new(ZwlrScreencopyManagerV1::interface(), 3)
    }

    /// A global of [`UNKNOWN_INTERFACE`].
    #[must_use]
    pub fn unknown() -> Self {
        Self::new(&UNKNOWN_INTERFACE, 7)
    }
}

/// When a committed buffer goes back to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// While the commit is handled, as after a copy.
    AtOnce,
    /// When the next buffer of the surface is committed, as after direct scan-out.
    AtNextCommit,
    /// Never.
    Never,
    /// This long after the commit.
    After(Duration),
}

/// When `wl_callback.done` answers `wl_surface.frame`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// While the commit is handled.
    AtOnce,
    /// At the next of this many ticks a second.
    Hertz(f64),
    /// Never, as for a hidden window.
    Never,
}

/// Which requests are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// All.
    All,
    /// None: for long runs whose memory is watched.
    Nothing,
}

/// How a scripted compositor behaves.
#[derive(Clone, Debug)]
pub struct Config {
    /// Globals, in the order in which they are advertised.
    pub globals: Vec<Global>,
    /// `wl_shm.format` codes.
    pub formats: Vec<u32>,
    /// The output's mode: width and height in pixels, refresh in mHz.
    pub mode: (i32, i32, i32),
    /// Size in the first `xdg_toplevel.configure`; (0, 0) leaves it to the client.
    pub size: (i32, i32),
    /// When buffers come back.
    pub release: Release,
    /// When frame callbacks are answered.
    pub pace: Pace,
    /// Which requests are kept.
    pub record: Record,
    /// Whether the marker of each committed buffer is read (costs a copy of the picture).
    pub read_markers: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            globals: Global::usual(),
            // argb8888, xrgb8888 and xrgb2101010, as wlroots offers them.
            formats: vec![0, 1, 0x3033_5258],
            mode: (1024, 768, 60_000),
            size: (0, 0),
            release: Release::AtOnce,
            pace: Pace::Hertz(60.0),
            record: Record::All,
            read_markers: false,
        }
    }
}
