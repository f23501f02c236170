//! The gate on counts: instructions, allocations and copies of fixed rounds in memory, the system
//! calls of the proxy's thread, and how often a frame wakes which thread, compared with the file
//! that says what they were.

mod rounds;
mod wakeups;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use self::rounds::Rounds;
use crate::programs::{COUNTS, PICTURES, Place, STRATUS};
use crate::relay::Stage;
use crate::relay::client::Workload;
use crate::relay::contestants::{Contestant, Kind};
use crate::relay::counts::busiest_thread;

/// What `stratus-counts` can play with messages alone.
const SCENARIOS: [&str; 5] = ["forward", "sync-1", "sync-32", "pools", "commit"];

/// By how much a count may grow. Callgrind counts the same each time; what moves are hash seeds,
/// and which of its routines the C library finds best for a processor.
const TOLERANCE: f64 = 0.03;
/// The same with another compiler, which makes other instructions of the same code.
const OTHER_COMPILER: f64 = 0.15;
/// So much less than the file says is worth saying so, or else the gain could be lost unseen.
const GAIN: f64 = 0.10;
/// System calls are counted in a live proxy, where one more or less can happen now and then.
const STRAY_CALLS: f64 = 0.3;

/// Wake-ups by which a thread may exceed half as many again as the file says: what arrives in one
/// piece on a calm machine comes in several on a busy one. On that, threads may also sleep less often.
const STRAY_WAKE_UPS: f64 = 0.5;

/// Counts by section and name.
type Table = BTreeMap<String, BTreeMap<String, f64>>;

/// What to do with what is counted.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write what is counted into the file
    #[arg(long)]
    update: bool,
    #[command(flatten)]
    place: Place,
}

/// Counts, and compares or writes.
///
/// # Errors
/// If a count has left its place, or something could not be counted.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let programs = args.place.folder(&[COUNTS, PICTURES, STRATUS])?;
    let stage = Stage::set()?;
    let gate = Gate {
        file: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/counts.toml"),
        counts: programs.join(COUNTS.name),
        pictures: programs.join(PICTURES.name),
        stratus: programs.join(STRATUS.name),
        folder: stage.folder.path().to_owned(),
        upstream: stage.upstream.clone(),
    };
    if args.update { gate.update() } else { gate.check() }
}

/// What is compared with what.
struct Gate {
    /// The file of counts.
    file: PathBuf,
    counts: PathBuf,
    pictures: PathBuf,
    stratus: PathBuf,
    /// An empty folder, and the socket of the bench's compositor.
    folder: PathBuf,
    upstream: PathBuf,
}

impl Gate {
    /// Writes what is counted into the file.
    fn update(&self) -> anyhow::Result<()> {
        let counted = self.count()?;
        let mut text = String::from(HEAD);
        let _ = writeln!(text, "measured_with = {:?}", tools()?);
        for (section, counts) in &counted {
            let _ = writeln!(text, "\n[{section}]");
            for (name, count) in counts {
                let _ = writeln!(text, "{name:?} = {count:.1}");
            }
        }
        fs::write(&self.file, text).with_context(|| format!("writing {}", self.file.display()))
    }

