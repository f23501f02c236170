//! The priority of the session's threads: above the game's, where the system permits it.
//!
//! A game may keep all processors busy. The threads that carry its frames, its sound and the
//! player's input want one for some microseconds at a time (the encoder's for a few milliseconds a
//! frame), and each wait for it is delay. The kernel lets a thread be preferred by its nice value,
//! but below that which the process has only with `RLIMIT_NICE` or `CAP_SYS_NICE`.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use rustix::process::{Pid, setpriority_process};

/// Names of threads, as the kernel keeps them, and how nice they shall be: below 0 is less nice.
/// The encoder works longest and waits for nobody, so that it comes last.
const THREADS: [(&str, i32); 5] = [
    ("stratus-proxy", -11),
    ("stratus-input", -11),
    ("stratus-quic", -10),
    ("sound", -10),
    ("stratus-encode", -6),
];

/// How long a thread may take to begin, and how often it is looked for until then.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(50);

/// Prefers the session's threads as soon as they run, and says what came of it in the log. Threads
/// and processes that they start from then on inherit it; the game is started by another.
pub fn prefer() {
    // A thread gives itself its name when it first runs, which a busy machine puts off. Not all of
    // them need be there: a session may have no input, or no sound.
    let look = || {
        let start = Instant::now();
        loop {
            match prefer_in(Path::new("/proc/self/task")) {
                Ok(threads) if threads < THREADS.len() && start.elapsed() < PATIENCE => {}
                Ok(threads) => {
                    return tracing::debug!("{threads} threads are preferred to the game's");
                }
                Err(e) => {
                    return tracing::debug!("no thread is preferred to the game's: {e}");
                }
            }
            thread::sleep(LOOK);
        }
    };
    if let Err(e) = thread::Builder::new().name("priority".into()).spawn(look) {
        tracing::debug!("no thread is preferred to the game's: {e}");
    }
}

/// Whether [`prefer`] would be permitted. Tries it for the thread that asks, and takes it back.
///
/// # Errors
/// The system's, usually that it is not permitted.
pub fn is_permitted() -> io::Result<()> {
    let now = rustix::process::getpriority_process(None)?;
    setpriority_process(None, -11)?;
    Ok(setpriority_process(None, now)?)
}

fn prefer_in(tasks: &Path) -> io::Result<usize> {
    let mut preferred = 0;
    for task in fs::read_dir(tasks)? {
        let task = task?;
        // A thread may end meanwhile.
        let Ok(name) = fs::read_to_string(task.path().join("comm")) else { continue };
        let known = THREADS.iter().find(|(known, _)| *known == name.trim_end());
        let id = task.file_name().to_str().and_then(|id| Pid::from_raw(id.parse().ok()?));
        if let (Some((_, nice)), Some(id)) = (known, id) {
            setpriority_process(Some(id), *nice)?;
            preferred += 1;
        }
    }
    Ok(preferred)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn threads_of_other_names_stay_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let task = folder.path().join("1");
        fs::create_dir(&task).unwrap();
        fs::write(task.join("comm"), "game\n").unwrap();
        assert_eq!(prefer_in(folder.path()).unwrap(), 0);
        // A thread whose name cannot be read is gone.
        fs::create_dir(folder.path().join("2")).unwrap();
        assert_eq!(prefer_in(folder.path()).unwrap(), 0);
        // One that is no more is an error of the system's, told and not panicked about.
        let gone = folder.path().join("2147483647");
        fs::create_dir(&gone).unwrap();
        fs::write(gone.join("comm"), "stratus-proxy\n").unwrap();
        assert!(prefer_in(folder.path()).is_err());
    }
}
