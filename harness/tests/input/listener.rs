//! A game for tests: a fullscreen window that notes everything that its seat tells it.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::memfd::{MFdFlags, memfd_create};
use wayland_client::globals::{GlobalList, GlobalListContents, registry_queue_init};
use wayland_client::protocol::{
    wl_buffer::WlBuffer,
    wl_compositor::WlCompositor,
    wl_keyboard::{self, WlKeyboard},
    wl_pointer::{self, WlPointer},
    wl_registry::{self, WlRegistry},
    wl_seat::{self, WlSeat},
    wl_shm::{self, WlShm},
    wl_shm_pool::WlShmPool,
    wl_surface::WlSurface,
};
use wayland_client::{
    Connection, Dispatch, EventQueue, Proxy as _, QueueHandle, WEnum, delegate_noop,
};
use wayland_protocols::wp::pointer_constraints::zv1::client::{
    zwp_locked_pointer_v1::{self, ZwpLockedPointerV1},
    zwp_pointer_constraints_v1::{Lifetime, ZwpPointerConstraintsV1},
};
use wayland_protocols::wp::relative_pointer::zv1::client::{
    zwp_relative_pointer_manager_v1::ZwpRelativePointerManagerV1,
    zwp_relative_pointer_v1::{self, ZwpRelativePointerV1},
};
use wayland_protocols::xdg::shell::client::{
    xdg_surface::{self, XdgSurface},
    xdg_toplevel::XdgToplevel,
    xdg_wm_base::{self, XdgWmBase},
};

use crate::SIZE;

const LIMIT: Duration = Duration::from_secs(20);

/// What a seat told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// A key, as evdev numbers it.
    Key(u32, bool),
    /// Depressed, latched and locked modifiers, and the group.
    Modifiers(u32, u32, u32, u32),
    /// Where the pointer is, when it comes and when it moves.
    At(f64, f64),
    /// How far it moved.
    By(f64, f64),
    Button(u32, bool),
    /// 0 vertical, 1 horizontal; and the distance.
    Axis(u32, f64),
    /// As `axis_value120` has it; below version 8, `axis_discrete` times 120.
    Notches(u32, i32),
    /// 0 wheel, 1 finger, 2 continuous.
    Source(u32),
    Stop(u32),
}

#[derive(Debug, Default)]
struct Heard {
    said: Vec<Said>,
    keymaps: u32,
    focused: bool,
    entered: bool,
    capabilities: Option<u32>,
    configured: bool,
    acknowledged: bool,
    locked: bool,
}

/// The window.
pub(crate) struct Listener {
    queue: EventQueue<Heard>,
    globals: GlobalList,
    heard: Heard,
    surface: WlSurface,
    pointer: WlPointer,
}

impl Listener {
    /// Opens a window over all of the compositor at `socket`, and waits until it has the
    /// keyboard. A seat that has no keyboard or no pointer at once is an error.
    pub(crate) fn open(socket: &Path) -> anyhow::Result<Self> {
        let connection = Connection::from_socket(UnixStream::connect(socket)?)?;
        let (globals, mut queue) = registry_queue_init::<Heard>(&connection)?;
        let handle = queue.handle();
        let mut heard = Heard::default();
        let seat: WlSeat = globals.bind(&handle, 5..=8, ())?;
        queue.roundtrip(&mut heard)?;
        if heard.capabilities.map(|c| c & 3) != Some(3) {
            bail!("the seat's first word is of {:?}", heard.capabilities);
        }
        let _: WlKeyboard = seat.get_keyboard(&handle, ());
        let pointer = seat.get_pointer(&handle, ());
        let compositor: WlCompositor = globals.bind(&handle, 1..=4, ())?;
        let shell: XdgWmBase = globals.bind(&handle, 1..=1, ())?;
        let surface = compositor.create_surface(&handle, ());
        let xdg = shell.get_xdg_surface(&surface, &handle, ());
        let window = xdg.get_toplevel(&handle, ());
        window.set_fullscreen(None);
        surface.commit();
        let mut listener = Self { queue, globals, heard, surface, pointer };
        listener.until("a configure", |heard| heard.configured)?;
        let (width, height) = (i32::try_from(SIZE.0)?, i32::try_from(SIZE.1)?);
        let buffer = listener.paint(width, height)?;
        listener.surface.attach(Some(&buffer), 0, 0);
        listener.surface.damage(0, 0, width, height);
        listener.surface.commit();
        listener.until("the keyboard", |heard| heard.focused)?;
        Ok(listener)
    }

