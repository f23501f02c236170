//! Every connection between the crates is made here.
//!
//! ```text
//! proxy thread                      pipeline thread              network thread
//! Proxy -> Capture -> Post ~~> Slot -> Pipeline -> Sink ~~> Publisher -> Server
//!   ^                                  |     ^                              |
//!   |                                  |     '---- PipelineHandle <~~ events'
//!   '---- Wakeup <~~ dropped Hold -----'
//!            Capture -> CursorCell ~~~~~~~~~~~~~~~~~~~~~~> Publisher
//! sound thread: SoundServer ~~~~~~~~~~~~~~~~~~~~~~~~~~> Publisher
//!
//! input thread
//! Injector <~~ Hands <- events'      Injector, Clipboard ~~~~> Publisher
//! ```
//!
//! A wavy line crosses from one thread to another; none of them waits. Beside the capture stands
//! the tap, from which `stratus trace` draws (see `passage`).

mod hands;
mod passage;
mod recording;
mod screens;
mod sound;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use stratus_encode::{Pipeline, PipelineConfig, PipelineError, PipelineHandle, Sink};
use stratus_frame::{CursorCell, EncodedFrame, InputMark, Post, mailbox};
use stratus_proxy::core::GlobalPolicy;
use stratus_stream::core::message::{EndReason, Role};
use stratus_stream::{Limits, Publisher, Server, ServerConfig, ServerEvent, random_token};
use tokio::sync::mpsc::UnboundedSender;

use crate::failure::{Failure, chain};
use crate::options::Settings;
use crate::print::print;

use hands::Hands;
pub(crate) use passage::HOLD_DEADLINE;
pub use passage::{Passage, drain};
pub use recording::{RECORD, RecordTo, facts};
pub use screens::{RESIZE, ScreenWish, Screens};
pub use sound::{Sound, sound_directory};

/// What the threads tell the session.
#[derive(Debug)]
pub enum Report {
    /// One of them cannot go on.
    Broken(Failure),
}

/// Where the threads tell it.
pub type Reporter = UnboundedSender<Report>;

/// From the mailbox to the players; nothing at all where frames are not taken.
pub struct Stream(Option<Live>);

struct Live {
    server: Option<Server>,
    post: Option<Post>,
    pipeline: JoinHandle<Result<(), PipelineError>>,
    handle: PipelineHandle,
    inputs: InputMark,
    hands: Hands,
}

impl Stream {
    /// Opens the port and starts the encoder's thread. Players are told what `game` is played, if
    /// that is known.
    ///
    /// # Errors
    /// A [`Failure`] that says what cannot be had.
    pub fn start(
        settings: &Settings,
        game: &str,
        screens: &Screens,
        reporter: &Reporter,
    ) -> Result<Self, Failure> {
        if !settings.capture {
            return Ok(Self(None));
        }
        let late = Arc::new(OnceLock::new());
        let hands = Hands::default();
        let server = serve(settings, game, Arc::clone(&late), screens.clone(), hands.clone())?;
        let (post, slot) = mailbox();
        let inputs = post.inputs().clone();
        let usual = PipelineConfig::default();
        let config = PipelineConfig {
            fps: settings.fps,
            bitrate: settings.bitrate.into(),
            threads: settings.encoder_threads.map_or(0, |n| n as usize),
            slow: (!settings.slow_encoder.is_zero()).then_some(settings.slow_encoder),
            max_size: usual.max_size.at_least(settings.size),
            ..usual
        };
        let sink = ToPlayers { publisher: server.publisher(), reporter: reporter.clone() };
        let (handle, pipeline) = Pipeline::spawn(slot, config, sink).map_err(|e| {
            Failure::new("encode the game's picture", chain(&e))
                .remedy("`stratus doctor` tells which encoders there are")
        })?;
        // Nobody else sets it.
        let _ = late.set(handle.clone());
        screens.set_stream(handle.clone(), server.publisher());
        let (server, post) = (Some(server), Some(post));
        Ok(Self(Some(Live { server, post, pipeline, handle, inputs, hands })))
    }

    /// Prints the link for the player, alone on its line of standard output, and that for viewers,
    /// if there may be any, on the next.
    ///
    /// # Errors
    /// A [`Failure`] if nobody can read it.
    pub fn announce(&self) -> Result<(), Failure> {
        let Some(server) = self.0.as_ref().and_then(|live| live.server.as_ref()) else {
            tracing::info!("frames are not taken; there is nothing to play");
            return Ok(());
        };
        tracing::info!(
            "serving at {}; open the link in a browser, or: stratus play LINK",
            server.local_addr()
        );
        let mut lines = format!("{}\n", server.link());
        if let Some(link) = server.viewers_link() {
            lines += &format!("{link}\n");
        }
        print(lines.as_bytes())
    }

    /// Tells the players why the session ends, and lets them go.
    pub fn end(&mut self, reason: EndReason) {
        if let Some(server) = self.0.as_mut().and_then(|live| live.server.take()) {
            server.end(reason);
        }
        if let Some(live) = &self.0 {
            live.hands.end();
        }
    }

    /// Waits for the encoder's thread, which ends when its frames do: close the passage first.
    pub fn finish(self) {
        let Some(live) = self.0 else { return };
        drop(live.post);
        drop(live.server);
        match live.pipeline.join() {
            Ok(Ok(())) => {}
            Ok(Err(e)) => tracing::warn!("{}", chain(&e)),
            Err(_) => tracing::error!("the encoder's thread panicked"),
        }
        tracing::debug!("{:?}", live.handle);
    }

    /// The way of frames into the encoder, for the passage; once.
    pub fn take_post(&mut self) -> Option<Post> {
        self.0.as_mut().and_then(|live| live.post.take())
    }

