//! A player inside the test: decodes every frame and keeps the newest picture.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use stratus_encode::{Decoded, Decoder};
use stratus_frame::{CursorState, Size};
use stratus_harness::picture::Picture;
use stratus_stream::core::link::Link;
use stratus_stream::{Player, PlayerConfig, PlayerEvent, ReceivedFrame};
use tokio::sync::oneshot;

/// What the player has seen so far.
#[derive(Default)]
pub(crate) struct Seen {
    /// Decoded frames.
    pub frames: u64,
    /// Different pictures among them.
    pub pictures: usize,
    /// Frames that were announced by ids and never came.
    pub missing: u64,
    /// The newest picture.
    pub newest: Option<Picture>,
    /// When it came.
    pub newest_at: Option<Instant>,
    /// The cursor.
    pub cursor: CursorState,
    /// Why the stream is over, if it is.
    pub over: Option<String>,
    hashes: HashSet<u64>,
}

/// A player that runs until it is dropped.
pub(crate) struct Viewer {
    seen: Arc<Mutex<Seen>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Viewer {
    /// Connects to the session of `link` and decodes what comes.
    pub(crate) fn watch(link: &str) -> Self {
        let link: Link = link.parse().expect("the printed link");
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&seen);
        let thread = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(play(&link, &shared, stopped));
        });
        Self { seen, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    /// Waits until `enough` of what was seen, which must come true within `limit`.
    pub(crate) fn wait(&self, what: &str, limit: Duration, enough: impl Fn(&Seen) -> bool) {
        let deadline = Instant::now() + limit;
        loop {
            let seen = self.seen();
            if enough(&seen) {
                return;
            }
            assert!(seen.over.is_none(), "{what}: the stream is over: {:?}", seen.over);
            assert!(Instant::now() < deadline, "{what}: only {} frames came", seen.frames);
            drop(seen);
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until no frame has come for `quiet`, and gives the last picture.
    pub(crate) fn settle(&self, quiet: Duration, limit: Duration) -> Picture {
        self.wait("the picture comes to rest", limit, |seen| {
            seen.newest_at.is_some_and(|at| at.elapsed() >= quiet)
        });
        self.seen().newest.clone().expect("a frame came")
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn play(link: &Link, seen: &Mutex<Seen>, mut stopped: oneshot::Receiver<()>) {
    let config = PlayerConfig { name: "test".to_owned(), ..PlayerConfig::default() };
    let mut player = match Player::connect(link, config).await {
        Ok(player) => player,
        Err(error) => {
            seen.lock().unwrap().over = Some(error.to_string());
            return;
        }
    };
    let mut decoder = Decoder::new(Size::new(4096, 4096)).expect("an H.264 decoder");
    loop {
        let event = tokio::select! {
            event = player.next() => event,
            _ = &mut stopped => return player.close().await,
        };
        match event {
            PlayerEvent::Frame(frame) => {
                let decoded = decoder.decode(&frame.data);
                let mut seen = seen.lock().unwrap();
                seen.missing = player.counts().missing;
                match decoded {
                    Ok(decoded) => note(&mut seen, &frame, &decoded),
                    Err(error) => seen.over = Some(error.to_string()),
                }
            }
            PlayerEvent::Cursor(state) => seen.lock().unwrap().cursor = state,
            PlayerEvent::Sound(_) | PlayerEvent::Rumble(_) | PlayerEvent::Clipboard(_) => {}
            PlayerEvent::End(reason) => {
                seen.lock().unwrap().over = Some(reason.text);
                return;
            }
            PlayerEvent::Lost(why) => {
                seen.lock().unwrap().over = Some(why);
                return;
            }
        }
    }
}

fn note(seen: &mut Seen, frame: &ReceivedFrame, decoded: &Decoded<'_>) {
    let size = frame.header.size;
    let mut hasher = DefaultHasher::new();
    decoded.planes.luma.data.hash(&mut hasher);
    seen.hashes.insert(hasher.finish());
    seen.pictures = seen.hashes.len();
    seen.frames += 1;
    seen.newest_at = Some(Instant::now());
    let rgb = decoded.planes.to_rgb(size);
    seen.newest = Some(Picture { size: (size.width, size.height), rgb });
}
