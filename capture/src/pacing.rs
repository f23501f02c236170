//! The moment at which a game is asked for its next picture.
//!
//! A client that waits for `wl_callback.done` of `wl_surface.frame` draws no faster than that
//! comes. While somebody watches it goes on as the compositor sends it. While nobody does, it is
//! kept for a moment, so that the game ticks slowly: it goes on by small steps, hears its sockets
//! and plays its sound, and costs little. `wl_display.delete_id` of a callback that is kept is kept
//! with it: the client must not use the id anew before it knows that the callback is over.
//!
//! A resize, and somebody who comes to watch, let all go at once.

use std::collections::BTreeMap;

use slotmap::{SecondaryMap, SlotMap, new_key_type};
use stratus_protocols::{InterfaceId, wl_callback, wl_display};
use stratus_proxy_core::{ClientId, Context, ObjectId, Verdict};

use crate::Capture;
use crate::graph::{SurfaceKey, from_data, to_data};

new_key_type! {
    /// Names a frame callback whose end has not passed.
    struct CallbackKey;
}

/// What became of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The compositor has not ended it.
    Waits,
    /// It ended it with this time (ms), at this moment (ns), and the client has not heard of it.
    Kept { time: u32, at: u64, deleted: bool },
    /// We told the client that it is over; the compositor has not said so.
    Discharged,
}

#[derive(Debug)]
struct Callback {
    client: ClientId,
    id: ObjectId,
    surface: SurfaceKey,
    /// The surface's commit that it came into force with.
    commit: u64,
    /// Rises with each callback.
    order: u64,
    state: State,
}

/// What is known of the callbacks of one surface.
#[derive(Debug, Default)]
struct Pace {
    commits: u64,
    /// When the client heard of an end that no commit followed yet, CLOCK_MONOTONIC ns.
    done_at: Option<u64>,
}

/// All frame callbacks of a session.
#[derive(Debug, Default)]
pub(crate) struct Pacing {
    callbacks: SlotMap<CallbackKey, Callback>,
    surfaces: SecondaryMap<SurfaceKey, Pace>,
    made: u64,
    /// Between the ends that a client hears while nobody watches; `None` slows nobody down.
    interval_ns: Option<u64>,
    unwatched: bool,
    /// Callbacks that are kept.
    kept: BTreeMap<ClientId, Vec<CallbackKey>>,
    /// When they are let go.
    next_tick: Option<u64>,
    /// Clients whose callbacks are to be let go.
    due: Vec<ClientId>,
    /// The newest time that the compositor told (ms), and when (ns).
    clock: Option<(u32, u64)>,
}

impl Pacing {
    pub(crate) fn new(interval_ns: Option<u64>) -> Self {
        Self { interval_ns: interval_ns.filter(|ns| *ns > 0), ..Self::default() }
    }

    /// A time for `wl_callback.done` on the compositor's clock, of which only the speed is known.
    fn time(&self, now_ns: u64) -> u32 {
        // Truncating is what the protocol's 32 bits of milliseconds do.
        let ms = |ns: u64| (ns / 1_000_000) as u32;
        self.clock.map_or(ms(now_ns), |(time, at)| time.wrapping_add(ms(now_ns.saturating_sub(at))))
    }

    /// When callbacks are let go next, in CLOCK_MONOTONIC ns.
    pub(crate) fn next_tick(&self) -> Option<u64> {
        self.next_tick
    }

    /// Lets all callbacks go whose time has come.
    pub(crate) fn tick(&mut self, now_ns: u64) {
        if self.next_tick.is_some_and(|at| at <= now_ns) {
            self.let_go();
        }
    }

    /// Lets all callbacks go that are kept.
    fn let_go(&mut self) {
        self.next_tick = None;
        self.due = self.kept.keys().copied().collect();
    }

    /// Somebody watches from now on, or nobody does.
    pub(crate) fn set_watched(&mut self, watched: bool) {
        self.unwatched = !watched;
        if watched {
            self.let_go();
        }
    }

    /// A client that is to hear of the end of callbacks.
    pub(crate) fn client_due(&self) -> Option<ClientId> {
        self.due.last().copied()
    }

    pub(crate) fn is_due(&self, client: ClientId) -> bool {
        self.due.contains(&client)
    }

    pub(crate) fn forget_client(&mut self, client: ClientId) {
        self.callbacks.retain(|_, callback| callback.client != client);
        self.kept.remove(&client);
        self.due.retain(|c| *c != client);
        if self.kept.is_empty() {
            self.next_tick = None;
        }
    }
}

impl Capture {
    /// `wl_surface.frame` passes, which makes the callback `id`.
    pub(crate) fn frame_requested(
        &mut self,
        cx: &mut Context<'_>,
        surface: SurfaceKey,
        id: ObjectId,
    ) {
        let pacing = &mut self.pacing;
        // A surface that we do not know has no key to remember.
        let Some(entry) = pacing.surfaces.entry(surface) else { return };
        let commit = entry.or_default().commits + 1;
        pacing.made += 1;
        let (client, order, state) = (cx.client(), pacing.made, State::Waits);
        let callback = Callback { client, id, surface, commit, order, state };
        cx.set_data(id, to_data(pacing.callbacks.insert(callback)));
    }

