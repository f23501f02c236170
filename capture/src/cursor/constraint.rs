//! Locked and confined pointers.
//!
//! A constraint is asked for once and becomes active and inactive as the compositor says, for one
//! time or many (`zwp_pointer_constraints_v1.lifetime`): its events alone tell.

use slotmap::{SlotMap, new_key_type};
use stratus_frame::PointerBounds;
use stratus_proxy_core::ClientId;

use crate::graph::SurfaceKey;

new_key_type! {
    /// Names a constraint.
    pub(crate) struct ConstraintKey;
}

/// What a constraint does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Lock,
    Confinement,
}

/// A `zwp_locked_pointer_v1` or `zwp_confined_pointer_v1` that lives.
#[derive(Debug)]
pub(crate) struct Constraint {
    client: ClientId,
    surface: SurfaceKey,
    kind: Kind,
    /// Where the pointer should be when it is free again; and the same, as of the next commit.
    hint: Option<(i32, i32)>,
    pending: Option<(i32, i32)>,
}

impl Constraint {
    pub(crate) fn new(client: ClientId, surface: SurfaceKey, kind: Kind) -> Self {
        Self { client, surface, kind, hint: None, pending: None }
    }
}

/// All constraints of a session.
#[derive(Debug, Default)]
pub(crate) struct Constraints {
    all: SlotMap<ConstraintKey, Constraint>,
    /// A seat has one active constraint at most.
    active: Option<ConstraintKey>,
    /// How many have a hint that waits for a commit.
    pending: usize,
}

impl Constraints {
    pub(crate) fn add(&mut self, constraint: Constraint) -> ConstraintKey {
        self.all.insert(constraint)
    }

    /// `locked` and `unlocked`, `confined` and `unconfined`.
    pub(crate) fn activate(&mut self, key: ConstraintKey, active: bool) {
        if active {
            self.active = Some(key).filter(|&k| self.all.contains_key(k));
        } else {
            self.active.take_if(|k| *k == key);
        }
    }

    /// The object is destroyed, which ends the constraint.
    pub(crate) fn remove(&mut self, key: ConstraintKey) {
        self.activate(key, false);
        if let Some(gone) = self.all.remove(key) {
            self.pending -= usize::from(gone.pending.is_some());
        }
    }

    /// `zwp_locked_pointer_v1.set_cursor_position_hint`: pending until the surface's commit.
    pub(crate) fn hint(&mut self, key: ConstraintKey, at: (i32, i32)) {
        if let Some(constraint) = self.all.get_mut(key)
            && constraint.pending.replace(at).is_none()
        {
            self.pending += 1;
        }
    }

    pub(crate) fn has_hint_for(&self, surface: SurfaceKey) -> bool {
        let waits = |c: &Constraint| c.surface == surface && c.pending.is_some();
        self.pending > 0 && self.all.values().any(waits)
    }

    /// A commit of `surface` was applied.
    pub(crate) fn committed(&mut self, surface: SurfaceKey) {
        for constraint in self.all.values_mut().filter(|c| c.surface == surface) {
            if let Some(hint) = constraint.pending.take() {
                constraint.hint = Some(hint);
                self.pending -= 1;
            }
        }
    }

    pub(crate) fn client_gone(&mut self, client: ClientId) {
        self.all.retain(|_, c| c.client != client);
        self.active = self.active.filter(|&key| self.all.contains_key(key));
        self.pending = self.all.values().filter(|c| c.pending.is_some()).count();
    }

    pub(crate) fn bounds(&self) -> PointerBounds {
        match self.active.and_then(|key| self.all.get(key)) {
            None => PointerBounds::Free,
            Some(Constraint { kind: Kind::Confinement, .. }) => PointerBounds::Confined,
            Some(Constraint { kind: Kind::Lock, hint, .. }) => {
                PointerBounds::Locked { hint: *hint }
            }
        }
    }
}
