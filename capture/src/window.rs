//! The main window: which one it is, and how its commits become frames.

use std::collections::BTreeSet;

use stratus_frame::{Damage, MonoTime, Size};

use crate::Capture;
use crate::fullscreen::{Raise, Raised};
use crate::graph::{Change, MAX_DEPTH, Role, SurfaceKey, ToplevelKey};
use crate::stats::Path;

/// The window whose pictures are streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Main {
    pub(crate) toplevel: ToplevelKey,
    pub(crate) surface: SurfaceKey,
}

/// What was said of the main window already; each once.
#[derive(Debug, Default)]
pub(crate) struct Said {
    size: bool,
    unreadable: bool,
    pub(crate) paths: BTreeSet<Path>,
}

impl Capture {
    /// Makes a commit's change the surface's state, and a frame if that shows in the main window.
    pub(crate) fn apply(&mut self, key: SurfaceKey, change: &mut Change, now_ns: u64) {
        let attached = change.attach.is_some();
        let is_main = |capture: &Self| capture.main.is_some_and(|m| m.surface == key);
        // A dialog that unmaps is no dialog of the window any more.
        let before = if is_main(self) { None } else { self.graph.window_of(key) };
        self.apply_state(key, change, 0);
        match self.main {
            Some(main) if main.surface == key => {
                self.frame_of_commit(main, change, attached, now_ns);
            }
            _ => self.tree_changed(before, now_ns),
        }
    }

    /// Applies what a subsurface that is no longer synchronized cached (`wl_subsurface.set_desync`).
    pub(crate) fn apply_cached(&mut self, key: SurfaceKey, now_ns: u64) {
        if self.graph.is_synchronized(key) {
            return;
        }
        let cached = self.graph.surfaces.get_mut(key).map(|s| s.cached.take());
        if let Some(mut cached) = cached.filter(|change| !change.is_empty()) {
            self.apply(key, &mut cached, now_ns);
        }
    }

    /// The state alone: of the surface, and of the synchronized subsurfaces that waited for it.
    fn apply_state(&mut self, key: SurfaceKey, change: &mut Change, depth: usize) {
        let is_main = self.main.is_some_and(|m| m.surface == key);
        let Some(surface) = self.graph.surfaces.get_mut(key) else { return };
        let was_mapped = surface.applied.content.is_some();
        let attached = change.attach.is_some();
        surface.applied.apply(change);
        if let Some(at) = surface.popup_moves.take() {
            surface.popup_at = at;
        }
        let is_mapped = surface.applied.content.is_some();
        if !change.damage.is_empty()
            && let Some(content) = &mut surface.applied.content
        {
            if !attached && let Some(buffer) = self.graph.buffers.get(content.buffer) {
                // New content in the same buffer: what was copied out of it has had its day.
                content.picture.clone_from(&buffer.picture);
            }
            if !is_main || self.stats.path() != Path::Direct {
                surface.note_damage(&change.damage);
            }
        }
        if let Role::Toplevel(toplevel) = surface.role
            && was_mapped != is_mapped
        {
            if is_mapped {
                self.graph.map(toplevel);
            } else {
                self.graph.unmap(toplevel);
            }
            self.elect(Some(key));
        }
        self.apply_children(key, depth);
    }

    /// Applies what synchronized subsurfaces cached until their parent's state was applied.
    fn apply_children(&mut self, parent: SurfaceKey, depth: usize) {
        if depth >= MAX_DEPTH {
            return;
        }
        let mut index = 0;
        while let Some(child) = self.graph.child(parent, index) {
            index += 1;
            let Some(surface) = self.graph.surfaces.get_mut(child) else { continue };
            let mut cached = surface.cached.take();
            // A child without news of its own may have children with some.
            self.apply_state(child, &mut cached, depth + 1);
        }
    }

