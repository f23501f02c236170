//! A compositor, the proxy in front of it, and places for clients: the stage of the tests here.

// Each test binary uses a part of it.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use stratus_capture::{Capture, CaptureConfig, CaptureStats};
use stratus_frame::{Slot, mailbox};
use stratus_proxy::{Proxy, ProxyConfig, ProxyHandle, SocketName, Wakeup};
use stratus_proxy_core::{GlobalPolicy, Hook, PassThrough};

use stratus_harness::compositor::{Compositor, Config};

/// How long anything may take that a test waits for.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A running proxy.
pub(crate) struct Proxied {
    socket: PathBuf,
    handle: ProxyHandle,
    thread: Option<JoinHandle<()>>,
}

impl Proxied {
    /// A proxy at `folder/proxied` in front of `upstream` with a hook made by `hook`.
    pub(crate) fn start<H: Hook>(
        folder: &Path,
        upstream: &Path,
        hook: impl FnOnce(&Wakeup) -> H + Send + 'static,
    ) -> Self {
        let socket = folder.join("proxied");
        let config = ProxyConfig {
            socket: SocketName::new(socket.as_os_str(), None).unwrap(),
            upstream: upstream.to_owned(),
            policy: GlobalPolicy::default(),
        };
        let (told, ready) = std::sync::mpsc::channel();
        // The hook need not be Send: it is made in the thread that uses it.
        let thread = std::thread::Builder::new().name("proxy".to_owned()).spawn(move || {
            let wakeup = Wakeup::new().unwrap();
            let hook = hook(&wakeup);
            let proxy = Proxy::bind(config, hook, wakeup).unwrap();
            told.send(proxy.handle()).unwrap();
            proxy.run().unwrap();
        });
        let handle = ready.recv().expect("the proxy starts");
        Self { socket, handle, thread: Some(thread.unwrap()) }
    }

    /// A proxy without capture.
    pub(crate) fn passing(folder: &Path, upstream: &Path) -> Self {
        Self::start(folder, upstream, |_| PassThrough)
    }

    /// A proxy with capture; frames come out of the slot.
    pub(crate) fn capturing(
        folder: &Path,
        upstream: &Path,
        config: CaptureConfig,
    ) -> (Self, Slot, Arc<CaptureStats>) {
        let (post, slot) = mailbox();
        let (told, stats) = std::sync::mpsc::channel();
        let proxied = Self::start(folder, upstream, move |wakeup| {
            let capture = Capture::new(&config, post, wakeup.waker());
            told.send(capture.stats()).unwrap();
            capture
        });
        (proxied, slot, stats.recv().unwrap())
    }

    /// Where clients connect.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Ends it and says whether it ended well.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            let joined = thread.join();
            assert!(joined.is_ok() || std::thread::panicking(), "the proxy panicked");
        }
    }
}

impl Drop for Proxied {
    fn drop(&mut self) {
        self.end();
    }
}

/// A scripted compositor in a folder of its own.
pub(crate) struct Stage {
    pub compositor: Compositor,
    pub folder: tempfile::TempDir,
}

impl Stage {
    pub(crate) fn new(config: Config) -> Self {
        let folder = tempfile::Builder::new().prefix("stratus-test-").tempdir_in("/tmp").unwrap();
        let compositor = Compositor::start(&folder.path().join("compositor"), config).unwrap();
        Self { compositor, folder }
    }

    pub(crate) fn passing(&self) -> Proxied {
        Proxied::passing(self.folder.path(), self.compositor.socket())
    }

    pub(crate) fn capturing(&self, config: CaptureConfig) -> (Proxied, Slot, Arc<CaptureStats>) {
        Proxied::capturing(self.folder.path(), self.compositor.socket(), config)
    }
}
