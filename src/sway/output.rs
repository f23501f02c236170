//! The compositor's output gets the mode that the games are told.
//!
//! Compositors answer a change of mode only when they are done with it, so they are asked on a
//! thread of its own, which keeps the newest wish only.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::{Pid, Uid};
use stratus_frame::Size;
use swayipc::Connection;

use super::{Tick, wlr};
use crate::failure::Failure;

#[derive(Default)]
struct Slot {
    wish: Option<(Size, u32)>,
    over: bool,
}

#[derive(Default)]
struct Shared {
    slot: Mutex<Slot>,
    changed: Condvar,
}

/// How the compositor is asked.
#[derive(Clone, Debug)]
pub enum Way {
    /// Over the IPC socket of a Sway, which takes any mode.
    Sway(PathBuf),
    /// By wlr-output-management, over the Wayland socket of a compositor that offers it.
    Wlr(PathBuf),
}

impl Way {
    /// To the Sway whose process is `pid` and whose sockets lie in `directory`.
    #[must_use]
    pub fn to_own_sway(directory: &Path, pid: Pid) -> Self {
        Self::Sway(directory.join(format!("sway-ipc.{}.{pid}.sock", Uid::current())))
    }

    /// To the compositor that serves the socket `wayland`. Whether it can be asked is seen when
    /// it is.
    #[must_use]
    pub fn to(wayland: &Path) -> Self {
        ipc_socket_of(wayland).map_or_else(|| Self::Wlr(wayland.to_owned()), Self::Sway)
    }

    /// The refresh rate, in mHz, of an output that is asked for `fps`.
    #[must_use]
    pub fn refresh_mhz(&self, fps: u32) -> u32 {
        match self {
            Self::Sway(_) => Tick::nearest(fps).refresh_mhz(),
            Self::Wlr(_) => fps * 1000,
        }
    }
}

/// The output of a compositor that can be asked for modes. Its thread ends with it.
pub struct Output {
    shared: Arc<Shared>,
    way: Way,
}

impl Output {
    /// The only output of a compositor, or of several the one that has the focus.
    ///
    /// # Errors
    /// A [`Failure`] if there is no thread for it.
    pub fn new(way: Way) -> Result<Self, Failure> {
        let shared = Arc::new(Shared::default());
        let (worker, its_way) = (Arc::clone(&shared), way.clone());
        std::thread::Builder::new()
            .name("stratus-output".into())
            .spawn(move || work(&worker, &its_way))
            .map_err(|e| Failure::new("start the thread that asks for modes", e))?;
        Ok(Self { shared, way })
    }

    /// The refresh rate, in mHz, that it has when asked for `fps`.
    #[must_use]
    pub fn refresh_mhz(&self, fps: u32) -> u32 {
        self.way.refresh_mhz(fps)
    }

    /// Asks for a mode; a newer one takes the place of one that was not begun.
    pub fn set(&self, size: Size, fps: u32) {
        self.shared.slot().wish = Some((size, fps));
        self.shared.changed.notify_one();
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.shared.slot().over = true;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next wish; `None` at the end.
    fn next(&self) -> Option<(Size, u32)> {
        let mut slot = self.slot();
        loop {
            if slot.over {
                return None;
            }
            if let Some(wish) = slot.wish.take() {
                return Some(wish);
            }
            slot = self.changed.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn work(shared: &Shared, way: &Way) {
    let mut connection = None;
    let mut told = false;
    while let Some((size, fps)) = shared.next() {
        let answer = match way {
            Way::Sway(socket) => ask(&mut connection, socket, size, fps),
            Way::Wlr(socket) => wlr::set_mode(socket, size, way.refresh_mhz(fps)),
        };
        match answer {
            Ok(()) => tracing::debug!("the compositor's output has {size} at {fps} Hz"),
            Err(why) => {
                connection = None;
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!("the compositor's output keeps its size: {why}");
                }
            }
        }
    }
}

fn ask(
    connection: &mut Option<Connection>,
    socket: &Path,
    size: Size,
    fps: u32,
) -> Result<(), String> {
    let connection = match connection {
        Some(connection) => connection,
        none => none.insert(UnixStream::connect(socket).map_err(|e| e.to_string())?.into()),
    };
    let outputs = connection.get_outputs().map_err(|e| e.to_string())?;
    let name = match &outputs[..] {
        [only] => &only.name,
        several => several
            .iter()
            .find(|output| output.focused)
            .map(|output| &output.name)
            .ok_or("none of its outputs has the focus")?,
    };
    let command = format!("output {name} {}", Tick::nearest(fps).mode(size));
    for result in connection.run_command(command).map_err(|e| e.to_string())? {
        result.map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// The IPC socket in `$SWAYSOCK`, if the compositor at `wayland` is that Sway.
fn ipc_socket_of(wayland: &Path) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("SWAYSOCK")?);
    let process = |path: &Path| {
        let stream = UnixStream::connect(path).ok()?;
        getsockopt(&stream, PeerCredentials).ok().map(|peer| peer.pid())
    };
    let (sway, compositor) = (process(&path)?, process(wayland)?);
    (sway == compositor).then_some(path)
}
