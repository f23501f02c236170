//! What other threads may ask of a running capture.
//!
//! A wish lies in a slot where a newer one replaces it, and the proxy's loop is woken: nobody
//! waits, and a storm of wishes costs no more than its last.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use stratus_frame::Size;

/// The smallest side of a screen, in pixels: below it no game draws anything.
pub const SMALLEST_SIDE: u32 = 16;
/// The largest side of a screen, in pixels; encoders stop there too.
pub const LARGEST_SIDE: u32 = 16_384;

/// What the game is told of its only screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Pixels.
    pub size: Size,
    /// Refresh rate in mHz (`wl_output.mode`), e.g. 60000.
    pub refresh_mhz: u32,
}

impl Screen {
    /// Whether games can be told this.
    ///
    /// # Errors
    /// [`BadScreen`] says what is wrong with it.
    pub fn check(self) -> Result<(), BadScreen> {
        let fits = |side| (SMALLEST_SIDE..=LARGEST_SIDE).contains(&side);
        if !fits(self.size.width) || !fits(self.size.height) {
            return Err(BadScreen::Size(self.size));
        }
        match i32::try_from(self.refresh_mhz) {
            Ok(1..) => Ok(()),
            _ => Err(BadScreen::Refresh(self.refresh_mhz)),
        }
    }
}

/// A screen that no game can be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadScreen {
    /// A side is too short or too long.
    #[error("{0} pixels: each side must have {SMALLEST_SIDE} to {LARGEST_SIDE}")]
    Size(Size),
    /// `wl_output.mode` has no room for it, or it is 0.
    #[error("a refresh rate of {0} mHz cannot be told")]
    Refresh(u32),
}

/// What was asked for and not done yet; `None` where nothing was.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wish {
    pub(crate) screen: Option<Screen>,
    pub(crate) watched: Option<bool>,
}

/// Where wishes lie.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    /// Whether there is any, so that the loop looks without a lock.
    any: AtomicBool,
    wish: Mutex<Wish>,
}

impl Wishes {
    /// Takes what was asked for since the last call.
    pub(crate) fn take(&self) -> Option<Wish> {
        // The lock orders the rest; a wish that this misses has a wake-up behind it.
        if !self.any.load(Ordering::Relaxed) {
            return None;
        }
        let mut wish = self.wish.lock().unwrap_or_else(PoisonError::into_inner);
        self.any.store(false, Ordering::Relaxed);
        Some(std::mem::take(&mut *wish))
    }

    fn change(&self, change: impl FnOnce(&mut Wish)) {
        let mut wish = self.wish.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut wish);
        self.any.store(true, Ordering::Relaxed);
    }
}

/// Changes a capture while it runs, from any thread; cheap to clone. Nothing here waits.
#[derive(Clone, Debug)]
pub struct CaptureControl {
    wishes: Arc<Wishes>,
    waker: Waker,
}

impl CaptureControl {
    pub(crate) fn new(wishes: Arc<Wishes>, waker: Waker) -> Self {
        Self { wishes, waker }
    }

    /// Gives all games another screen. While a game has not drawn what it was told last, only the
    /// newest screen is kept for it.
    ///
    /// # Errors
    /// [`BadScreen`] if none can be told of it; nothing changes then.
    pub fn resize(&self, screen: Screen) -> Result<(), BadScreen> {
        screen.check()?;
        self.wishes.change(|wish| wish.screen = Some(screen));
        self.waker.wake_by_ref();
        Ok(())
    }

    /// Says whether anybody watches: games are slowed down while nobody does, see
    /// [`crate::CaptureConfig::idle_interval`]. A capture is watched until this says otherwise.
    pub fn set_watched(&self, watched: bool) {
        self.wishes.change(|wish| wish.watched = Some(watched));
        self.waker.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn screen(width: u32, height: u32, refresh_mhz: u32) -> Screen {
        Screen { size: Size::new(width, height), refresh_mhz }
    }

    #[test]
    fn the_newest_wish_is_taken_and_bad_ones_change_nothing() {
        let wishes = Arc::new(Wishes::default());
        let control = CaptureControl::new(Arc::clone(&wishes), Waker::noop().clone());
        assert!(wishes.take().is_none());
        for side in 100..200 {
            assert_eq!(control.resize(screen(side, 99, 60_000)), Ok(()));
        }
        for bad in
            [screen(15, 99, 1), screen(99, 16_385, 1), screen(99, 99, 0), screen(99, 99, 1 << 31)]
        {
            assert!(control.resize(bad).is_err(), "{bad:?}");
        }
        control.set_watched(false);
        let wish = wishes.take();
        assert_eq!(wish.and_then(|w| w.screen), Some(screen(199, 99, 60_000)));
        assert_eq!(wish.and_then(|w| w.watched), Some(false));
        assert!(wishes.take().is_none());
    }
}
