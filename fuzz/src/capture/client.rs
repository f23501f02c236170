//! One client: the ids that it uses, its objects, and what is expected to pass.

use std::collections::{BTreeMap, BTreeSet};

use stratus_protocols::InterfaceId;
use stratus_proxy_core::Session;

use super::paced::Paced;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Surface,
    Xdg,
    Toplevel,
    Subsurface,
    Viewport,
    Pool { file: usize },
    Buffer { serial: u32 },
    Fractional,
    Callback,
    Other,
}

/// What passes and what does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// It leaves as it came.
    Same,
    /// It leaves as it came, or not at all.
    MayDrop,
    /// It may say something else, at the same length, or not leave.
    MayChange,
}

/// One message as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) sender: u32,
    pub(super) opcode: u16,
    pub(super) bytes: Vec<u8>,
}

impl Heard {
    /// Argument word `n`.
    pub(super) fn word(&self, n: usize) -> u32 {
        let at = 8 + n * 4;
        u32::from_ne_bytes(self.bytes[at..at + 4].try_into().expect("four bytes"))
    }

    /// All messages in `bytes`.
    pub(super) fn all(mut bytes: &[u8]) -> Vec<Self> {
        let mut all = Vec::new();
        while !bytes.is_empty() {
            let word = |n: usize| {
                u32::from_ne_bytes(bytes[n * 4..n * 4 + 4].try_into().expect("four bytes"))
            };
            let (sender, size, opcode) = (word(0), word(1) >> 16, word(1) as u16);
            let (one, rest) = bytes.split_at(size as usize);
            all.push(Self { sender, opcode, bytes: one.to_vec() });
            bytes = rest;
        }
        all
    }
}

/// A client.
pub(super) struct Client {
    pub(super) session: Session,
    pub(super) gone: bool,
    /// Those that the client did not destroy.
    pub(super) objects: BTreeMap<u32, Kind>,
    /// Those that it destroyed, until the compositor gives the id back.
    pub(super) dead: Vec<(u32, Kind)>,
    pub(super) globals: BTreeMap<InterfaceId, u32>,
    /// What each surface will show with its next commit: an attach of this.
    pub(super) pending: BTreeMap<u32, Option<u32>>,
    /// The window of each `xdg_surface`.
    pub(super) toplevels: BTreeMap<u32, u32>,
    pub(super) paced: Paced,
    /// Callbacks whose ids the compositor let go of.
    pub(super) deleted: BTreeSet<u32>,
    free: Vec<u32>,
    next: u32,
}

impl Client {
    pub(super) fn new(session: Session) -> Self {
        Self {
            session,
            gone: false,
            objects: BTreeMap::new(),
            dead: Vec::new(),
            globals: BTreeMap::new(),
            pending: BTreeMap::new(),
            toplevels: BTreeMap::new(),
            paced: Paced::default(),
            deleted: BTreeSet::new(),
            free: Vec::new(),
            next: 2,
        }
    }

    /// The id of a new object.
    pub(super) fn make(&mut self, kind: Kind) -> u32 {
        let id = self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        });
        self.objects.insert(id, kind);
        id
    }

    /// The ids of all living objects that `is` says yes to.
    pub(super) fn all(&self, is: impl Fn(Kind) -> bool) -> Vec<u32> {
        self.objects.iter().filter(|(_, k)| is(**k)).map(|(id, _)| *id).collect()
    }

    /// The client destroyed an object.
    pub(super) fn bury(&mut self, id: u32) {
        if let Some(kind) = self.objects.remove(&id) {
            self.pending.remove(&id);
            self.dead.push((id, kind));
        }
    }

    /// What an object is, or was until its id is given back.
    pub(super) fn kind(&self, id: u32) -> Option<Kind> {
        let dead = self.dead.iter().find(|(d, _)| *d == id).map(|(_, kind)| *kind);
        self.objects.get(&id).copied().or(dead)
    }

    /// A callback's id may be used anew.
    pub(super) fn recycle(&mut self, id: u32) {
        self.objects.remove(&id);
        self.deleted.remove(&id);
        self.free.push(id);
    }

    /// The compositor gives an id back.
    pub(super) fn free(&mut self, n: usize) -> u32 {
        let (id, _) = self.dead.remove(n);
        self.paced.forget(id);
        self.free.push(id);
        id
    }
}
