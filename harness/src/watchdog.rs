//! Ends a test that hangs, and says where it hung.

use std::fmt::Write as _;
use std::process::abort;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::fds;

/// While this lives, time is limited. When it runs out, the process prints what its threads wait
/// in and which fds it holds, and aborts: a test must fail rather than hang.
#[derive(Debug)]
pub struct Watchdog {
    disarm: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Gives what `name` names at most `limit`.
    #[must_use]
    pub fn start(name: &str, limit: Duration) -> Self {
        let (disarm, armed) = channel();
        let name = name.to_owned();
        let thread = thread::spawn(move || {
            if armed.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{name} did not end within {limit:?}\n{}", dump());
                abort();
            }
        });
        Self { disarm: Some(disarm), thread: Some(thread) }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.disarm.take());
        if let Some(thread) = self.thread.take() {
            // The thread cannot panic, and a hung test's verdict would not come from here.
            let _ = thread.join();
        }
    }
}

/// The threads of this process with the kernel function that each sleeps in, and its open fds.
#[must_use]
pub fn dump() -> String {
    let mut text = String::new();
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    for task in tasks {
        let file = |name: &str| {
            std::fs::read_to_string(task.path().join(name)).unwrap_or_default().trim().to_owned()
        };
        let (comm, wchan, syscall) = (file("comm"), file("wchan"), file("syscall"));
        let _ = writeln!(text, "  thread {comm} in {wchan}, syscall {syscall}");
    }
    match fds::open_fds(std::process::id()) {
        Ok(fds) => {
            for (fd, target) in fds {
                let _ = writeln!(text, "  fd {fd} -> {target}");
            }
        }
        Err(error) => {
            let _ = writeln!(text, "  fds unknown: {error}");
        }
    }
    text
}

/// Calls `probe` every few milliseconds until it gives a value or `limit` is over.
///
/// For conditions in another process that nothing announces; where there is an event, wait for it.
///
/// # Errors
/// When the time is over, naming `what` was awaited.
pub fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> Option<T>,
) -> anyhow::Result<T> {
    let deadline = std::time::Instant::now() + limit;
    loop {
        if let Some(value) = probe() {
            return Ok(value);
        }
        if std::time::Instant::now() >= deadline {
            anyhow::bail!("{what} did not happen within {limit:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_disarmed_watchdog_is_silent_and_the_dump_names_this_thread() {
        drop(Watchdog::start("a test that ends", Duration::from_secs(600)));
        let text = dump();
        assert!(text.contains("thread ") && text.contains("fd 0"), "{text}");
    }

    #[test]
    fn waiting_ends_with_the_value_or_with_the_name_of_what_never_came() {
        let mut tries = 0;
        let value = wait_for("the third try", Duration::from_secs(60), || {
            tries += 1;
            (tries == 3).then_some(tries)
        });
        assert_eq!(value.unwrap(), 3);
        let error = wait_for("nothing", Duration::ZERO, || None::<()>).unwrap_err();
        assert!(error.to_string().starts_with("nothing did not happen"), "{error}");
    }
}
