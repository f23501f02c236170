//! The three states of a surface: what was asked for, what waits for the parent, what shows.
//!
//! Requests on a `wl_surface` fill [`Pending`]. `wl_surface.commit` turns that into [`Applied`],
//! or, for a synchronized subsurface, adds it to [`Cached`], which is applied together with the
//! parent's state (`wl_subsurface`, "synchronized mode").

use stratus_frame::{Damage, Rect, Size};

use super::BufferKey;

/// Rectangles kept before all counts as damaged; the encoder's own limit is no higher.
const MAX_RECTS: usize = 8;

/// State asked for since the last commit.
#[derive(Debug, Default)]
pub(crate) struct Pending(pub(crate) Change);

/// Committed state of a synchronized subsurface that waits for its parent.
#[derive(Debug, Default)]
pub(crate) struct Cached(pub(crate) Change);

/// What one commit changes; `None` where it says nothing.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// `wl_surface.attach`, with nil as the inner `None`.
    pub(crate) attach: Option<Option<BufferKey>>,
    pub(crate) damage: ClientDamage,
    pub(crate) scale: Option<i32>,
    pub(crate) transform: Option<u32>,
    pub(crate) viewport: Option<Viewport>,
}

impl Change {
    /// Whether a commit of this changes nothing of what we follow.
    pub(crate) fn is_empty(&self) -> bool {
        self.attach.is_none()
            && self.damage.is_empty()
            && self.scale.is_none()
            && self.transform.is_none()
            && self.viewport.is_none()
    }

    /// Adds a later change.
    pub(crate) fn merge(&mut self, later: Self) {
        self.attach = later.attach.or(self.attach);
        self.damage.merge(&later.damage);
        self.scale = later.scale.or(self.scale);
        self.transform = later.transform.or(self.transform);
        self.viewport = later.viewport.or(self.viewport);
    }
}

/// State that the compositor shows, or will once it has read the commit.
#[derive(Debug)]
pub(crate) struct Applied {
    /// The buffer attached last; its key may have outlived it.
    pub(crate) content: Option<BufferKey>,
    scale: i32,
    transform: u32,
    pub(crate) viewport: Viewport,
}

impl Default for Applied {
    fn default() -> Self {
        // The initial values that `wl_surface` and `wp_viewport` state.
        Self { content: None, scale: 1, transform: 0, viewport: Viewport::default() }
    }
}

impl Applied {
    /// Takes over what `change` says, apart from its damage.
    pub(crate) fn apply(&mut self, change: &Change) {
        if let Some(content) = change.attach {
            self.content = content;
        }
        self.scale = change.scale.unwrap_or(self.scale);
        self.transform = change.transform.unwrap_or(self.transform);
        self.viewport = change.viewport.unwrap_or(self.viewport);
    }

    /// Whether a buffer of `size` shows pixel for pixel: no crop, scale or transform.
    pub(crate) fn shows_as_is(&self, size: Size) -> bool {
        let Viewport { source, destination } = self.viewport;
        let covers = destination.is_none_or(|d| d == size);
        self.scale == 1 && self.transform == 0 && source.is_none() && covers
    }
}

/// What `wp_viewport` sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Viewport {
    /// The crop: x, y, width, height as raw 24.8 fixed-point numbers, in surface coordinates.
    pub(crate) source: Option<[i32; 4]>,
    /// The size that the crop is scaled to.
    pub(crate) destination: Option<Size>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Space {
    Surface,
    Buffer,
}

/// Damage as the client states it: any numbers, in surface or buffer coordinates.
#[derive(Debug, Default)]
pub(crate) struct ClientDamage {
    rects: [Option<(Space, [i32; 4])>; MAX_RECTS],
    len: usize,
    overflowed: bool,
}

impl ClientDamage {
    fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds `wl_surface.damage`: x, y, width, height in surface coordinates.
    pub(crate) fn add_surface(&mut self, rect: [i32; 4]) {
        self.add((Space::Surface, rect));
    }

    /// Adds `wl_surface.damage_buffer`: the same in buffer coordinates.
    pub(crate) fn add_buffer(&mut self, rect: [i32; 4]) {
        self.add((Space::Buffer, rect));
    }

    fn add(&mut self, rect: (Space, [i32; 4])) {
        // A client that damages line by line repeats nothing, one that repeats does so at once.
        if self.len > 0 && self.rects[self.len - 1] == Some(rect) {
            return;
        }
        match self.rects.get_mut(self.len) {
            Some(free) => {
                *free = Some(rect);
                self.len += 1;
            }
            None => self.overflowed = true,
        }
    }

    fn merge(&mut self, later: &Self) {
        self.overflowed |= later.overflowed;
        for &rect in later.rects.iter().flatten() {
            self.add(rect);
        }
    }

    /// The damage of a buffer of `size` shown as `applied` says; more than stated where the exact
    /// part would cost more than it saves.
    pub(crate) fn resolve(&self, size: Size, applied: &Applied) -> Damage {
        let mut damage = Damage::none(size);
        if self.is_empty() {
            return damage;
        }
        let plain = applied.transform == 0 && applied.viewport == Viewport::default();
        for &(space, rect) in self.rects.iter().flatten() {
            let rect = match space {
                Space::Buffer => Some(rect),
                Space::Surface if plain => scaled(rect, applied.scale),
                Space::Surface => None,
            };
            let Some([x, y, width, height]) = rect.filter(|_| !self.overflowed) else {
                return Damage::full(size);
            };
            if let Some(rect) = Rect::clipped(x, y, width, height, size) {
                damage.add(rect);
            }
        }
        damage
    }
}

/// `rect` in buffer coordinates, or `None` where that exceeds the numbers.
fn scaled(rect: [i32; 4], scale: i32) -> Option<[i32; 4]> {
    if scale == 1 {
        return Some(rect);
    }
    let [x, y, width, height] = rect.map(|n| n.checked_mul(scale));
    Some([x?, y?, width?, height?])
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
