//! Gamepads: devices of the kernel's (uinput) that look like Xbox pads, made when the player has
//! one and taken away with it. Games find them where they find all pads, in `/dev/input`.

mod device;
mod effects;
mod state;

use std::os::fd::BorrowedFd;

use stratus_frame::MonoTime;
use stratus_frame::input::{MAX_PADS, PadState, Rumble};

use device::Device;
pub use device::{UinputError, check_uinput};
use effects::Effects;
use state::Held;

/// One gamepad.
struct Pad {
    device: Device,
    held: Held,
    effects: Effects,
}

/// Makes a gamepad; `told` is whether it was said before that there can be none. One line is enough
/// for pads that report sixty times a second.
fn make(number: u8, told: &mut bool) -> Option<Pad> {
    if *told {
        return None;
    }
    match Device::new(number) {
        Ok(device) => {
            tracing::info!("gamepad {number} is there");
            Some(Pad { device, held: Held::default(), effects: Effects::default() })
        }
        Err(error) => {
            *told = true;
            tracing::warn!("gamepads do not reach the game: {error}");
            None
        }
    }
}

/// All gamepads of a player.
#[derive(Default)]
pub(crate) struct Pads {
    pads: [Option<Pad>; MAX_PADS as usize],
    /// Whether it was told that there are none on this host.
    told: bool,
}

impl Pads {
    /// The state of one, which appears or goes with it.
    pub(crate) fn handle(&mut self, state: &PadState) {
        let Some(slot) = self.pads.get_mut(usize::from(state.pad)) else { return };
        if !state.connected {
            if slot.take().is_some() {
                tracing::info!("gamepad {} is gone", state.pad);
            }
            return;
        }
        if slot.is_none() {
            *slot = make(state.pad, &mut self.told);
        }
        let Some(pad) = slot else { return };
        if let Err(error) = pad.device.emit(&pad.held.change(state)) {
            tracing::warn!("gamepad {} is taken away: {error}", state.pad);
            *slot = None;
        }
    }

    /// What they hold is let go.
    pub(crate) fn release(&mut self) {
        for i in 0..MAX_PADS {
            if self.pads[usize::from(i)].is_some() {
                self.handle(&PadState { pad: i, connected: true, ..PadState::default() });
            }
        }
    }

    pub(crate) fn remove_all(&mut self) {
        for i in 0..MAX_PADS {
            self.handle(&PadState { pad: i, ..PadState::default() });
        }
        // Another player's may work: somebody may have given us the device since.
        self.told = false;
    }

    /// What becomes readable when [`Pads::listen`] has something to do.
    pub(crate) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.pads.iter().flatten().map(|pad| pad.device.fd())
    }

    /// Takes in what games want of the motors. Does not wait.
    pub(crate) fn listen(&mut self, now: MonoTime, on_rumble: &mut dyn FnMut(Rumble)) {
        for pad in self.pads.iter_mut().flatten() {
            if let Err(error) = pad.device.listen(&mut pad.effects, now) {
                tracing::debug!(%error, "a gamepad's motors");
            }
        }
        self.handle_timeout(now, on_rumble);
    }

    /// When to call [`Pads::handle_timeout`].
    pub(crate) fn poll_timeout(&self) -> Option<MonoTime> {
        self.pads.iter().flatten().filter_map(|pad| pad.effects.poll_timeout()).min()
    }

    /// Tells what became of the motors by now.
    pub(crate) fn handle_timeout(&mut self, now: MonoTime, on_rumble: &mut dyn FnMut(Rumble)) {
        for (pad, number) in self.pads.iter_mut().zip(0..) {
            let Some(pad) = pad else { continue };
            if let Some(rumble) = pad.effects.poll(number, now) {
                on_rumble(rumble);
            }
        }
    }
}
