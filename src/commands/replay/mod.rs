//! `stratus replay`: says what was recorded again.

mod args;
mod capture;
mod live;
mod pace;
mod picture;
mod print;
mod stamps;
mod summary;

use std::fs::File;
use std::io::BufReader;
use std::process::ExitCode;

use stratus_proxy_core::GlobalPolicy;
use stratus_recording::{Ending, Facts, Reader, Record, What, tables_digest};

pub use args::ReplayArgs;
use args::Through;

use crate::assemble::facts;
use crate::failure::{Failure, chain};
use crate::logging;

/// Does what `args` say.
///
/// # Errors
/// A [`Failure`] if the file is no recording, or the replay got stuck.
pub(super) fn run(args: &ReplayArgs) -> Result<ExitCode, Failure> {
    logging::start_quiet();
    let recording = Recording::open(args)?;
    if args.summary {
        return summary::run(recording);
    }
    if args.print {
        return print::run(recording, args);
    }
    match args.through {
        Some(Through::Capture) => capture::run(recording, args),
        Some(Through::Compositor) | None => live::run(recording, args),
    }
}

/// A recording whose facts are known.
struct Recording {
    reader: Reader<BufReader<File>>,
    name: String,
    facts: Facts,
    /// Later records are left out.
    until_ns: u64,
}

impl Recording {
    fn open(args: &ReplayArgs) -> Result<Self, Failure> {
        let name = args.file.display().to_string();
        let tried = || format!("replay {name}");
        let open = || {
            let file = File::open(&args.file).map_err(|e| Failure::new(tried(), e))?;
            Reader::new(BufReader::new(file)).map_err(|e| Failure::new(tried(), chain(&e)))
        };
        let facts = read_facts(&mut open()?).map_err(|e| Failure::new(tried(), chain(&e)))?;
        let tables = tables_digest().to_string();
        if facts.get("tables").is_some_and(|theirs| *theirs != tables) {
            let version = facts.get(facts::VERSION).map_or("another version", String::as_str);
            tracing::info!(
                "{name} was recorded by Stratus {version}, which knew other interfaces; a message \
                 of an interface that is not known here ends its session"
            );
        }
        let until_ns = args.until.map_or(u64::MAX, |s| (s * 1e9) as u64);
        Ok(Self { reader: open()?, name, facts, until_ns })
    }

    /// The next record that is to be replayed.
    fn next_record(&mut self) -> Result<Option<Record<'_>>, Failure> {
        let until_ns = self.until_ns;
        match self.reader.next_record() {
            Ok(record) => Ok(record.filter(|record| record.time_ns <= until_ns)),
            Err(e) => Err(Failure::new(format!("read {} any further", self.name), chain(&e))
                .remedy("what came before the damage was replayed")),
        }
    }

    /// The policy for globals of the proxy that recorded.
    fn policy(&self) -> GlobalPolicy {
        let mut policy = GlobalPolicy::default();
        let names = |fact| {
            let all = self.facts.get(fact).map(String::as_str).unwrap_or_default();
            all.split(',').filter(|name| !name.is_empty())
        };
        for name in names(facts::ALLOW) {
            if let Err(e) = policy.allow(name) {
                tracing::debug!("{e}");
            }
        }
        for name in names(facts::HIDE) {
            if let Err(e) = policy.hide(name) {
                tracing::debug!("{e}");
            }
        }
        policy
    }

    /// How it ended, where it was read to its end.
    fn ending(&self) -> Option<&Ending> {
        self.reader.ending()
    }
}

fn read_facts(reader: &mut Reader<BufReader<File>>) -> Result<Facts, stratus_recording::Error> {
    let mut facts = Facts::new();
    while let Some(Record { what: What::Fact { name, value }, .. }) = reader.next_record()? {
        facts.insert(name.to_owned(), value.to_owned());
    }
    Ok(facts)
}
