//! The main window: which one it is, and how its commits become frames.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use stratus_frame::{Damage, Frame, FrameId, Hold, MonoTime, Replaced, Size, Stamps};

use crate::Capture;
use crate::graph::{BufferKey, Change, Role, Source, SurfaceKey, ToplevelKey};
use crate::owned::CopyError;

/// The window whose pictures are streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Main {
    pub(crate) toplevel: ToplevelKey,
    pub(crate) surface: SurfaceKey,
}

/// The frame put into the mailbox last, which may wait there still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posted {
    id: FrameId,
    buffer: BufferKey,
}

/// What was said of the main window already; each once.
#[derive(Debug, Default)]
pub(crate) struct Said {
    size: bool,
    uncomposed: bool,
    unreadable: bool,
}

impl Capture {
    /// Makes a commit's change the surface's state, and a frame if the surface is the main window.
    pub(crate) fn apply(&mut self, key: SurfaceKey, change: &Change, now_ns: u64) {
        let Some(surface) = self.graph.surfaces.get_mut(key) else { return };
        let was_mapped = surface.applied.content.is_some();
        surface.applied.apply(change);
        let is_mapped = surface.applied.content.is_some();
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
        self.apply_children(key, now_ns);
        if self.main.is_some_and(|m| m.surface == key) {
            self.frame_of_commit(key, change, now_ns);
        }
    }

    /// Applies what synchronized subsurfaces cached until their parent's state was applied.
    fn apply_children(&mut self, parent: SurfaceKey, now_ns: u64) {
        let mut index = 0;
        while let Some(&child) = self.graph.surfaces.get(parent).and_then(|s| s.children.get(index))
        {
            index += 1;
            let Some(surface) = self.graph.surfaces.get_mut(child) else { continue };
            if surface.cached.0.is_empty() {
                continue;
            }
            let cached = std::mem::take(&mut surface.cached).0;
            self.apply(child, &cached, now_ns);
        }
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
        self.main = main;
        self.full_next = true;
        self.said = Said::default();
        let Some(main) = main else {
            tracing::debug!("no window is left");
            return;
        };
        tracing::debug!(window = ?main.toplevel, "another window is the main one");
        // Its predecessor's last picture must not come after the new window's first.
        if let Some(frame) = self.post.retract() {
            self.stats.retracted.add(1);
            self.end_hold(frame.hold);
        }
        if committing != Some(main.surface) {
            self.frame_of_shown(main.surface);
        }
    }

    /// Shows what the surface last committed, if its buffer still is as it was committed: the
    /// client draws in it again as soon as it was released.
    fn frame_of_shown(&mut self, key: SurfaceKey) {
        let content = self.graph.surfaces.get(key).and_then(|s| s.applied.content);
        let Some(key) = content else { return };
        let Some(buffer) = self.graph.buffers.get(key).filter(|b| b.busy) else { return };
        let (size, owed) = (buffer.size(), buffer.owed > 0);
        let Some(size) = size else { return };
        self.hand(key, Damage::full(size), MonoTime::now());
        if owed && self.waits(key) {
            // The compositor has let go of it: the game waits for nobody but us.
            self.copy_out_waiting();
        }
    }

    fn frame_of_commit(&mut self, key: SurfaceKey, change: &Change, now_ns: u64) {
        let Some(surface) = self.graph.surfaces.get(key) else { return };
        let Some(content) = surface.applied.content else { return };
        let Some(buffer) = self.graph.buffers.get(content) else { return };
        let Some(size) = buffer.size() else {
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
        self.lost_seen = lost;
        self.say_what_is_missing(key, size);
        self.hand(content, damage, MonoTime::from_nanos(now_ns));
    }

    fn say_what_is_missing(&mut self, key: SurfaceKey, size: Size) {
        if size != self.screen && !std::mem::replace(&mut self.said.size, true) {
            tracing::info!(
                window = %size,
                stream = %self.screen,
                "the window keeps a size of its own: the stream follows it"
            );
        }
        if self.said.uncomposed {
            return;
        }
        let as_is = self.graph.surfaces.get(key).is_some_and(|s| s.applied.shows_as_is(size));
        if !as_is || self.graph.has_mapped_child(key) {
            self.said.uncomposed = true;
            tracing::warn!(
                "the window has subsurfaces, a crop, a scale or a transform, which are not \
                 composed: its own buffer is streamed as it is"
            );
        }
    }

    /// Puts a frame of `buffer` into the mailbox.
    fn hand(&mut self, key: BufferKey, damage: Damage, read: MonoTime) {
        let Some(buffer) = self.graph.buffers.get(key) else { return };
        let Source::Readable { pixels, size } = &buffer.source else { return };
        let (pixels, size, torn) = (Arc::clone(pixels), *size, Arc::clone(&buffer.torn));
        let hold = self.hold(key, read);
        let id = FrameId(self.next_frame);
        self.next_frame += 1;
        self.full_next = false;
        self.last_size = size;
        self.posted = Some(Posted { id, buffer: key });
        self.stats.set_size(size);
        let stamps = Stamps { read, handed: MonoTime::now(), ..Stamps::default() };
        match self.post.put(Frame { id, stamps, size, damage, pixels, torn, hold }) {
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

    /// Whether a frame of `buffer` waits in the mailbox.
    pub(crate) fn waits(&self, buffer: BufferKey) -> bool {
        let Some(posted) = self.posted.filter(|p| p.buffer == buffer) else { return false };
        self.post.with_waiting(|frame| frame.id == posted.id) == Some(true)
    }

    /// Copies the frame that waits into memory of ours, which ends its hold. If that fails there
    /// is nothing to show, and the frame goes. One that a GPU would have to be asked for stays as
    /// it is: the proxy waits for nobody.
    pub(crate) fn copy_out_waiting(&mut self) {
        let pool = &self.pictures;
        let copied = self.post.with_waiting(|frame| {
            if !frame.pixels.reads_at_once() {
                return Ok(None);
            }
            frame.pixels = pool.copy(&*frame.pixels)?;
            // The buffer's mark is about the game's memory, which this frame no longer needs.
            frame.torn = Arc::new(AtomicBool::new(false));
            Ok::<_, CopyError>(Some(std::mem::replace(&mut frame.hold, Hold::none())))
        });
        match copied {
            None | Some(Ok(None)) => {}
            Some(Ok(Some(hold))) => {
                self.stats.copied_out.add(1);
                self.end_hold(hold);
            }
            Some(Err(error)) => {
                tracing::debug!(%error, "dropping a frame that cannot be copied");
                self.full_next = true;
                if let Some(frame) = self.post.retract() {
                    self.end_hold(frame.hold);
                }
            }
        }
    }
}
