//! Where encoder and viewers meet.
//!
//! One lock guards all queues. The encoder takes it once a frame, the network thread once an
//! acknowledgement, neither does anything slow under it, and events are told after it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stratus_frame::input::{Input, MAX_PADS, Rumble};
use stratus_frame::sound::SoundPacket;
use stratus_frame::{CursorState, EncodedFrame, FrameId, MonoTime, Size};
use stratus_stream_core::message::{ClientId, EndReason, Refusal, RefusalCode, Role};
use stratus_stream_core::place::{Parting, PlayerPlace};
use stratus_stream_core::viewer::{Viewer, in_flight_limit};
use stratus_stream_core::wire::MAX_ACCESS_UNIT;
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

use crate::config::Limits;
use crate::event::{ServerEvent, ViewerId};

pub(crate) type Events = Arc<dyn Fn(ServerEvent) + Send + Sync>;

/// What a viewer's task is to send, in this order.
pub(crate) enum Outgoing {
    Frame { sequence: u64, frame: EncodedFrame },
    End(EndReason),
}

/// Nothing: it is only ever dropped.
pub(crate) enum Held {}

struct Entry {
    role: Role,
    queue: Viewer,
    outgoing: mpsc::UnboundedSender<Outgoing>,
    deadline_changed: Arc<Notify>,
    /// Goes with the entry, by which the seat learns that its place was taken over.
    _held: oneshot::Sender<Held>,
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
    place: PlayerPlace<ViewerId>,
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

/// What the player is told beside frames and cursor. Only the newest of each counts, and the
/// numbers tell which of them a task has told.
#[derive(Clone, Default)]
pub(crate) struct Wishes {
    pub(crate) rumble: [Option<(u64, Rumble)>; MAX_PADS as usize],
    pub(crate) clipboard: Option<(u64, Arc<str>)>,
    made: u64,
}

/// Packets of sound that a client's task may be behind: half a second of them.
const SOUND_BACKLOG: usize = 64;

pub(crate) struct Hub {
    state: Mutex<State>,
    events: Events,
    limits: Limits,
    /// Beside the lock, as it is nothing of the frames.
    cursor: watch::Sender<CursorState>,
    wishes: watch::Sender<Wishes>,
    sound: broadcast::Sender<SoundPacket>,
}

/// A viewer's place in the hub; dropping it leaves.
pub(crate) struct Seat {
    pub(crate) id: ViewerId,
    pub(crate) role: Role,
    /// How it is left, should it be dropped.
    pub(crate) parting: Parting,
    /// Ends when another connection of the same client took the place.
    pub(crate) replaced: oneshot::Receiver<Held>,
    pub(crate) outgoing: mpsc::UnboundedReceiver<Outgoing>,
    pub(crate) deadline_changed: Arc<Notify>,
    hub: Arc<Hub>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.hub.lock();
        state.viewers.remove(&self.id);
        let player_left = state.place.handle_parting(MonoTime::now(), self.id, self.parting);
        // Without the slow viewer those that are left may all have room.
        let ready = state.became_ready();
        drop(state);
        if player_left {
            self.hub.event(ServerEvent::PlayerLeft);
        }
        self.hub.tell(ready, false);
    }
}

impl Hub {
    pub(crate) fn new(events: Events, screen: Screen, limits: Limits) -> Arc<Self> {
        let state = State {
            screen,
            viewers: BTreeMap::new(),
            place: PlayerPlace::new(limits.grace),
            next_id: 0,
            ready: false,
            ended: false,
        };
        let cursor = watch::Sender::new(CursorState::default());
        let (wishes, sound) = (watch::Sender::default(), broadcast::Sender::new(SOUND_BACKLOG));
        Arc::new(Self { state: Mutex::new(state), events, limits, cursor, wishes, sound })
    }

    /// What the game's screen is, for who joins.
    pub(crate) fn screen(&self) -> Screen {
        self.lock().screen
    }

    /// The cursor, which a viewer's task follows.
    pub(crate) fn cursor(&self) -> watch::Receiver<CursorState> {
        self.cursor.subscribe()
    }

