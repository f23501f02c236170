//! The scripted client's loop.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use wayland_client::backend::WaylandError;
use wayland_client::protocol::{
    wl_compositor::WlCompositor, wl_output::WlOutput, wl_seat::WlSeat, wl_shm::WlShm,
    wl_surface::WlSurface,
};
use wayland_client::{Connection, DispatchError, EventQueue, Proxy as _, QueueHandle};
use wayland_protocols::xdg::shell::client::{
    xdg_surface::XdgSurface, xdg_toplevel::XdgToplevel, xdg_wm_base::XdgWmBase,
};
use wayland_protocols::xdg::xdg_output::zv1::client::zxdg_output_manager_v1::ZxdgOutputManagerV1;

use super::Live;
use super::buffers::Store;
use super::config::{Buffers, Config, Pace};
use super::counts::{Counts, End};
use super::events::{Asked, Game, bind, find};
use super::moments::{self, Moments};
use crate::raw::RawClient;
use crate::scene::{Motion, Scene};

/// How long a sleep may last before the client looks whether it was asked to stop.
const SLICE: Duration = Duration::from_millis(50);

/// Why the loop ends before its last frame.
pub(super) enum Halt {
    End(End),
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Halt {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// The window.
pub(super) struct Window {
    pub(super) surface: WlSurface,
    xdg_surface: XdgSurface,
    toplevel: XdgToplevel,
}

pub(super) struct Player<'a> {
    pub(super) config: &'a Config,
    connection: Connection,
    queue: EventQueue<Game>,
    pub(super) handle: QueueHandle<Game>,
    pub(super) game: Game,
    pub(super) window: Option<Window>,
    pub(super) store: Option<Store>,
    scene: Scene,
    next_due: Option<Instant>,
    /// When that was heard of which the frame at hand answers.
    press: Option<u64>,
    moments: Moments,
    pub(super) truncated: bool,
    pub(super) stream: UnixStream,
}

pub(super) fn play(socket: &Path, config: &Config, live: Arc<Live>) -> anyhow::Result<Counts> {
    let stream = UnixStream::connect(socket)
        .with_context(|| format!("connect to the compositor at {}", socket.display()))?;
    let own = stream.try_clone()?;
    let connection = Connection::from_socket(stream).context("set up the connection")?;
    let queue = connection.new_event_queue();
    let mut player = Player {
        config,
        handle: queue.handle(),
        queue,
        connection,
        game: Game::new(live),
        window: None,
        store: None,
        scene: Scene::new((0, 0), config.motion),
        next_due: None,
        press: None,
        moments: Moments::create(config)?,
        truncated: false,
        stream: own,
    };
    match player.run() {
        Ok(()) => {}
        Err(Halt::End(end)) => player.game.counts.end = end,
        Err(Halt::Failed(error)) => return Err(error),
    }
    let mut counts = player.game.counts;
    counts.unreleased = player.store.as_ref().map_or(0, |store| store.busy() as u64);
    Ok(counts)
}

impl Player<'_> {
    fn run(&mut self) -> Result<(), Halt> {
        self.open()?;
        while self.game.counts.commits < self.config.frames {
            self.wait_for_turn()?;
            self.wait_for_configure()?;
            let slot = self.wait_for_buffer()?;
            self.frame(slot)?;
        }
        self.settle()
    }

    /// Binds what it needs and makes the window.
    fn open(&mut self) -> Result<(), Halt> {
        let registry = self.connection.display().get_registry(&self.handle, ());
        self.roundtrip()?;
        let (game, queue) = (&self.game, &self.handle);
        let compositor: WlCompositor = bind(&registry, game, queue, 5)?;
        let shm: WlShm = bind(&registry, game, queue, 1)?;
        let base: XdgWmBase = bind(&registry, game, queue, 5)?;
        let dmabuf = match self.config.kind {
            Buffers::Dmabufs => Some(bind(&registry, game, queue, 3)?),
            _ => None,
        };
        if find(game, WlOutput::interface().name, 4).is_some() {
            let output: WlOutput = bind(&registry, game, queue, 4)?;
            if find(game, ZxdgOutputManagerV1::interface().name, 3).is_some() {
                let manager: ZxdgOutputManagerV1 = bind(&registry, game, queue, 3)?;
                manager.get_xdg_output(&output, queue, ());
            }
        }
        if self.config.pace == Pace::Presses {
            let _: WlSeat = bind(&registry, game, queue, 5)?;
        }
        let surface = compositor.create_surface(queue, ());
        let xdg_surface = base.get_xdg_surface(&surface, queue, ());
        let toplevel = xdg_surface.get_toplevel(queue, ());
        toplevel.set_title(self.config.title.clone());
        toplevel.set_app_id(self.config.title.clone());
        if self.config.fullscreen {
            toplevel.set_fullscreen(None);
        }
        surface.commit();
        self.store = Some(Store::new(shm, dmabuf, self.config));
        self.window = Some(Window { surface, xdg_surface, toplevel });
        self.roundtrip()?;
        while self.game.configured.is_none() {
            self.pump(None)?;
        }
        Ok(())
    }

