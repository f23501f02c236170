//! A client whose strings a test pulls: it does what it is told, a request at a time.
//!
//! Where [`crate::client`] plays a script on its own, a puppet hands out the objects of
//! `wayland-client` themselves: a test sets a subsurface's place or a viewport's crop by calling
//! the request. [`Puppet::surface`], [`Puppet::window`], [`Puppet::popup`] and the like make the
//! objects, [`Puppet::paint`] makes buffers, and [`Heard`] keeps what events told. Configures are
//! acknowledged and pings answered by themselves. Requests leave with the next call that waits,
//! at the latest [`Puppet::settle`].

mod heard;
mod paint;

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use wayland_client::globals::{GlobalList, registry_queue_init};
use wayland_client::protocol::{
    wl_buffer::WlBuffer, wl_callback::WlCallback, wl_compositor::WlCompositor,
    wl_pointer::WlPointer, wl_seat::WlSeat, wl_shm::WlShm, wl_subcompositor::WlSubcompositor,
    wl_subsurface::WlSubsurface, wl_surface::WlSurface,
};
use wayland_client::{Connection, Dispatch, EventQueue, Proxy, QueueHandle};
use wayland_protocols::wp::single_pixel_buffer::v1::client::wp_single_pixel_buffer_manager_v1::WpSinglePixelBufferManagerV1;
use wayland_protocols::wp::viewporter::client::{
    wp_viewport::WpViewport, wp_viewporter::WpViewporter,
};
use wayland_protocols::xdg::shell::client::{
    xdg_popup::XdgPopup, xdg_positioner, xdg_surface::XdgSurface, xdg_toplevel::XdgToplevel,
    xdg_wm_base::XdgWmBase,
};

pub use heard::{Heard, Pointed};
pub use paint::Paint;
/// The library whose objects a puppet hands out.
pub use wayland_client;
/// Its protocols.
pub use wayland_protocols;

/// How long a peer may take to answer.
const LIMIT: Duration = Duration::from_secs(30);

/// A toplevel window.
#[derive(Clone, Debug)]
pub struct Window {
    /// What is drawn on.
    pub surface: WlSurface,
    /// Its role object.
    pub xdg_surface: XdgSurface,
    /// The window.
    pub toplevel: XdgToplevel,
}

/// A menu or tooltip.
#[derive(Clone, Debug)]
pub struct Popup {
    /// What is drawn on.
    pub surface: WlSurface,
    /// Its role object.
    pub xdg_surface: XdgSurface,
    /// The popup.
    pub popup: XdgPopup,
}

/// A connection and what it heard.
#[derive(Debug)]
pub struct Puppet {
    connection: Connection,
    globals: GlobalList,
    queue: EventQueue<Heard>,
    handle: QueueHandle<Heard>,
    /// What events have told so far.
    pub heard: Heard,
}

impl Puppet {
    /// Connects to the compositor at `socket` and lists its globals.
    ///
    /// # Errors
    /// If nobody answers there.
    pub fn connect(socket: &Path) -> anyhow::Result<Self> {
        let stream = UnixStream::connect(socket)
            .with_context(|| format!("connect to the compositor at {}", socket.display()))?;
        let connection = Connection::from_socket(stream)?;
        let (globals, queue) = registry_queue_init::<Heard>(&connection)?;
        let handle = queue.handle();
        Ok(Self { connection, globals, queue, handle, heard: Heard::default() })
    }

    /// Binds the global of interface `I`, in at most version `version`.
    ///
    /// # Errors
    /// If the compositor does not offer it.
    pub fn bind<I>(&self, version: u32) -> anyhow::Result<I>
    where
        I: Proxy + 'static,
        Heard: Dispatch<I, ()>,
    {
        let name = I::interface().name;
        self.globals.bind(&self.handle, 1..=version, ()).with_context(|| format!("bind {name}"))
    }

    /// The queue that objects are to be made on.
    #[must_use]
    pub fn queue(&self) -> &QueueHandle<Heard> {
        &self.handle
    }

    /// A surface without a role.
    ///
    /// # Errors
    /// As for [`Puppet::bind`].
    pub fn surface(&self) -> anyhow::Result<WlSurface> {
        Ok(self.bind::<WlCompositor>(5)?.create_surface(&self.handle, ()))
    }

    /// A window that was configured and shows nothing yet; `title` is its app id too.
    ///
    /// # Errors
    /// If the compositor does not configure it.
    pub fn window(&mut self, title: &str) -> anyhow::Result<Window> {
        self.toplevel(title, None)
    }