    /// The way of sound to the players, if there are any.
    #[must_use]
    pub fn publisher(&self) -> Option<Publisher> {
        let server = self.0.as_ref().and_then(|live| live.server.as_ref());
        server.map(Server::publisher)
    }

    /// Gives the player's input to the games of the compositor whose socket is `upstream`. Before
    /// the first game starts, so that it finds keyboard and pointer.
    ///
    /// # Errors
    /// A [`Failure`] if there are no threads for it.
    pub fn give_hands(&self, settings: &Settings, upstream: &Path) -> Result<(), Failure> {
        let Some(live) = &self.0 else { return Ok(()) };
        let Some(server) = &live.server else { return Ok(()) };
        live.hands.reach(settings, upstream, live.inputs.clone(), server.publisher())
    }

    /// Tells the players what becomes of the game's cursor.
    pub fn follow_cursor(&self, cursor: &CursorCell) {
        let Some(server) = self.0.as_ref().and_then(|live| live.server.as_ref()) else { return };
        let publisher = server.publisher();
        cursor.follow(move |state| publisher.set_cursor(state));
    }
}

/// Starts the server. Its events reach the pipeline through `handle`, as soon as there is one:
/// before that the pipeline knows better anyway, as its first frame is a keyframe.
fn serve(
    settings: &Settings,
    game: &str,
    handle: Arc<OnceLock<PipelineHandle>>,
    screens: Screens,
    hands: Hands,
) -> Result<Server, Failure> {
    let token = || random_token().map_err(|e| Failure::new("make the session's token", e));
    let viewers = settings.viewers as usize;
    let mut config = ServerConfig {
        listen: settings.listen,
        public_host: settings.public_host.clone(),
        certificate: settings.certificate.clone(),
        game: game.to_owned(),
        size: settings.size,
        millifps: settings.fps * 1000,
        codec: settings.codec,
        clipboard: settings.clipboard,
        limits: Limits { viewers, ..Limits::default() },
        ..ServerConfig::new(token()?)
    };
    if viewers > 0 {
        config.tokens.viewers = Some(token()?);
    }
    let events = move |event| {
        // Input before all else.
        hands.handle(&event);
        tell(&event);
        match &event {
            ServerEvent::Joined { .. } | ServerEvent::Left { .. } => screens.viewers_changed(),
            ServerEvent::Resize { resize, .. } => screens.ask_for_player(*resize),
            _ => {}
        }
        let Some(handle) = handle.get() else { return };
        match event {
            ServerEvent::KeyframeWanted => handle.request_keyframe(),
            ServerEvent::Ready | ServerEvent::Joined { .. } => handle.wake(),
            _ => {}
        }
    };
    Server::start(config, Arc::new(events)).map_err(|e| Failure::new("serve the stream", chain(&e)))
}

fn tell(event: &ServerEvent) {
    match event {
        ServerEvent::Joined { viewer, role, name, remote } => {
            let role = match role {
                Role::Player => "player",
                Role::Viewer => "viewer",
            };
            tracing::info!("{role} {} ({name:?} at {remote}) joined", viewer.0);
        }
        ServerEvent::Left { viewer, why } => tracing::info!("client {} left: {why}", viewer.0),
        ServerEvent::Refused { remote, refusal } => {
            tracing::warn!("turned {remote} away: {}", refusal.text);
        }
        ServerEvent::Stats { viewer, stats } => {
            tracing::debug!("client {}: {stats:?}", viewer.0);
        }
        ServerEvent::Resize { viewer, resize } => {
            tracing::debug!("player {} wants {resize:?}", viewer.0);
        }
        // What is typed and pasted is nobody's business.
        ServerEvent::Input { .. }
        | ServerEvent::Clipboard(_)
        | ServerEvent::PlayerLeft
        | ServerEvent::KeyframeWanted
        | ServerEvent::Ready => {}
    }
}

/// The pipeline's way to the players.
struct ToPlayers {
    publisher: Publisher,
    reporter: Reporter,
}

impl Sink for ToPlayers {
    fn ready(&self) -> bool {
        self.publisher.ready()
    }

    fn viewers(&self) -> bool {
        self.publisher.viewers() > 0
    }

    fn deliver(&mut self, frame: EncodedFrame) {
        self.publisher.publish(&frame);
    }

    fn failed(&mut self, error: &PipelineError) {
        if !error.is_fatal() {
            tracing::warn!("{}", chain(error));
            return;
        }
        let failure = Failure::new("go on encoding", chain(error))
            .remedy("`stratus doctor` tells which encoders there are");
        // Without a receiver the session is at its end already.
        let _ = self.reporter.send(Report::Broken(failure));
    }
}

/// The globals that games see.
///
/// # Errors
/// A usage [`Failure`] for a name that is no global.
pub fn policy(settings: &Settings) -> Result<GlobalPolicy, Failure> {
    let mut policy = GlobalPolicy::default();
    let unknown = |option: &str, e: &dyn std::error::Error| {
        Failure::usage(format!("follow --{option}"), chain(e))
            .remedy("`stratus globals --all` lists the globals that can be named")
    };
    for name in &settings.allow_globals {
        policy.allow(name).map_err(|e| unknown("allow-global", &e))?;
    }
    for name in &settings.hide_globals {
        policy.hide(name).map_err(|e| unknown("hide-global", &e))?;
    }
    Ok(policy)
}

/// Tells the session when a thread ends by a panic, which is always our bug.
struct Fuse(Reporter, &'static str);

impl Drop for Fuse {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let failure = Failure::new(format!("go on without {}", self.1), "it panicked")
                .remedy("report this as a bug of Stratus, with the log");
            let _ = self.0.send(Report::Broken(failure));
        }
    }
}
