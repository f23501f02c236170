//! Buffers that a composed window shows: their pixels are needed until others take their place.
//!
//! A surface that did not commit is composed again when what lies above or below it changes. So
//! its buffer is kept from the game, as every compositor without copies of its own does; where the
//! game has no other buffer to draw in, or waits for long, the pixels are copied and it gets it.

use std::sync::Arc;

use stratus_compose::Content as Pixels;
use stratus_frame::Pixels as FramePixels;

use crate::Capture;
use crate::graph::BufferKey;
use crate::layout::Lay;

impl Capture {
    /// From now on the window shows `lays`, and nothing else.
    pub(crate) fn keep_shown(&mut self, lays: &[Lay]) {
        let mut before = std::mem::take(&mut self.shown);
        // What the game has back it may draw in: there is nothing to keep.
        for key in lays.iter().filter_map(|lay| self.still_ours(lay)).collect::<Vec<_>>() {
            if !self.shown.contains(&key)
                && let Some(buffer) = self.graph.buffers.get_mut(key)
            {
                buffer.shown = true;
                self.shown.push(key);
            }
        }
        before.retain(|key| !self.shown.contains(key));
        for key in before.drain(..) {
            self.end_shown(key);
        }
    }

    /// The buffer whose memory a layer shows, if the client has not got it back.
    fn still_ours(&self, lay: &Lay) -> Option<BufferKey> {
        let Pixels::Pixels(pixels) = &lay.layer.content else { return None };
        let buffer = self.graph.buffers.get(lay.buffer).filter(|buffer| buffer.busy)?;
        let memory = buffer.picture.as_ref().and_then(|p| p.memory())?;
        Arc::ptr_eq(memory, pixels).then_some(lay.buffer)
    }

    /// No window is composed any more.
    pub(crate) fn forget_shown(&mut self) {
        for key in std::mem::take(&mut self.shown) {
            self.end_shown(key);
        }
        self.composed.forget();
    }

    fn end_shown(&mut self, key: BufferKey) {
        if let Some(buffer) = self.graph.buffers.get_mut(key) {
            buffer.shown = false;
            if buffer.holds == 0 {
                self.unblock(key);
            }
        }
    }

    /// Copies what is shown of buffers that a client lacks, so that it gets them.
    pub(crate) fn give_back_what_is_waited_for(&mut self) {
        for index in (0..self.shown.len()).rev() {
            let Some(&key) = self.shown.get(index) else { continue };
            let owed = self.graph.buffers.get(key).is_some_and(|b| b.owed > 0 && b.holds == 0);
            if owed && !self.has_spare_buffer(key) {
                self.copy_out(key);
            }
        }
    }

    /// Lets a client draw in a buffer that a window shows and that cannot be copied, if it has no
    /// other: what is composed of it until its next commit may show what it draws.
    pub(crate) fn give_up_shown(&mut self, key: BufferKey) {
        if self.shown.contains(&key) && !self.has_spare_buffer(key) {
            self.shown.retain(|&k| k != key);
            self.end_shown(key);
        }
    }

    /// The surface that shows a buffer shows `copy` from now on; nothing without one.
    pub(crate) fn keep_copy(&mut self, key: BufferKey, copy: Option<Arc<dyn FramePixels>>) {
        let surface = self.graph.buffers.get(key).and_then(|b| b.surface);
        let content = surface.and_then(|s| self.graph.surfaces.get_mut(s));
        let content = content.and_then(|s| s.applied.content.as_mut()).filter(|c| c.buffer == key);
        if let Some(content) = content {
            match (copy, &mut content.picture) {
                (Some(copy), Some(picture)) => picture.pixels = Pixels::Pixels(copy),
                (_, picture) => *picture = None,
            }
        }
        if self.shown.contains(&key) {
            self.shown.retain(|&k| k != key);
            self.end_shown(key);
        }
    }
}
