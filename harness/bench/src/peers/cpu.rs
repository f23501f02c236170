//! The processor time of contestants, without their game.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// The game's name as the kernel has it.
const GAME: &str = "harness-client";

/// Nanoseconds of processor time that the living threads of these processes, and of all that were
/// started by them, have used; the game's are left out.
pub(super) fn of_processes(roots: &[u32]) -> u64 {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for pid in entries.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok()) {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if let Some((name, parent)) = name_and_parent(&stat)
            && name != GAME
        {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut waiting = roots.to_vec();
    let mut sum = 0;
    while let Some(pid) = waiting.pop() {
        sum += of_threads(Path::new(&format!("/proc/{pid}/task")), |_| true);
        waiting.extend(children.remove(&pid).unwrap_or_default());
    }
    sum
}

/// That of this process' threads of a name. Threads that a library starts bear the name of the
/// thread that had it do so.
pub(super) fn of_own_threads(name: &str) -> u64 {
    of_threads(Path::new("/proc/self/task"), |thread| {
        fs::read_to_string(thread.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
    })
}

fn of_threads(tasks: &Path, counts: impl Fn(&Path) -> bool) -> u64 {
    let tasks = fs::read_dir(tasks).into_iter().flatten().flatten();
    let times = tasks.map(|task| task.path()).filter(|task| counts(task)).filter_map(|task| {
        // The first number is the time on a processor.
        let text = fs::read_to_string(task.join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    times.sum()
}

/// Out of `/proc/PID/stat`. The name stands in brackets and may hold brackets itself.
fn name_and_parent(stat: &str) -> Option<(&str, u32)> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    Some((name, after.split_whitespace().nth(1)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn names_may_hold_brackets() {
        assert_eq!(name_and_parent("7 (a (b) c) S 3 7 7 0"), Some(("a (b) c", 3)));
        assert_eq!(name_and_parent(""), None);
    }

    #[test]
    fn a_thread_that_works_is_seen_by_its_name() {
        let work = || {
            let until = Instant::now() + Duration::from_millis(30);
            while Instant::now() < until {
                std::hint::spin_loop();
            }
            (of_own_threads("bench-cpu-test"), of_processes(&[std::process::id()]))
        };
        let thread = std::thread::Builder::new().name("bench-cpu-test".to_owned()).spawn(work);
        let (named, all) = thread.unwrap().join().unwrap();
        assert!(0 < named && named <= all, "{named} of {all} ns");
    }
}
