//! A hand on the pointer of a real compositor, past any proxy: `zwlr_virtual_pointer_v1`.

use std::path::Path;
use std::time::{Duration, Instant};

use wayland_client::protocol::wl_pointer::ButtonState;
use wayland_protocols_wlr::virtual_pointer::v1::client::{
    zwlr_virtual_pointer_manager_v1::ZwlrVirtualPointerManagerV1,
    zwlr_virtual_pointer_v1::ZwlrVirtualPointerV1,
};

use crate::puppet::Puppet;

/// A pointer device. A headless seat has no other, so it has a pointer while this lives.
#[derive(Debug)]
pub struct Hand {
    puppet: Puppet,
    device: ZwlrVirtualPointerV1,
    size: (u32, u32),
    started: Instant,
}

impl Hand {
    /// Puts a device into the compositor at `socket`, whose screen has `size` pixels.
    ///
    /// # Errors
    /// If the compositor is not there or offers no virtual pointers.
    pub fn new(socket: &Path, size: (u32, u32)) -> anyhow::Result<Self> {
        let mut puppet = Puppet::connect(socket)?;
        let manager: ZwlrVirtualPointerManagerV1 = puppet.bind(2)?;
        let device = manager.create_virtual_pointer(None, puppet.queue(), ());
        puppet.settle()?;
        Ok(Self { puppet, device, size, started: Instant::now() })
    }

    fn time(&self) -> u32 {
        // Milliseconds of any epoch, which may wrap.
        self.started.elapsed().as_millis() as u32
    }

    /// Moves to a place on the screen, in pixels.
    ///
    /// # Errors
    /// If the compositor is gone.
    pub fn point(&mut self, (x, y): (u32, u32)) -> anyhow::Result<()> {
        self.device.motion_absolute(self.time(), x, y, self.size.0, self.size.1);
        self.device.frame();
        self.puppet.settle()
    }

    /// Moves by a distance, in pixels.
    ///
    /// # Errors
    /// If the compositor is gone.
    pub fn push(&mut self, (dx, dy): (f64, f64)) -> anyhow::Result<()> {
        self.device.motion(self.time(), dx, dy);
        self.device.frame();
        self.puppet.settle()
    }

    /// Presses a button, by its code in `linux/input-event-codes.h`, and lets it go.
    ///
    /// # Errors
    /// If the compositor is gone.
    pub fn click(&mut self, button: u32) -> anyhow::Result<()> {
        for state in [ButtonState::Pressed, ButtonState::Released] {
            self.device.button(self.time(), button, state);
            self.device.frame();
        }
        self.puppet.settle()
    }

    /// Moves to and fro around a place, as a window may appear under a pointer that stands still
    /// without hearing of it.
    ///
    /// # Errors
    /// If the compositor is gone.
    pub fn wave(&mut self, (x, y): (u32, u32)) -> anyhow::Result<()> {
        self.point((x, y))?;
        self.puppet.idle(Duration::from_millis(20))?;
        self.point((x + 3, y + 2))
    }
}
