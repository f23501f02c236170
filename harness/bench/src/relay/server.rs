//! The compositor of the bench: it answers what the bench's client says, at once, and checks
//! nothing. Whatever time it took would be part of every figure.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use super::socket::{receive, send};

/// What the compositor offers: interface and version. The name of each is its place, from 1.
pub(crate) const GLOBALS: [(&str, u32); 3] =
    [("wl_compositor", 4), ("wl_shm", 1), ("xdg_wm_base", 2)];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Unknown,
    Display,
    Registry,
    Compositor,
    Shm,
    Pool,
    Buffer,
    WmBase,
    Surface,
    XdgSurface,
    Toplevel,
}

/// Serves every client of `listen`, each on a thread of its own, for ever.
pub(crate) fn serve(listen: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(listen)?;
    for client in listener.incoming() {
        let client = client?;
        std::thread::spawn(move || Peer::default().answer(&client));
    }
    Ok(())
}

/// What is known of one client.
#[derive(Default)]
struct Peer {
    /// By id.
    kinds: Vec<Kind>,
    /// The xdg_surface of a surface, and the toplevel of an xdg_surface.
    role: HashMap<u32, u32>,
    attached: u32,
    callback: u32,
    configured: bool,
    serial: u32,
    answer: Vec<u8>,
}

impl Peer {
    fn answer(mut self, client: &UnixStream) -> io::Result<()> {
        self.kinds = vec![Kind::Unknown, Kind::Display];
        let mut room = vec![0; 128 << 10];
        let mut filled = 0;
        let mut fds: Vec<OwnedFd> = Vec::new();
        loop {
            let len = receive(client, &mut room[filled..], &mut fds)?;
            fds.clear();
            if len == 0 {
                return Ok(());
            }
            filled += len;
            let mut at = 0;
            while let Some(message) = whole(&room[at..filled]) {
                at += message.len();
                self.take(message);
            }
            room.copy_within(at..filled, 0);
            filled -= at;
            send::<OwnedFd>(client, &self.answer, &[])?;
            self.answer.clear();
        }
    }

    fn take(&mut self, message: &[u8]) {
        let (id, opcode) = (word(message, 0), word(message, 1) as u16);
        let arg = |index: usize| word(message, 2 + index);
        match (self.kinds.get(id as usize).copied().unwrap_or_default(), opcode) {
            (Kind::Display, 0) => self.call_back(arg(0)),
            (Kind::Display, 1) => self.offer(arg(0)),
            // bind: name, string, version, new id.
            (Kind::Registry, 0) => self.bind(arg(0), word(message, message.len() / 4 - 1)),
            (Kind::Compositor, 0) => self.make(arg(0), Kind::Surface),
            (Kind::Shm, 0) => self.make(arg(0), Kind::Pool),
            (Kind::Pool, 0) => self.make(arg(0), Kind::Buffer),
            (Kind::WmBase, 2) => {
                self.make(arg(0), Kind::XdgSurface);
                self.role.insert(arg(1), arg(0));
            }
            (Kind::XdgSurface, 1) => {
                self.make(arg(0), Kind::Toplevel);
                self.role.insert(id, arg(0));
            }
            (Kind::Pool, 1) | (Kind::Buffer, 0) => self.forget(id),
            (Kind::Surface, 1) => self.attached = arg(0),
            (Kind::Surface, 3) => self.callback = arg(0),
            (Kind::Surface, 6) => self.commit(id),
            _ => {}
        }
    }

    fn make(&mut self, id: u32, kind: Kind) {
        let id = id as usize;
        if id >= self.kinds.len() {
            self.kinds.resize(id + 1, Kind::Unknown);
        }
        self.kinds[id] = kind;
    }

    fn event(&mut self, id: u32, opcode: u32, args: &[u32]) {
        let size = 8 + 4 * args.len() as u32;
        let words = [id, size << 16 | opcode].into_iter().chain(args.iter().copied());
        self.answer.extend(words.flat_map(u32::to_ne_bytes));
    }

    /// `wl_callback.done`, and the id is free.
    fn call_back(&mut self, callback: u32) {
        self.serial += 1;
        self.event(callback, 0, &[self.serial]);
        self.forget(callback);
    }

    /// `wl_display.delete_id`.
    fn forget(&mut self, id: u32) {
        self.event(1, 1, &[id]);
    }

    fn offer(&mut self, registry: u32) {
        self.make(registry, Kind::Registry);
        for (name, (interface, version)) in (1..).zip(GLOBALS) {
            let mut text = interface.as_bytes().to_vec();
            text.push(0);
            let len = text.len() as u32;
            text.resize(text.len().next_multiple_of(4), 0);
            let mut args = vec![name, len];
            args.extend((0..text.len() / 4).map(|index| word(&text, index)));
            args.push(version);
            self.event(registry, 0, &args);
        }
    }

    fn bind(&mut self, name: u32, id: u32) {
        let kind = match GLOBALS.get((name as usize).wrapping_sub(1)) {
            Some(("wl_compositor", _)) => Kind::Compositor,
            Some(("wl_shm", _)) => Kind::Shm,
            Some(("xdg_wm_base", _)) => Kind::WmBase,
            _ => Kind::Unknown,
        };
        self.make(id, kind);
        if kind == Kind::Shm {
            // The formats argb8888 and xrgb8888.
            self.event(id, 0, &[0]);
            self.event(id, 0, &[1]);
        }
    }

    /// The first commit of a window is answered by its size, every other one as by a compositor
    /// that copied the buffer and shows it at once.
    fn commit(&mut self, surface: u32) {
        let xdg = self.role.get(&surface).copied();
        if let Some(xdg) = xdg.filter(|_| !self.configured) {
            self.configured = true;
            self.serial += 1;
            if let Some(&toplevel) = self.role.get(&xdg) {
                self.event(toplevel, 0, &[0, 0, 0]);
            }
            self.event(xdg, 0, &[self.serial]);
        }
        if self.attached != 0 {
            let buffer = std::mem::take(&mut self.attached);
            self.event(buffer, 0, &[]);
        }
        if self.callback != 0 {
            let callback = std::mem::take(&mut self.callback);
            self.call_back(callback);
        }
    }
}

/// The first message in `bytes`, if all of it is there.
pub(crate) fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let size = bytes.get(..8).map(|header| (word(header, 1) >> 16) as usize)?;
    bytes.get(..size.max(8))
}

/// 32-bit word `index` of a message; 0 behind its end.
pub(crate) fn word(message: &[u8], index: usize) -> u32 {
    let bytes = message.get(index * 4..).and_then(<[u8]>::first_chunk);
    bytes.map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}
