//! Closes fds of clients in a thread of its own.
//!
//! Whoever closes a socket with SO_LINGER last waits until its peer has read what is unsent. Fds
//! that a client sent and nobody gets are closed here, where nobody else waits.

use std::os::fd::OwnedFd;
use std::sync::mpsc::{Sender, channel};

/// The way to the thread, which starts with the first fds and ends when this is dropped.
#[derive(Default)]
pub(crate) struct Closer {
    thread: Option<Sender<Vec<OwnedFd>>>,
}

impl Closer {
    /// Closes `fds` soon.
    pub(crate) fn close(&mut self, fds: Vec<OwnedFd>) {
        if fds.is_empty() {
            return;
        }
        let thread = match self.thread.take() {
            Some(thread) => thread,
            None => match start() {
                Ok(thread) => thread,
                Err(error) => {
                    tracing::debug!("no thread to close fds in: {error}");
                    return drop(fds);
                }
            },
        };
        // It lives as long as this sender; were it gone, the fds would be closed here.
        let _ = thread.send(fds);
        self.thread = Some(thread);
    }
}

fn start() -> std::io::Result<Sender<Vec<OwnedFd>>> {
    let (sender, receiver) = channel::<Vec<OwnedFd>>();
    let close = move || receiver.into_iter().for_each(drop);
    std::thread::Builder::new().name("stratus-closer".to_owned()).spawn(close)?;
    Ok(sender)
}
