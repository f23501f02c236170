//! The cursor: what the client under the pointer says of it, as a state for players.
//!
//! Which client that is, `wl_pointer.enter` and `leave` tell. It says again after each enter what
//! the cursor shall be, by a surface or by a shape's name; until then it is unknown. Surfaces are
//! read at their commits, small and once, so that a cursor never keeps a buffer from its game.
//! Nothing here touches a message or a surface: handlers tell, and the newest state lies in a
//! [`CursorCell`].

mod constraint;
mod image;

use std::collections::VecDeque;
use std::sync::Arc;

use stratus_frame::{CursorCell, CursorImage, CursorLook, CursorState, Size};
use stratus_proxy_core::ClientId;

use crate::Capture;
use crate::graph::{Role, SurfaceKey};

use constraint::Constraints;
pub(crate) use constraint::{Constraint, ConstraintKey, Kind};
use image::{Drawing, Images};

/// Surfaces whose pictures are kept although they are not the cursor now. Games that keep a
/// surface for each of their cursors have some dozens.
const MAX_DRAWN: usize = 64;

/// What a surface shows since its last commit.
#[derive(Clone, Debug, Default)]
enum Content {
    /// Nothing: as a cursor it hides the pointer.
    #[default]
    Nothing,
    /// What cannot be read.
    Unreadable,
    Image(Arc<CursorImage>, Size),
}

/// A surface that is a cursor, or may become one.
#[derive(Debug)]
struct Drawn {
    surface: SurfaceKey,
    /// `wl_surface.offset`, which the next commit applies.
    offset: (i32, i32),
    content: Content,
}

/// What the client under the pointer said last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Said {
    #[default]
    Nothing,
    Hidden,
    Shape(&'static str),
    Surface {
        surface: SurfaceKey,
        hotspot: (i32, i32),
    },
}

/// The pointer's focus, cursor and bounds.
#[derive(Default)]
pub(crate) struct Cursor {
    cell: CursorCell,
    /// The client under the pointer, and the serial with which it was entered.
    focus: Option<(ClientId, u32)>,
    said: Said,
    drawn: VecDeque<Drawn>,
    images: Images,
    constraints: Constraints,
}

impl Cursor {
    /// Where the newest state lies.
    pub(crate) fn cell(&self) -> CursorCell {
        self.cell.clone()
    }

    /// `wl_pointer.enter`. Each pointer object of a client gets one, all with the same serial.
    pub(crate) fn entered(&mut self, client: ClientId, serial: u32) {
        if self.focus.replace((client, serial)) != Some((client, serial)) {
            self.say(Said::Nothing);
        }
    }

    /// `wl_pointer.leave`.
    pub(crate) fn left(&mut self, client: ClientId) {
        if self.is_focus(client) {
            self.focus = None;
            self.say(Said::Nothing);
        }
    }

    fn is_focus(&self, client: ClientId) -> bool {
        self.focus.is_some_and(|(focus, _)| focus == client)
    }

    /// `wl_pointer.set_cursor`. By the protocol it counts with the serial of the newest enter
    /// alone; compositors look at the focus, and what they show is what the player would see.
    fn set_surface(&mut self, client: ClientId, surface: Option<SurfaceKey>, hotspot: (i32, i32)) {
        if self.is_focus(client) {
            self.say(match surface {
                Some(surface) => Said::Surface { surface, hotspot },
                None => Said::Hidden,
            });
        }
    }

    /// `wp_cursor_shape_device_v1.set_shape`.
    pub(crate) fn set_shape(&mut self, client: ClientId, shape: &'static str) {
        if self.is_focus(client) {
            self.say(Said::Shape(shape));
        }
    }

    fn say(&mut self, said: Said) {
        self.said = said;
        self.tell();
    }

    /// The entry of a surface, made if there is none.
    fn drawn(&mut self, surface: SurfaceKey) -> &mut Drawn {
        let at = self.drawn.iter().position(|d| d.surface == surface);
        let at = at.unwrap_or_else(|| {
            if self.drawn.len() >= MAX_DRAWN {
                let oldest = self.drawn.iter().position(|d| !self.said.is_of(d.surface));
                self.drawn.remove(oldest.unwrap_or(0));
            }
            let content = Content::default();
            self.drawn.push_back(Drawn { surface, offset: (0, 0), content });
            self.drawn.len() - 1
        });
        &mut self.drawn[at]
    }

