//! The three states of a surface: what was asked for, what waits for the parent, what shows.
//!
//! Requests on a `wl_surface` fill [`Pending`]. `wl_surface.commit` turns that into [`Applied`],
//! or, for a synchronized subsurface, adds it to [`Cached`], which is applied together with the
//! parent's state (`wl_subsurface`, "synchronized mode").

use stratus_frame::{Damage, Rect, Size};

use super::{BufferKey, Content, Stack};

/// Rectangles kept before all counts as damaged; the encoder's own limit is no higher.
const MAX_RECTS: usize = 8;

/// State asked for since the last commit.
#[derive(Debug, Default)]
pub(crate) struct Pending(pub(crate) Change);

/// Committed state of a synchronized subsurface that waits for its parent, where there is some:
/// most surfaces never have any.
#[derive(Debug, Default)]
pub(crate) struct Cached(pub(crate) Option<Box<Change>>);

impl Cached {
    /// Adds what a commit says.
    pub(crate) fn add(&mut self, change: Change) {
        match &mut self.0 {
            Some(cached) => cached.merge(change),
            none => *none = Some(Box::new(change)),
        }
    }

    /// Takes what there is; nothing is left.
    pub(crate) fn take(&mut self) -> Change {
        self.0.take().map(|change| *change).unwrap_or_default()
    }
}

/// What was attached: a buffer by its key, and from the commit on what it shows. The inner `None`
/// is nil.
#[derive(Debug)]
pub(crate) enum Attach {
    /// `wl_surface.attach`.
    Asked(Option<BufferKey>),
    /// The same at its commit.
    Committed(Option<Content>),
}

/// What one commit changes; `None` where it says nothing.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) attach: Option<Attach>,
    pub(crate) damage: ClientDamage,
    pub(crate) scale: Option<i32>,
    pub(crate) transform: Option<u32>,
    pub(crate) viewport: Option<Viewport>,
    /// `wp_alpha_modifier_surface_v1.set_multiplier`; `u32::MAX` is solid.
    pub(crate) alpha: Option<u32>,
    /// `xdg_surface.set_window_geometry`: x, y, width, height in surface coordinates.
    pub(crate) geometry: Option<[i32; 4]>,
    /// Where the surface's subsurfaces lie, and in which order.
    pub(crate) stack: Option<Box<Stack>>,
}

impl Change {
    /// Whether a commit of this changes nothing of what we follow.
    pub(crate) fn is_empty(&self) -> bool {
        self.attach.is_none()
            && self.damage.is_empty()
            && self.scale.is_none()
            && self.transform.is_none()
            && self.viewport.is_none()
            && self.alpha.is_none()
            && self.geometry.is_none()
            && self.stack.is_none()
    }

    /// Adds a later change.
    pub(crate) fn merge(&mut self, later: Self) {
        self.attach = later.attach.or(self.attach.take());
        self.damage.merge(&later.damage);
        self.scale = later.scale.or(self.scale);
        self.transform = later.transform.or(self.transform);
        self.viewport = later.viewport.or(self.viewport);
        self.alpha = later.alpha.or(self.alpha);
        self.geometry = later.geometry.or(self.geometry);
        self.stack = later.stack.or(self.stack.take());
    }
}

/// State that the compositor shows, or will once it has read the commit.
#[derive(Debug)]
pub(crate) struct Applied {
    /// What was attached last; nothing while the surface is not mapped.
    pub(crate) content: Option<Content>,
    pub(crate) scale: i32,
    pub(crate) transform: u32,
    pub(crate) viewport: Viewport,
    pub(crate) alpha: u32,
    pub(crate) geometry: Option<[i32; 4]>,
    /// Its subsurfaces; none of them is followed while there is no stack.
    pub(crate) stack: Option<Box<Stack>>,
}

impl Default for Applied {
    fn default() -> Self {
        // The initial values that `wl_surface`, `wp_viewport` and `wp_alpha_modifier_v1` state.
        Self {
            content: None,
            scale: 1,
            transform: 0,
            viewport: Viewport::default(),
            alpha: u32::MAX,
            geometry: None,
            stack: None,
        }
    }
}

impl Applied {
    /// Takes over what `change` says, apart from its damage.
    pub(crate) fn apply(&mut self, change: &mut Change) {
        match change.attach.take() {
            None => {}
            Some(Attach::Committed(content)) => self.content = content,
            // Nothing is applied before its commit.
            Some(Attach::Asked(_)) => self.content = None,
        }
        self.scale = change.scale.unwrap_or(self.scale);
        self.transform = change.transform.unwrap_or(self.transform);
        self.viewport = change.viewport.unwrap_or(self.viewport);
        self.alpha = change.alpha.unwrap_or(self.alpha);
        self.geometry = change.geometry.or(self.geometry);
        if let Some(stack) = change.stack.take() {
            self.stack = Some(stack);
        }
    }

    /// Whether a buffer of `size` shows pixel for pixel and is all that shows: no crop, scale,
    /// transform or opacity, and a window geometry, if there is one, of just that size.
    pub(crate) fn shows_as_is(&self, size: Size) -> bool {
        let Viewport { source, destination } = self.viewport;
        let covers = destination.is_none_or(|d| d == size);
        let framed = self.geometry.is_none_or(|[x, y, width, height]| {
            let sides = (u32::try_from(width), u32::try_from(height));
            (x, y) == (0, 0) && sides == (Ok(size.width), Ok(size.height))
        });
        let plain = self.scale == 1 && self.transform == 0 && self.alpha == u32::MAX;
        plain && source.is_none() && covers && framed
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
    pub(crate) fn is_empty(&self) -> bool {
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
