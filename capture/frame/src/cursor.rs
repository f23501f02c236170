//! The cursor as the game wants it: a value of its own, never part of a picture.
//!
//! The player draws it where its own pointer is, so that it moves without the stream's delay. The
//! capture leaves its newest state in a [`CursorCell`], which tells whoever ships it of each change.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::Size;

/// The most pixels of a cursor's image: 256x256, which is what displays' cursor planes have.
pub const MAX_CURSOR_PIXELS: u32 = 256 * 256;
/// The largest width and height of a cursor's image, in pixels.
pub const MAX_CURSOR_SIDE: u32 = 512;

/// Numbers the different images of a session from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CursorId(pub u64);

/// An image, upright.
#[derive(Clone, PartialEq, Eq)]
pub struct CursorImage {
    /// Its number; equal images have equal numbers as long as they are remembered.
    pub id: CursorId,
    /// Width and height in pixels, at most [`MAX_CURSOR_PIXELS`] and [`MAX_CURSOR_SIDE`].
    pub size: Size,
    /// Rows of bytes B G R A without gaps; colours are premultiplied with alpha.
    pub bgra: Bytes,
}

impl std::fmt::Debug for CursorImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CursorImage({}, {})", self.id.0, self.size)
    }
}

/// What the cursor looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CursorLook {
    /// The game has not said since the pointer entered its window, or said what cannot be read.
    #[default]
    Unknown,
    /// There is none to be seen.
    Hidden,
    /// One of the player's own, named as in `wp_cursor_shape_device_v1.shape`, with hyphens as in
    /// CSS: "default", "nw-resize".
    Shape(Cow<'static, str>),
    /// An image of the game's.
    Image {
        /// The pixels.
        image: Arc<CursorImage>,
        /// Width and height that it is to be shown with, in pixels of the stream: less than its
        /// own where the game drew it for a denser screen.
        shown: Size,
        /// The point of it, from its top left corner as it is shown, that points. Games may state
        /// one outside.
        hotspot: (i32, i32),
    },
}

/// Whether the pointer moves freely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PointerBounds {
    /// It does.
    #[default]
    Free,
    /// It stands still; motion reaches the game as relative motion alone
    /// (`zwp_locked_pointer_v1`).
    Locked {
        /// Where the game says that the pointer should be when it is free again, in surface
        /// coordinates as 24.8 fixed-point numbers.
        hint: Option<(i32, i32)>,
    },
    /// It stays inside a part of the window (`zwp_confined_pointer_v1`).
    Confined,
}

/// Everything that a player needs to draw the cursor itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CursorState {
    /// What it looks like.
    pub look: CursorLook,
    /// How it moves.
    pub bounds: PointerBounds,
}

type Follower = Arc<dyn Fn(CursorState) + Send + Sync>;

#[derive(Default)]
struct Inside {
    state: CursorState,
    follower: Option<Follower>,
}

/// Where the newest state lies. Clones share it.
#[derive(Clone, Default)]
pub struct CursorCell(Arc<Mutex<Inside>>);

impl CursorCell {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells `follower` of the state now and of each change, on the thread that makes it: it must
    /// return soon, and wait for nobody.
    pub fn follow(&self, follower: impl Fn(CursorState) + Send + Sync + 'static) {
        let follower: Follower = Arc::new(follower);
        let state = {
            let mut inside = self.lock();
            inside.follower = Some(Arc::clone(&follower));
            inside.state.clone()
        };
        follower(state);
    }

    /// Puts `state` in place of the one before, and tells of it if it differs.
    pub fn put(&self, state: CursorState) {
        let mut inside = self.lock();
        if inside.state == state {
            return;
        }
        inside.state = state.clone();
        let follower = inside.follower.clone();
        drop(inside);
        if let Some(follower) = follower {
            follower(state);
        }
    }

    /// The state now.
    #[must_use]
    pub fn latest(&self) -> CursorState {
        self.lock().state.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_state_stays_and_only_changes_are_told() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let cell = CursorCell::default();
        let hidden = CursorState { look: CursorLook::Hidden, ..CursorState::default() };
        let shape =
            CursorState { look: CursorLook::Shape("text".into()), ..CursorState::default() };
        cell.put(hidden.clone());
        let into = Arc::clone(&told);
        cell.follow(move |state| into.lock().unwrap_or_else(PoisonError::into_inner).push(state));
        for state in [&hidden, &shape, &shape] {
            cell.clone().put(state.clone());
        }
        assert_eq!(cell.latest(), shape);
        assert_eq!(*told.lock().unwrap_or_else(PoisonError::into_inner), [hidden, shape]);
    }
}
