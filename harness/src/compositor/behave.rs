//! How the scripted compositor treats surfaces, buffers, windows and outputs.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use wayland_backend::protocol::{Argument, Message};
use wayland_backend::server::{Handle, ObjectId};

use super::send::{array, event, int, object, text, uint};
use super::server::Server;
use super::{Config, Pace, Release};
use crate::marker::{self, MarkerError};

/// `xdg_toplevel.state` values.
const FULLSCREEN: u32 = 2;
const ACTIVATED: u32 = 4;

/// What is pending on a surface, and what was applied last.
#[derive(Default)]
struct Surface {
    pending: Option<Option<ObjectId>>,
    pending_frames: Vec<ObjectId>,
    current: Option<ObjectId>,
    role: Option<Role>,
    mapped: bool,
}

/// An xdg_surface with, once it is a window, its toplevel.
#[derive(Clone)]
struct Role {
    xdg_surface: ObjectId,
    toplevel: Option<ObjectId>,
    configured: bool,
    fullscreen: bool,
}

impl Role {
    fn new(xdg_surface: ObjectId) -> Self {
        Self { xdg_surface, toplevel: None, configured: false, fullscreen: false }
    }
}

struct Pool {
    file: File,
    destroyed: bool,
}

struct Buffer {
    pool: ObjectId,
    offset: i32,
    size: (i32, i32),
    stride: i32,
    /// Whether the client waits for a release.
    held: bool,
}

/// Everything that lies on a compositor's desk.
pub(crate) struct Desk {
    surfaces: HashMap<ObjectId, Surface>,
    pools: HashMap<ObjectId, Pool>,
    buffers: HashMap<ObjectId, Buffer>,
    outputs: Vec<ObjectId>,
    /// Callbacks that wait for the next tick.
    frames: Vec<ObjectId>,
    /// Buffers to be released later, in order of time.
    late: Vec<(Instant, ObjectId)>,
    next_tick: Option<Instant>,
    tick_every: Option<Duration>,
    started: Instant,
    serial: u32,
    size: (i32, i32),
    mode: (i32, i32, i32),
    formats: Vec<u32>,
}

impl Desk {
    pub(crate) fn new(config: &Config) -> Self {
        let tick_every = match config.pace {
            Pace::Hertz(rate) if rate > 0.0 => Some(Duration::from_secs_f64(1.0 / rate)),
            _ => None,
        };
        Self {
            surfaces: HashMap::new(),
            pools: HashMap::new(),
            buffers: HashMap::new(),
            outputs: Vec::new(),
            frames: Vec::new(),
            late: Vec::new(),
            next_tick: None,
            tick_every,
            started: Instant::now(),
            serial: 0,
            size: config.size,
            mode: config.mode,
            formats: config.formats.clone(),
        }
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let late = self.late.first().map(|(at, _)| *at);
        [self.next_tick, late].into_iter().flatten().min()
    }

    fn serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    /// Says what a client expects to hear of a global that it has just bound.
    pub(crate) fn bound(&mut self, handle: &Handle, id: &ObjectId) {
        match id.interface().name {
            "wl_shm" => {
                for format in &self.formats {
                    event(handle, id, "format", [uint(*format)]);
                }
            }
            "wl_output" => {
                self.outputs.push(id.clone());
                let (width, height, refresh) = self.mode;
                let geometry = [0, 0, 300, 200, 0].map(int).into_iter();
                let names = [text("Harness"), text("scripted"), int(0)];
                event(handle, id, "geometry", geometry.chain(names));
                // The mode is the current and the preferred one.
                event(handle, id, "mode", [uint(3), int(width), int(height), int(refresh)]);
                event(handle, id, "scale", [int(1)]);
                event(handle, id, "name", [text("SCRIPTED-1")]);
                event(handle, id, "done", []);
            }
            "wl_seat" => {
                event(handle, id, "capabilities", [uint(3)]);
                event(handle, id, "name", [text("seat0")]);
            }
            _ => {}
        }
    }

    /// Says what a client expects to hear of an xdg_output.
    fn describe_xdg_output(&self, handle: &Handle, id: &ObjectId) {
        event(handle, id, "logical_position", [int(0), int(0)]);
        event(handle, id, "logical_size", [int(self.mode.0), int(self.mode.1)]);
        event(handle, id, "name", [text("SCRIPTED-1")]);
        event(handle, id, "done", []);
    }

    pub(crate) fn destroyed(&mut self, id: &ObjectId) {
        self.surfaces.remove(id);
        self.buffers.remove(id);
        self.outputs.retain(|output| output != id);
        self.frames.retain(|callback| callback != id);
        self.late.retain(|(_, buffer)| buffer != id);
        for surface in self.surfaces.values_mut() {
            surface.role.take_if(|role| role.xdg_surface == *id);
            if let Some(role) = &mut surface.role {
                role.toplevel.take_if(|toplevel| toplevel == id);
            }
        }
        if let Some(pool) = self.pools.get_mut(id) {
            pool.destroyed = true;
        }
        // A destroyed pool lives on while buffers of it do.
        let buffers = &self.buffers;
        self.pools.retain(|id, pool| {
            !pool.destroyed || buffers.values().any(|buffer| buffer.pool == *id)
        });
    }

