//! The machine: on which processor things run, what they cost it, and what it is.

use std::{fmt, fs};

use anyhow::Context as _;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Keeps this process, and all that it starts from now on, on the last processor that it may
/// use. Returns that processor's number.
pub(crate) fn pin() -> anyhow::Result<usize> {
    let this = Pid::from_raw(0);
    let allowed = sched_getaffinity(this).context("asking for our processors")?;
    let last = (0..CpuSet::count()).rev().find(|&n| allowed.is_set(n) == Ok(true));
    let last = last.context("there is no processor for us")?;
    let mut one = CpuSet::new();
    one.set(last)?;
    sched_setaffinity(this, &one).context("staying on one processor")?;
    Ok(last)
}

/// Nanoseconds of processor time that the living threads of these process groups have used.
pub(crate) fn cpu_time(groups: &[u32]) -> u64 {
    let Ok(processes) = fs::read_dir("/proc") else { return 0 };
    let tasks = processes
        .flatten()
        .filter(|process| group_of(process).is_some_and(|group| groups.contains(&group)))
        .filter_map(|process| fs::read_dir(process.path().join("task")).ok());
    let times = tasks.flatten().flatten().filter_map(|task| {
        // The first number is the time on a processor.
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    times.sum()
}

fn group_of(process: &fs::DirEntry) -> Option<u32> {
    let name = process.file_name();
    name.to_str().filter(|name| name.bytes().all(|b| b.is_ascii_digit()))?;
    let stat = fs::read_to_string(process.path().join("stat")).ok()?;
    // Behind the name, which may hold anything: state, parent, group.
    stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse().ok()
}

/// What figures depend on beside the programs.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) kernel: String,
    /// Of the last minute, before the bench began: above 0.5, others were at work too.
    pub(crate) load: String,
}

impl Facts {
    pub(crate) fn gather() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let models = read("/proc/cpuinfo");
        let mut models = models.lines().filter_map(|line| line.strip_prefix("model name"));
        let processor =
            models.next().map_or("unknown", |text| text.trim_start_matches([' ', '\t', ':']));
        Self {
            processor: processor.to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        }
    }
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "processor": self.processor,
            "processors": self.processors,
            "kernel": self.kernel,
            "load": self.load,
        })
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, processors, kernel, load } = self;
        write!(f, "{processor}, {processors} processors, Linux {kernel}, load {load}")
    }
}
