//! How surfaces hang together: subsurfaces, popups, and the window that they belong to.

use super::{Applied, Cached, Graph, MAX_DIALOGS, Role, SurfaceKey, ToplevelKey};

/// How far up or down we follow a tree. Nesting this deep is no program's; the bound keeps a
/// client from costing us more than its messages did.
pub(crate) const MAX_DEPTH: usize = 64;

/// How many popups of a surface are followed; the same reason.
const MAX_POPUPS: usize = 64;

impl Graph {
    /// Makes `child` a subsurface of `parent`, synchronized at first. It shows with the parent's
    /// next commit (`wl_subcompositor.get_subsurface`).
    pub(crate) fn link(&mut self, child: SurfaceKey, parent: SurfaceKey) {
        self.unlink(child);
        if !self.can_take_role(child) || child == parent {
            return;
        }
        let Some(above) = self.surfaces.get_mut(parent) else { return };
        above.stack_mut(parent).push(child);
        if let Some(surface) = self.surfaces.get_mut(child) {
            surface.role = Role::Subsurface { parent, synchronized: true };
        }
    }

    /// Ends a subsurface's tie to its parent; it is unmapped by that.
    pub(crate) fn unlink(&mut self, child: SurfaceKey) {
        let Some(surface) = self.surfaces.get_mut(child) else { return };
        let Role::Subsurface { parent, .. } = surface.role else { return };
        surface.role = Role::None;
        surface.cached = Cached::default();
        surface.applied = Applied { stack: surface.applied.stack.take(), ..Applied::default() };
        if let Some(above) = self.surfaces.get_mut(parent) {
            above.drop_child(child);
        }
    }

    /// Makes `child` a popup of `parent`, above those that are there.
    pub(crate) fn add_popup(&mut self, child: SurfaceKey, parent: SurfaceKey) {
        if !self.can_take_role(child) || child == parent {
            return;
        }
        self.give_role(child, Role::Popup { parent });
        if let Some(parent) = self.surfaces.get_mut(parent)
            && parent.popups.len() < MAX_POPUPS
        {
            parent.popups.push(child);
        }
    }

    /// The object of a popup went, or the compositor dismissed it; its surface shows no more.
    pub(crate) fn remove_popup(&mut self, child: SurfaceKey) {
        let Some(surface) = self.surfaces.get_mut(child) else { return };
        let Role::Popup { parent } = surface.role else { return };
        surface.role = Role::None;
        surface.applied = Applied { stack: surface.applied.stack.take(), ..Applied::default() };
        (surface.popup_at, surface.popup_moves) = ((0, 0), None);
        if let Some(parent) = self.surfaces.get_mut(parent) {
            parent.popups.retain(|&k| k != child);
        }
    }

    /// Whether commits of a surface wait for its parent: its own mode says so, or that of a
    /// surface above it (`wl_subsurface`, "synchronized mode").
    pub(crate) fn is_synchronized(&self, key: SurfaceKey) -> bool {
        let mut at = key;
        for _ in 0..MAX_DEPTH {
            match self.surfaces.get(at).map(|s| s.role) {
                Some(Role::Subsurface { synchronized: true, .. }) => return true,
                Some(Role::Subsurface { parent, .. }) => at = parent,
                _ => return false,
            }
        }
        true
    }

    /// The subsurface at `index` of those that a surface has now.
    pub(crate) fn child(&self, key: SurfaceKey, index: usize) -> Option<SurfaceKey> {
        self.surfaces.get(key)?.applied.stack.as_ref()?.child(index)
    }

    /// Whether a mapped surface of the client's own stands on the surface, or below it.
    pub(crate) fn has_mapped_child(&self, key: SurfaceKey) -> bool {
        let mapped =
            |k: SurfaceKey| self.surfaces.get(k).is_some_and(|s| s.applied.content.is_some());
        self.surfaces.get(key).is_some_and(|s| s.children().any(mapped))
    }

    /// Whether a mapped popup stands on the surface.
    pub(crate) fn has_mapped_popup(&self, key: SurfaceKey) -> bool {
        let mapped =
            |k: &SurfaceKey| self.surfaces.get(*k).is_some_and(|s| s.applied.content.is_some());
        self.surfaces.get(key).is_some_and(|s| s.popups.iter().any(mapped))
    }

    /// The window without a parent that a surface is part of, as subsurface, popup or dialog.
    pub(crate) fn window_of(&self, key: SurfaceKey) -> Option<ToplevelKey> {
        let mut at = key;
        for _ in 0..MAX_DEPTH {
            match self.surfaces.get(at)?.role {
                Role::Subsurface { parent, .. } | Role::Popup { parent } => at = parent,
                Role::Toplevel(toplevel) => return self.root_window(toplevel),
                Role::None | Role::Cursor | Role::DragIcon => return None,
            }
        }
        None
    }

    /// The mapped dialogs of a window, and those of the dialogs, the newest last.
    pub(crate) fn dialogs(&self, root: ToplevelKey) -> Vec<SurfaceKey> {
        let mut found = Vec::new();
        let mut below = self.toplevels.get(root).map_or(&[][..], |t| &t.dialogs).to_vec();
        // Each window has one parent, so none comes twice.
        while let Some(toplevel) = below.pop().and_then(|key| self.toplevels.get(key)) {
            found.extend(toplevel.mapped_as.map(|number| (number, toplevel.surface)));
            let room = MAX_DIALOGS.saturating_sub(found.len() + below.len());
            below.extend(toplevel.dialogs.iter().take(room));
        }
        found.sort_unstable_by_key(|(number, _)| *number);
        found.into_iter().map(|(_, surface)| surface).collect()
    }

    /// The window without a parent above a dialog, or the window itself.
    pub(crate) fn root_window(&self, key: ToplevelKey) -> Option<ToplevelKey> {
        let mut at = key;
        for _ in 0..MAX_DEPTH {
            match self.toplevels.get(at)?.parent {
                Some(parent) => at = parent,
                None => return Some(at),
            }
        }
        None
    }
}