    /// Configures all windows to a new size.
    pub(crate) fn configure_all(&mut self, handle: &Handle, width: i32, height: i32) {
        self.size = (width, height);
        let roles: Vec<Role> = self.surfaces.values().filter_map(|s| s.role.clone()).collect();
        for role in roles {
            self.configure(handle, &role);
        }
    }

    fn configure(&mut self, handle: &Handle, role: &Role) {
        let serial = self.serial();
        if let Some(toplevel) = &role.toplevel {
            let (states, (width, height)): (&[u32], _) = if role.fullscreen {
                (&[FULLSCREEN, ACTIVATED], (self.mode.0, self.mode.1))
            } else {
                (&[ACTIVATED], self.size)
            };
            event(handle, toplevel, "configure", [int(width), int(height), array(states)]);
        }
        event(handle, &role.xdg_surface, "configure", [uint(serial)]);
    }

    fn role_of(&mut self, xdg: &ObjectId) -> Option<&mut Role> {
        self.surfaces
            .values_mut()
            .filter_map(|surface| surface.role.as_mut())
            .find(|role| role.xdg_surface == *xdg || role.toplevel.as_ref() == Some(xdg))
    }
}

impl Server {
    /// Does what a compositor does for request `name`.
    pub(crate) fn behave(
        &mut self,
        handle: &Handle,
        name: &str,
        message: Message<ObjectId, OwnedFd>,
    ) {
        let sender = message.sender_id;
        let mut args = message.args.into_iter();
        let desk = &mut self.desk;
        match (sender.interface().name, name) {
            ("wl_compositor", "create_surface") => {
                if let Some(Argument::NewId(id)) = args.next() {
                    desk.surfaces.insert(id, Surface::default());
                }
            }
            ("wl_shm", "create_pool") => {
                if let (Some(Argument::NewId(id)), Some(Argument::Fd(fd))) =
                    (args.next(), args.next())
                {
                    desk.pools.insert(id, Pool { file: File::from(fd), destroyed: false });
                }
            }
            ("wl_shm_pool", "create_buffer") => desk.create_buffer(sender, args.collect()),
            ("zwp_linux_buffer_params_v1", "create_immed") => {
                desk.create_dmabuf(sender, args.collect());
            }
            ("wl_surface", _) => self.surface_request(handle, &sender, name, args.collect()),
            ("xdg_wm_base", "get_xdg_surface") => {
                if let (Some(Argument::NewId(id)), Some(Argument::Object(surface))) =
                    (args.next(), args.next())
                    && let Some(surface) = desk.surfaces.get_mut(&surface)
                {
                    surface.role = Some(Role::new(id));
                }
            }
            ("xdg_surface", "get_toplevel") => {
                if let (Some(Argument::NewId(id)), Some(role)) =
                    (args.next(), desk.role_of(&sender))
                {
                    role.toplevel = Some(id);
                }
            }
            ("xdg_toplevel", "set_fullscreen" | "unset_fullscreen") => {
                let Some(role) = desk.role_of(&sender) else { return };
                role.fullscreen = name == "set_fullscreen";
                let role = role.clone();
                // Before the first commit the first configure will tell.
                if role.configured {
                    desk.configure(handle, &role);
                }
            }
            ("zxdg_output_manager_v1", "get_xdg_output") => {
                if let Some(Argument::NewId(id)) = args.next() {
                    desk.describe_xdg_output(handle, &id);
                }
            }
            _ => {}
        }
    }

    fn surface_request(
        &mut self,
        handle: &Handle,
        id: &ObjectId,
        name: &str,
        args: Vec<Argument<ObjectId, OwnedFd>>,
    ) {
        let Some(surface) = self.desk.surfaces.get_mut(id) else { return };
        match (name, args.first()) {
            ("attach", Some(Argument::Object(buffer))) => {
                surface.pending = Some((!buffer.is_null()).then(|| buffer.clone()));
            }
            ("frame", Some(Argument::NewId(callback))) => {
                surface.pending_frames.push(callback.clone());
            }
            ("commit", _) => self.commit(handle, id),
            _ => {}
        }
    }

    fn commit(&mut self, handle: &Handle, id: &ObjectId) {
        let now = Instant::now();
        let Some(surface) = self.desk.surfaces.get_mut(id) else { return };
        let frames = std::mem::take(&mut surface.pending_frames);
        let attached = surface.pending.take();
        let mut to_configure = None;
        if let Some(role) = surface.role.as_mut().filter(|role| !role.configured) {
            role.configured = true;
            to_configure = Some(role.clone());
        }
        if let Some(role) = to_configure {
            self.desk.configure(handle, &role);
        }
        match attached {
            Some(Some(buffer)) => self.show(handle, id, &buffer, now),
            Some(None) => {
                if let Some(surface) = self.desk.surfaces.get_mut(id) {
                    let shown = surface.current.take();
                    surface.mapped = false;
                    // The next commit without a buffer asks for a configure again.
                    if let Some(role) = &mut surface.role {
                        role.configured = false;
                    }
                    if let Some(shown) = shown.filter(|_| self.config.release != Release::Never) {
                        self.release(handle, &shown);
                    }
                }
            }
            None => {}
        }
        self.desk.frames.extend(frames);
        match self.config.pace {
            Pace::AtOnce => self.desk.answer_frames(handle),
            Pace::Hertz(_) if self.desk.next_tick.is_none() && !self.desk.frames.is_empty() => {
                self.desk.next_tick = self.desk.tick_every.map(|every| now + every);
            }
            _ => {}
        }
    }

