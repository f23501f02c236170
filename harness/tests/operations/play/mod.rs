//! The client: what it knows of its objects, and how messages are written and read by their
//! interface tables.

mod data;
mod hear;
mod illegal;
mod shell;
mod surface;
mod way;

use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use stratus_harness::raw::RawEvent;
use wayland_backend::protocol::Interface;
use wayland_client::protocol::wl_display::WlDisplay;
use wayland_server::Resource as _;
use wayland_server::protocol::wl_data_device_manager::WlDataDeviceManager;

use super::arg::{Arg, Identities, line};
use super::strict;

pub(crate) use data::Act;
pub(crate) use illegal::{Illegal, Verdict};
pub(crate) use way::Way;

/// How long an answer may take until it counts as a hang.
const LIMIT: Duration = Duration::from_secs(15);

/// Requests of a flood, and how long each is: libwayland takes messages of 4 KiB.
const FLOOD: u32 = 150;
const FLOOD_LEN: usize = 3900;

/// Ids from here on are the compositor's.
const FIRST_SERVER: u32 = 0xff00_0000;

/// What the client knows of one object beside its interface.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Plain,
    Surface(surface::Surface),
    Subsurface { surface: u32, parent: u32 },
    Viewport { surface: u32 },
    Pool { size: i32, file: std::sync::Arc<OwnedFd> },
    Buffer { one_pixel: bool },
    XdgSurface(shell::XdgSurface),
    Toplevel,
    Popup { xdg: u32, parent: u32, grabs: bool },
    Positioner { complete: bool },
    Source { used: bool },
}

#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub interface: &'static Interface,
    pub version: u32,
    /// The client has not destroyed it.
    pub alive: bool,
    pub state: State,
}

/// An event as it came, and what it says.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub raw: RawEvent,
    pub interface: &'static str,
    pub name: &'static str,
    pub args: Vec<Arg>,
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", line(self.interface, self.raw.sender, self.name, &self.args))
    }
}

impl Heard {
    /// `wl_display.error`: object and code.
    pub(crate) fn error(&self) -> Option<(u32, u32)> {
        self.raw.display_error().map(|(object, code, _)| (object, code))
    }
}

pub(crate) struct Player {
    way: Way,
    identities: Identities,
    pub objects: BTreeMap<u32, Object>,
    free: Vec<u32>,
    next_id: u32,
    /// Requests as the compositor must log them.
    pub sent: Vec<String>,
    pub heard: Vec<Heard>,
    /// Name, interface and version of each global.
    globals: Vec<(u32, String, u32)>,
    registry: u32,
    /// The data source that tells the compositor what to do.
    wand: u32,
    /// Serial of the last input event.
    serial: u32,
    files: u32,
    pings: Vec<(u32, u32)>,
    /// Mime types of the selection that were offered to this client, with the offer.
    mimes: Vec<(u32, String)>,
    /// How often xdg_wm_base was bound.
    bases: u32,
}

impl Player {
    /// A client that has bound all globals, some in versions below the offered ones.
    pub(crate) fn start(way: Way, identities: Identities, versions: u8) -> anyhow::Result<Self> {
        let display =
            Object { interface: wayland_display(), version: 1, alive: true, state: State::Plain };
        let mut player = Self {
            way,
            identities,
            objects: BTreeMap::from([(1, display)]),
            free: Vec::new(),
            next_id: 2,
            sent: Vec::new(),
            heard: Vec::new(),
            globals: Vec::new(),
            registry: 0,
            wand: 0,
            serial: 0,
            files: 0,
            pings: Vec::new(),
            mimes: Vec::new(),
            bases: 0,
        };
        player.registry = player.create(1, "get_registry", vec![Arg::New(0)], None);
        player.barrier()?;
        for (index, global) in strict::globals().iter().enumerate() {
            let less = (u32::from(versions) >> (index % 4)) % 3;
            let version = global.version.saturating_sub(less).max(1);
            let bound = player.bind(index, version).context("a global is missing")?;
            if global.interface.name == WlDataDeviceManager::interface().name {
                player.wand = player.create(bound, "create_data_source", vec![Arg::New(0)], None);
            }
        }
        Ok(player)
    }

