//! What is in a recording.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;

use stratus_proxy_core::Direction;
use stratus_recording::{FdKind, Record, What};

use super::Recording;
use crate::failure::Failure;
use crate::print::print;

#[derive(Default)]
struct Client {
    pid: u32,
    program: String,
    requests: u64,
    events: u64,
    ended_ns: Option<u64>,
}

#[derive(Default)]
struct Summary {
    clients: BTreeMap<u64, Client>,
    files: BTreeMap<FdKind, u64>,
    content: u64,
    missing: u64,
    end_ns: u64,
}

/// Prints what is in the recording, and how it ends.
pub(super) fn run(mut recording: Recording) -> Result<ExitCode, Failure> {
    let mut summary = Summary::default();
    // What stands before damage counts.
    let result = loop {
        match recording.next_record() {
            Ok(Some(record)) => summary.add(&record),
            Ok(None) => break Ok(()),
            Err(failure) => break Err(failure),
        }
    };
    print(summary.text(&recording).as_bytes())?;
    result.map(|()| ExitCode::SUCCESS)
}

impl Summary {
    fn add(&mut self, record: &Record<'_>) {
        self.end_ns = self.end_ns.max(record.time_ns);
        match &record.what {
            What::Connected { pid, program } => {
                let client = self.clients.entry(record.client).or_default();
                client.pid = *pid;
                client.program = (*program).to_owned();
            }
            What::Gone => {
                let client = self.clients.entry(record.client).or_default();
                client.ended_ns = Some(record.time_ns);
            }
            What::Message { direction, .. } => {
                let client = self.clients.entry(record.client).or_default();
                match direction {
                    Direction::Request => client.requests += 1,
                    Direction::Event => client.events += 1,
                }
            }
            What::File { kind, .. } => *self.files.entry(*kind).or_default() += 1,
            What::Content { bytes, .. } => self.content += bytes.len() as u64,
            What::Missing { .. } => self.missing += 1,
            _ => {}
        }
    }

    fn text(&self, recording: &Recording) -> String {
        let mut text = format!("{}, {:.3} s\n", recording.name, self.end_ns as f64 / 1e9);
        for (name, value) in &recording.facts {
            let _ = writeln!(text, "  {name}: {value}");
        }
        for (number, client) in &self.clients {
            let Client { pid, program, requests, events, ended_ns } = client;
            let _ = write!(
                text,
                "client {number}: {program} (process {pid}), {requests} requests, {events} events"
            );
            match ended_ns {
                Some(ns) => _ = writeln!(text, ", gone at {:.3} s", *ns as f64 / 1e9),
                None => text.push('\n'),
            }
        }
        for (kind, count) in &self.files {
            let _ = writeln!(text, "files: {count} of kind {kind:?}");
        }
        let _ = writeln!(text, "content: {} bytes, {} pieces missing", self.content, self.missing);
        let skipped = recording.reader.skipped();
        if skipped > 0 {
            let minor = recording.reader.minor();
            let _ = writeln!(text, "{skipped} records of format 1.{minor} are not known here");
        }
        if let Some(ending) = recording.ending() {
            let _ = writeln!(text, "{ending}, at byte {}", recording.reader.position());
        }
        text
    }
}