    /// Waits until it is time for the next frame.
    fn wait_for_turn(&mut self) -> Result<(), Halt> {
        match self.config.pace {
            Pace::Releases => self.pump(Some(Instant::now())),
            Pace::FrameCallbacks => {
                while !self.game.frame_done {
                    self.pump(None)?;
                }
                Ok(())
            }
            Pace::Presses => {
                // The first picture makes the window, which keys then go to.
                while self.game.counts.commits > 0
                    && self.game.presses.is_empty()
                    && self.game.configured.is_none()
                {
                    self.pump(None)?;
                }
                self.press = self.game.presses.pop_front();
                Ok(())
            }
            Pace::Rate(rate) => {
                let every = Duration::from_secs_f64(1.0 / rate.max(0.001));
                let mut due = *self.next_due.get_or_insert_with(Instant::now);
                while due + every <= Instant::now() {
                    due += every;
                    self.game.counts.skipped += 1;
                }
                self.next_due = Some(due + every);
                while Instant::now() < due {
                    self.pump(Some(due))?;
                }
                Ok(())
            }
        }
    }

    /// Acknowledges a configure and makes buffers of its size.
    pub(super) fn wait_for_configure(&mut self) -> Result<(), Halt> {
        let (Some(window), Some(store)) = (&self.window, &mut self.store) else { return Ok(()) };
        let Some(serial) = self.game.configured.take() else { return Ok(()) };
        window.xdg_surface.ack_configure(serial);
        let stated = (self.game.size.0.unsigned_abs(), self.game.size.1.unsigned_abs());
        let obeys = self.config.obey_configure && stated.0 > 0 && stated.1 > 0;
        let size = if obeys { stated } else { self.config.size };
        if store.size() != size {
            store.make(size, self.config.buffers, &self.handle)?;
            self.scene = Scene::new(size, self.config.motion);
            self.game.counts.size = size;
        }
        Ok(())
    }

    /// Waits for a free buffer and counts how long that took.
    fn wait_for_buffer(&mut self) -> Result<usize, Halt> {
        let started = Instant::now();
        let mut stalled = false;
        loop {
            self.note_releases()?;
            if let Some(slot) = self.store.as_ref().and_then(Store::free) {
                if stalled {
                    let counts = &mut self.game.counts;
                    counts.stalls += 1;
                    counts.longest_stall = counts.longest_stall.max(started.elapsed());
                    counts.stalled += started.elapsed();
                }
                return Ok(slot);
            }
            stalled = true;
            self.pump(None)?;
            self.wait_for_configure()?;
        }
    }

    fn note_releases(&mut self) -> Result<(), Halt> {
        let Some(store) = &mut self.store else { return Ok(()) };
        for key in self.game.released.drain(..) {
            if self.config.poison {
                store.poison(key)?;
            }
            self.game.counts.stray_releases += u64::from(!store.released(key));
        }
        Ok(())
    }

    /// Draws and commits one frame.
    fn frame(&mut self, slot: usize) -> Result<(), Halt> {
        let number = self.game.counts.commits + 1;
        self.tricks_before(number)?;
        // Tricks may have moved the buffers.
        let slot = match &self.store {
            Some(store) => store.free().unwrap_or(slot),
            None => slot,
        };
        let step = if self.config.motion == Motion::Nothing { 0 } else { number - 1 };
        let marker = self.config.first_number.wrapping_add(step as u32);
        let (Some(window), Some(store)) = (&self.window, &mut self.store) else { return Ok(()) };
        if std::mem::take(&mut self.truncated) {
            store.restore()?;
        }
        store.draw(slot, &self.scene, marker)?;
        let buffer = store.give(slot, &self.handle);
        window.surface.attach(buffer.as_ref(), 0, 0);
        for (x, y, width, height) in self.scene.damage() {
            let (x, y, width, height) = (x as i32, y as i32, width as i32, height as i32);
            if window.surface.version() >= 4 {
                window.surface.damage_buffer(x, y, width, height);
            } else {
                window.surface.damage(x, y, width, height);
            }
        }
        if self.config.pace == Pace::FrameCallbacks {
            window.surface.frame(&self.handle, Asked::Frame);
            self.game.frame_done = false;
        }
        window.surface.commit();
        let committed = moments::now();
        self.flush()?;
        self.moments.write(marker, self.press.take(), committed)?;
        self.game.counts.commits = number;
        self.game.counts.last_number = marker;
        self.game.live.commits.store(number, Ordering::Relaxed);
        self.tricks_after(number, slot)
    }

