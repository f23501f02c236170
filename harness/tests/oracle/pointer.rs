//! A mouse that a test moves: `zwlr_virtual_pointer_v1`, told to the compositor itself.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::wl_pointer::ButtonState;
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, delegate_noop};
use wayland_protocols_wlr::virtual_pointer::v1::client::{
    zwlr_virtual_pointer_manager_v1::ZwlrVirtualPointerManagerV1,
    zwlr_virtual_pointer_v1::ZwlrVirtualPointerV1,
};

/// `BTN_LEFT` of linux/input-event-codes.h.
const LEFT: u32 = 0x110;

/// Between what a hand does and what it does next.
const BEAT: Duration = Duration::from_millis(30);

struct State;

/// The mouse; it is unplugged when dropped.
pub(crate) struct Pointer {
    queue: EventQueue<State>,
    device: ZwlrVirtualPointerV1,
    size: (u32, u32),
    time: u32,
}

impl Pointer {
    /// Plugs a mouse into the compositor at `socket`, whose output has `size` pixels.
    pub(crate) fn plug_in(socket: &Path, size: (u32, u32)) -> anyhow::Result<Self> {
        let connection = Connection::from_socket(UnixStream::connect(socket)?)?;
        let (globals, mut queue) = registry_queue_init::<State>(&connection)?;
        let handle = queue.handle();
        let manager: ZwlrVirtualPointerManagerV1 =
            globals.bind(&handle, 1..=1, ()).context("bind virtual pointers")?;
        let device = manager.create_virtual_pointer(None, &handle, ());
        queue.roundtrip(&mut State)?;
        Ok(Self { queue, device, size, time: 1 })
    }

    /// Moves to a pixel of the output and clicks there.
    pub(crate) fn click(&mut self, x: u32, y: u32) -> anyhow::Result<()> {
        let (width, height) = self.size;
        self.device.motion_absolute(self.time, x, y, width, height);
        self.beat()?;
        for state in [ButtonState::Pressed, ButtonState::Released] {
            self.device.button(self.time, LEFT, state);
            self.beat()?;
        }
        Ok(())
    }

    fn beat(&mut self) -> anyhow::Result<()> {
        self.device.frame();
        self.queue.roundtrip(&mut State)?;
        self.time += BEAT.as_millis() as u32;
        thread::sleep(BEAT);
        Ok(())
    }
}

impl Drop for Pointer {
    fn drop(&mut self) {
        self.device.destroy();
        let _ = self.queue.roundtrip(&mut State);
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

delegate_noop!(State: ignore ZwlrVirtualPointerManagerV1);
delegate_noop!(State: ignore ZwlrVirtualPointerV1);
