//! The player's gamepads, read from the kernel (evdev), and their motors.
//!
//! One thread looks every other second for new ones and makes them rumble; each pad has a thread
//! that waits for its events. Pads that a program made (uinput) are left alone: on one machine
//! with the session they would be the game's own, and hear themselves.

mod state;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use evdev::{
    Device, EventSummary, FFEffect, FFEffectCode, FFEffectData, FFEffectKind, FFReplay, FFTrigger,
    KeyCode,
};
use stratus_frame::input::{MAX_PADS, PadState, Rumble};

use crate::handle::{Handle, Tell};
use state::{Pad, Range};

const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Microsoft's number at the USB-IF.
const MICROSOFT: u16 = 0x045e;

/// Which of the four slots have a pad.
type Slots = Arc<Mutex<[bool; MAX_PADS as usize]>>;

/// A device that can rumble, and what it does now.
struct Motors {
    device: Device,
    effect: Option<FFEffect>,
}

/// Looks for gamepads until the window is gone; motors obey what is sent.
pub(crate) fn start(handle: Handle) -> Sender<Rumble> {
    let (rumbles, asked) = channel();
    let work = move || follow(&handle, &asked);
    if let Err(why) = thread::Builder::new().name("stratus-pads".into()).spawn(work) {
        tracing::warn!("gamepads are not read: {why}");
    }
    rumbles
}

fn follow(handle: &Handle, asked: &Receiver<Rumble>) {
    let slots = Slots::default();
    let mut motors: HashMap<u8, Motors> = HashMap::new();
    // Devices that were looked at: which are no pads, or are pads and read.
    let mut known: HashMap<PathBuf, Option<u8>> = HashMap::new();
    loop {
        let present = devices();
        known.retain(|path, _| present.contains(path));
        for path in present {
            if known.contains_key(&path) {
                continue;
            }
            match open(&path, &slots, handle) {
                Ok(Some((slot, device))) => {
                    motors.insert(slot, Motors { device, effect: None });
                    known.insert(path, Some(slot));
                }
                Ok(None) => drop(known.insert(path, None)),
                // It may be ours to read in a moment, when udev is done with it.
                Err(why) => tracing::trace!("{} is not read: {why}", path.display()),
            }
        }
        match asked.recv_timeout(LOOK_EVERY) {
            Ok(rumble) => {
                if let Some(motors) = motors.get_mut(&rumble.pad)
                    && let Err(why) = motors.obey(&rumble)
                {
                    tracing::debug!("gamepad {} does not rumble: {why}", rumble.pad);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn devices() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/dev/input") else { return Vec::new() };
    let is_event = |path: &PathBuf| {
        path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"event"))
    };
    entries.flatten().map(|entry| entry.path()).filter(is_event).collect()
}

/// Whether a program made this device.
fn is_virtual(path: &Path) -> bool {
    let Some(name) = path.file_name() else { return true };
    std::fs::canonicalize(Path::new("/sys/class/input").join(name))
        .is_ok_and(|real| real.starts_with("/sys/devices/virtual/input"))
}

/// Begins to read a pad; none if the device is no pad, or one too many. Gives another handle of
/// it, as motors need one while the first waits for events.
fn open(path: &Path, slots: &Slots, handle: &Handle) -> io::Result<Option<(u8, Device)>> {
    let device = Device::open(path)?;
    let is_pad = device.supported_keys().is_some_and(|keys| keys.contains(KeyCode::BTN_SOUTH));
    if !is_pad || is_virtual(path) {
        return Ok(None);
    }
    let name = device.name().unwrap_or("a gamepad").to_owned();
    let Some(slot) = take_slot(slots) else {
        tracing::warn!("{name} is one gamepad too many: {MAX_PADS} are played with at most");
        return Ok(None);
    };
    tracing::info!("gamepad {slot}: {name}");
    let xbox = device.input_id().vendor() == MICROSOFT;
    let ranges = device
        .get_absinfo()?
        .map(|(axis, info)| (axis.0, Range { least: info.minimum(), most: info.maximum() }));
    let pad = Pad::new(slot, xbox, ranges.collect());
    let motors = Device::open(path)?;
    let (slots, handle) = (Arc::clone(slots), handle.clone());
    thread::Builder::new().name(format!("stratus-pad-{slot}")).spawn(move || {
        read(device, pad, &handle);
        slots.lock().unwrap_or_else(PoisonError::into_inner)[usize::from(slot)] = false;
        tracing::info!("gamepad {slot} is gone");
        handle.tell(Tell::Pad(PadState { pad: slot, ..PadState::default() }));
    })?;
    Ok(Some((slot, motors)))
}

fn take_slot(slots: &Slots) -> Option<u8> {
    let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
    let free = slots.iter().position(|taken| !taken)?;
    slots[free] = true;
    u8::try_from(free).ok()
}

/// Tells each state of a pad until it is gone.
fn read(mut device: Device, mut pad: Pad, handle: &Handle) {
    handle.tell(Tell::Pad(pad.state));
    loop {
        let before = pad.state;
        match device.fetch_events() {
            Ok(events) => events.for_each(|event| match event.destructure() {
                // 2 says that a key repeats.
                EventSummary::Key(_, key, value) => pad.handle_key(key.0, value != 0),
                EventSummary::AbsoluteAxis(_, axis, value) => pad.handle_axis(axis.0, value),
                _ => {}
            }),
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
        if pad.state != before {
            handle.tell(Tell::Pad(pad.state));
        }
    }
}

impl Motors {
    fn obey(&mut self, rumble: &Rumble) -> io::Result<()> {
        let able =
            self.device.supported_ff().is_some_and(|ff| ff.contains(FFEffectCode::FF_RUMBLE));
        if !able {
            return Ok(());
        }
        // Dropping the old effect stops it and frees its place.
        self.effect = None;
        if rumble.strong == 0 && rumble.weak == 0 {
            return Ok(());
        }
        let mut effect = self.device.upload_ff_effect(FFEffectData {
            direction: 0,
            trigger: FFTrigger::default(),
            replay: FFReplay { length: rumble.duration_ms, delay: 0 },
            kind: FFEffectKind::Rumble {
                strong_magnitude: rumble.strong,
                weak_magnitude: rumble.weak,
            },
        })?;
        effect.play(1)?;
        self.effect = Some(effect);
        Ok(())
    }
}
