//! Takes the main window's frames as the game commits them, and tells the game its size.
//!
//! [`Capture`] is a hook of the proxy. It follows the surfaces, buffers and windows of all clients
//! of a session (`graph`), turns commits of the main window into frames: of its one buffer
//! (`window`) or of all that is laid out on it (`layout`, `composed`, `scene`). It decides when a
//! buffer goes back to the game (`release`, `retained`), reads its shared memory (`shm`) and its
//! GPU's (`dmabuf`), follows the cursor (`cursor`) and rewrites what the compositor says about size
//! (`fullscreen`). `handlers` has one file for each interface.

mod allowance;
mod composed;
mod config;
mod configure;
mod control;
mod cursor;
mod dmabuf;
mod fullscreen;
mod graph;
mod handlers;
mod layout;
mod mail;
mod owned;
mod pacing;
mod release;
mod retained;
mod scene;
mod screen;
mod shm;
mod stats;
mod times;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use slotmap::SecondaryMap;
use stratus_frame::{CursorCell, Post, Released, Size};
use stratus_proxy_core::{
    ClientId, Context, Hook, Interest, Malformed, Message, ObjectId, Verdict,
};

pub use config::{CaptureConfig, Formats};
pub use control::{BadScreen, CaptureControl, LARGEST_SIDE, SMALLEST_SIDE, Screen};
pub use stats::{CaptureStats, Counter, Path};
pub use times::Times;

use allowance::Allowance;
use composed::Composed;
use configure::Configures;
use control::Wishes;
use cursor::Cursor;
use dmabuf::Dmabufs;
use fullscreen::Raised;
use graph::{BufferKey, Graph, SurfaceKey};
use mail::Posted;
use owned::PicturePool;
use pacing::Pacing;
use release::Holds;
use screen::{Resizes, Told};
use window::{Main, Said};

/// The hook that captures one session: all connections of one game, however many.
///
/// Order of calls: after each batch of messages, and whenever the waker given to [`Capture::new`]
/// was called, [`Hook::poll_ready`] and [`Hook::inject`] until there is nothing left; and
/// [`Hook::handle_timeout`] when [`Hook::poll_deadline`] has come, followed by the same.
pub struct Capture {
    graph: Graph,
    dmabufs: Dmabufs,
    holds: Holds,
    post: Post,
    pictures: PicturePool,
    cursor: Cursor,
    stats: Arc<CaptureStats>,
    control: CaptureControl,
    wishes: Arc<Wishes>,
    /// The newest size and refresh (mHz) that were asked for; what each client was told of them
    /// stands in `told`.
    screen: Size,
    refresh: i32,
    told: BTreeMap<ClientId, Told>,
    resizes: Resizes,
    configures: SecondaryMap<SurfaceKey, Configures>,
    pacing: Pacing,
    hold_deadline_ns: u64,
    /// When the message at hand, or the last one, was read; in CLOCK_MONOTONIC ns.
    now_ns: u64,
    formats: Formats,
    main: Option<Main>,
    /// The new main window, if the compositor must be asked to show it as such.
    raised: Option<Raised>,
    posted: Option<Posted>,
    composed: Composed,
    /// Buffers that the composed window shows.
    shown: Vec<BufferKey>,
    next_frame: u64,
    /// The next frame shows a picture that the encoder has no predecessor of.
    full_next: bool,
    last_size: Size,
    lost_seen: u64,
    said: Said,
    /// Names of the outputs that clients bound, as far as they matter: none, one, or several.
    outputs: Vec<u32>,
    /// Clients of which an unreadable pool or buffer was reported.
    reported: BTreeSet<ClientId>,
    /// What is left to each client that made a pool or a dmabuf.
    allowances: BTreeMap<ClientId, Allowance>,
}