    fn paint(&self, width: i32, height: i32) -> anyhow::Result<WlBuffer> {
        let len = width * height * 4;
        let file = File::from(memfd_create("listener", MFdFlags::MFD_CLOEXEC)?);
        file.set_len(u64::try_from(len)?)?;
        let handle = self.queue.handle();
        let shm: WlShm = self.globals.bind(&handle, 1..=1, ())?;
        let pool = shm.create_pool(file.as_fd(), len, &handle, ());
        let format = wl_shm::Format::Xrgb8888;
        Ok(pool.create_buffer(0, width, height, width * 4, format, &handle, ()))
    }

    /// Locks the pointer, and asks for relative motion.
    pub(crate) fn lock_pointer(&mut self) -> anyhow::Result<()> {
        self.until("the pointer", |heard| heard.entered)?;
        let handle = self.queue.handle();
        let relative: ZwpRelativePointerManagerV1 = self.globals.bind(&handle, 1..=1, ())?;
        relative.get_relative_pointer(&self.pointer, &handle, ());
        let constraints: ZwpPointerConstraintsV1 = self.globals.bind(&handle, 1..=1, ())?;
        constraints.lock_pointer(
            &self.surface,
            &self.pointer,
            None,
            Lifetime::Persistent,
            &handle,
            (),
        );
        self.surface.commit();
        self.until("the lock", |heard| heard.locked)
    }

    /// Everything said until `last` is said, without what was said before the call that this
    /// follows.
    pub(crate) fn hear_until(&mut self, last: &Said) -> anyhow::Result<Vec<Said>> {
        let what = format!("{last:?}");
        let told = self.until(&what, |heard| heard.said.contains(last));
        told.with_context(|| format!("heard: {:?}", self.heard.said))?;
        Ok(std::mem::take(&mut self.heard.said))
    }

    /// Waits until each of `all` was said.
    pub(crate) fn hear_all(&mut self, all: &[Said]) -> anyhow::Result<()> {
        let told = self.until("all of it", |heard| all.iter().all(|s| heard.said.contains(s)));
        told.with_context(|| format!("waited for {all:?} and heard {:?}", self.heard.said))?;
        self.heard.said.clear();
        Ok(())
    }

    /// Keymaps that were told so far.
    pub(crate) fn keymaps(&self) -> u32 {
        self.heard.keymaps
    }

    /// What is said for a while.
    pub(crate) fn hear_for(&mut self, time: Duration) -> anyhow::Result<Vec<Said>> {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            self.dispatch(Duration::from_millis(5))?;
        }
        Ok(std::mem::take(&mut self.heard.said))
    }

    fn until(&mut self, what: &str, is: impl Fn(&Heard) -> bool) -> anyhow::Result<()> {
        let deadline = Instant::now() + LIMIT;
        while !is(&self.heard) {
            if Instant::now() > deadline {
                bail!("waited for {what}");
            }
            self.dispatch(Duration::from_millis(100))?;
        }
        Ok(())
    }

    fn dispatch(&mut self, limit: Duration) -> anyhow::Result<()> {
        self.queue.flush()?;
        if let Some(guard) = self.queue.prepare_read() {
            let fd = guard.connection_fd();
            let mut fds = [PollFd::new(fd, PollFlags::POLLIN)];
            if poll(&mut fds, PollTimeout::try_from(limit)?)? > 0 {
                guard.read()?;
            }
        }
        self.queue.dispatch_pending(&mut self.heard)?;
        // Sway waits with what it configures until the client drew what it acknowledged.
        if std::mem::take(&mut self.heard.acknowledged) && self.heard.focused {
            self.surface.commit();
        }
        Ok(())
    }
}

macro_rules! hear {
    ($interface:ty, |$heard:ident, $object:ident, $event:ident| $body:expr) => {
        impl Dispatch<$interface, ()> for Heard {
            fn event(
                $heard: &mut Self,
                $object: &$interface,
                $event: <$interface as wayland_client::Proxy>::Event,
                (): &(),
                _: &Connection,
                _: &QueueHandle<Self>,
            ) {
                $body
            }
        }
    };
}

