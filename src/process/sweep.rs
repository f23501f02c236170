//! Ends every process of a session, however it came to be.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};

use super::Marker;

/// How often it is looked whether processes have ended.
const LOOK: Duration = Duration::from_millis(5);
/// How long after SIGKILL the kernel may take to end a process.
const KERNEL: Duration = Duration::from_secs(3);

/// Whose processes to end.
#[derive(Debug)]
pub struct Scope<'a> {
    /// Those that carry this marker.
    pub marker: &'a Marker,
    /// And the descendants of this process, which itself is spared.
    pub root: Option<Pid>,
    /// And these: the environment of a program with file capabilities, as some builds of Sway
    /// have them, cannot be read by its own user.
    pub known: &'a [Known],
    /// But never these.
    pub spare: &'a [Pid],
}

/// A process that is known by when it started, so that another with its pid is not taken for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its pid.
    pub pid: Pid,
    /// Field 22 of `/proc/PID/stat`: clock ticks since boot.
    pub started: u64,
}

impl Known {
    /// The living process `pid`, if there is one.
    #[must_use]
    pub fn look_up(pid: Pid) -> Option<Self> {
        let stat = Stat::parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)?;
        Some(Self { pid, started: stat.started })
    }
}

/// Asks all processes in `scope` to end, kills after `grace` those that did not, and returns
/// those that outlived even that (stuck in the kernel). `meanwhile` runs between looks: a parent
/// reaps its children there.
pub fn end_all(scope: &Scope<'_>, grace: Duration, mut meanwhile: impl FnMut()) -> Vec<Pid> {
    let start = Instant::now();
    let mut asked = HashSet::new();
    let mut not_ours = HashSet::new();
    loop {
        let mut members = members(scope);
        members.retain(|pid| !not_ours.contains(pid));
        let waited = start.elapsed();
        if members.is_empty() || waited > grace + KERNEL {
            return members;
        }
        for &pid in &members {
            let signal = if waited > grace {
                Signal::SIGKILL
            } else if asked.insert(pid) {
                Signal::SIGTERM
            } else {
                continue;
            };
            // ESRCH means that it ended since it was listed, EPERM that it became another user's.
            if kill(pid, signal) == Err(Errno::EPERM) {
                not_ours.insert(pid);
            }
            // A stopped process acts on SIGTERM only when it goes on.
            let _ = kill(pid, Signal::SIGCONT);
        }
        std::thread::sleep(LOOK);
        meanwhile();
    }
}

/// The living processes in `scope`.
#[must_use]
pub fn members(scope: &Scope<'_>) -> Vec<Pid> {
    let own = Pid::this();
    let uid = Uid::current().as_raw();
    let processes = list();
    let parents: HashMap<Pid, Pid> = processes.iter().map(|p| (p.pid, p.stat.parent)).collect();
    let belongs = |p: &Process| {
        let known = Known { pid: p.pid, started: p.stat.started };
        scope.known.contains(&known)
            || scope.root.is_some_and(|root| descends(p.pid, root, &parents))
            || p.uid == uid
                && fs::read(format!("/proc/{}/environ", p.pid))
                    .is_ok_and(|environ| scope.marker.is_in(&environ))
    };
    processes
        .iter()
        .filter(|p| p.stat.alive && p.pid != own && !scope.spare.contains(&p.pid))
        .filter(|p| belongs(p))
        .map(|p| p.pid)
        .collect()
}

struct Process {
    pid: Pid,
    uid: u32,
    stat: Stat,
}

/// All processes; those that end while they are listed are left out.
fn list() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?);
            let uid = entry.metadata().ok()?.uid();
            let stat = Stat::parse(&fs::read(entry.path().join("stat")).ok()?)?;
            Some(Process { pid, uid, stat })
        })
        .collect()
}

/// What is used of `/proc/PID/stat` (proc_pid_stat(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    alive: bool,
    parent: Pid,
    started: u64,
}

