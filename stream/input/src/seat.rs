//! A keyboard and a pointer at the compositor, over a connection of their own.
//!
//! The devices live as long as the connection: a headless seat has no keyboard and no pointer
//! before they are there, and games look at what a seat has when they start.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::memfd::{MFdFlags, memfd_create};
use stratus_frame::input::PicturePoint;
use stratus_frame::{MonoTime, Size};
use thiserror::Error;
use wayland_client::protocol::wl_callback::WlCallback;
use wayland_client::protocol::wl_output::{self, WlOutput};
use wayland_client::protocol::wl_pointer::{self, ButtonState};
use wayland_client::protocol::wl_registry::WlRegistry;
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_client::{Connection, Dispatch, QueueHandle, WEnum, delegate_dispatch, delegate_noop};
use wayland_protocols_misc::zwp_virtual_keyboard_v1::client::{
    zwp_virtual_keyboard_manager_v1::ZwpVirtualKeyboardManagerV1,
    zwp_virtual_keyboard_v1::ZwpVirtualKeyboardV1,
};
use wayland_protocols_wlr::virtual_pointer::v1::client::{
    zwlr_virtual_pointer_manager_v1::ZwlrVirtualPointerManagerV1,
    zwlr_virtual_pointer_v1::ZwlrVirtualPointerV1,
};

use crate::action::{Action, Axis, AxisSource, Modifiers};
use crate::line::{Basics, Cutter, Hear, Line, LineError, STALL, lost};
use crate::place::Output;

/// How long the compositor may take to read the last requests.
const GOODBYE: Duration = Duration::from_millis(500);
/// Requests after which the socket is written to, so that no buffer grows: wayland-client's holds
/// a few hundred.
const BATCH: usize = 64;
/// `WL_KEYBOARD_KEYMAP_FORMAT_XKB_V1`.
const XKB_V1: u32 = 1;

/// Why input does not reach the game.
#[derive(Debug, Error)]
pub(crate) enum SeatError {
    /// The compositor has neither a virtual keyboard nor a virtual pointer, or no seat.
    #[error(
        "the compositor offers no {0}; input needs one that has virtual keyboards and pointers, \
         such as Sway, labwc or Hyprland"
    )]
    Missing(&'static str),
    /// There is no way to the compositor, or no more.
    #[error(transparent)]
    Line(#[from] LineError),
}

/// What the compositor tells.
#[derive(Debug, Default)]
struct Told {
    basics: Basics,
    output: Output,
}

impl Hear for Told {
    fn basics(&mut self) -> &mut Basics {
        &mut self.basics
    }
}

/// The devices.
pub(crate) struct Seat {
    line: Line<Told>,
    keyboard: Option<ZwpVirtualKeyboardV1>,
    pointer: Option<ZwlrVirtualPointerV1>,
    /// Requests since the socket was written to.
    unflushed: usize,
}

impl Seat {
    /// Makes the devices at the compositor whose socket is `path`, by `until` at the latest. When
    /// this returns it knows of them, and of the first keymap in `first`.
    pub(crate) fn connect(
        path: &Path,
        cutter: &Cutter,
        until: Instant,
        first: &[Action],
    ) -> Result<Self, SeatError> {
        let mut line = Line::<Told>::connect(path, cutter, until)?;
        let handle = line.handle();
        // Output and devices are of version 1 or what suits, whatever the compositor has more.
        if let Some(output) = line.bind::<WlOutput>(2) {
            tracing::trace!(?output, "following its mode");
        }
        let seat: WlSeat = line.bind(1).ok_or(SeatError::Missing("wl_seat"))?;
        let keyboard = line
            .bind::<ZwpVirtualKeyboardManagerV1>(1)
            .map(|manager| manager.create_virtual_keyboard(&seat, &handle, ()));
        let pointer = line
            .bind::<ZwlrVirtualPointerManagerV1>(1)
            .map(|manager| manager.create_virtual_pointer(Some(&seat), &handle, ()));
        match (&keyboard, &pointer) {
            (None, None) => {
                return Err(SeatError::Missing(
                    "zwp_virtual_keyboard_manager_v1 and no zwlr_virtual_pointer_manager_v1",
                ));
            }
            (None, _) => tracing::warn!(
                "keys do not reach the game: the compositor offers no zwp_virtual_keyboard_manager_v1"
            ),
            (_, None) => tracing::warn!(
                "the pointer does not reach the game: the compositor offers no \
                 zwlr_virtual_pointer_manager_v1"
            ),
            _ => {}
        }
        let mut seat = Self { line, keyboard, pointer, unflushed: 0 };
        for action in first {
            seat.apply(action)?;
        }
        seat.line.roundtrip(until)?;
        Ok(seat)
    }

    /// One without devices, so that nothing it does is said to whoever is at the other end.
    #[cfg(test)]
    pub(crate) fn without_devices(
        socket: std::os::unix::net::UnixStream,
    ) -> Result<Self, SeatError> {
        let line = Line::over(std::sync::Arc::new(socket))?;
        Ok(Self { line, keyboard: None, pointer: None, unflushed: 0 })
    }

    /// Where on the output a point of the picture is.
    pub(crate) fn place(&self, point: PicturePoint, now: MonoTime) -> Action {
        self.line.told.output.place(point, now)
    }

    /// Does one step; [`Seat::flush`] sends it.
    pub(crate) fn apply(&mut self, action: &Action) -> Result<(), SeatError> {
        match action {
            Action::Keymap(_) | Action::Key { .. } | Action::Modifiers(_) => {
                if let Some(keyboard) = &self.keyboard {
                    press(keyboard, action)?;
                }
            }
            _ => {
                if let Some(pointer) = &self.pointer {
                    point(pointer, action);
                }
            }
        }
        self.unflushed += 1;
        if self.unflushed >= BATCH { self.flush() } else { Ok(()) }
    }

    /// Sends what was done. Waits, but not for long, for a compositor that does not read.
    pub(crate) fn flush(&mut self) -> Result<(), SeatError> {
        self.unflushed = 0;
        Ok(self.line.flush(Instant::now() + STALL)?)
    }

    /// What becomes readable when [`Seat::listen`] has something to do.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.line.fd()
    }

    /// Takes in what the compositor told.
    pub(crate) fn listen(&mut self) -> Result<(), SeatError> {
        Ok(self.line.listen()?)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(keyboard) = self.keyboard.take() {
            keyboard.destroy();
        }
        if let Some(pointer) = self.pointer.take() {
            pointer.destroy();
        }
        // A compositor throws away what it has not read of a connection that is closed, and with it
        // the end of what is held.
        let _ = self.line.roundtrip(Instant::now() + GOODBYE);
    }
}