hear!(WlSeat, |heard, _seat, event| {
    if let wl_seat::Event::Capabilities { capabilities } = event {
        let bits = match capabilities {
            WEnum::Value(known) => known.bits(),
            WEnum::Unknown(bits) => bits,
        };
        // What it says first counts: games look once.
        heard.capabilities.get_or_insert(bits);
    }
});

hear!(WlKeyboard, |heard, _keyboard, event| match event {
    wl_keyboard::Event::Keymap { .. } => heard.keymaps += 1,
    wl_keyboard::Event::Enter { .. } => heard.focused = true,
    wl_keyboard::Event::Leave { .. } => heard.focused = false,
    wl_keyboard::Event::Key { key, state, .. } => {
        let pressed = state == WEnum::Value(wl_keyboard::KeyState::Pressed);
        heard.said.push(Said::Key(key, pressed));
    }
    wl_keyboard::Event::Modifiers { mods_depressed, mods_latched, mods_locked, group, .. } => {
        let said = Said::Modifiers(mods_depressed, mods_latched, mods_locked, group);
        heard.said.push(said);
    }
    _ => {}
});

fn number(axis: WEnum<wl_pointer::Axis>) -> u32 {
    axis.into()
}

hear!(WlPointer, |heard, _pointer, event| match event {
    wl_pointer::Event::Enter { surface_x, surface_y, .. } => {
        heard.entered = true;
        heard.said.push(Said::At(surface_x, surface_y));
    }
    wl_pointer::Event::Motion { surface_x, surface_y, .. } => {
        heard.said.push(Said::At(surface_x, surface_y));
    }
    wl_pointer::Event::Button { button, state, .. } => {
        let pressed = state == WEnum::Value(wl_pointer::ButtonState::Pressed);
        heard.said.push(Said::Button(button, pressed));
    }
    wl_pointer::Event::Axis { axis, value, .. } => {
        heard.said.push(Said::Axis(number(axis), value));
    }
    wl_pointer::Event::AxisDiscrete { axis, discrete } => {
        heard.said.push(Said::Notches(number(axis), discrete * 120));
    }
    wl_pointer::Event::AxisValue120 { axis, value120 } => {
        heard.said.push(Said::Notches(number(axis), value120));
    }
    wl_pointer::Event::AxisSource { axis_source } => {
        heard.said.push(Said::Source(axis_source.into()));
    }
    wl_pointer::Event::AxisStop { axis, .. } => heard.said.push(Said::Stop(number(axis))),
    _ => {}
});

hear!(ZwpRelativePointerV1, |heard, _relative, event| {
    if let zwp_relative_pointer_v1::Event::RelativeMotion { dx_unaccel, dy_unaccel, .. } = event {
        heard.said.push(Said::By(dx_unaccel, dy_unaccel));
    }
});

hear!(ZwpLockedPointerV1, |heard, _lock, event| {
    heard.locked = matches!(event, zwp_locked_pointer_v1::Event::Locked);
});

hear!(XdgWmBase, |_heard, shell, event| {
    if let xdg_wm_base::Event::Ping { serial } = event {
        shell.pong(serial);
    }
});

hear!(XdgSurface, |heard, surface, event| {
    if let xdg_surface::Event::Configure { serial } = event {
        surface.ack_configure(serial);
        (heard.configured, heard.acknowledged) = (true, true);
    }
});

impl Dispatch<WlRegistry, GlobalListContents> for Heard {
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

delegate_noop!(Heard: ignore WlBuffer);
delegate_noop!(Heard: ignore WlShm);
delegate_noop!(Heard: ignore WlSurface);
delegate_noop!(Heard: ignore XdgToplevel);
delegate_noop!(Heard: WlCompositor);
delegate_noop!(Heard: WlShmPool);
delegate_noop!(Heard: ZwpRelativePointerManagerV1);
delegate_noop!(Heard: ZwpPointerConstraintsV1);

impl Drop for Listener {
    fn drop(&mut self) {
        if self.pointer.is_alive() {
            self.surface.destroy();
            let _ = self.queue.flush();
        }
    }
}