impl Stat {
    /// The name in parentheses may contain anything, parentheses too, so fields count from the
    /// last one: after it come fields 3 (state), 4 (parent) and, 18 further, 22 (start).
    fn parse(stat: &[u8]) -> Option<Self> {
        let end = stat.iter().rposition(|&b| b == b')')?;
        let mut fields = std::str::from_utf8(stat.get(end + 1..)?).ok()?.split_ascii_whitespace();
        let alive = !matches!(fields.next()?, "Z" | "X" | "x");
        let parent = Pid::from_raw(fields.next()?.parse().ok()?);
        let started = fields.nth(17)?.parse().ok()?;
        Some(Self { alive, parent, started })
    }
}

fn descends(pid: Pid, root: Pid, parents: &HashMap<Pid, Pid>) -> bool {
    let mut at = pid;
    // A chain longer than the list would be a circle, made of pids used anew while listing.
    for _ in 0..parents.len() {
        let Some(&parent) = parents.get(&at) else { return false };
        if parent == root {
            return true;
        }
        at = parent;
    }
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::process::{Command, Stdio};

    use super::*;
    use crate::process::SESSION_VARIABLE;

    #[test]
    fn names_with_parentheses_do_not_confuse() {
        let rest = "12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000";
        let stat = |head: &str| Stat::parse(format!("{head} {rest}").as_bytes());
        let parent = Pid::from_raw(7);
        assert_eq!(stat("12 (a) b) (c) S 7"), Some(Stat { alive: true, parent, started: 98765 }));
        assert_eq!(stat("12 (x) Z 7"), Some(Stat { alive: false, parent, started: 98765 }));
        assert_eq!(Stat::parse(b"12 (x) S 7 1"), None);
        assert_eq!(Stat::parse(b"12 (x"), None);
        assert_eq!(Stat::parse(b""), None);
    }

    #[test]
    fn a_pid_used_anew_is_not_taken_for_the_known_process() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let known = Known::look_up(crate::process::pid_of(&child)).unwrap();
        let earlier = Known { started: known.started - 1, ..known };
        let marker = Marker::new("nobody has this");
        let with =
            |known: &[Known]| members(&Scope { marker: &marker, root: None, known, spare: &[] });
        assert_eq!(with(&[earlier]), []);
        assert_eq!(with(&[known]), [known.pid]);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(Known::look_up(known.pid), None);
    }

    /// A detached process that refuses SIGTERM, one that was stopped, and a stranger.
    #[test]
    fn ends_what_is_marked_and_spares_the_rest() {
        let marker = Marker::new(&format!("sweep-test-{}", std::process::id()));
        let start = |script: &str, id: &str| {
            Command::new("setsid")
                .args(["sh", "-c", script])
                .env(SESSION_VARIABLE, id)
                .stdin(Stdio::null())
                .spawn()
                .unwrap()
        };
        let stubborn = start("trap '' TERM; while :; do sleep 0.1; done", marker.id());
        let stopped = start("kill -STOP $$; sleep 60", marker.id());
        let mut stranger = start("exec sleep 60", "another");
        let scope = Scope { marker: &marker, root: None, known: &[], spare: &[] };
        while members(&scope).len() < 2 {
            std::thread::sleep(LOOK);
        }
        let mut children = [stubborn, stopped];
        let left = end_all(&scope, Duration::from_millis(200), || {
            for child in &mut children {
                let _ = child.try_wait();
            }
        });
        assert_eq!(left, []);
        assert!(stranger.try_wait().unwrap().is_none(), "the stranger was ended");
        stranger.kill().unwrap();
        stranger.wait().unwrap();
        for child in &mut children {
            child.wait().unwrap();
        }
    }

    #[test]
    fn descendants_count_without_a_marker() {
        let mut shell = Command::new("sh")
            .args(["-c", "env -i sleep 60 & wait"])
            .env_remove(SESSION_VARIABLE)
            .spawn()
            .unwrap();
        let root = crate::process::pid_of(&shell);
        let marker = Marker::new("nobody has this");
        let scope = Scope { marker: &marker, root: Some(root), known: &[], spare: &[] };
        while members(&scope).is_empty() {
            std::thread::sleep(LOOK);
        }
        let left = end_all(&scope, Duration::from_secs(5), || {
            let _ = shell.try_wait();
        });
        assert_eq!(left, []);
        shell.wait().unwrap();
    }
}
