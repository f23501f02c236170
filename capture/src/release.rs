//! When a buffer goes back to the game.
//!
//! The compositor says that it is done with `wl_buffer.release`; our encoder says so by dropping
//! its [`Hold`]. The game gets the event when both have. Three rules keep it from starving: a
//! newer frame replaces the one that waits, whose hold ends at once; a frame that still waits
//! when the game has no other buffer is copied out; and at a deadline any hold ends by force.
//!
//! A frame that a GPU would have to be asked for is not copied out, because the proxy would wait
//! for the answer. It waits at most for the read at hand, and the game with it: one frame is read
//! and one waits, so of three buffers one is always free, and of two the one comes back that is
//! read. Compositors keep such a buffer until the next commit anyway, which replaces the frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use slotmap::{SlotMap, new_key_type};
use stratus_frame::{Hold, HoldKey, MonoTime, Released};
use stratus_protocols::wl_buffer;
use stratus_proxy_core::{ClientId, Context, Verdict};

use crate::Capture;
use crate::graph::{BufferKey, SurfaceKey, from_data, to_data};

/// A surface that attached so many new buffers in a row makes one for every frame (GTK does): it
/// does not wait for any to come back. No swapchain has as many.
const FRESH_FOR_EVERY_FRAME: u8 = 8;

new_key_type! {
    /// Names a hold; its [`HoldKey`].
    pub(crate) struct HoldId;
}

/// What a hold keeps from the game.
enum Held {
    One(BufferKey),
    /// All that a frame shows, with the frame's mark.
    Several(Vec<BufferKey>, Arc<AtomicBool>),
}

impl Held {
    fn covers(&self, key: BufferKey) -> bool {
        match self {
            Self::One(one) => *one == key,
            Self::Several(buffers, _) => buffers.contains(&key),
        }
    }
}

/// The holds that live, and what follows from those that ended.
pub(crate) struct Holds {
    held: SlotMap<HoldId, Held>,
    released: Arc<Released>,
    /// Room for the keys of dropped holds.
    dropped: Vec<HoldKey>,
    /// Buffers that may have a release to deliver.
    ready: Vec<BufferKey>,
    /// Buffers whose release a hold keeps back.
    blocked: Vec<BufferKey>,
}

impl Holds {
    pub(crate) fn new(released: Arc<Released>) -> Self {
        Self {
            held: SlotMap::with_key(),
            released,
            dropped: Vec::with_capacity(16),
            ready: Vec::with_capacity(16),
            blocked: Vec::with_capacity(16),
        }
    }
}

impl Capture {
    /// A commit gave `buffer` to the compositor, as content of `surface`.
    pub(crate) fn buffer_committed(&mut self, buffer: BufferKey, surface: SurfaceKey) {
        let Some(buffer) = self.graph.buffers.get_mut(buffer) else { return };
        buffer.busy = true;
        buffer.composited = true;
        buffer.deadline = None;
        let fresh = buffer.surface.replace(surface).is_none();
        if let Some(surface) = self.graph.surfaces.get_mut(surface) {
            surface.fresh_buffers = if fresh { surface.fresh_buffers.saturating_add(1) } else { 0 };
        }
    }

    /// Keeps `buffer` from the client until the returned hold is dropped.
    pub(crate) fn hold(&mut self, key: BufferKey, now: MonoTime) -> (HoldId, Hold) {
        self.count_hold_on(key, now);
        self.new_hold(Held::One(key))
    }

    /// Keeps all of `buffers` from their client until the returned hold is dropped; `torn` is set
    /// if one of them has to be given back before.
    pub(crate) fn hold_all(
        &mut self,
        buffers: Vec<BufferKey>,
        torn: &Arc<AtomicBool>,
        now: MonoTime,
    ) -> (HoldId, Hold) {
        for &key in &buffers {
            self.count_hold_on(key, now);
        }
        self.new_hold(Held::Several(buffers, Arc::clone(torn)))
    }

    fn count_hold_on(&mut self, key: BufferKey, now: MonoTime) {
        if let Some(buffer) = self.graph.buffers.get_mut(key) {
            buffer.holds += 1;
            if buffer.owed > 0 && !buffer.composited {
                self.block(key, now.as_nanos());
            }
        }
    }

