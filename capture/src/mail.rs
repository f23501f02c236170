//! Frames on their way into the mailbox, and back out of it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use stratus_frame::{Damage, Frame, FrameId, Hold, MonoTime, Pixels, Replaced, Size, Stamps};

use crate::Capture;
use crate::graph::BufferKey;
use crate::release::HoldId;

/// The frame put into the mailbox last, which may wait there still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posted {
    id: FrameId,
    /// Its buffer, or several: then the hold knows them.
    buffer: Option<BufferKey>,
    hold: HoldId,
}

impl Capture {
    /// Puts a frame of `buffer` into the mailbox.
    pub(crate) fn hand(&mut self, key: BufferKey, damage: Damage, read: MonoTime) {
        let Some(buffer) = self.graph.buffers.get(key) else { return };
        let Some(picture) = &buffer.picture else { return };
        let Some(pixels) = picture.memory() else { return };
        let (pixels, size, torn) = (Arc::clone(pixels), picture.size, Arc::clone(&buffer.torn));
        let hold = self.hold(key, read);
        self.put(Some(key), size, damage, pixels, torn, hold, read);
    }

    /// Puts a frame into the mailbox.
    #[allow(clippy::too_many_arguments, reason = "what a frame consists of")]
    pub(crate) fn put(
        &mut self,
        buffer: Option<BufferKey>,
        size: Size,
        damage: Damage,
        pixels: Arc<dyn Pixels>,
        torn: Arc<AtomicBool>,
        (hold_id, hold): (HoldId, Hold),
        read: MonoTime,
    ) {
        let id = FrameId(self.next_frame);
        self.next_frame += 1;
        self.full_next = false;
        self.last_size = size;
        self.posted = Some(Posted { id, buffer, hold: hold_id });
        self.stats.set_size(size);
        let stamps = Stamps { read, handed: MonoTime::now(), ..Stamps::default() };
        if id == FrameId(1) {
            tracing::debug!(%size, "the first frame is handed over");
        }
        let newest_input = self.post.inputs().newest();
        let frame = Frame { id, stamps, newest_input, size, damage, pixels, torn, hold };
        match self.post.put(frame) {
            Replaced::Nothing => {}
            Replaced::Waiting(frame) => {
                self.stats.replaced.add(1);
                self.end_hold(frame.hold);
            }
            Replaced::Closed(frame) => {
                self.stats.refused.add(1);
                self.end_hold(frame.hold);
                return;
            }
        }
        self.stats.handed.add(1);
    }

    /// Takes back the frame that waits.
    pub(crate) fn retract(&mut self) {
        if let Some(frame) = self.post.retract() {
            self.stats.retracted.add(1);
            self.end_hold(frame.hold);
        }
    }

    /// Whether a frame of `buffer` waits in the mailbox.
    pub(crate) fn waits(&self, buffer: BufferKey) -> bool {
        let shows = |p: &Posted| match p.buffer {
            Some(one) => one == buffer,
            None => self.hold_covers(p.hold, buffer),
        };
        let Some(posted) = self.posted.filter(shows) else { return false };
        self.post.with_waiting(|frame| frame.id == posted.id) == Some(true)
    }

    /// Copies what is shown of a buffer into memory of ours: in the frame that waits, whose hold
    /// on it ends by that, and in the surface. If that fails there is nothing to show, and the
    /// frame goes. What a GPU would have to be asked for stays where it is: the proxy waits for
    /// nobody.
    pub(crate) fn copy_out(&mut self, key: BufferKey) {
        let Some(buffer) = self.graph.buffers.get(key) else { return };
        let memory = buffer.picture.as_ref().and_then(|p| p.memory());
        let Some(memory) = memory.cloned() else { return };
        if !memory.reads_at_once() {
            return self.give_up_shown(key);
        }
        match self.pictures.copy(&*memory) {
            Ok(copy) => {
                self.stats.copied_out.add(1);
                self.replace_in_waiting(key, &memory, &copy);
                self.keep_copy(key, Some(copy));
            }
            Err(error) => {
                tracing::debug!(%error, "dropping a frame that cannot be copied");
                self.full_next = true;
                if self.waits(key)
                    && let Some(frame) = self.post.retract()
                {
                    self.end_hold(frame.hold);
                }
                if self.shown.contains(&key) {
                    self.keep_copy(key, None);
                }
            }
        }
    }

    /// Lets the frame that waits read `copy` instead of a buffer's `memory`.
    fn replace_in_waiting(
        &mut self,
        key: BufferKey,
        memory: &Arc<dyn Pixels>,
        copy: &Arc<dyn Pixels>,
    ) {
        let Some(posted) = self.posted.filter(|_| self.waits(key)) else { return };
        let scene = self.composed.scene.clone();
        let ended = self.post.with_waiting(|frame| match (posted.buffer, scene) {
            (Some(_), _) => {
                frame.pixels = Arc::clone(copy);
                // The buffer's mark is about the game's memory, which this frame needs no longer.
                frame.torn = Arc::new(AtomicBool::new(false));
                Some(std::mem::replace(&mut frame.hold, Hold::none()))
            }
            (None, Some(scene)) => {
                scene.replace(memory, copy);
                None
            }
            (None, None) => None,
        });
        match ended {
            None => {}
            Some(Some(hold)) => self.end_hold(hold),
            Some(None) => self.end_part_of_hold(posted.hold, key),
        }
    }
}
