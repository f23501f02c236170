//! The limit of open files: raised for us, as it was for the programs that we start.
//!
//! A client costs the proxy two fds and each of its pools another one, so that the usual soft
//! limit of 1,024 would do for some 400 clients. The hard limit is what the system means to allow.
//! Programs that use select(2) break with fds above 1,023, which is why the soft limit is low in
//! the first place: they get the one that we found.

use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

static FOUND: OnceLock<(rlim_t, rlim_t)> = OnceLock::new();

/// Raises the soft limit to the hard one. A failure leaves the limit as it is: it only means fewer
/// clients.
pub fn raise() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        // A second call would find what the first one raised.
        let _ = FOUND.set((soft, hard));
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).map(|()| (soft, hard))
    });
    match raised {
        Ok((soft, hard)) => tracing::debug!("raised the limit of open files from {soft} to {hard}"),
        Err(e) => tracing::debug!("the limit of open files stays as it is: {e}"),
    }
}

/// The limits, soft and hard, as they were before [`raise`]; `None` if it was never called.
pub(super) fn found() -> Option<(rlim_t, rlim_t)> {
    FOUND.get().copied()
}
