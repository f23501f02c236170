//! Where encoder and viewers meet.
//!
//! One lock guards all queues. The encoder takes it once a frame, the network thread once an
//! acknowledgement, neither does anything slow under it, and events are told after it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stratus_frame::{CursorState, EncodedFrame, FrameId, MonoTime, Size};
use stratus_stream_core::message::EndReason;
use stratus_stream_core::viewer::{Viewer, in_flight_limit};
use stratus_stream_core::wire::MAX_ACCESS_UNIT;
use tokio::sync::{Notify, mpsc, watch};

use crate::event::{ServerEvent, ViewerId};

pub(crate) type Events = Arc<dyn Fn(ServerEvent) + Send + Sync>;

/// What a viewer's task is to send, in this order.
pub(crate) enum Outgoing {
    Frame { sequence: u64, frame: EncodedFrame },
    End(EndReason),
}

struct Entry {
    queue: Viewer,
    outgoing: mpsc::UnboundedSender<Outgoing>,
    deadline_changed: Arc<Notify>,
}

/// What the game's screen is now.
#[derive(Clone, Copy)]
pub(crate) struct Screen {
    pub(crate) size: Size,
    pub(crate) millifps: u32,
}

struct State {
    screen: Screen,
    viewers: BTreeMap<ViewerId, Entry>,
    next_id: u64,
    /// What [`Publisher::ready`] would say, as last told: the edge makes an event.
    ready: bool,
    ended: bool,
}

impl State {
    fn any_room(&self) -> bool {
        self.viewers.values().any(|v| v.queue.has_room())
    }

    /// Whether room has just appeared.
    fn became_ready(&mut self) -> bool {
        let room = self.any_room();
        let before = std::mem::replace(&mut self.ready, room);
        room && !before
    }
}

pub(crate) struct Hub {
    state: Mutex<State>,
    events: Events,
    max_viewers: usize,
    /// Beside the lock, as it is nothing of the frames.
    cursor: watch::Sender<CursorState>,
}

/// A viewer's place in the hub; dropping it leaves.
pub(crate) struct Seat {
    pub(crate) id: ViewerId,
    pub(crate) outgoing: mpsc::UnboundedReceiver<Outgoing>,
    pub(crate) deadline_changed: Arc<Notify>,
    hub: Arc<Hub>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.hub.lock();
        state.viewers.remove(&self.id);
        // Without the slow viewer those that are left may all have room.
        let ready = state.became_ready();
        drop(state);
        self.hub.tell(ready, false);
    }
}

impl Hub {
    pub(crate) fn new(events: Events, screen: Screen, max_viewers: usize) -> Arc<Self> {
        let state =
            State { screen, viewers: BTreeMap::new(), next_id: 0, ready: false, ended: false };
        let cursor = watch::Sender::new(CursorState::default());
        Arc::new(Self { state: Mutex::new(state), events, max_viewers, cursor })
    }

    /// What the game's screen is, for who joins.
    pub(crate) fn screen(&self) -> Screen {
        self.lock().screen
    }

    /// The cursor, which a viewer's task follows.
    pub(crate) fn cursor(&self) -> watch::Receiver<CursorState> {
        self.cursor.subscribe()
    }

