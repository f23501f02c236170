//! What is known of a `wl_surface` and of an `xdg_toplevel`.

use stratus_frame::Damage;
use stratus_proxy_core::{ClientId, ObjectId};

use super::{Applied, Cached, ClientDamage, Pending, Stack, SurfaceKey, ToplevelKey, Viewport};

/// What a surface is for; given once, by the request that makes the role's object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// None yet, or one that never is a window (and so never streamed).
    #[default]
    None,
    /// A window.
    Toplevel(ToplevelKey),
    /// A menu or tooltip (`xdg_surface.get_popup`).
    Popup {
        /// The surface that it belongs to; names nothing if the client left that open.
        parent: SurfaceKey,
    },
    /// Part of another surface (`wl_subcompositor.get_subsurface`).
    Subsurface {
        /// The surface that it is part of.
        parent: SurfaceKey,
        /// The mode that `set_sync` and `set_desync` set; the parents' count too.
        synchronized: bool,
    },
    /// The pointer's picture (`wl_pointer.set_cursor`).
    Cursor,
    /// What hangs at the pointer during drag and drop (`wl_data_device.start_drag`).
    DragIcon,
}

/// A surface whose `wl_surface` object lives.
#[derive(Debug)]
pub(crate) struct Surface {
    pub(crate) client: ClientId,
    pub(crate) role: Role,
    pub(crate) pending: Pending,
    pub(crate) cached: Cached,
    pub(crate) applied: Applied,
    /// What changed of its buffer since it was composed last, in pixels of the buffer.
    pub(crate) fresh: Option<Box<Damage>>,
    /// Its popups, the newest last, as far as they are followed.
    pub(crate) popups: Vec<SurfaceKey>,
    /// Where it lies if it is a popup: left and top edge relative to its parent's window geometry,
    /// as the compositor said, and what it said since the last commit.
    pub(crate) popup_at: (i32, i32),
    /// See `popup_at`.
    pub(crate) popup_moves: Option<(i32, i32)>,
    /// Attached buffers in a row that had never been attached before; saturates.
    pub(crate) fresh_buffers: u8,
}

impl Surface {
    pub(crate) fn new(client: ClientId) -> Self {
        Self {
            client,
            role: Role::None,
            pending: Pending::default(),
            cached: Cached::default(),
            applied: Applied::default(),
            fresh: None,
            popups: Vec::new(),
            popup_at: (0, 0),
            popup_moves: None,
            fresh_buffers: 0,
        }
    }

    /// The viewport that the commits so far set, applied or not.
    pub(crate) fn newest_viewport(&self) -> Viewport {
        let cached = self.cached.0.as_ref().and_then(|change| change.viewport);
        cached.unwrap_or(self.applied.viewport)
    }

    /// Adds to what changed since the surface was composed last.
    pub(crate) fn note_damage(&mut self, damage: &ClientDamage) {
        let picture = self.applied.content.as_ref().and_then(|c| c.picture.as_ref());
        let Some(size) = picture.map(|p| p.size) else { return };
        let mut fresh = damage.resolve(size, &self.applied);
        match &mut self.fresh {
            Some(noted) => {
                fresh.absorb(noted);
                **noted = fresh;
            }
            none => *none = Some(Box::new(fresh)),
        }
    }

    /// The stack that the next commit sets: to begin with, what the commits so far set.
    pub(crate) fn stack_mut(&mut self, own: SurfaceKey) -> &mut Stack {
        let cached = self.cached.0.as_ref().and_then(|change| change.stack.as_ref());
        let committed = cached.or(self.applied.stack.as_ref());
        let pending = &mut self.pending.0.stack;
        pending
            .get_or_insert_with(|| committed.cloned().unwrap_or_else(|| Box::new(Stack::new(own))))
    }

    /// Its subsurfaces as they lie now.
    pub(crate) fn children(&self) -> impl Iterator<Item = SurfaceKey> + '_ {
        self.applied.stack.iter().flat_map(|stack| stack.children())
    }

    /// Takes a subsurface out of all states at once: it is unmapped by that (`wl_subsurface`).
    pub(crate) fn drop_child(&mut self, child: SurfaceKey) {
        let cached = self.cached.0.as_mut().and_then(|change| change.stack.as_mut());
        let stacks = [self.pending.0.stack.as_mut(), cached, self.applied.stack.as_mut()];
        for stack in stacks.into_iter().flatten() {
            stack.remove(child);
        }
    }
}

/// A window whose `xdg_toplevel` object lives.
#[derive(Debug)]
pub(crate) struct Toplevel {
    pub(crate) client: ClientId,
    pub(crate) id: ObjectId,
    pub(crate) surface: SurfaceKey,
    /// Set for dialogs. When a parent is unmapped, its own parent takes its place.
    pub(crate) parent: Option<ToplevelKey>,
    /// Windows whose parent it is, as far as they are followed.
    pub(crate) dialogs: Vec<ToplevelKey>,
    /// Its number among all windows that were mapped; the newest has the highest.
    pub(crate) mapped_as: Option<u64>,
    /// Whether it was configured at least once.
    pub(crate) configured: bool,
    /// Whether we asked the compositor to make it fullscreen.
    pub(crate) fullscreen_asked: bool,
    /// Limits that it asked for as a root window and that count again if it becomes a dialog.
    pub(crate) min_size: Option<(i32, i32)>,
    /// See `min_size`.
    pub(crate) max_size: Option<(i32, i32)>,
}

impl Toplevel {
    pub(crate) fn new(client: ClientId, id: ObjectId, surface: SurfaceKey) -> Self {
        Self {
            client,
            id,
            surface,
            parent: None,
            dialogs: Vec::new(),
            mapped_as: None,
            configured: false,
            fullscreen_asked: false,
            min_size: None,
            max_size: None,
        }
    }

    /// Whether it fills the screen, as windows without a parent do.
    pub(crate) fn is_root(&self) -> bool {
        self.parent.is_none()
    }
}
