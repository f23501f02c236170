//! A keyboard and a pointer at the compositor, over a connection of their own.
//!
//! The devices live as long as the connection: a headless seat has no keyboard and no pointer
//! before they are there, and games look at what a seat has when they start.

use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::memfd::{MFdFlags, memfd_create};
use stratus_frame::input::PicturePoint;
use stratus_frame::{MonoTime, Size};
use thiserror::Error;
use wayland_client::backend::WaylandError;
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::wl_callback::{self, WlCallback};
use wayland_client::protocol::wl_output::{self, WlOutput};
use wayland_client::protocol::wl_pointer::{self, ButtonState};
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, WEnum, delegate_noop};
use wayland_protocols_misc::zwp_virtual_keyboard_v1::client::{
    zwp_virtual_keyboard_manager_v1::ZwpVirtualKeyboardManagerV1,
    zwp_virtual_keyboard_v1::ZwpVirtualKeyboardV1,
};
use wayland_protocols_wlr::virtual_pointer::v1::client::{
    zwlr_virtual_pointer_manager_v1::ZwlrVirtualPointerManagerV1,
    zwlr_virtual_pointer_v1::ZwlrVirtualPointerV1,
};

use crate::action::{Action, Axis, AxisSource, Modifiers};
use crate::place::Output;

/// How long the compositor may leave its socket unread.
const STALL: Duration = Duration::from_secs(2);
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
    /// The compositor cannot be reached.
    #[error("connect to the compositor at {path}: {source}")]
    Connect {
        /// Its socket.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The compositor has neither a virtual keyboard nor a virtual pointer, or no seat.
    #[error(
        "the compositor offers no {0}; input needs one that has virtual keyboards and pointers, \
         such as Sway, labwc or Hyprland"
    )]
    Missing(&'static str),
    /// The compositor ended the connection, or does not read it.
    #[error("talk to the compositor: {0}")]
    Lost(String),
}

fn lost(error: impl std::fmt::Display) -> SeatError {
    SeatError::Lost(error.to_string())
}

/// What the compositor tells.
#[derive(Debug, Default)]
struct Told {
    output: Output,
    /// Whether it has read everything up to a `wl_display.sync`.
    synced: bool,
}

/// The devices.
pub(crate) struct Seat {
    connection: Connection,
    queue: EventQueue<Told>,
    told: Told,
    keyboard: Option<ZwpVirtualKeyboardV1>,
    pointer: Option<ZwlrVirtualPointerV1>,
    /// Requests since the socket was written to.
    unflushed: usize,
}

impl Seat {
    /// Makes the devices at the compositor whose socket is `path`. When this returns it knows of
    /// them, and of the first keymap in `first`.
    pub(crate) fn connect(path: &Path, first: &[Action]) -> Result<Self, SeatError> {
        let stream = UnixStream::connect(path)
            .map_err(|source| SeatError::Connect { path: path.display().to_string(), source })?;
        let connection = Connection::from_socket(stream).map_err(lost)?;
        let (globals, queue) = registry_queue_init::<Told>(&connection).map_err(lost)?;
        let handle = queue.handle();
        // Output and devices are of version 1 or what suits, whatever the compositor has more.
        if let Ok(output) = globals.bind::<WlOutput, _, _>(&handle, 1..=2, ()) {
            tracing::trace!(?output, "following its mode");
        }
        let seat: WlSeat =
            globals.bind(&handle, 1..=1, ()).map_err(|_| SeatError::Missing("wl_seat"))?;
        let keyboards = globals.bind::<ZwpVirtualKeyboardManagerV1, _, _>(&handle, 1..=1, ());
        let keyboard = match keyboards {
            Ok(manager) => Some(manager.create_virtual_keyboard(&seat, &handle, ())),
            Err(_) => None,
        };
        let pointers = globals.bind::<ZwlrVirtualPointerManagerV1, _, _>(&handle, 1..=1, ());
        let pointer = match pointers {
            Ok(manager) => Some(manager.create_virtual_pointer(Some(&seat), &handle, ())),
            Err(_) => None,
        };
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
        let told = Told::default();
        let mut seat = Self { connection, queue, told, keyboard, pointer, unflushed: 0 };
        for action in first {
            seat.apply(action)?;
        }
        seat.queue.roundtrip(&mut seat.told).map_err(lost)?;
        Ok(seat)
    }

    /// Where on the output a point of the picture is.
    pub(crate) fn place(&self, point: PicturePoint, now: MonoTime) -> Action {
        self.told.output.place(point, now)
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
        let deadline = Instant::now() + STALL;
        loop {
            match self.connection.flush() {
                Ok(()) => return Ok(()),
                Err(WaylandError::Io(e)) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(lost(e)),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(lost(format!("it has not read for {} s", STALL.as_secs())));
            }
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
            let mut fds = [PollFd::new(self.connection.as_fd(), PollFlags::POLLOUT)];
            match poll(&mut fds, timeout) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(e) => return Err(lost(e)),
            }
        }
    }

    /// What becomes readable when [`Seat::listen`] has something to do.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }

    /// Takes in what the compositor told.
    pub(crate) fn listen(&mut self) -> Result<(), SeatError> {
        if let Some(guard) = self.connection.prepare_read() {
            match guard.read() {
                Ok(_) => {}
                Err(WaylandError::Io(e)) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(lost(e)),
            }
        }
        self.queue.dispatch_pending(&mut self.told).map_err(lost).map(drop)
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
        self.connection.display().sync(&self.queue.handle(), ());
        let deadline = Instant::now() + GOODBYE;
        while !self.told.synced && self.flush().is_ok() {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
            let mut fds = [PollFd::new(self.connection.as_fd(), PollFlags::POLLIN)];
            let _ = poll(&mut fds, timeout);
            if left.is_zero() || self.listen().is_err() {
                return;
            }
        }
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

impl Dispatch<WlRegistry, GlobalListContents> for Told {
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

impl Dispatch<WlCallback, ()> for Told {
    fn event(
        told: &mut Self,
        _: &WlCallback,
        _: wl_callback::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        told.synced = true;
    }
}

delegate_noop!(Told: ignore WlSeat);
delegate_noop!(Told: ZwpVirtualKeyboardManagerV1);
delegate_noop!(Told: ZwpVirtualKeyboardV1);
delegate_noop!(Told: ZwlrVirtualPointerManagerV1);
delegate_noop!(Told: ZwlrVirtualPointerV1);
