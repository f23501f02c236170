//! One gamepad of the kernel's, by way of uinput.

use std::ffi::CString;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};

use evdev::uinput::VirtualDevice;
use evdev::{
    AbsInfo, AbsoluteAxisCode, AttributeSet, BusType, EventSummary, FFEffectCode, FFEffectData,
    FFEffectKind, InputEvent, InputId, KeyCode, UInputCode, UinputAbsSetup,
};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use stratus_frame::MonoTime;
use thiserror::Error;

use super::effects::{Effect, Effects};
use super::state::{BUTTONS, Event, HATS, STICKS, TRIGGERS};

const UINPUT: &str = "/dev/uinput";
/// As the wired pad of the Xbox 360 is known to the kernel, and so to all that map pads.
const NAME: &str = "Microsoft X-Box 360 pad";
const VENDOR: u16 = 0x045e;
const PRODUCT: u16 = 0x028e;
const VERSION: u16 = 0x0110;
/// Effects that games may upload at once: as many as pads of that kind have.
const EFFECTS: u32 = 16;

/// Why this host makes no gamepads.
#[derive(Debug, Error)]
pub enum UinputError {
    /// The kernel has no uinput, or the container was not given it.
    #[error(
        "there is no /dev/uinput; load it with `modprobe uinput`, or give it to the container \
         (--device /dev/uinput), with /dev/input for the game"
    )]
    Missing,
    /// It may not be opened.
    #[error(
        "/dev/uinput may not be written by this user; a udev rule can allow it: \
         KERNEL==\"uinput\", GROUP=\"input\", MODE=\"0660\""
    )]
    Forbidden,
    /// Something else.
    #[error("make a gamepad: {0}")]
    Failed(#[from] io::Error),
}

fn why(error: io::Error) -> UinputError {
    match error.kind() {
        // ENODEV: a node without its driver.
        _ if error.raw_os_error() == Some(nix::libc::ENODEV) => UinputError::Missing,
        ErrorKind::NotFound => UinputError::Missing,
        ErrorKind::PermissionDenied => UinputError::Forbidden,
        _ => UinputError::Failed(error),
    }
}

/// Whether gamepads can be made here.
///
/// # Errors
/// [`UinputError`] says why not, and what to do.
pub fn check_uinput() -> Result<(), UinputError> {
    OpenOptions::new().read(true).write(true).open(UINPUT).map(drop).map_err(why)
}

/// A gamepad. It is gone when this is dropped.
pub(super) struct Device(VirtualDevice);

impl Device {
    pub(super) fn new(number: u8) -> Result<Self, UinputError> {
        let keys: AttributeSet<KeyCode> = BUTTONS.iter().map(|(_, code)| KeyCode(*code)).collect();
        let motors = [FFEffectCode::FF_RUMBLE, FFEffectCode::FF_GAIN];
        let motors: AttributeSet<FFEffectCode> = motors.into_iter().collect();
        let phys = CString::new(format!("stratus/pad{number}")).map_err(io::Error::other)?;
        let mut builder = VirtualDevice::builder()
            .map_err(why)?
            .name(NAME)
            .input_id(InputId::new(BusType::BUS_USB, VENDOR, PRODUCT, VERSION))
            .with_phys(&phys)?
            .with_keys(&keys)?
            .with_ff(&motors)?
            .with_ff_effects_max(EFFECTS);
        let mut axes = Vec::new();
        // Ranges, noise and dead zone are those of the kernel's driver.
        axes.extend(STICKS.map(|code| (code, AbsInfo::new(0, -32_768, 32_767, 16, 128, 0))));
        axes.extend(TRIGGERS.map(|(code, _)| (code, AbsInfo::new(0, 0, 255, 0, 0, 0))));
        axes.extend(HATS.map(|(code, _, _)| (code, AbsInfo::new(0, -1, 1, 0, 0, 0))));
        for (code, info) in axes {
            let axis = UinputAbsSetup::new(AbsoluteAxisCode(code), info);
            builder = builder.with_absolute_axis(&axis)?;
        }
        let device = builder.build()?;
        // Read only for what games ask of the motors, and never waited for.
        let flags = fcntl(device.as_fd(), FcntlArg::F_GETFL).map_err(io::Error::from)?;
        let flags = OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK;
        fcntl(device.as_fd(), FcntlArg::F_SETFL(flags)).map_err(io::Error::from)?;
        Ok(Self(device))
    }

    /// Tells games of what happened at once.
    pub(super) fn emit(&mut self, events: &[Event]) -> io::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let events: Vec<InputEvent> = events
            .iter()
            .map(|(kind, code, value)| InputEvent::new(*kind, *code, *value))
            .collect();
        self.0.emit(&events)
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Takes in what games did with effects. A game waits in its system call until an upload or
    /// an erasure is answered here.
    pub(super) fn listen(&mut self, effects: &mut Effects, now: MonoTime) -> io::Result<()> {
        let events: Vec<InputEvent> = match self.0.fetch_events() {
            Ok(events) => events.collect(),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(e) => return Err(e),
        };
        for event in events {
            match event.destructure() {
                EventSummary::UInput(event, UInputCode::UI_FF_UPLOAD, _) => {
                    // Answered when it is dropped.
                    let upload = self.0.process_ff_upload(event)?;
                    if let Some(effect) = effect(&upload.effect()) {
                        effects.upload(upload.effect_id(), effect);
                    }
                }
                EventSummary::UInput(event, UInputCode::UI_FF_ERASE, _) => {
                    let erase = self.0.process_ff_erase(event)?;
                    // Ids are those that the kernel gave, below the number of effects.
                    if let Ok(id) = i16::try_from(erase.effect_id()) {
                        effects.erase(id);
                    }
                }
                EventSummary::ForceFeedback(_, FFEffectCode::FF_GAIN, gain) => {
                    effects.set_gain(gain.clamp(0, u16::MAX.into()) as u16);
                }
                EventSummary::ForceFeedback(_, code, count) => {
                    if let Ok(id) = i16::try_from(code.0) {
                        effects.play(id, count.max(0).unsigned_abs(), now);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn effect(data: &FFEffectData) -> Option<Effect> {
    match data.kind {
        FFEffectKind::Rumble { strong_magnitude, weak_magnitude } => Some(Effect {
            strong: strong_magnitude,
            weak: weak_magnitude,
            length: data.replay.length,
            delay: data.replay.delay,
        }),
        // The kernel refuses what the device has not said that it can.
        _ => None,
    }
}
