//! A game that a test can read: it draws marker frames, follows the rules of `wl_buffer.release`
//! to the letter and counts what happened to it; or breaks rules where it is told to.
//!
//! Built on `wayland-client`, whose parser and serialiser are not ours.

mod buffers;
mod config;
mod counts;
mod events;
mod keys;
mod moments;
mod play;
mod tricks;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context as _, anyhow};

pub use config::{Buffers, Config, Format, POISON, Pace, Trick};
pub use counts::{Counts, End};

/// What another thread can see of a running client, and how it ends it.
#[derive(Debug, Default)]
pub struct Live {
    /// Frames committed so far.
    pub commits: AtomicU64,
    /// `wl_buffer.release`s so far.
    pub releases: AtomicU64,
    /// Set to true to end the client after the frame at hand.
    pub stop: AtomicBool,
}

/// Plays in this thread until `config.frames` are committed or the connection ends.
///
/// A connection that the peer ends is not an error: see [`Counts::end`].
///
/// # Errors
/// If it cannot connect, a global it needs is not offered, or memory cannot be had.
pub fn play(socket: &Path, config: &Config) -> anyhow::Result<Counts> {
    play::play(socket, config, Arc::default())
}

/// A client that plays in a thread of its own.
#[derive(Debug)]
pub struct Client {
    live: Arc<Live>,
    thread: Option<JoinHandle<anyhow::Result<Counts>>>,
}

impl Client {
    /// Starts a client against the socket at `socket`.
    ///
    /// # Errors
    /// If no thread can be had; what happens to the client comes with [`Client::join`].
    pub fn start(socket: &Path, config: Config) -> anyhow::Result<Self> {
        let live = Arc::new(Live::default());
        let (socket, seen) = (socket.to_owned(), Arc::clone(&live));
        let thread = std::thread::Builder::new()
            .name("client".to_owned())
            .spawn(move || play::play(&socket, &config, seen))
            .context("start the scripted client")?;
        Ok(Self { live, thread: Some(thread) })
    }

    /// Its progress.
    #[must_use]
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// As for [`play`].
    pub fn join(mut self) -> anyhow::Result<Counts> {
        let thread = self.thread.take().ok_or_else(|| anyhow!("joined twice"))?;
        thread.join().map_err(|_| anyhow!("the scripted client panicked"))?
    }

    /// Asks it to end and waits.
    ///
    /// # Errors
    /// As for [`play`].
    pub fn stop(self) -> anyhow::Result<Counts> {
        self.live.stop.store(true, Ordering::Relaxed);
        self.join()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.live.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