    /// Whether this is the player still, and not one whose place was taken over.
    pub(crate) fn is_player(&self, id: ViewerId) -> bool {
        self.lock().place.is_taken_by(id)
    }

    /// Rumble and clipboard, which the player's task follows.
    pub(crate) fn wishes(&self) -> watch::Receiver<Wishes> {
        self.wishes.subscribe()
    }

    /// The game's sound from now on.
    pub(crate) fn sounds(&self) -> broadcast::Receiver<SoundPacket> {
        self.sound.subscribe()
    }

    /// Passes an input on, if its sender is the player still.
    pub(crate) fn input(&self, viewer: ViewerId, input: Input) {
        if self.is_player(viewer) {
            self.event(ServerEvent::Input { viewer, input });
        }
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

    /// Lets a client in as what its token says it is. A player that connects anew takes the place of
    /// its own old connection, and whatever that had pressed is to be let go first.
    ///
    /// # Errors
    /// A *busy* refusal if there is no place.
    pub(crate) fn join(
        self: &Arc<Self>,
        role: Role,
        client: ClientId,
        min_rtt: Duration,
    ) -> Result<Seat, Refusal> {
        let busy = |text: String| Err(Refusal { code: RefusalCode::Busy, text });
        let (sender, outgoing) = mpsc::unbounded_channel();
        let (held, replaced) = oneshot::channel();
        let deadline_changed = Arc::new(Notify::new());
        let mut state = self.lock();
        if state.ended {
            return busy("the session is ending".to_owned());
        }
        let id = ViewerId(state.next_id + 1);
        let mut old = None;
        match role {
            Role::Player => old = state.place.handle_hello(MonoTime::now(), client, id)?,
            Role::Viewer => {
                let places = self.limits.viewers;
                let taken = state.viewers.values().filter(|v| v.role == role).count();
                if taken >= places {
                    return busy(format!(
                        "all {places} places for viewers are taken: try again later"
                    ));
                }
            }
        }
        let replaces = old.and_then(|old| state.viewers.remove(&old)).is_some();
        state.next_id = id.0;
        let entry = Entry {
            role,
            queue: Viewer::new(in_flight_limit(min_rtt, state.screen.millifps)),
            outgoing: sender,
            deadline_changed: Arc::clone(&deadline_changed),
            _held: held,
        };
        state.viewers.insert(id, entry);
        drop(state);
        if replaces {
            self.event(ServerEvent::PlayerLeft);
        }
        let parting = Parting::Lost;
        Ok(Seat { id, role, parting, replaced, outgoing, deadline_changed, hub: Arc::clone(self) })
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

    pub(crate) fn publish(&self, frame: &EncodedFrame) {
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

    /// The game's screen is another one from now on.
    pub(crate) fn set_screen(&self, screen: Screen) {
        self.lock().screen = screen;
    }

    /// The newest state of the cursor.
    pub(crate) fn set_cursor(&self, state: CursorState) {
        self.cursor.send_replace(state);
    }

    /// The newest of what a gamepad's motors are to do.
    pub(crate) fn set_rumble(&self, rumble: Rumble) {
        self.wishes.send_modify(|wishes| {
            wishes.made += 1;
            if let Some(pad) = wishes.rumble.get_mut(usize::from(rumble.pad)) {
                *pad = Some((wishes.made, rumble));
            }
        });
    }

    /// The newest text of the game's clipboard.
    pub(crate) fn set_clipboard(&self, text: &str) {
        self.wishes.send_modify(|wishes| {
            wishes.made += 1;
            wishes.clipboard = Some((wishes.made, text.into()));
        });
    }

    /// The next packet of sound, for those who listen.
    pub(crate) fn send_sound(&self, packet: &SoundPacket) {
        // Nobody listens where nobody is.
        let _ = self.sound.send(packet.clone());
    }

    /// Whether some viewer has room for a frame.
    pub(crate) fn any_room(&self) -> bool {
        self.lock().any_room()
    }

    /// Clients let in and not yet gone.
    pub(crate) fn len(&self) -> usize {
        self.lock().viewers.len()
    }
}