    /// A window whose parent is `parent`.
    ///
    /// # Errors
    /// As for [`Puppet::window`].
    pub fn dialog(&mut self, title: &str, parent: &Window) -> anyhow::Result<Window> {
        self.toplevel(title, Some(parent))
    }

    fn toplevel(&mut self, title: &str, parent: Option<&Window>) -> anyhow::Result<Window> {
        let surface = self.surface()?;
        let base: XdgWmBase = self.bind(5)?;
        let xdg_surface = base.get_xdg_surface(&surface, &self.handle, ());
        let toplevel = xdg_surface.get_toplevel(&self.handle, xdg_surface.id());
        toplevel.set_title(title.to_owned());
        toplevel.set_app_id(title.to_owned());
        if let Some(parent) = parent {
            toplevel.set_parent(Some(&parent.toplevel));
        }
        let window = Window { surface, xdg_surface, toplevel };
        self.map(&window)?;
        Ok(window)
    }

    /// Takes a window's buffer away; before the next one comes [`Puppet::map`].
    pub fn unmap(&mut self, window: &Window) {
        self.heard.forget_configures(&window.xdg_surface);
        window.surface.attach(None, 0, 0);
        window.surface.commit();
    }

    /// Makes the first commit of a window, or that after it was unmapped, and waits for its
    /// configure, after which a buffer may come.
    ///
    /// # Errors
    /// If the compositor does not configure it; wlroots 0.15 does that but once for each window.
    pub fn map(&mut self, window: &Window) -> anyhow::Result<()> {
        self.first_commit(&window.surface, &window.xdg_surface)
    }

    fn first_commit(&mut self, surface: &WlSurface, xdg: &XdgSurface) -> anyhow::Result<()> {
        surface.commit();
        self.wait("a configure", LIMIT, |heard| heard.configures(xdg) > 0)
    }

    /// A popup of `size` at `place` in its parent's window geometry; configured, still empty. Its
    /// parent may be a window's or a popup's `xdg_surface`.
    ///
    /// # Errors
    /// If the compositor does not configure it.
    pub fn popup(
        &mut self,
        parent: &XdgSurface,
        place: (i32, i32),
        size: (i32, i32),
    ) -> anyhow::Result<Popup> {
        let surface = self.surface()?;
        let base: XdgWmBase = self.bind(5)?;
        let positioner = base.create_positioner(&self.handle, ());
        positioner.set_size(size.0, size.1);
        positioner.set_anchor_rect(place.0, place.1, 1, 1);
        positioner.set_anchor(xdg_positioner::Anchor::TopLeft);
        positioner.set_gravity(xdg_positioner::Gravity::BottomRight);
        let xdg_surface = base.get_xdg_surface(&surface, &self.handle, ());
        let owner = xdg_surface.id();
        let popup = xdg_surface.get_popup(Some(parent), &positioner, &self.handle, owner);
        positioner.destroy();
        self.first_commit(&surface, &xdg_surface)?;
        Ok(Popup { surface, xdg_surface, popup })
    }

    /// Makes `child` a subsurface of `parent`: synchronized and at 0,0, as the protocol says.
    ///
    /// # Errors
    /// As for [`Puppet::bind`].
    pub fn subsurface(
        &self,
        child: &WlSurface,
        parent: &WlSurface,
    ) -> anyhow::Result<WlSubsurface> {
        let maker: WlSubcompositor = self.bind(1)?;
        Ok(maker.get_subsurface(child, parent, &self.handle, ()))
    }

    /// The viewport of a surface.
    ///
    /// # Errors
    /// As for [`Puppet::bind`].
    pub fn viewport(&self, surface: &WlSurface) -> anyhow::Result<WpViewport> {
        Ok(self.bind::<WpViewporter>(1)?.get_viewport(surface, &self.handle, ()))
    }