/// Milliseconds of a clock that has no other use.
fn now_ms() -> u32 {
    // It wraps, as the protocol's does.
    (MonoTime::now().as_nanos() / 1_000_000) as u32
}

fn press(keyboard: &ZwpVirtualKeyboardV1, action: &Action) -> Result<(), SeatError> {
    match action {
        Action::Keymap(text) => {
            let (file, size) = keymap_file(text).map_err(lost)?;
            keyboard.keymap(XKB_V1, file.as_fd(), size);
        }
        Action::Key { code, pressed } => {
            keyboard.key(now_ms(), (*code).into(), (*pressed).into());
        }
        Action::Modifiers(Modifiers { depressed, latched, locked, group }) => {
            keyboard.modifiers(*depressed, *latched, *locked, *group);
        }
        _ => {}
    }
    Ok(())
}

fn point(pointer: &ZwlrVirtualPointerV1, action: &Action) {
    let wire_axis = |axis: Axis| match axis {
        Axis::Vertical => wl_pointer::Axis::VerticalScroll,
        Axis::Horizontal => wl_pointer::Axis::HorizontalScroll,
    };
    match *action {
        Action::MoveTo { x, y, width, height } => {
            pointer.motion_absolute(now_ms(), x, y, width, height);
        }
        Action::MoveBy { dx, dy } => pointer.motion(now_ms(), dx, dy),
        Action::Button { code, pressed } => {
            let state = if pressed { ButtonState::Pressed } else { ButtonState::Released };
            pointer.button(now_ms(), code.into(), state);
        }
        Action::Scroll { axis, value, notches, source } => {
            let axis = wire_axis(axis);
            match notches {
                Some(n) => pointer.axis_discrete(now_ms(), axis, value, n),
                None => pointer.axis(now_ms(), axis, value),
            }
            // wlroots takes it for the source of the axis that was named last.
            pointer.axis_source(match source {
                AxisSource::Wheel => wl_pointer::AxisSource::Wheel,
                AxisSource::Continuous => wl_pointer::AxisSource::Continuous,
                AxisSource::Finger => wl_pointer::AxisSource::Finger,
            });
        }
        Action::ScrollStop { axis } => {
            pointer.axis_stop(now_ms(), wire_axis(axis));
            pointer.axis_source(wl_pointer::AxisSource::Finger);
        }
        Action::Frame => pointer.frame(),
        Action::Keymap(_) | Action::Key { .. } | Action::Modifiers(_) => {}
    }
}

/// A keymap in memory that can be sent; its size counts the 0 at its end.
fn keymap_file(text: &str) -> io::Result<(File, u32)> {
    let mut file = File::from(memfd_create("stratus-keymap", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(text.as_bytes())?;
    file.write_all(&[0])?;
    let size = u32::try_from(text.len() + 1).map_err(io::Error::other)?;
    Ok((file, size))
}

impl Dispatch<WlOutput, ()> for Told {
    fn event(
        told: &mut Self,
        _: &WlOutput,
        event: wl_output::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let wl_output::Event::Mode { flags: WEnum::Value(flags), width, height, .. } = event else {
            return;
        };
        let side = |n: i32| u32::try_from(n).ok().filter(|n| *n > 0);
        if flags.contains(wl_output::Mode::Current)
            && let (Some(width), Some(height)) = (side(width), side(height))
        {
            told.output.set(Size::new(width, height), MonoTime::now());
        }
    }
}

delegate_dispatch!(Told: [WlRegistry: ()] => Basics);
delegate_dispatch!(Told: [WlCallback: ()] => Basics);
delegate_noop!(Told: ignore WlSeat);
delegate_noop!(Told: ZwpVirtualKeyboardManagerV1);
delegate_noop!(Told: ZwpVirtualKeyboardV1);
delegate_noop!(Told: ZwlrVirtualPointerManagerV1);
delegate_noop!(Told: ZwlrVirtualPointerV1);
