//! Counts, which no noise touches: instructions by callgrind, system calls by strace. Each is the
//! difference between a run with rounds and a run without, so that starting and ending cancel.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::client::{Client, Workload};
use super::contestants::{Contestant, Kind, PATIENCE};

/// System calls by name.
pub(crate) type Calls = BTreeMap<String, f64>;

/// What one contestant does for one workload.
pub(crate) struct Counts {
    pub(crate) contestant: usize,
    pub(crate) workload: Workload,
    /// In user space, a message.
    pub(crate) instructions: Option<f64>,
    /// By name, a round.
    pub(crate) calls: Option<Calls>,
}

/// A program that counts what the program below it does.
struct Counter {
    /// The program and its arguments; it shall write to files whose names begin like this.
    command: fn(&Path) -> Vec<OsString>,
    /// What it wrote to the files in this folder.
    read: fn(&Path) -> anyhow::Result<Calls>,
}

const CALLGRIND: Counter = Counter { command: callgrind, read: read_callgrind };
const STRACE: Counter = Counter { command: strace, read: read_strace };

/// Rounds that are counted: enough that a few more or less at the start are lost in them.
fn rounds(workload: Workload) -> u32 {
    (40_000 / workload.messages()) as u32
}

/// Counts for every contestant but those that have no process of their own.
pub(crate) fn count(
    contestants: &[Contestant],
    workloads: &[Workload],
    (folder, upstream): (&Path, &Path),
) -> Vec<Counts> {
    let mut all = Vec::new();
    let with_process = |(_, c): &(usize, &Contestant)| c.kind != Kind::Direct;
    for (index, contestant) in contestants.iter().enumerate().filter(with_process) {
        let place = folder.join(format!("c{index}"));
        let run = |counter| {
            let counted = difference(contestant, workloads, (&place, upstream), counter);
            counted.inspect_err(|e| eprintln!("{} is not counted: {e:#}", contestant.name)).ok()
        };
        let instructions = run(&CALLGRIND);
        let calls = run(&STRACE);
        if instructions.is_none() && calls.is_none() {
            continue;
        }
        for (at, &workload) in workloads.iter().enumerate() {
            let each = f64::from(rounds(workload));
            let a_message = each * workload.messages() as f64;
            all.push(Counts {
                contestant: index,
                workload,
                instructions: instructions.as_ref().map(|all| all[at]["Ir"] / a_message),
                calls: calls.as_ref().map(|all| {
                    let calls = all[at].iter().map(|(name, n)| (name.clone(), n / each));
                    // Less than one in a hundred rounds belongs to no round.
                    calls.filter(|(_, n)| *n >= 0.01).collect()
                }),
            });
        }
    }
    all
}

/// For each workload, what it counted more than a run without rounds.
fn difference(
    contestant: &Contestant,
    workloads: &[Workload],
    (place, upstream): (&Path, &Path),
    counter: &Counter,
) -> anyhow::Result<Vec<Calls>> {
    let counted = |workload, rounds| {
        run(contestant, (workload, rounds), (place, upstream), counter.command)?;
        (counter.read)(place)
    };
    let none = counted(Workload::Sync(1), 0)?;
    let more = workloads.iter().map(|&workload| {
        let mut some = counted(workload, rounds(workload))?;
        for (name, n) in &mut some {
            *n -= none.get(name).copied().unwrap_or_default();
        }
        Ok(some)
    });
    more.collect()
}

/// System calls a round of that thread which receives most: the proxy's. Its waits are left out:
/// how often it wakes up depends on what the threads and programs beside it do meanwhile.
pub(crate) fn busiest_thread(
    contestant: &Contestant,
    workload: Workload,
    (place, upstream): (&Path, &Path),
) -> anyhow::Result<f64> {
    const FEW: u32 = 100;
    const MANY: u32 = 1100;
    let counted = |rounds| -> anyhow::Result<f64> {
        run(contestant, (workload, rounds), (place, upstream), strace)?;
        let threads = outputs(place)?;
        let threads = threads.iter().map(|text| calls_in(text));
        let receives = |calls: &Calls| calls.get("recvmsg").copied().unwrap_or_default();
        let busiest = threads.max_by(|a, b| receives(a).total_cmp(&receives(b)));
        let acts = busiest.context("a thread")?.into_iter().filter(|(name, _)| !is_wait(name));
        Ok(acts.map(|(_, n)| n).sum())
    };
    Ok((counted(MANY)? - counted(FEW)?) / f64::from(MANY - FEW))
}

fn is_wait(call: &str) -> bool {
    call.starts_with("epoll_") && call.contains("wait")
}

/// Plays so many rounds through `contestant`, which runs below what `command` gives.
fn run(
    contestant: &Contestant,
    (workload, rounds): (Workload, u32),
    (place, upstream): (&Path, &Path),
    command: fn(&Path) -> Vec<OsString>,
) -> anyhow::Result<()> {
    let _ = fs::remove_dir_all(place);
    fs::DirBuilder::new().mode(0o700).create(place)?;
    let running = contestant.start(place, upstream, &command(&place.join("out")))?;
    let mut client = Client::connect(&running.socket, PATIENCE)?;
    client.choose(workload)?;
    for _ in 0..rounds {
        client.round()?;
    }
    // Some end only when their client is gone.
    drop(client);
    std::thread::sleep(Duration::from_millis(200));
    running.end();
    Ok(())
}

fn callgrind(out: &Path) -> Vec<OsString> {
    let mut file = OsString::from("--callgrind-out-file=");
    file.push(out);
    file.push(".%p");
    vec!["valgrind".into(), "--quiet".into(), "--tool=callgrind".into(), file]
}

fn strace(out: &Path) -> Vec<OsString> {
    // One file a thread: it is asked what single threads do.
    vec!["strace".into(), "-ff".into(), "-o".into(), out.into()]
}

fn outputs(place: &Path) -> anyhow::Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("out.") {
            texts.push(fs::read_to_string(entry.path())?);
        }
    }
    ensure!(!texts.is_empty(), "the tool left nothing to read");
    Ok(texts)
}

fn read_callgrind(place: &Path) -> anyhow::Result<Calls> {
    let mut total = 0.0;
    for text in outputs(place)? {
        let line = text.lines().find_map(|line| line.strip_prefix("totals: "));
        let line = line.context("callgrind wrote no totals")?;
        total += line.trim().parse::<f64>()?;
    }
    Ok(Calls::from([("Ir".to_owned(), total)]))
}

fn read_strace(place: &Path) -> anyhow::Result<Calls> {
    let mut all = Calls::new();
    for text in outputs(place)? {
        for (name, n) in calls_in(&text) {
            *all.entry(name).or_default() += n;
        }
    }
    Ok(all)
}

/// Counts what strace wrote: `name(arguments) = result` on each line.
fn calls_in(text: &str) -> Calls {
    let mut calls = Calls::new();
    for line in text.lines() {
        let Some((name, _)) = line.split_once('(') else { continue };
        if name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
            *calls.entry(name.to_owned()).or_default() += 1.0;
        }
    }
    calls
}
