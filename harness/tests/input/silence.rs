//! Compositors that hang: what talks to them ends all the same, and comes back when they do.

use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use stratus_harness::watchdog::{Watchdog, wait_for};
use stratus_input::Clipboard;
use tempfile::TempDir;

use crate::{Hands, KEY_A, LIMIT};

/// The socket of a compositor that does nothing by itself.
struct Mute {
    listener: UnixListener,
    socket: PathBuf,
    _folder: TempDir,
}

impl Mute {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("wayland-0");
        Self { listener: UnixListener::bind(&socket).unwrap(), socket, _folder: folder }
    }

    /// One whose kernel takes no more connections, as those that wait are so many.
    fn full() -> (Self, UnixStream) {
        let mute = Self::new();
        // The shortest backlog; Linux has room for one more.
        rustix::net::listen(&mute.listener, 0).unwrap();
        let first = UnixStream::connect(&mute.socket).unwrap();
        (mute, first)
    }

    fn clipboard(&self) -> Clipboard {
        Clipboard::start(self.socket.clone(), Arc::new(|_| {})).unwrap()
    }
}

/// Drops a thing on a thread of its own, as that may take for ever; hears when it is done.
fn ends<T: Send + 'static>(what: &str, thing: T) {
    let (done, is_done): (_, Receiver<()>) = channel();
    thread::spawn(move || {
        drop(thing);
        drop(done);
    });
    let over = is_done.recv_timeout(LIMIT);
    assert_eq!(over, Err(std::sync::mpsc::RecvTimeoutError::Disconnected), "{what} does not end");
}

#[test]
fn input_and_clipboard_end_although_the_compositor_never_answers() {
    let _watchdog = Watchdog::start("a mute compositor", Duration::from_secs(120));
    let mute = Mute::new();
    let mut hands = Hands::at(&mute.socket);
    hands.chord(&[KEY_A]);
    let (_input, _) = mute.listener.accept().unwrap();
    ends("the input", hands);
    let clipboard = mute.clipboard();
    let (_clipboard, _) = mute.listener.accept().unwrap();
    ends("the clipboard", clipboard);
}

#[test]
fn input_and_clipboard_end_although_the_compositor_takes_no_connection() {
    let _watchdog = Watchdog::start("a full backlog", Duration::from_secs(120));
    let (mute, _first) = Mute::full();
    ends("the input", Hands::at(&mute.socket));
    ends("the clipboard", mute.clipboard());
}

#[test]
fn a_clipboard_looks_again_for_a_compositor_that_it_lost() {
    let _watchdog = Watchdog::start("a clipboard's compositor", Duration::from_secs(120));
    let mute = Mute::new();
    let clipboard = mute.clipboard();
    mute.listener.set_nonblocking(true).unwrap();
    for time in 1..=3 {
        // Each is closed at once.
        wait_for(&format!("connection {time}"), LIMIT, || mute.listener.accept().ok()).unwrap();
    }
    ends("the clipboard", clipboard);
}
