//! The processes of a session: whose each is, what processor time it has used, what memory it has.

use std::fs;

/// Whose a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// `stratus run` and its helper.
    Stratus,
    /// The compositor and what it started.
    Sway,
    /// The game and what it started.
    Game,
    /// `stratus play`.
    Player,
}

impl Role {
    pub(super) const ALL: [Self; 4] = [Self::Stratus, Self::Sway, Self::Game, Self::Player];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Stratus => "stratus",
            Self::Sway => "Sway",
            Self::Game => "game",
            Self::Player => "player",
        }
    }
}

/// A tick of /proc/stat, ns (USER_HZ is 100 on all machines that we know).
const TICK: u64 = 10_000_000;

/// A process of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) role: Role,
}

/// What processes use.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Usage {
    /// Processor time since they began, ns.
    pub(super) cpu: u64,
    /// Memory, KiB, where what several processes share counts for each by its part (PSS).
    pub(super) pss: u64,
    /// Memory, KiB, where that counts whole for each (RSS).
    pub(super) rss: u64,
}

impl Usage {
    /// Of all these; what has ended counts nothing.
    pub(super) fn of(processes: &[Process], role: Role) -> Self {
        let mut all = Self::default();
        for process in processes.iter().filter(|p| p.role == role) {
            all.cpu += cpu(process.pid);
            let (pss, rss) = memory(process.pid);
            all.pss += pss;
            all.rss += rss;
        }
        all
    }
}

/// Processor time that this machine has used for anything, ns.
pub(super) fn machine_cpu() -> u64 {
    busy(&fs::read_to_string("/proc/stat").unwrap_or_default())
}

/// The first line of /proc/stat: user, nice, system, idle, waiting, interrupts, stolen, in ticks.
fn busy(stat: &str) -> u64 {
    let line = stat.lines().next().and_then(|line| line.strip_prefix("cpu ")).unwrap_or_default();
    let ticks: Vec<u64> = line.split_whitespace().filter_map(|text| text.parse().ok()).collect();
    // What guests have is part of the user's time, and waiting is not work.
    let work = [0, 1, 2, 5, 6].iter().filter_map(|place| ticks.get(*place));
    work.sum::<u64>() * TICK
}

/// All processes of the session whose `stratus run` is `session`, and its player.
pub(super) fn of_session(session: u32, player: u32) -> Vec<Process> {
    let all: Vec<Entry> =
        fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(entry).collect();
    let mut found = descendants(&all, session);
    found.push(Process { pid: player, role: Role::Player });
    found
}

/// A process as /proc shows it.
struct Entry {
    pid: u32,
    parent: u32,
    name: String,
}

fn entry(folder: fs::DirEntry) -> Option<Entry> {
    let pid = folder.file_name().to_str()?.parse().ok()?;
    let stat = fs::read_to_string(folder.path().join("stat")).ok()?;
    // Behind the name, which may hold anything: state, parent.
    let (head, rest) = stat.rsplit_once(')')?;
    let parent = rest.split_whitespace().nth(1)?.parse().ok()?;
    let name = head.split_once('(')?.1.to_owned();
    Some(Entry { pid, parent, name })
}

/// `root` and what descends from it. Children have the role that their name tells, and what they
/// started is of the same role.
fn descendants(all: &[Entry], root: u32) -> Vec<Process> {
    let mut found = vec![Process { pid: root, role: Role::Stratus }];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        next += 1;
        for child in all.iter().filter(|entry| entry.parent == parent.pid) {
            let role = match (parent.pid == root, &*child.name) {
                (false, _) => parent.role,
                (true, "sway") => Role::Sway,
                (true, "stratus") => Role::Stratus,
                (true, _) => Role::Game,
            };
            found.push(Process { pid: child.pid, role });
        }
    }
    found
}

/// Processor time of its living threads, ns.
fn cpu(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let times = tasks.filter_map(|task| {
        // The first number is the time on a processor.
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    times.sum()
}

/// PSS and RSS in KiB; nothing of a process whose memory we may not look at.
fn memory(pid: u32) -> (u64, u64) {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    (field(&text, "Pss:"), field(&text, "Rss:"))
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_started_is_of_its_role() {
        let entry = |pid, parent, name: &str| Entry { pid, parent, name: name.to_owned() };
        let all = [
            entry(1, 0, "init"),
            entry(10, 1, "stratus"),
            entry(11, 10, "stratus"),
            entry(12, 10, "sway"),
            entry(13, 12, "sh"),
            entry(14, 10, "foot"),
            entry(15, 14, "sway"),
            entry(20, 1, "stratus"),
        ];
        let mut found = descendants(&all, 10);
        found.sort_by_key(|process| process.pid);
        let roles: Vec<_> = found.iter().map(|p| (p.pid, p.role)).collect();
        let of = |pid, role| (pid, role);
        assert_eq!(
            roles,
            [
                of(10, Role::Stratus),
                of(11, Role::Stratus),
                of(12, Role::Sway),
                of(13, Role::Sway),
                of(14, Role::Game),
                of(15, Role::Game),
            ]
        );
    }

    #[test]
    fn work_is_what_is_neither_idle_nor_waiting() {
        assert_eq!(busy("cpu  1 2 3 1000 500 4 5 7 9 0\ncpu0 1"), 15 * TICK);
        assert_eq!(busy("nonsense"), 0);
        assert!(machine_cpu() > 0);
    }

    #[test]
    fn our_own_usage_is_there_to_be_read() {
        let own = [Process { pid: std::process::id(), role: Role::Game }];
        let usage = Usage::of(&own, Role::Game);
        assert!(usage.cpu > 0 && usage.pss > 0 && usage.rss >= usage.pss, "{usage:?}");
        assert_eq!(Usage::of(&own, Role::Sway), Usage::default());
        assert_eq!(field("Rss:   12 kB\nPss_Dirty: 4 kB\nPss:   7 kB\n", "Pss:"), 7);
    }
}