    fn new_hold(&mut self, held: Held) -> (HoldId, Hold) {
        let id = self.holds.held.insert(held);
        self.count_holds();
        (id, Hold::new(HoldKey(to_data(id)), Arc::clone(&self.holds.released)))
    }

    /// Whether a hold keeps `buffer`.
    pub(crate) fn hold_covers(&self, id: HoldId, buffer: BufferKey) -> bool {
        self.holds.held.get(id).is_some_and(|held| held.covers(buffer))
    }

    /// A frame that shows several buffers needs this one no longer.
    pub(crate) fn end_part_of_hold(&mut self, id: HoldId, buffer: BufferKey) {
        if let Some(Held::Several(buffers, _)) = self.holds.held.get_mut(id)
            && let Some(at) = buffers.iter().position(|&k| k == buffer)
        {
            buffers.swap_remove(at);
            self.end_hold_on(buffer);
        }
    }

    /// A release of the buffer is kept back by holds from now on.
    fn block(&mut self, key: BufferKey, now_ns: u64) {
        let Some(buffer) = self.graph.buffers.get_mut(key) else { return };
        buffer.deadline.get_or_insert(now_ns.saturating_add(self.hold_deadline_ns));
        if !self.holds.blocked.contains(&key) {
            self.holds.blocked.push(key);
        }
    }

    /// Ends a hold that came back to us.
    pub(crate) fn end_hold(&mut self, hold: Hold) {
        if let Some(key) = hold.into_key() {
            self.hold_ended(key);
        }
    }

    /// A hold is over. One that was ended by force is no longer known and changes nothing.
    fn hold_ended(&mut self, key: HoldKey) {
        let Some(held) = self.holds.held.remove(from_data(key.0)) else { return };
        self.count_holds();
        match held {
            Held::One(buffer) => self.end_hold_on(buffer),
            Held::Several(buffers, _) => buffers.into_iter().for_each(|b| self.end_hold_on(b)),
        }
    }

    fn end_hold_on(&mut self, key: BufferKey) {
        let Some(buffer) = self.graph.buffers.get_mut(key) else { return };
        buffer.holds = buffer.holds.saturating_sub(1);
        let (idle, shown_and_owed) = (buffer.holds == 0, buffer.shown && buffer.owed > 0);
        if !idle {
            return;
        }
        if shown_and_owed {
            // The encoder has read it; the window still shows it, and the client may need it.
            if !self.has_spare_buffer(key) {
                self.copy_out(key);
            }
            return;
        }
        self.unblock(key);
    }

    /// No hold is left on the buffer: what is owed can be delivered.
    pub(crate) fn unblock(&mut self, key: BufferKey) {
        self.holds.blocked.retain(|&k| k != key);
        let Some(buffer) = self.graph.buffers.get_mut(key) else { return };
        buffer.deadline = None;
        if buffer.is_deliverable() {
            self.holds.ready.push(key);
        }
    }

    /// Ends the holds that the encoder dropped since the last call.
    pub(crate) fn collect_dropped_holds(&mut self) {
        let mut dropped = std::mem::take(&mut self.holds.dropped);
        self.holds.released.drain(&mut dropped);
        for key in dropped.drain(..) {
            self.hold_ended(key);
        }
        self.holds.dropped = dropped;
    }

    /// The compositor is done with a buffer: the event goes on, or waits for our holds.
    pub(crate) fn compositor_released(&mut self, cx: &mut Context<'_>, key: BufferKey) -> Verdict {
        self.collect_dropped_holds();
        let Some(buffer) = self.graph.buffers.get_mut(key) else { return Verdict::Forward };
        buffer.composited = false;
        let (holds, shown) = (buffer.holds, buffer.shown);
        if (holds > 0 || shown) && !self.has_spare_buffer(key) {
            if holds == 0 || holds == 1 && self.waits(key) {
                self.copy_out(key);
            } else {
                self.stats.starved.add(1);
            }
        }
        let Some(buffer) = self.graph.buffers.get_mut(key) else { return Verdict::Forward };
        if buffer.holds == 0 && !buffer.shown {
            // Those of earlier commits come before the one at hand.
            deliver(cx, buffer);
            buffer.busy = false;
            return Verdict::Forward;
        }
        buffer.owed += 1;
        self.stats.withheld.add(1);
        self.block(key, cx.now_ns());
        Verdict::Drop
    }

