//! The proxy's thread, with the capture and all who watch.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use stratus_capture::{Capture, CaptureConfig, CaptureStats};
use stratus_frame::{Arrival, CursorCell, Post, mailbox};
use stratus_proxy::core::{Hook, Observed, PassThrough};
use stratus_proxy::{Proxy, ProxyConfig, ProxyHandle, SocketName, Wakeup};
use stratus_recording::Place;
use stratus_trace::{Commands, ControlSocket, Hub, QUEUE_LIMIT, TRACE, TraceCommand, control_path};

use super::recording::{RECORD, Records};
use super::screens::{RESIZE, Screens};
use super::{Fuse, Report, Reporter, policy};
use crate::failure::{Failure, chain};
use crate::options::Settings;

/// The longest that a game's buffer is kept from it.
pub(crate) const HOLD_DEADLINE: Duration = Duration::from_millis(100);

/// From the games' socket to the compositor, past the capture.
pub struct Passage {
    socket: PathBuf,
    handle: ProxyHandle,
    thread: JoinHandle<()>,
    stats: Option<Arc<CaptureStats>>,
    cursor: CursorCell,
    hub: Hub,
    records: Records,
    control: ControlSocket,
}

impl Passage {
    /// Makes the socket in `directory` and serves it in front of `upstream`. Frames are taken if
    /// there is a `post` for them, and games hear of other `screens`. Whoever attaches to the control socket can watch and record
    /// what passes.
    ///
    /// # Errors
    /// A [`Failure`] if the socket cannot be had, or a global that is to be shown or hidden is
    /// none.
    pub fn open(
        settings: &Settings,
        directory: &Path,
        upstream: PathBuf,
        post: Option<Post>,
        screens: Option<&Screens>,
        reporter: &Reporter,
    ) -> Result<Self, Failure> {
        let tried = format!("listen on {}", directory.join(&settings.socket).display());
        let failed = |e: &dyn std::error::Error| Failure::new(&tried, chain(e));
        let socket = SocketName::new(settings.socket.as_ref(), Some(directory.as_os_str()))
            .map_err(|e| failed(&e))?;
        let wakeup = Wakeup::new().map_err(|e| failed(&e))?;
        let config = ProxyConfig { socket, upstream, policy: policy(settings)? };
        let (hub, tap) = Hub::new(wakeup.waker());
        let place = Place::new(wakeup.waker());
        let records = Records::new(place.clone(), settings);
        let observer = (tap, place);
        let Some(post) = post else {
            let hook = Observed { hook: PassThrough, observer };
            let proxy = Proxy::bind(config, hook, wakeup).map_err(|e| failed(&e))?;
            return Self::run(proxy, None, None, (hub, records), reporter);
        };
        let capture = CaptureConfig {
            size: settings.size,
            refresh_mhz: screens.map_or(settings.fps * 1000, |s| s.refresh_mhz(settings.fps)),
            hold_deadline: HOLD_DEADLINE,
            idle_interval: (settings.idle_fps > 0)
                .then(|| Duration::from_secs(1) / settings.idle_fps),
            formats: settings.pixel_formats.into(),
        };
        let capture = Capture::new(&capture, post, wakeup.waker());
        let (stats, cursor) = (capture.stats(), capture.cursor());
        if let Some(screens) = screens {
            screens.set_capture(capture.control());
        }
        let hook = Observed { hook: capture, observer };
        let proxy = Proxy::bind(config, hook, wakeup).map_err(|e| failed(&e))?;
        let passage = Self::run(proxy, Some(stats), screens, (hub, records), reporter)?;
        Ok(Self { cursor, ..passage })
    }

    fn run<H: Hook + Send + 'static>(
        proxy: Proxy<H>,
        stats: Option<Arc<CaptureStats>>,
        screens: Option<&Screens>,
        (hub, records): (Hub, Records),
        reporter: &Reporter,
    ) -> Result<Self, Failure> {
        let socket = proxy.socket_path().to_owned();
        // The proxy holds the lock of its socket, so the one beside it is ours as well.
        let path = control_path(&socket);
        let trace = TraceCommand::new(hub.clone(), QUEUE_LIMIT);
        let mut commands: Commands =
            vec![(TRACE, Box::new(trace)), (RECORD, Box::new(records.clone()))];
        if let Some(screens) = screens {
            commands.push((RESIZE, Box::new(screens.clone())));
        }
        let control = ControlSocket::open(&path, commands)
            .map_err(|e| Failure::new(format!("listen on {}", path.display()), e))?;
        let handle = proxy.handle();
        let reporter = reporter.clone();
        let thread = std::thread::Builder::new()
            .name("stratus-proxy".into())
            .spawn(move || {
                let _fuse = Fuse(reporter.clone(), "the proxy's thread");
                if let Err(e) = proxy.run() {
                    let failure = Failure::new("go on forwarding messages", chain(&e));
                    // Without a receiver the session is at its end already.
                    let _ = reporter.send(Report::Broken(failure));
                }
            })
            .map_err(|e| Failure::new("start the proxy's thread", e))?;
        let cursor = CursorCell::default();
        Ok(Self { socket, handle, thread, stats, cursor, hub, records, control })
    }

    /// The games' socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The game's cursor; never known where frames are not taken.
    #[must_use]
    pub fn cursor(&self) -> &CursorCell {
        &self.cursor
    }

    /// Where to watch what passes.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Where to start recordings of what passes.
    #[must_use]
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// Disconnects all games and removes the socket. Gives the number of frames that were taken,
    /// where any could be.
    pub fn close(mut self) -> Option<u64> {
        // While the proxy still holds the lock: after that the place may be another's.
        self.control.withdraw();
        self.handle.stop();
        if self.thread.join().is_err() {
            tracing::error!("the proxy's thread panicked");
        }
        self.records.end();
        let stats = self.stats?;
        tracing::debug!("{stats:?}");
        let paced = &stats.done_to_commit;
        if paced.count() > 0 {
            tracing::info!(
                "the game drew {} pictures when it was asked for one; p50 {:?}, p95 {:?}, longest \
                 {:?} from then to the commit",
                paced.count(),
                paced.percentile(50),
                paced.percentile(95),
                paced.longest(),
            );
        }
        Some(stats.handed.value())
    }
}

/// A way for frames that nobody wants to see: each is given back at once. The thread ends when
/// the passage that takes the frames does.
///
/// # Errors
/// A [`Failure`] if the thread cannot be started.
pub fn drain() -> Result<Post, Failure> {
    let (post, slot) = mailbox();
    std::thread::Builder::new()
        .name("stratus-drain".into())
        .spawn(move || while !matches!(slot.wait(true, None), Arrival::Closed) {})
        .map_err(|e| Failure::new("start the thread that gives frames back", e))?;
    Ok(post)
}