    /// Binds a global by its place in the registry.
    pub(crate) fn bind(&mut self, index: usize, version: u32) -> Option<u32> {
        let (name, interface, _) = self.globals.get(index)?.clone();
        let table = strict::globals().into_iter().find(|g| g.interface.name == interface)?;
        let id = if self.way.is_bytes() { self.new_id() } else { 0 };
        let args =
            [Arg::Uint(name), Arg::Text(interface.clone()), Arg::Uint(version), Arg::New(id)];
        let made = Some((table.interface, version));
        let id = self.way.request(self.registry, 0, &args, None, made);
        self.sent.push(format!("bind {interface} version {version} as #{id}"));
        self.bases += u32::from(interface == "xdg_wm_base");
        let interface = table.interface;
        let object = Object { interface, version, alive: true, state: State::Plain };
        self.objects.insert(id, object);
        Some(id)
    }

    pub(crate) fn globals(&self) -> usize {
        self.globals.len()
    }

    /// Version and number of a global.
    pub(crate) fn global_version(&self, index: usize) -> u32 {
        self.globals.get(index).map_or(1, |(_, _, version)| *version)
    }

    fn new_id(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.next_id += 1;
            self.next_id - 1
        })
    }

    /// Whether an object has a request in its version.
    pub(crate) fn can(&self, id: u32, name: &str) -> bool {
        self.objects.get(&id).is_some_and(|object| {
            object.alive
                && object
                    .interface
                    .requests
                    .iter()
                    .any(|r| r.name == name && r.since <= object.version)
        })
    }

    /// Queues a request that makes no object. Legality is the caller's business.
    pub(crate) fn request(&mut self, id: u32, name: &str, args: Vec<Arg>, fd: Option<OwnedFd>) {
        self.write(id, name, args, fd, State::Plain);
    }

    /// Queues a request that makes an object: the id takes the place of `Arg::New`.
    pub(crate) fn create(
        &mut self,
        id: u32,
        name: &str,
        args: Vec<Arg>,
        state: impl Into<Option<State>>,
    ) -> u32 {
        self.write(id, name, args, None, state.into().unwrap_or(State::Plain))
    }

    fn write(
        &mut self,
        id: u32,
        name: &str,
        mut args: Vec<Arg>,
        fd: Option<OwnedFd>,
        state: State,
    ) -> u32 {
        let Object { interface, version, .. } = self.objects[&id].clone();
        let requests = interface.requests;
        let opcode = requests.iter().position(|request| request.name == name);
        let opcode = opcode.unwrap_or_else(|| panic!("{} has no {name}", interface.name));
        let request = &requests[opcode];
        let new = args.iter().position(|arg| matches!(arg, Arg::New(_)));
        if let Some(new) = new.filter(|_| self.way.is_bytes()) {
            args[new] = Arg::New(self.new_id());
        }
        let made = self.way.request(id, opcode as u16, &args, fd, None);
        if let Some(new) = new {
            args[new] = Arg::New(made);
            let interface = request.child_interface.expect("a typed new id");
            self.objects.insert(made, Object { interface, version, alive: true, state });
        }
        if !matches!(interface.name, "wl_display") {
            self.sent.push(line(interface.name, id, name, &args));
        }
        if request.is_destructor {
            self.let_go(id);
        }
        made
    }

    /// Queues more than sockets hold of requests that nothing answers.
    pub(crate) fn flood(&mut self) {
        for number in 0..FLOOD {
            let mime = format!("x-{number}/{}", "y".repeat(FLOOD_LEN));
            self.request(self.wand, "offer", vec![Arg::Text(mime)], None);
        }
    }

    /// Queues bytes that no table describes. No library would.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        if let Way::Bytes(link) = &mut self.way {
            link.push(bytes, []);
        }
    }

    /// Sends what is queued, but for the last `keep` bytes.
    pub(crate) fn send(&mut self, keep: usize) -> anyhow::Result<()> {
        Ok(self.way.flush(keep)?)
    }

    /// The client destroys an object: what points at it forgets it.
    fn let_go(&mut self, id: u32) {
        if id >= FIRST_SERVER {
            // Its id may be used anew at once, but events may be under way.
            self.mimes.retain(|(offer, _)| *offer != id);
        }
        if let Some(object) = self.objects.get_mut(&id) {
            object.alive = false;
        }
        self.forget_in_surfaces(id);
        self.pings.retain(|(base, _)| *base != id);
    }

    /// Asks for `wl_display.sync` and reads until it is answered. Returns false if the peer
    /// closed the connection instead.
    pub(crate) fn barrier(&mut self) -> anyhow::Result<bool> {
        let callback = self.create(1, "sync", vec![Arg::New(0)], None);
        self.send(0)?;
        let deadline = Instant::now() + LIMIT;
        let first = self.heard.len();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.way.event(left).context("the answer to wl_display.sync")?;
            let Some(event) = event else {
                self.after_barrier();
                return Ok(false);
            };
            self.hear(event)?;
            // wayland-rs and libwayland send delete_id right behind the callback's done. The library
            // keeps that one to itself.
            let last = self.heard.last().expect("just heard");
            if let Way::Library(library) = &mut self.way {
                if last.raw.sender == callback {
                    library.wait_for_deletion(callback, LIMIT).context("delete_id")?;
                    self.after_barrier();
                    return Ok(true);
                }
            } else if last.name == "delete_id" && last.raw.word(0) == Some(callback) {
                ensure!(self.heard[first..].iter().any(|h| h.raw.sender == callback), "no done");
                self.after_barrier();
                return Ok(true);
            }
        }
    }

    /// Reads until the peer closes the connection.
    pub(crate) fn read_to_the_end(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.way.event(left).context("the end of the connection")? {
                Some(event) => self.hear(event)?,
                None => return Ok(()),
            }
        }
    }

    /// Living objects of an interface.
    pub(crate) fn all(&self, interface: &str) -> Vec<u32> {
        let of = |(id, object): (&u32, &Object)| {
            (object.alive && object.interface.name == interface).then_some(*id)
        };
        self.objects.iter().filter_map(of).collect()
    }

    /// One of the living objects of an interface that can do `name`.
    pub(crate) fn one(&self, interface: &str, name: &str, choice: u8) -> Option<u32> {
        let all = self.all(interface).into_iter().filter(|id| self.can(*id, name));
        pick(&all.collect::<Vec<_>>(), choice)
    }

    /// Tells the compositor to do something by its own will.
    pub(crate) fn command(&mut self, spell: String) {
        self.request(self.wand, "offer", vec![Arg::Text(format!("do {spell}"))], None);
    }

    /// Closes the connection and hands over what was said and heard.
    ///
    /// Nothing counts behind an error: wayland-rs may send a `delete_id` more, or not.
    pub(crate) fn leave(mut self) -> (Vec<String>, Vec<Heard>) {
        if let Some(at) = self.heard.iter().position(|heard| heard.error().is_some()) {
            self.heard.truncate(at + 1);
        }
        (self.sent, self.heard)
    }

    pub(crate) fn fds_left(&self) -> usize {
        self.way.fds_left()
    }
}

/// One of several.
pub(crate) fn pick<T: Clone>(of: &[T], choice: u8) -> Option<T> {
    (!of.is_empty()).then(|| of[usize::from(choice) % of.len()].clone())
}

/// The table of `wl_display`.
fn wayland_display() -> &'static Interface {
    <WlDisplay as wayland_client::Proxy>::interface()
}