    /// The path of the frame at hand. Back to its own buffers goes a window only when it commits
    /// one: the last may be with the game again.
    pub(crate) fn path_from_here(&mut self, main: Main, attached: bool) -> Path {
        let before = self.stats.path();
        let mut path = self.path_of(main.toplevel, main.surface);
        if path == Path::Direct && !attached {
            path = before;
        }
        if path != before {
            self.take_path(path);
        }
        path
    }

    /// Chooses the main window anew: the newest mapped one without a parent. Another one than
    /// before starts with a full picture, from `committing`'s own commit if that is its surface.
    pub(crate) fn elect(&mut self, committing: Option<SurfaceKey>) {
        let main = self.graph.newest_root().and_then(|toplevel| {
            let surface = self.graph.toplevels.get(toplevel)?.surface;
            Some(Main { toplevel, surface })
        });
        if main == self.main {
            return;
        }
        let before = std::mem::replace(&mut self.main, main);
        self.raised = main.and_then(|m| {
            let how = match committing == Some(m.surface) {
                false => Raise::Returned,
                true if before.is_some() => Raise::Mapped,
                // The only one: the compositor has nothing else to show.
                true => return None,
            };
            Some(Raised::new(m.toplevel, how, self.now_ns))
        });
        self.full_next = true;
        self.said = Said::default();
        self.stats.set_path(Path::Direct);
        self.forget_shown();
        let Some(main) = main else {
            tracing::debug!("no window is left");
            return;
        };
        tracing::debug!(window = ?main.toplevel, "another window is the main one");
        // Its predecessor's last picture must not come after the new window's first.
        self.retract();
        if committing != Some(main.surface) {
            self.frame_of_shown(main);
        }
    }

    /// Shows what the window last committed, if its buffer still is as it was committed: the
    /// client draws in it again as soon as it was released.
    fn frame_of_shown(&mut self, main: Main) {
        let path = self.path_of(main.toplevel, main.surface);
        self.take_path(path);
        if path != Path::Direct {
            self.compose(main.toplevel, MonoTime::from_nanos(self.now_ns));
            return;
        }
        let surface = self.graph.surfaces.get(main.surface);
        let Some(content) = surface.and_then(|s| s.applied.content.as_ref()) else { return };
        let key = content.buffer;
        let Some(buffer) = self.graph.buffers.get(key).filter(|b| b.busy) else { return };
        let (size, owed) = (buffer.size(), buffer.owed > 0);
        let Some(size) = size else { return };
        self.hand(key, Damage::full(size), MonoTime::from_nanos(self.now_ns));
        if owed && self.waits(key) {
            // The compositor has let go of it: the game waits for nobody but us.
            self.copy_out(key);
        }
    }

    fn frame_of_commit(&mut self, main: Main, change: &Change, attached: bool, now_ns: u64) {
        let path = self.path_from_here(main, attached);
        let read = MonoTime::from_nanos(now_ns);
        if path != Path::Direct {
            self.compose(main.toplevel, read);
            return;
        }
        let Some(surface) = self.graph.surfaces.get(main.surface) else { return };
        let Some(content) = &surface.applied.content else { return };
        let Some(size) = content.picture.as_ref().map(|p| p.size) else {
            if !std::mem::replace(&mut self.said.unreadable, true) {
                tracing::warn!(
                    client = surface.client.0,
                    "the window shows a buffer that cannot be read: its frames are not streamed"
                );
            }
            return;
        };
        let lost = self.stats.lost();
        let full = self.full_next
            || size != self.last_size
            // A frame that could not be read took its damage with it.
            || lost != self.lost_seen;
        let damage =
            if full { Damage::full(size) } else { change.damage.resolve(size, &surface.applied) };
        if damage.is_empty() {
            return;
        }
        let key = content.buffer;
        self.lost_seen = lost;
        self.say_that_size_differs(size);
        self.hand(key, damage, read);
    }

    pub(crate) fn say_that_size_differs(&mut self, size: Size) {
        if size != self.screen && !std::mem::replace(&mut self.said.size, true) {
            tracing::info!(
                window = %size,
                stream = %self.screen,
                "the window keeps a size of its own: the stream follows it"
            );
        }
    }
}
