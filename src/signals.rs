//! The signals that a session listens to.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals of the process, from their registration on.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    child: Signal,
}

/// How SIGINT says it.
pub const INTERRUPTED: &str = "interrupted (SIGINT)";

/// What a signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Someone wants us to end; this is how.
    End(&'static str),
    /// Children have ended.
    Child,
}

impl Signals {
    /// Takes the signals over. Needs the reactor of a tokio runtime.
    ///
    /// # Errors
    /// Those of registering signal handlers.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            child: signal(SignalKind::child())?,
        })
    }

    /// The next one. May be dropped at any point without losing a signal.
    pub async fn next(&mut self) -> Said {
        tokio::select! {
            _ = self.interrupt.recv() => Said::End(INTERRUPTED),
            _ = self.terminate.recv() => Said::End("terminated (SIGTERM)"),
            _ = self.hangup.recv() => Said::End("the terminal is gone (SIGHUP)"),
            _ = self.child.recv() => Said::Child,
        }
    }
}
