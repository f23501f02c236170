//! Frames of a window that is more than one buffer.
//!
//! At each commit that shows, the window's surfaces are laid out anew and compared with how they
//! lay before: what moved, came or went is damaged as a whole, the rest where the clients say so.
//! The frame is a [`Scene`], which the encoder's thread composes when it reads it.

use std::sync::{Arc, Mutex};

use stratus_frame::{Damage, MonoTime, Size};

use crate::Capture;
use crate::graph::{SurfaceKey, ToplevelKey};
use crate::layout::{Lay, Layout};
use crate::scene::{Easel, Scene};
use crate::stats::Path;

/// The composed window, as it was laid out last.
#[derive(Default)]
pub(crate) struct Composed {
    easel: Arc<Mutex<Easel>>,
    size: Size,
    lays: Vec<Lay>,
    /// The scene of the newest frame.
    pub(crate) scene: Option<Arc<Scene>>,
}

impl Composed {
    /// Lets go of all pictures; the next frame is a full one.
    pub(crate) fn forget(&mut self) {
        self.lays.clear();
        self.scene = None;
    }

    /// What a picture laid out as `new` differs in from the one before.
    fn difference(&self, new: &Layout) -> Damage {
        if self.size != new.size || !self.keeps_order(new) {
            return Damage::full(new.size);
        }
        let mut damage = Damage::none(new.size);
        let gone = |lay: &&Lay| !new.lays.iter().any(|n| n.lies_as(lay));
        let came = |lay: &&Lay| !self.lays.iter().any(|o| o.lies_as(lay));
        let moved = self.lays.iter().filter(gone).chain(new.lays.iter().filter(came));
        for rect in moved.filter_map(|lay| lay.covers(new.size)) {
            damage.add(rect);
        }
        damage
    }

    /// Whether the surfaces that are in both pictures lie in the same order.
    fn keeps_order(&self, new: &Layout) -> bool {
        let has = |lays: &[Lay], key| lays.iter().any(|lay| lay.surface == key);
        let common = self.lays.iter().map(|l| l.surface).filter(|&k| has(&new.lays, k));
        common.eq(new.lays.iter().map(|l| l.surface).filter(|&k| has(&self.lays, k)))
    }

    /// Whether everything lies as it did.
    fn lies_as(&self, new: &Layout) -> bool {
        self.size == new.size
            && self.lays.len() == new.lays.len()
            && self.lays.iter().zip(&new.lays).all(|(old, new)| old.lies_as(new))
    }
}

impl Capture {
    /// Why a window cannot go to the encoder as the one buffer that it committed, or that it can.
    pub(crate) fn path_of(&self, window: ToplevelKey, surface: SurfaceKey) -> Path {
        let Some(s) = self.graph.surfaces.get(surface) else { return Path::Direct };
        let Some(content) = &s.applied.content else { return Path::Direct };
        if self.graph.has_mapped_child(surface) {
            return Path::Subsurfaces;
        }
        if self.graph.has_mapped_popup(surface) {
            return Path::Popup;
        }
        if !self.graph.dialogs(window).is_empty() {
            return Path::Dialog;
        }
        let Some(picture) = &content.picture else { return Path::Direct };
        match (picture.direct, s.applied.shows_as_is(picture.size)) {
            (false, _) => Path::Format,
            (_, false) => Path::Scaled,
            _ => Path::Direct,
        }
    }

    /// Something of a window changed, but not by a commit of its own surface: a subsurface's
    /// commit or end, say.
    pub(crate) fn tree_changed(&mut self, window: Option<ToplevelKey>, now_ns: u64) {
        let Some(main) = self.main.filter(|m| Some(m.toplevel) == window) else { return };
        if self.path_from_here(main, false) != Path::Direct {
            self.compose(main.toplevel, MonoTime::from_nanos(now_ns));
        }
    }

    /// Notes on which path the frames of the main window are from now on.
    pub(crate) fn take_path(&mut self, path: Path) {
        let before = self.stats.set_path(path);
        if (before == Path::Direct) != (path == Path::Direct) {
            self.full_next = true;
        }
        if path == Path::Direct {
            self.forget_shown();
        }
        if self.said.paths.insert(path) {
            tracing::info!("frames of the window: {path}");
        } else {
            tracing::debug!("frames of the window: {path}");
        }
    }

    /// Makes a frame of a window and all that stands on it, if anything of it changed.
    pub(crate) fn compose(&mut self, window: ToplevelKey, read: MonoTime) {
        let Some(new) = self.graph.layout(window, self.screen) else { return };
        let lost = self.stats.lost();
        let full = self.full_next || lost != self.lost_seen;
        let mut damage = if full {
            Damage::full(new.size)
        } else if self.composed.lies_as(&new) {
            Damage::none(new.size)
        } else {
            self.composed.difference(&new)
        };
        for lay in &new.lays {
            let Some(surface) = self.graph.surfaces.get_mut(lay.surface) else { continue };
            let Some(fresh) = &mut surface.fresh else { continue };
            for rect in fresh.rects().filter_map(|rect| lay.maps(rect, new.size)) {
                damage.add(rect);
            }
            fresh.clear();
        }
        self.keep_shown(&new.lays);
        if !damage.is_empty() {
            self.lost_seen = lost;
            self.say_that_size_differs(new.size);
            self.hand_scene(&new, damage, read);
        }
        (self.composed.size, self.composed.lays) = (new.size, new.lays);
        self.give_back_what_is_waited_for();
    }

    fn hand_scene(&mut self, layout: &Layout, damage: Damage, read: MonoTime) {
        let layers = layout.lays.iter().map(|lay| lay.layer.clone()).collect();
        let scene = Scene::new(&self.composed.easel, layout.size, layers, &self.stats);
        let scene = Arc::new(scene);
        // All that it shows and the game does not have.
        let buffers = self.shown.clone();
        let hold = self.hold_all(buffers, scene.torn(), read);
        let torn = Arc::clone(scene.torn());
        self.composed.scene = Some(Arc::clone(&scene));
        self.stats.composed.add(1);
        self.put(None, layout.size, damage, scene, torn, hold, read);
    }
}
