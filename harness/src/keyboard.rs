//! A keyboard in a real compositor, past any proxy: `zwp_virtual_keyboard_v1`.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use nix::sys::memfd::{MFdFlags, memfd_create};
use wayland_client::protocol::wl_keyboard::KeymapFormat;
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_protocols_misc::zwp_virtual_keyboard_v1::client::{
    zwp_virtual_keyboard_manager_v1::ZwpVirtualKeyboardManagerV1,
    zwp_virtual_keyboard_v1::ZwpVirtualKeyboardV1,
};

use crate::puppet::Puppet;

/// The usual US layout; whoever compiles it includes the rules that its machine has.
const KEYMAP: &str = "xkb_keymap {
    xkb_keycodes { include \"evdev+aliases(qwerty)\" };
    xkb_types { include \"complete\" };
    xkb_compat { include \"complete\" };
    xkb_symbols { include \"pc+us+inet(evdev)\" };
};\0";

/// Control, Alt and Shift of the left: their codes in evdev and their bits in XKB's real
/// modifiers, which a virtual keyboard has to count itself.
const MODIFIERS: [(u32, u32); 3] = [(29, 4), (56, 8), (42, 1)];

/// A keyboard device, as long as this lives.
#[derive(Debug)]
pub struct Keyboard {
    puppet: Puppet,
    device: ZwpVirtualKeyboardV1,
    modifiers: u32,
    started: Instant,
}

impl Keyboard {
    /// Puts a device into the compositor at `socket`.
    ///
    /// # Errors
    /// If the compositor is not there or offers no virtual keyboards.
    pub fn new(socket: &Path) -> anyhow::Result<Self> {
        let mut puppet = Puppet::connect(socket)?;
        let manager: ZwpVirtualKeyboardManagerV1 = puppet.bind(1)?;
        let seat: WlSeat = puppet.bind(5)?;
        let device = manager.create_virtual_keyboard(&seat, puppet.queue(), ());
        let mut file = File::from(memfd_create("harness-keymap", MFdFlags::MFD_CLOEXEC)?);
        file.write_all(KEYMAP.as_bytes()).context("write the keymap")?;
        let size = u32::try_from(KEYMAP.len()).context("the keymap is too long")?;
        device.keymap(KeymapFormat::XkbV1.into(), file.as_fd(), size);
        puppet.settle()?;
        Ok(Self { puppet, device, modifiers: 0, started: Instant::now() })
    }

    /// A key goes down or up, by its code of evdev.
    ///
    /// # Errors
    /// If the compositor is gone.
    pub fn key(&mut self, code: u32, pressed: bool) -> anyhow::Result<()> {
        // Milliseconds of any epoch, which may wrap.
        let time = self.started.elapsed().as_millis() as u32;
        self.device.key(time, code, u32::from(pressed));
        if let Some((_, bit)) = MODIFIERS.iter().find(|(modifier, _)| *modifier == code) {
            self.modifiers = if pressed { self.modifiers | bit } else { self.modifiers & !bit };
            self.device.modifiers(self.modifiers, 0, 0, 0);
        }
        self.puppet.settle()
    }

    /// Presses keys in this order and lets them go in the other.
    ///
    /// # Errors
    /// If the compositor is gone.
    pub fn chord(&mut self, codes: &[u32]) -> anyhow::Result<()> {
        for code in codes {
            self.key(*code, true)?;
        }
        for code in codes.iter().rev() {
            self.key(*code, false)?;
        }
        Ok(())
    }
}