    /// Applies an attached buffer.
    fn show(&mut self, handle: &Handle, id: &ObjectId, buffer: &ObjectId, now: Instant) {
        let marker = self.config.read_markers.then(|| self.desk.read_marker(buffer));
        let reused =
            self.desk.buffers.get_mut(buffer).is_some_and(|b| std::mem::replace(&mut b.held, true));
        let Some(surface) = self.desk.surfaces.get_mut(id) else { return };
        let older = surface.current.replace(buffer.clone());
        let newly_mapped = !std::mem::replace(&mut surface.mapped, true);
        {
            let mut seen = self.seen();
            seen.frames += 1;
            seen.reused_too_early += u64::from(reused && older.as_ref() != Some(buffer));
            seen.markers.extend(marker);
        }
        if newly_mapped {
            for output in self.desk.outputs.iter().filter(|output| output.same_client_as(id)) {
                event(handle, id, "enter", [object(output)]);
            }
        }
        match self.config.release {
            Release::AtOnce => self.release(handle, buffer),
            Release::AtNextCommit => {
                if let Some(older) = older.filter(|older| older != buffer) {
                    self.release(handle, &older);
                }
            }
            Release::After(delay) => self.desk.late.push((now + delay, buffer.clone())),
            Release::Never => {}
        }
    }

    fn release(&mut self, handle: &Handle, buffer: &ObjectId) {
        let Some(known) = self.desk.buffers.get_mut(buffer) else { return };
        if std::mem::replace(&mut known.held, false) && event(handle, buffer, "release", []) {
            self.seen().releases += 1;
        }
    }

    /// Does what is due at `now`.
    pub(crate) fn tick(&mut self, handle: &Handle, now: Instant) {
        while self.desk.late.first().is_some_and(|(at, _)| *at <= now) {
            let (_, buffer) = self.desk.late.remove(0);
            self.release(handle, &buffer);
        }
        if self.desk.next_tick.is_some_and(|at| at <= now) {
            let waiting = !self.desk.frames.is_empty();
            self.desk.answer_frames(handle);
            // Without anybody waiting the clock stops until the next commit.
            let every = self.desk.tick_every.filter(|_| waiting);
            let next = self.desk.next_tick.zip(every).map(|(at, every)| (at + every).max(now));
            self.desk.next_tick = next;
        }
    }
}

impl Desk {
    fn answer_frames(&mut self, handle: &Handle) {
        // wl_callback.done of a frame carries milliseconds of any epoch and may wrap.
        let time = self.started.elapsed().as_millis() as u32;
        for callback in std::mem::take(&mut self.frames) {
            event(handle, &callback, "done", [uint(time)]);
        }
    }

    fn create_buffer(&mut self, pool: ObjectId, args: Vec<Argument<ObjectId, OwnedFd>>) {
        let mut args = args.into_iter();
        let Some(Argument::NewId(id)) = args.next() else { return };
        let mut next = || match args.next() {
            Some(Argument::Int(value)) => value,
            _ => 0,
        };
        let (offset, width, height, stride) = (next(), next(), next(), next());
        self.buffers
            .insert(id, Buffer { pool, offset, size: (width, height), stride, held: false });
    }

    /// A buffer of dmabufs, whose memory is nobody's to read here.
    fn create_dmabuf(&mut self, params: ObjectId, args: Vec<Argument<ObjectId, OwnedFd>>) {
        if let [Argument::NewId(id), Argument::Int(width), Argument::Int(height), ..] = &args[..] {
            let size = (*width, *height);
            let buffer = Buffer { pool: params, offset: 0, size, stride: 0, held: false };
            self.buffers.insert(id.clone(), buffer);
        }
    }

    /// Reads the marker out of a buffer's memory.
    fn read_marker(&self, buffer: &ObjectId) -> Result<u32, MarkerError> {
        let none = MarkerError::TooSmall(0, 0);
        let buffer = self.buffers.get(buffer).ok_or(none)?;
        let file = &self.pools.get(&buffer.pool).ok_or(none)?.file;
        let size = (buffer.size.0.unsigned_abs(), buffer.size.1.unsigned_abs());
        let stride = buffer.stride.unsigned_abs() as usize;
        let mut bytes = vec![0; stride * size.1 as usize];
        file.read_exact_at(&mut bytes, u64::from(buffer.offset.unsigned_abs()))
            .map_err(|_| none)?;
        marker::read_bgrx(&bytes, stride, size)
    }
}