    /// A commit of a surface was applied. `drawing` is what it shows now.
    fn committed(&mut self, surface: SurfaceKey, drawing: Option<&Drawing>) {
        let content = match drawing.map(|drawing| self.images.take(drawing)) {
            None => Content::Nothing,
            Some(Ok((image, shown))) => Content::Image(image, shown),
            Some(Err(why)) => {
                tracing::debug!("a cursor is not shown: {why}");
                Content::Unreadable
            }
        };
        // Surfaces that never show anything need no entry.
        let nothing = matches!(content, Content::Nothing);
        if !nothing || self.drawn.iter().any(|d| d.surface == surface) {
            self.drawn(surface).content = content;
        }
        self.tell();
    }

    /// Applies the offset of a commit: the hotspot moves against the surface.
    fn offset_committed(&mut self, surface: SurfaceKey) {
        let drawn = self.drawn.iter_mut().find(|d| d.surface == surface);
        let (dx, dy) = drawn.map_or((0, 0), |d| std::mem::take(&mut d.offset));
        if let Said::Surface { surface: current, hotspot: (x, y) } = &mut self.said
            && *current == surface
        {
            *x = x.saturating_sub(dx);
            *y = y.saturating_sub(dy);
            self.tell();
        }
    }

    /// A surface is gone; as a cursor it leaves nothing to see.
    pub(crate) fn surface_gone(&mut self, surface: SurfaceKey) {
        self.drawn.retain(|d| d.surface != surface);
        if self.said.is_of(surface) {
            self.say(Said::Hidden);
        }
    }

    /// A client is gone with all of its objects.
    pub(crate) fn client_gone(&mut self, client: ClientId) {
        self.left(client);
        self.constraints.client_gone(client);
        self.tell();
    }

    /// Changes what is known of pointer constraints.
    pub(crate) fn with_constraints<R>(&mut self, change: impl FnOnce(&mut Constraints) -> R) -> R {
        let result = change(&mut self.constraints);
        self.tell();
        result
    }

    fn state(&self) -> CursorState {
        let look = match self.said {
            Said::Nothing => CursorLook::Unknown,
            Said::Hidden => CursorLook::Hidden,
            Said::Shape(name) => CursorLook::Shape(name.into()),
            Said::Surface { surface, hotspot } => {
                match self.drawn.iter().find(|d| d.surface == surface).map(|d| &d.content) {
                    None | Some(Content::Nothing) => CursorLook::Hidden,
                    Some(Content::Unreadable) => CursorLook::Unknown,
                    Some(Content::Image(image, shown)) => {
                        CursorLook::Image { image: Arc::clone(image), shown: *shown, hotspot }
                    }
                }
            }
        };
        CursorState { look, bounds: self.constraints.bounds() }
    }

    fn tell(&self) {
        self.cell.put(self.state());
    }
}

impl Said {
    fn is_of(self, surface: SurfaceKey) -> bool {
        matches!(self, Self::Surface { surface: s, .. } if s == surface)
    }
}

impl Capture {
    /// `wl_pointer.set_cursor`.
    pub(crate) fn cursor_set(
        &mut self,
        client: ClientId,
        surface: Option<SurfaceKey>,
        hotspot: (i32, i32),
    ) {
        let forgotten = |key: &SurfaceKey| !self.cursor.drawn.iter().any(|d| d.surface == *key);
        if let Some(key) = surface.filter(forgotten)
            && self.graph.surfaces.get(key).is_some_and(|s| s.applied.content.is_some())
        {
            // Its picture may have been drawn over since.
            self.cursor.drawn(key).content = Content::Unreadable;
        }
        self.cursor.set_surface(client, surface, hotspot);
    }

    /// Whether a surface is the cursor, or may become it.
    fn may_be_cursor(&self, key: SurfaceKey) -> bool {
        let role = self.graph.surfaces.get(key).map(|s| s.role);
        matches!(role, Some(Role::None | Role::Cursor))
    }

    /// `wl_surface.offset`, or the place in `wl_surface.attach`.
    pub(crate) fn cursor_moved(&mut self, key: SurfaceKey, offset: (i32, i32)) {
        if offset != (0, 0) && self.may_be_cursor(key) {
            self.cursor.drawn(key).offset = offset;
        }
    }

    /// A commit was applied; `changes` says whether there was something in it that we follow.
    pub(crate) fn cursor_committed(&mut self, key: SurfaceKey, changes: bool) {
        if self.cursor.constraints.has_hint_for(key) {
            self.cursor.with_constraints(|all| all.committed(key));
        }
        if !self.may_be_cursor(key) {
            return;
        }
        let Some(surface) = self.graph.surfaces.get(key) else { return };
        if changes {
            let drawing = Drawing::of(surface);
            self.stats.cursors.add(u64::from(drawing.is_some()));
            self.cursor.committed(key, drawing.as_ref());
        }
        self.cursor.offset_committed(key);
    }
}

#[cfg(test)]
mod tests;