    /// A buffer of `size` pixels, each with the bytes B G R A of `bgra`.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn paint(&self, size: (u32, u32), bgra: [u8; 4]) -> anyhow::Result<Paint> {
        let paint = Paint::new(&self.bind::<WlShm>(1)?, size, &self.handle)?;
        paint.fill(bgra)?;
        Ok(paint)
    }

    /// A buffer of `size` pixels in memory: rows of bytes B G R A without gaps.
    ///
    /// # Errors
    /// If there is no memory, or `pixels` is not as long as it should be.
    pub fn picture(&self, size: (u32, u32), pixels: &[u8]) -> anyhow::Result<Paint> {
        let paint = Paint::new(&self.bind::<WlShm>(1)?, size, &self.handle)?;
        paint.write(pixels)?;
        Ok(paint)
    }

    /// A single-pixel buffer: red, green, blue and alpha, premultiplied, in 32 bits each.
    ///
    /// # Errors
    /// If the compositor has none (before wlroots 0.17).
    pub fn pixel(&self, [r, g, b, a]: [u32; 4]) -> anyhow::Result<WlBuffer> {
        let maker: WpSinglePixelBufferManagerV1 = self.bind(1)?;
        Ok(maker.create_u32_rgba_buffer(r, g, b, a, &self.handle, ()))
    }

    /// The pointer of the first seat.
    ///
    /// # Errors
    /// If there is no seat. (One without a pointer ends the client: see [`Heard::capabilities`].)
    pub fn pointer(&mut self) -> anyhow::Result<WlPointer> {
        let seat: WlSeat = self.bind(7)?;
        self.wait("the seat's pointer", LIMIT, |heard| heard.capabilities & 1 == 1)?;
        Ok(seat.get_pointer(&self.handle, ()))
    }

    /// Attaches a buffer to a surface, damages all of it, and commits.
    pub fn show(&self, surface: &WlSurface, buffer: &WlBuffer) {
        surface.attach(Some(buffer), 0, 0);
        if surface.version() >= 4 {
            surface.damage_buffer(0, 0, i32::MAX, i32::MAX);
        } else {
            surface.damage(0, 0, i32::MAX, i32::MAX);
        }
        surface.commit();
    }

    /// Asks for `wl_surface.frame`; [`Heard::is_done`] knows when it was answered.
    #[must_use]
    pub fn frame(&self, surface: &WlSurface) -> WlCallback {
        surface.frame(&self.handle, ())
    }

    /// Waits until the compositor has dealt with all that was asked so far.
    ///
    /// # Errors
    /// If it is gone; names its `wl_display.error`.
    pub fn settle(&mut self) -> anyhow::Result<()> {
        let answer = self.connection.display().sync(&self.handle, ());
        self.wait("wl_display.sync", LIMIT, |heard| heard.is_done(&answer))
    }

    /// Goes on until `condition` holds of what was heard.
    ///
    /// # Errors
    /// If it does not within `limit`, or the connection ends; names `what`.
    pub fn wait(
        &mut self,
        what: &str,
        limit: Duration,
        condition: impl Fn(&Heard) -> bool,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + limit;
        loop {
            self.queue.dispatch_pending(&mut self.heard).map_err(|e| self.explain(what, &e))?;
            if condition(&self.heard) {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("{what} did not come within {limit:?}");
            }
            self.read(left).with_context(|| format!("wait for {what}"))?;
        }
    }

    /// Handles whatever comes for so long.
    ///
    /// # Errors
    /// If the connection ends.
    pub fn idle(&mut self, time: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + time;
        while let left = deadline.saturating_duration_since(Instant::now())
            && !left.is_zero()
        {
            self.read(left)?;
            self.queue.dispatch_pending(&mut self.heard).map_err(|e| self.explain("idle", &e))?;
        }
        Ok(())
    }

    fn read(&self, left: Duration) -> anyhow::Result<()> {
        self.connection.flush().map_err(|e| self.explain("send requests", &e))?;
        let Some(guard) = self.connection.prepare_read() else { return Ok(()) };
        let ready = {
            let mut fds = [PollFd::new(guard.connection_fd(), PollFlags::POLLIN)];
            // A timeout of whole milliseconds, rounded up so that waiting ends.
            let timeout = PollTimeout::try_from(left + Duration::from_millis(1));
            poll(&mut fds, timeout.unwrap_or(PollTimeout::MAX))? > 0
        };
        if ready {
            guard.read().map_err(|e| self.explain("read events", &e))?;
        }
        Ok(())
    }

    fn explain(&self, what: &str, error: &dyn std::error::Error) -> anyhow::Error {
        match self.connection.protocol_error() {
            Some(e) => anyhow!(
                "{what}: protocol error {} of {}: {}",
                e.code,
                e.object_interface,
                e.message
            ),
            None => anyhow!("{what}: {error}"),
        }
    }
}

#[cfg(test)]
mod tests;