impl Capture {
    /// A capture that puts its frames into `post`. `waker` is called from other threads when a
    /// frame was dropped or something was asked for: it must make the proxy's loop come back here
    /// at once.
    #[must_use]
    pub fn new(config: &CaptureConfig, post: Post, waker: Waker) -> Self {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let wishes = Arc::new(Wishes::default());
        Self {
            graph: Graph::default(),
            dmabufs: Dmabufs::new(config.formats),
            control: CaptureControl::new(Arc::clone(&wishes), waker.clone()),
            wishes,
            holds: Holds::new(Released::new(waker)),
            post,
            pictures: PicturePool::default(),
            cursor: Cursor::default(),
            stats: Arc::default(),
            screen: config.size,
            refresh: i32::try_from(config.refresh_mhz).unwrap_or(i32::MAX),
            told: BTreeMap::new(),
            resizes: Resizes::default(),
            configures: SecondaryMap::new(),
            pacing: Pacing::new(config.idle_interval.map(nanos)),
            hold_deadline_ns: nanos(config.hold_deadline),
            formats: config.formats,
            now_ns: 0,
            main: None,
            raised: None,
            posted: None,
            composed: Composed::default(),
            shown: Vec::new(),
            next_frame: 1,
            full_next: true,
            last_size: Size::default(),
            lost_seen: 0,
            said: Said::default(),
            outputs: Vec::new(),
            reported: BTreeSet::new(),
            allowances: BTreeMap::new(),
        }
    }

    /// Says once a client that something of its is not streamed, and why.
    fn report_unreadable(&mut self, client: ClientId, object: ObjectId, why: &dyn Error) {
        if self.reported.insert(client) {
            tracing::warn!(client = client.0, %object, "not streamed: {why}");
        }
    }

    /// Where the cursor's newest state lies.
    #[must_use]
    pub fn cursor(&self) -> CursorCell {
        self.cursor.cell()
    }

    /// Changes this capture while it runs.
    #[must_use]
    pub fn control(&self) -> CaptureControl {
        self.control.clone()
    }

    /// Does what other threads asked for.
    fn heed_wishes(&mut self) {
        let Some(wish) = self.wishes.take() else { return };
        if let Some(screen) = wish.screen {
            self.set_screen(screen);
        }
        if let Some(watched) = wish.watched {
            self.pacing.set_watched(watched);
        }
    }

    /// The counts, which go on while the capture runs.
    #[must_use]
    pub fn stats(&self) -> Arc<CaptureStats> {
        Arc::clone(&self.stats)
    }
}

impl Hook for Capture {
    fn interests(&self) -> Vec<Interest> {
        handlers::interests()
    }

    fn client_added(&mut self, _client: ClientId, _process: Option<u32>) {
        self.stats.clients.add(1);
    }

    fn request(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Message<'_>,
    ) -> Result<Verdict, Malformed> {
        self.now_ns = cx.now_ns();
        handlers::request(self, cx, message)
    }

    fn event(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Message<'_>,
    ) -> Result<Verdict, Malformed> {
        self.now_ns = cx.now_ns();
        handlers::event(self, cx, message)
    }

    fn client_gone(&mut self, client: ClientId) {
        self.stats.clients.set(self.stats.clients.value().saturating_sub(1));
        self.graph.remove_client(client);
        self.dmabufs.remove_client(client);
        self.cursor.client_gone(client);
        self.reported.remove(&client);
        self.allowances.remove(&client);
        self.forget_gone_buffers();
        self.elect(None);
        self.forget_told(client);
        self.pacing.forget_client(client);
    }

    fn poll_ready(&mut self) -> Option<ClientId> {
        self.heed_wishes();
        self.client_with_release()
            .or_else(|| self.client_to_tell())
            .or_else(|| self.client_of_raised())
            .or_else(|| self.pacing.client_due())
    }

    fn inject(&mut self, cx: &mut Context<'_>) {
        self.send_releases(cx);
        self.tell_client(cx);
        self.raise(cx);
        if self.pacing.is_due(cx.client()) {
            self.discharge(cx, false);
        }
    }

    fn poll_deadline(&self) -> Option<u64> {
        let deadlines = [
            self.next_hold_deadline(),
            self.next_resize_deadline(),
            self.next_raise(),
            self.pacing.next_tick(),
        ];
        deadlines.into_iter().flatten().min()
    }

    fn handle_timeout(&mut self, now_ns: u64) {
        self.now_ns = now_ns;
        self.end_late_holds(now_ns);
        self.end_late_answers(now_ns);
        self.pacing.tick(now_ns);
    }
}
