//! The client: what it knows of its objects, and how messages are written and read by their
//! interface tables.

mod data;
mod illegal;
mod shell;
mod surface;

use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use stratus_harness::raw::{RawEvent, Wire};
use wayland_backend::protocol::{ArgumentType, Interface};
use wayland_client::protocol::wl_display::WlDisplay;
use wayland_server::Resource as _;
use wayland_server::protocol::wl_data_device_manager::WlDataDeviceManager;

use super::arg::{Arg, Identities, line};
use super::link::{Habits, Link};
use super::strict;

pub(crate) use data::Act;
pub(crate) use illegal::{Illegal, Verdict};

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
    link: Link,
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
    pub(crate) fn connect(
        socket: &Path,
        habits: Habits,
        identities: Identities,
        versions: u8,
    ) -> anyhow::Result<Self> {
        let link = Link::connect(socket, habits)?;
        let display =
            Object { interface: wayland_display(), version: 1, alive: true, state: State::Plain };
        let mut player = Self {
            link,
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
        let id = self.new_id();
        let message = Wire::new(self.registry, 0).word(name).string(&interface);
        self.link.push(&message.word(version).word(id).bytes(), []);
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
        let mut wire = Wire::new(id, opcode as u16);
        let mut made = 0;
        for arg in &mut args {
            wire = match arg {
                Arg::Int(value) | Arg::Fixed(value) => wire.word(*value as u32),
                Arg::Uint(value) | Arg::Object(value) => wire.word(*value),
                Arg::Text(text) => wire.string(text),
                Arg::Bytes(bytes) => wire.array(bytes),
                Arg::Fd(_) => wire,
                Arg::New(new) => {
                    made = self.new_id();
                    *new = made;
                    let interface = request.child_interface.expect("a typed new id");
                    let state = state.clone();
                    let object = Object { interface, version, alive: true, state };
                    self.objects.insert(made, object);
                    wire.word(made)
                }
            };
        }
        self.link.push(&wire.bytes(), fd);
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

    /// Queues bytes that no table describes.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.link.push(bytes, []);
    }

    /// Sends what is queued, but for the last `keep` bytes.
    pub(crate) fn send(&mut self, keep: usize) -> anyhow::Result<()> {
        Ok(self.link.flush(keep)?)
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
            let event = self.link.event(left).context("the answer to wl_display.sync")?;
            let Some(event) = event else {
                self.after_barrier();
                return Ok(false);
            };
            self.hear(event)?;
            // wayland-rs and libwayland send delete_id right behind the callback's done.
            let last = self.heard.last().expect("just heard");
            if last.name == "delete_id" && last.raw.word(0) == Some(callback) {
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
            match self.link.event(left).context("the end of the connection")? {
                Some(event) => self.hear(event)?,
                None => return Ok(()),
            }
        }
    }

    /// Takes note of an event. Its fds must have come with or before its bytes.
    fn hear(&mut self, raw: RawEvent) -> anyhow::Result<()> {
        let Some(object) = self.objects.get(&raw.sender) else {
            bail!("an event from object {}, which there is not: {raw:?}", raw.sender);
        };
        let (interface, version) = (object.interface, object.version);
        let event = interface.events.get(usize::from(raw.opcode));
        let event = event.with_context(|| format!("{} has no such event", interface.name))?;
        let args = self.decode(&raw, event.signature)?;
        if let (Some(interface), Some(Arg::New(id))) =
            (event.child_interface, args.iter().find(|arg| matches!(arg, Arg::New(_))))
        {
            let object = Object { interface, version, alive: true, state: State::Plain };
            self.objects.insert(*id, object);
        }
        let heard = Heard { interface: interface.name, name: event.name, args, raw };
        self.learn(&heard);
        if event.is_destructor {
            self.let_go(heard.raw.sender);
        }
        self.heard.push(heard);
        Ok(())
    }

    fn decode(&mut self, raw: &RawEvent, signature: &[ArgumentType]) -> anyhow::Result<Vec<Arg>> {
        let (mut at, mut args) = (0, Vec::new());
        for kind in signature {
            if let ArgumentType::Fd = kind {
                let fd = self.link.take_fd().context("an event came before its fd")?;
                args.push(Arg::Fd(self.identities.label(&fd)));
                continue;
            }
            let word = raw.word(at).context("an event is too short")?;
            at += 1;
            args.push(match kind {
                ArgumentType::Int => Arg::Int(word as i32),
                ArgumentType::Fixed => Arg::Fixed(word as i32),
                ArgumentType::Uint => Arg::Uint(word),
                ArgumentType::Object(_) => Arg::Object(word),
                ArgumentType::NewId => Arg::New(word),
                ArgumentType::Str(_) => {
                    let text = raw.string(at - 1).unwrap_or_default();
                    at += (word as usize).div_ceil(4);
                    Arg::Text(text)
                }
                ArgumentType::Array => {
                    let bytes = raw.body.get(at * 4..at * 4 + word as usize);
                    at += (word as usize).div_ceil(4);
                    Arg::Bytes(bytes.context("an array is too short")?.to_vec())
                }
                ArgumentType::Fd => unreachable!("taken above"),
            });
        }
        ensure!(at * 4 == raw.body.len(), "an event has bytes that its signature does not");
        Ok(args)
    }

    fn learn(&mut self, heard: &Heard) {
        let (sender, raw) = (heard.raw.sender, &heard.raw);
        let word = |index| raw.word(index).unwrap_or_default();
        // Events may be under way to what the client has destroyed.
        let alive = self.objects.get(&sender).is_some_and(|object| object.alive);
        match (heard.interface, heard.name) {
            ("wl_display", "delete_id") => {
                self.objects.remove(&word(0));
                self.free.push(word(0));
            }
            ("wl_registry", "global") => {
                let name = raw.string(1).unwrap_or_default();
                // Word 1 is the string's length.
                let version = word(2 + (word(1) as usize).div_ceil(4));
                if !self.globals.iter().any(|(number, _, _)| *number == word(0)) {
                    self.globals.push((word(0), name, version));
                }
            }
            ("wl_registry", "global_remove") => {
                self.globals.retain(|(number, _, _)| *number != word(0));
            }
            ("xdg_surface", "configure") => self.configured(sender, word(0)),
            ("xdg_wm_base", "ping") if alive => self.pings.push((sender, word(0))),
            ("wl_pointer" | "wl_keyboard", "enter") => self.serial = word(0),
            ("wl_data_offer", "offer") if alive => {
                self.mimes.push((sender, raw.string(0).unwrap_or_default()));
            }
            _ => {}
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
        self.link.fds_left()
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