    /// Whether the client has another buffer to draw the surface's next frame in.
    pub(crate) fn has_spare_buffer(&self, key: BufferKey) -> bool {
        let Some(buffer) = self.graph.buffers.get(key) else { return false };
        let surface = buffer.surface.and_then(|s| self.graph.surfaces.get(s));
        if surface.is_some_and(|s| s.fresh_buffers >= FRESH_FOR_EVERY_FRAME) {
            return true;
        }
        let size = buffer.size();
        self.graph.buffers.iter().any(|(k, other)| {
            k != key
                && other.client == buffer.client
                && !other.busy
                && (other.surface == buffer.surface || other.surface.is_none())
                && other.size() == size
        })
    }

    /// A client to which releases can go, if there is one.
    pub(crate) fn client_with_release(&mut self) -> Option<ClientId> {
        self.collect_dropped_holds();
        while let Some(&key) = self.holds.ready.last() {
            match self.graph.buffers.get(key) {
                Some(buffer) if buffer.is_deliverable() => return Some(buffer.client),
                // Destroyed, or committed anew before its release could go out.
                _ => self.holds.ready.pop(),
            };
        }
        None
    }

    /// Sends every release that can go to the client of `cx`.
    pub(crate) fn send_releases(&mut self, cx: &mut Context<'_>) {
        let buffers = &mut self.graph.buffers;
        self.holds.ready.retain(|&key| match buffers.get_mut(key) {
            Some(buffer) if buffer.is_deliverable() => {
                if buffer.client != cx.client() {
                    return true;
                }
                deliver(cx, buffer);
                buffer.busy = false;
                false
            }
            _ => false,
        });
    }

    /// When the first hold must end, in CLOCK_MONOTONIC ns.
    pub(crate) fn next_hold_deadline(&self) -> Option<u64> {
        self.holds.blocked.iter().filter_map(|&key| self.graph.buffers.get(key)?.deadline).min()
    }

    /// Ends all holds whose deadline has come.
    pub(crate) fn end_late_holds(&mut self, now_ns: u64) {
        self.collect_dropped_holds();
        let late = |capture: &Self, key: &BufferKey| {
            capture.graph.buffers.get(*key).is_some_and(|b| b.deadline.is_some_and(|d| d <= now_ns))
        };
        while let Some(key) = self.holds.blocked.iter().copied().find(|k| late(self, k)) {
            let shown = self.graph.buffers.get(key).is_some_and(|b| b.shown);
            if shown || self.waits(key) {
                self.copy_out(key);
            }
            self.force(key);
        }
    }

    /// Ends what holds there are on a buffer although its frames are being read.
    fn force(&mut self, key: BufferKey) {
        let mut forced = 0;
        self.holds.held.retain(|_, held| match held {
            Held::One(one) => {
                forced += u64::from(*one == key);
                *one != key
            }
            Held::Several(buffers, torn) => {
                if let Some(at) = buffers.iter().position(|&k| k == key) {
                    buffers.swap_remove(at);
                    torn.store(true, Ordering::Relaxed);
                    forced += 1;
                }
                true
            }
        });
        self.count_holds();
        if let Some(buffer) = self.graph.buffers.get_mut(key) {
            buffer.holds = 0;
            if forced > 0 {
                buffer.torn.store(true, Ordering::Relaxed);
                buffer.torn = Arc::new(AtomicBool::new(false));
                self.stats.forced.add(forced);
                tracing::debug!(
                    client = buffer.client.0,
                    buffer = %buffer.id,
                    "the encoder held a buffer past its deadline: the frame may be torn"
                );
            }
        }
        self.unblock(key);
    }

    /// Forgets the holds' links to buffers that are gone.
    pub(crate) fn forget_gone_buffers(&mut self) {
        let buffers = &self.graph.buffers;
        self.holds.blocked.retain(|&key| buffers.contains_key(key));
        self.holds.ready.retain(|&key| buffers.contains_key(key));
        self.shown.retain(|&key| buffers.contains_key(key));
    }

    fn count_holds(&self) {
        self.stats.held.set(self.holds.held.len() as u64);
    }
}

/// Sends the owed releases: as many as the compositor sent, because a client may count them.
fn deliver(cx: &mut Context<'_>, buffer: &mut crate::graph::Buffer) {
    for _ in 0..std::mem::take(&mut buffer.owed) {
        cx.send_event(buffer.id, wl_buffer::EVT_RELEASE_OPCODE, |_| {});
    }
}