    /// Waits for outstanding releases, as long as the script allows.
    fn settle(&mut self) -> Result<(), Halt> {
        let until = Instant::now() + self.config.wait_for_releases;
        loop {
            self.note_releases()?;
            let busy = self.store.as_ref().map_or(0, Store::busy);
            if busy == 0 || Instant::now() >= until {
                break;
            }
            self.pump(Some(until))?;
        }
        if let Some(window) = &self.window {
            window.toplevel.destroy();
            window.xdg_surface.destroy();
            window.surface.destroy();
        }
        self.roundtrip()?;
        // A compositor gives back what the destroyed surface still showed.
        self.note_releases()?;
        Ok(())
    }

    fn roundtrip(&mut self) -> Result<(), Halt> {
        self.game.synced = false;
        self.connection.display().sync(&self.handle, Asked::Sync);
        while !self.game.synced {
            self.pump(None)?;
        }
        Ok(())
    }

    /// Sends what is queued. A full socket is left to the next call.
    pub(super) fn flush(&mut self) -> Result<(), Halt> {
        match self.connection.flush() {
            Ok(()) => Ok(()),
            Err(WaylandError::Io(e)) if e.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(self.halt(error)),
        }
    }

    /// Sends, then handles events that are there; waits for some until `until` or, without one,
    /// for a moment.
    pub(super) fn pump(&mut self, until: Option<Instant>) -> Result<(), Halt> {
        if self.game.live.stop.load(Ordering::Relaxed) {
            return Err(Halt::End(End::Finished));
        }
        if self.dispatch()? > 0 {
            return Ok(());
        }
        self.flush()?;
        let Some(guard) = self.connection.prepare_read() else { return Ok(()) };
        let left = until.map_or(SLICE, |at| at.saturating_duration_since(Instant::now()));
        let ready = {
            let mut fds = [PollFd::new(guard.connection_fd(), PollFlags::POLLIN)];
            let timeout = TimeSpec::from_duration(left.min(SLICE));
            ppoll(&mut fds, Some(timeout), None).context("wait for events")? > 0
        };
        if ready {
            match guard.read() {
                Ok(_) => {}
                Err(WaylandError::Io(e)) if e.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    // What came before the end still counts.
                    let _ = self.queue.dispatch_pending(&mut self.game);
                    return Err(self.halt(error));
                }
            }
        }
        self.dispatch()?;
        if self.game.closed {
            return Err(Halt::End(End::Closed));
        }
        Ok(())
    }

    fn dispatch(&mut self) -> Result<usize, Halt> {
        match self.queue.dispatch_pending(&mut self.game) {
            Ok(count) => {
                self.note_releases()?;
                Ok(count)
            }
            Err(DispatchError::Backend(error)) => Err(self.halt(error)),
            Err(DispatchError::BadMessage { sender_id, interface, opcode }) => {
                let text = format!("event {opcode} of {interface} ({sender_id}) is malformed");
                Err(Halt::Failed(anyhow::anyhow!(text)))
            }
        }
    }

    /// Why the connection ended: a broken socket often hides a `wl_display.error` before it.
    fn halt(&mut self, error: WaylandError) -> Halt {
        if let Some(guard) = self.connection.prepare_read() {
            let _ = guard.read();
        }
        let found = self.connection.protocol_error().or(match &error {
            WaylandError::Protocol(error) => Some(error.clone()),
            WaylandError::Io(_) => None,
        });
        let found = match found {
            Some(e) => Some((e.object_interface, e.code, e.message)),
            None => self.last_words(),
        };
        Halt::End(match found {
            Some((interface, code, message)) => End::ProtocolError(interface, code, message),
            None => End::Disconnected(error.to_string()),
        })
    }

    /// The `wl_display.error` that lies unread in the socket: wayland-client reads nothing more
    /// once a write has failed.
    fn last_words(&self) -> Option<(String, u32, String)> {
        let mut rest = RawClient::from(self.stream.try_clone().ok()?);
        while let Ok(Some(event)) = rest.event(SLICE) {
            if let Some((object, code, message)) = event.display_error() {
                return Some((format!("object {object}"), code, message));
            }
        }
        None
    }
}