    /// A surface was committed: its new callbacks are in force.
    pub(crate) fn paced_commit(&mut self, surface: SurfaceKey, now_ns: u64) {
        let Some(pace) = self.pacing.surfaces.get_mut(surface) else { return };
        pace.commits += 1;
        if let Some(done_at) = pace.done_at.take() {
            self.stats.done_to_commit.add(now_ns.saturating_sub(done_at));
        }
    }

    /// `wl_callback.done` passes, of a frame callback (with the data of one) or of any other.
    pub(crate) fn callback_done(&mut self, cx: &Context<'_>, data: u64, time: u32) -> Verdict {
        let key: CallbackKey = from_data(data);
        let pacing = &mut self.pacing;
        let Some(callback) = pacing.callbacks.get_mut(key) else { return Verdict::Forward };
        let now = cx.now_ns();
        match callback.state {
            State::Kept { .. } => return Verdict::Drop,
            State::Discharged => {
                pacing.callbacks.remove(key);
                return Verdict::Drop;
            }
            State::Waits => pacing.clock = Some((time, now)),
        }
        if let Some(interval) = pacing.interval_ns.filter(|_| pacing.unwatched) {
            callback.state = State::Kept { time, at: now, deleted: false };
            pacing.kept.entry(callback.client).or_default().push(key);
            // On a grid, so that surfaces of one game tick together.
            let tick = (now / interval).saturating_add(1).saturating_mul(interval);
            pacing.next_tick.get_or_insert(tick);
            self.stats.kept_callbacks.add(1);
            return Verdict::Drop;
        }
        if let Some(pace) = pacing.surfaces.get_mut(callback.surface) {
            pace.done_at.get_or_insert(now);
        }
        pacing.callbacks.remove(key);
        Verdict::Forward
    }

    /// `wl_display.delete_id` passes.
    pub(crate) fn id_deleted(&mut self, cx: &Context<'_>, id: ObjectId) -> Verdict {
        if self.pacing.callbacks.is_empty() {
            return Verdict::Forward;
        }
        let callback = cx.object(id).filter(|o| o.interface == InterfaceId::WlCallback);
        let key: CallbackKey = from_data(callback.map_or(0, |o| o.data));
        match self.pacing.callbacks.get_mut(key).map(|c| &mut c.state) {
            Some(State::Kept { deleted, .. }) => {
                *deleted = true;
                Verdict::Drop
            }
            // Its surface went before it ended.
            Some(State::Waits | State::Discharged) => {
                self.pacing.callbacks.remove(key);
                Verdict::Forward
            }
            None => Verdict::Forward,
        }
    }

    /// Tells the client of `cx` that callbacks are over: those that are kept, and with `all` those
    /// that wait for the compositor too.
    pub(crate) fn discharge(&mut self, cx: &mut Context<'_>, all: bool) {
        let client = cx.client();
        self.pacing.due.retain(|c| *c != client);
        let kept = self.pacing.kept.remove(&client).unwrap_or_default();
        if self.pacing.kept.is_empty() {
            self.pacing.next_tick = None;
        }
        for key in kept {
            self.end_kept(cx, key);
        }
        if all {
            self.end_waiting(cx);
        }
    }

    /// Tells of the end of a callback that was kept, and of its id's if that was kept too.
    fn end_kept(&mut self, cx: &mut Context<'_>, key: CallbackKey) {
        let Some(callback) = self.pacing.callbacks.remove(key) else { return };
        let State::Kept { time, at, deleted } = callback.state else { return };
        let later = (cx.now_ns().saturating_sub(at) / 1_000_000) as u32;
        send_done(cx, callback.id, time.wrapping_add(later));
        if deleted {
            cx.send_event(ObjectId::DISPLAY, wl_display::EVT_DELETE_ID_OPCODE, |w| {
                w.object(callback.id);
            });
        }
        self.heard_done(callback.surface, cx.now_ns());
    }

    /// Ends the callbacks in force that the compositor has not ended. What it says of them later
    /// goes no further, but for the end of the ids.
    fn end_waiting(&mut self, cx: &mut Context<'_>) {
        let client = cx.client();
        let surfaces = &self.pacing.surfaces;
        let in_force = |c: &Callback| {
            let commits = surfaces.get(c.surface).map_or(0, |pace| pace.commits);
            c.client == client && c.state == State::Waits && c.commit <= commits
        };
        let callbacks = &mut self.pacing.callbacks;
        let mut waiting: Vec<(u64, CallbackKey)> =
            callbacks.iter().filter(|(_, c)| in_force(c)).map(|(key, c)| (c.order, key)).collect();
        waiting.sort_unstable();
        let time = self.pacing.time(cx.now_ns());
        for (_, key) in waiting {
            let Some(callback) = self.pacing.callbacks.get_mut(key) else { continue };
            callback.state = State::Discharged;
            let (id, surface) = (callback.id, callback.surface);
            send_done(cx, id, time);
            self.stats.discharged_callbacks.add(1);
            self.heard_done(surface, cx.now_ns());
        }
    }

    fn heard_done(&mut self, surface: SurfaceKey, now_ns: u64) {
        if let Some(pace) = self.pacing.surfaces.get_mut(surface) {
            pace.done_at.get_or_insert(now_ns);
        }
    }
}

fn send_done(cx: &mut Context<'_>, id: ObjectId, time: u32) {
    cx.send_event(id, wl_callback::EVT_DONE_OPCODE, |w| {
        w.uint(time);
    });
}