    /// Whether this viewer says what the game's screen is: it is there longest.
    pub(crate) fn controls(&self, id: ViewerId) -> bool {
        self.lock().viewers.first_key_value().is_some_and(|(first, _)| *first == id)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change below is whole before anything can panic, so a poisoned state is usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn event(&self, event: ServerEvent) {
        (self.events)(event);
    }

    fn tell(&self, ready: bool, keyframe: bool) {
        if keyframe {
            self.event(ServerEvent::KeyframeWanted);
        }
        if ready {
            self.event(ServerEvent::Ready);
        }
    }

    /// Lets a viewer in; `None` if there are too many or the session is ending.
    pub(crate) fn join(self: &Arc<Self>, min_rtt: Duration) -> Option<Seat> {
        let (sender, outgoing) = mpsc::unbounded_channel();
        let deadline_changed = Arc::new(Notify::new());
        let mut state = self.lock();
        if state.ended || state.viewers.len() >= self.max_viewers {
            return None;
        }
        state.next_id += 1;
        let id = ViewerId(state.next_id);
        let entry = Entry {
            queue: Viewer::new(in_flight_limit(min_rtt, state.screen.millifps)),
            outgoing: sender,
            deadline_changed: Arc::clone(&deadline_changed),
        };
        state.viewers.insert(id, entry);
        drop(state);
        Some(Seat { id, outgoing, deadline_changed, hub: Arc::clone(self) })
    }

    /// Works on one viewer's queue and tells what follows.
    fn change(&self, id: ViewerId, change: impl FnOnce(&mut Viewer, Screen)) {
        let mut state = self.lock();
        let screen = state.screen;
        let Some(entry) = state.viewers.get_mut(&id) else { return };
        change(&mut entry.queue, screen);
        let keyframe = entry.queue.poll_keyframe(MonoTime::now());
        if entry.queue.poll_timeout().is_some() {
            entry.deadline_changed.notify_one();
        }
        let ready = state.became_ready();
        drop(state);
        self.tell(ready, keyframe);
    }

    pub(crate) fn acknowledged(&self, id: ViewerId, min_rtt: Duration) {
        self.change(id, |queue, screen| {
            queue.handle_acknowledged();
            queue.set_limit(in_flight_limit(min_rtt, screen.millifps));
        });
    }

    pub(crate) fn keyframe_requested(&self, id: ViewerId, newest: FrameId) {
        self.change(id, |queue, _| queue.handle_keyframe_request(newest));
    }

    /// Asks for a keyframe if the viewer's deadline for that is over, and makes the first request
    /// after joining.
    pub(crate) fn poll(&self, id: ViewerId) {
        self.change(id, |_, _| ());
    }

    pub(crate) fn deadline(&self, id: ViewerId) -> Option<MonoTime> {
        self.lock().viewers.get(&id)?.queue.poll_timeout()
    }

    /// Lets nobody in any more and tells every viewer, behind the frames that it already has.
    pub(crate) fn end(&self, reason: &EndReason) {
        let mut state = self.lock();
        state.ended = true;
        for entry in state.viewers.values() {
            // A viewer whose task is gone needs no end.
            let _ = entry.outgoing.send(Outgoing::End(reason.clone()));
        }
    }

    fn publish(&self, frame: &EncodedFrame) {
        if frame.data.len() > MAX_ACCESS_UNIT {
            let bytes = frame.data.len();
            tracing::error!(bytes, "an access unit above the protocol's limit was not sent");
            return;
        }
        let mut state = self.lock();
        let mut keyframe = false;
        for entry in state.viewers.values_mut() {
            if let Some(sequence) = entry.queue.handle_frame(frame.id, frame.depends_on) {
                let out = Outgoing::Frame { sequence, frame: frame.clone() };
                // A viewer whose task is gone is about to leave.
                let _ = entry.outgoing.send(out);
            } else {
                keyframe |= entry.queue.poll_keyframe(MonoTime::now());
                if entry.queue.poll_timeout().is_some() {
                    entry.deadline_changed.notify_one();
                }
            }
        }
        state.ready = state.any_room();
        drop(state);
        self.tell(false, keyframe);
    }
}

/// The encoder's handle to the server. Cheap to clone; no call blocks or waits for the network.
#[derive(Clone)]
pub struct Publisher(Arc<Hub>);

impl Publisher {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }

    /// Ships `frame` to every viewer that has room for it and can decode it.
    ///
    /// A viewer without room misses it and all that build on it; when it has drained,
    /// [`ServerEvent::KeyframeWanted`] asks for a frame with which it can go on. While
    /// [`Publisher::ready`] says so, at least one viewer has room.
    pub fn publish(&self, frame: &EncodedFrame) {
        self.0.publish(frame);
    }

    /// The game's screen is another one from now on: who joins is told so, and more frames a second
    /// may be on their way.
    pub fn set_screen(&self, size: Size, millifps: u32) {
        self.0.lock().screen = Screen { size, millifps };
    }

    /// Tells every viewer what the cursor is now. One that is slow misses what was in between.
    pub fn set_cursor(&self, state: CursorState) {
        self.0.cursor.send_replace(state);
    }

    /// Whether some viewer has room for a frame; false without viewers. While it is false, frames
    /// are best left where a newer one can replace them; [`ServerEvent::Ready`] tells its end.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.0.lock().any_room()
    }

    /// Viewers let in and not yet gone.
    #[must_use]
    pub fn viewers(&self) -> usize {
        self.0.lock().viewers.len()
    }
}
