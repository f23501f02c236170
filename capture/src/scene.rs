//! A window of several surfaces as one picture: made when it is read, where it changed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stratus_compose::{Canvas, Content, Layer};
use stratus_frame::{Damage, PixelView, Pixels, ReadError, Size};

use crate::CaptureStats;

/// The picture of ours that all scenes of a session are composed into, one after the other.
#[derive(Default)]
pub(crate) struct Easel {
    canvas: Canvas,
    /// The mark of the scene composed last: torn, its picture cannot be built upon.
    last: Option<Arc<AtomicBool>>,
}

/// What a window shows at one commit.
pub(crate) struct Scene {
    easel: Arc<Mutex<Easel>>,
    size: Size,
    layers: Mutex<Vec<Layer>>,
    torn: Arc<AtomicBool>,
    stats: Arc<CaptureStats>,
}

impl Scene {
    pub(crate) fn new(
        easel: &Arc<Mutex<Easel>>,
        size: Size,
        layers: Vec<Layer>,
        stats: &Arc<CaptureStats>,
    ) -> Self {
        let torn = Arc::new(AtomicBool::new(false));
        let (easel, stats) = (Arc::clone(easel), Arc::clone(stats));
        Self { easel, size, layers: Mutex::new(layers), torn, stats }
    }

    /// The mark of its frame.
    pub(crate) fn torn(&self) -> &Arc<AtomicBool> {
        &self.torn
    }

    /// Replaces pixels by others that show the same: a copy of a buffer that the game needs. Must
    /// not be called while the scene is read, or the caller waits for the reader.
    pub(crate) fn replace(&self, pixels: &Arc<dyn Pixels>, by: &Arc<dyn Pixels>) {
        for layer in lock(&self.layers).iter_mut() {
            if let Content::Pixels(shown) = &mut layer.content
                && Arc::ptr_eq(shown, pixels)
            {
                *shown = Arc::clone(by);
            }
        }
    }
}

impl Pixels for Scene {
    fn read(&self, read: &mut dyn FnMut(PixelView<'_>)) -> Result<(), ReadError> {
        self.read_changed(&Damage::full(self.size), read)
    }

    fn read_changed(
        &self,
        changed: &Damage,
        read: &mut dyn FnMut(PixelView<'_>),
    ) -> Result<(), ReadError> {
        let mut easel = lock(&self.easel);
        let last = easel.last.replace(Arc::clone(&self.torn));
        if last.is_some_and(|torn| torn.load(Ordering::Acquire)) {
            easel.canvas.distrust();
        }
        let composed = easel.canvas.compose(self.size, &lock(&self.layers), changed);
        self.stats.composed_pixels.add(easel.canvas.composed_pixels());
        composed.map_err(|error| {
            tracing::debug!(%error, "a window cannot be composed");
            ReadError::Truncated
        })?;
        let view = easel.canvas.view().ok_or(ReadError::Truncated)?;
        read(view);
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A canvas or a list is whole between any two statements that hold its lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