    /// Compares, prints, and fails if a count has left its place.
    fn check(&self) -> anyhow::Result<()> {
        let text = fs::read_to_string(&self.file);
        let text = text.with_context(|| format!("reading {}", self.file.display()))?;
        let mut expected: toml::Table = text.parse().context("the file of counts")?;
        let made_with =
            expected.remove("measured_with").and_then(|v| v.as_str().map(str::to_owned));
        let same = made_with.as_deref() == Some(&*tools()?);
        if !same {
            println!("counted with another compiler or libc than the file, so with more tolerance");
        }
        let mut wrong = Vec::new();
        for (section, counts) in self.count()? {
            for (name, count) in counts {
                let before = expected.get(&section).and_then(|s| s.get(&name));
                let before = before.and_then(toml::Value::as_float);
                let verdict = match before {
                    None => "is not in the file".to_owned(),
                    Some(before) => verdict(&section, before, count, same),
                };
                let was = before.unwrap_or_default();
                println!("{section:<13} {name:<24} {was:>9.1} {count:>9.1}  {verdict}");
                if verdict != FINE {
                    wrong.push(format!("{section} of {name:?}: {verdict}"));
                }
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        bail!(
            "{}\nA count that grew is a cost that every message pays. If it has to be, or if it is \
             a gain, write it down and say why in the commit:\n    cargo run -p stratus-bench -- \
             counts --update",
            wrong.join("\n")
        )
    }

    fn count(&self) -> anyhow::Result<Table> {
        let mut table = Table::new();
        let mut note = |section: &str, name: &str, count| {
            table.entry(section.to_owned()).or_default().insert(name.to_owned(), count);
        };
        let rounds = Rounds { folder: &self.folder };
        for scenario in SCENARIOS {
            note("instructions", scenario, rounds.instructions(&self.counts, scenario)?);
            note("allocations", scenario, rounds.allocations(&self.counts, scenario)?);
        }
        note("pictures_copied", "picture", rounds.copies_of_a_picture(&self.pictures)?);
        for (workload, capture) in
            [(Workload::Sync(1), false), (Workload::Sync(32), true), (Workload::Frame, true)]
        {
            let name =
                format!("{}, capture {}", workload.name(), if capture { "on" } else { "off" });
            let kind = Kind::Stratus { binary: self.stratus.clone(), capture };
            let contestant = Contestant::new(&name, kind);
            let place = self.folder.join("calls");
            let calls = busiest_thread(&contestant, workload, (&place, &self.upstream))?;
            note("system_calls", &name, calls);
        }
        for (thread, count) in wakeups::of_a_frame(&self.stratus, &self.folder)? {
            note("wake_ups", &thread, count);
        }
        Ok(table)
    }
}

const FINE: &str = "as before";

/// How `count` stands to what was `before`.
fn verdict(section: &str, before: f64, count: f64, same_compiler: bool) -> String {
    let (least, most) = match section {
        "instructions" if same_compiler => (before * (1.0 - GAIN), before * (1.0 + TOLERANCE)),
        "instructions" => (0.0, before * (1.0 + OTHER_COMPILER)),
        "system_calls" => (before - STRAY_CALLS, before + STRAY_CALLS),
        "wake_ups" => (0.0, before * 1.5 + STRAY_WAKE_UPS),
        // The difference of whole numbers over a thousand rounds: one allocation a round is 1.
        _ => (before - 0.05, before + 0.05),
    };
    if count > most {
        format!("grew from {before:.1} to {count:.1}")
    } else if count < least {
        format!("fell from {before:.1} to {count:.1}, which the file should say")
    } else {
        FINE.to_owned()
    }
}

/// The compiler and the libc, on which instructions depend.
fn tools() -> anyhow::Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let rustc = Command::new(rustc).arg("--version").output().context("asking rustc")?;
    let libc = Command::new("getconf").arg("GNU_LIBC_VERSION").output().context("asking libc")?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Ok(format!("{}, {}", said(&rustc.stdout), said(&libc.stdout)))
}

const HEAD: &str = "\
# What a round costs, as `stratus-bench counts` compares it with in every test run.
# docs/performance.md says what a round of each is. Instructions are those of the release profile
# in user space, by callgrind; they depend on the compiler and the libc, which are named below. System
# calls are those of the proxy's thread, but for the one that it waits in. What is copied of a
# picture, as a part of it, is what memcpy carries on its way from the commit into the encoder; the
# conversion is no copy in this sense. Wake-ups are those of a thread for each frame of a session
# with a player, at 60 frames a second.
#
# Write it anew with: cargo run -p stratus-bench -- counts --update
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_and_great_gains_are_told_and_small_changes_are_not() {
        let instructions = |count, same| verdict("instructions", 1000.0, count, same);
        assert_eq!(instructions(1029.0, true), FINE);
        assert_eq!(instructions(1031.0, true), "grew from 1000.0 to 1031.0");
        assert_eq!(instructions(1031.0, false), FINE);
        assert!(instructions(1151.0, false).starts_with("grew"));
        assert_eq!(instructions(901.0, true), FINE);
        assert!(instructions(899.0, true).starts_with("fell"));
        assert_eq!(instructions(500.0, false), FINE);
        assert!(verdict("allocations", 0.0, 1.0, true).starts_with("grew"));
        assert!(verdict("system_calls", 6.0, 7.0, true).starts_with("grew"));
        assert_eq!(verdict("wake_ups", 2.0, 3.5, true), FINE);
        assert!(verdict("wake_ups", 2.0, 3.6, true).starts_with("grew"));
    }
}
