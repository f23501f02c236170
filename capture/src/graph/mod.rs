//! What the clients have made: surfaces, windows, buffers and pools, linked by keys.
//!
//! A key outlives what it names without ever naming another thing, so links need no cleaning up
//! when an object goes; Wayland ids, which clients use anew at once, have no such promise.

mod buffer;
mod stack;
mod state;
mod surface;
mod tree;

use slotmap::{Key, KeyData, SlotMap, new_key_type};
use stratus_proxy_core::ClientId;

pub(crate) use buffer::{Buffer, Content, Picture, Pool};
pub(crate) use stack::Stack;
pub(crate) use state::{Applied, Attach, Cached, Change, ClientDamage, Pending, Viewport};
pub(crate) use surface::{Role, Surface, Toplevel};
pub(crate) use tree::MAX_DEPTH;

new_key_type! {
    /// Names a surface.
    pub(crate) struct SurfaceKey;
    /// Names a window.
    pub(crate) struct ToplevelKey;
    /// Names a buffer.
    pub(crate) struct BufferKey;
    /// Names a pool.
    pub(crate) struct PoolKey;
}

/// How many dialogs of a window are followed. No program has as many; the bound keeps a client
/// from costing us more than its messages did.
const MAX_DIALOGS: usize = 256;

/// A key as it is stored with a Wayland object; never 0, which means that nothing is stored.
pub(crate) fn to_data(key: impl Key) -> u64 {
    key.data().as_ffi()
}

/// The key that [`to_data`] stored. For 0 it is one that names nothing.
pub(crate) fn from_data<K: Key>(data: u64) -> K {
    if data == 0 { K::null() } else { KeyData::from_ffi(data).into() }
}

/// Everything of all clients of a session.
#[derive(Default)]
pub(crate) struct Graph {
    pub(crate) surfaces: SlotMap<SurfaceKey, Surface>,
    pub(crate) toplevels: SlotMap<ToplevelKey, Toplevel>,
    pub(crate) buffers: SlotMap<BufferKey, Buffer>,
    pub(crate) pools: SlotMap<PoolKey, Pool>,
    /// Mapped windows, the newest last.
    mapped: Vec<ToplevelKey>,
    /// How many windows were mapped so far.
    maps: u64,
}

impl Graph {
    /// The newest mapped window without a parent.
    pub(crate) fn newest_root(&self) -> Option<ToplevelKey> {
        let is_root = |k: &&ToplevelKey| self.toplevels.get(**k).is_some_and(Toplevel::is_root);
        self.mapped.iter().rev().find(is_root).copied()
    }

    /// A window got its first buffer.
    pub(crate) fn map(&mut self, key: ToplevelKey) {
        self.mapped.push(key);
        self.maps += 1;
        if let Some(toplevel) = self.toplevels.get_mut(key) {
            toplevel.mapped_as = Some(self.maps);
        }
    }

    /// A window lost its buffer or its objects: it returns to the state that it was made in, and
    /// its children become those of its parent (`xdg_toplevel`, `set_parent`).
    pub(crate) fn unmap(&mut self, key: ToplevelKey) {
        self.mapped.retain(|&k| k != key);
        let Some(toplevel) = self.toplevels.get(key) else { return };
        let heir = toplevel.parent;
        self.set_parent(key, None);
        let Some(toplevel) = self.toplevels.get_mut(key) else { return };
        let dialogs = std::mem::take(&mut toplevel.dialogs);
        *toplevel = Toplevel::new(toplevel.client, toplevel.id, toplevel.surface);
        for dialog in dialogs {
            self.set_parent(dialog, heir);
        }
    }

    /// Makes a window the dialog of another, or of none.
    pub(crate) fn set_parent(&mut self, key: ToplevelKey, parent: Option<ToplevelKey>) {
        let Some(toplevel) = self.toplevels.get_mut(key) else { return };
        let former = std::mem::replace(&mut toplevel.parent, parent);
        if let Some(former) = former.and_then(|k| self.toplevels.get_mut(k)) {
            former.dialogs.retain(|&k| k != key);
        }
        if let Some(parent) = parent.and_then(|k| self.toplevels.get_mut(k))
            && parent.dialogs.len() < MAX_DIALOGS
        {
            parent.dialogs.push(key);
        }
    }

    /// The object of a window went; its surface may get another one.
    pub(crate) fn remove_toplevel(&mut self, key: ToplevelKey) {
        self.unmap(key);
        let Some(toplevel) = self.toplevels.remove(key) else { return };
        if let Some(surface) = self.surfaces.get_mut(toplevel.surface) {
            surface.role = Role::None;
            surface.applied = Applied { stack: surface.applied.stack.take(), ..Applied::default() };
        }
    }

    /// The object of a surface went.
    pub(crate) fn remove_surface(&mut self, key: SurfaceKey) {
        self.unlink(key);
        self.remove_popup(key);
        if let Some(Surface { role: Role::Toplevel(toplevel), .. }) = self.surfaces.remove(key) {
            self.remove_toplevel(toplevel);
        }
    }

    /// Whether a surface is free to be what a request makes it. A role is for good: a request for
    /// another one ends the client (`wl_surface`).
    pub(crate) fn can_take_role(&self, key: SurfaceKey) -> bool {
        self.surfaces.get(key).is_some_and(|s| s.role == Role::None)
    }

    /// Makes a surface what it is, unless it is something already.
    pub(crate) fn give_role(&mut self, key: SurfaceKey, role: Role) {
        if let Some(surface) = self.surfaces.get_mut(key).filter(|s| s.role == Role::None) {
            surface.role = role;
        }
    }

    /// Forgets everything of a client.
    pub(crate) fn remove_client(&mut self, client: ClientId) {
        self.toplevels.retain(|_, t| t.client != client);
        self.mapped.retain(|&k| self.toplevels.contains_key(k));
        self.surfaces.retain(|_, s| s.client != client);
        self.buffers.retain(|_, b| b.client != client);
        self.pools.retain(|_, p| p.client != client);
    }
}
