//! `stratus trace`: the messages of a client that it starts, or of a session that runs.

mod live;
mod wrap;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use stratus_trace::{Filter, Format, Options, Times};

use crate::assemble::RecordTo;
use crate::cli::{TraceArgs, TraceDirection, TraceTime};
use crate::failure::Failure;
use crate::logging;

pub(super) use live::find as find_control;

/// Traces until there is nothing more to trace.
///
/// # Errors
/// A [`Failure`] if there is no session or client to trace, or a pattern is none.
pub(super) fn run(args: TraceArgs) -> Result<ExitCode, Failure> {
    logging::start_quiet();
    let options = options(&args);
    // Before anything is started or written to.
    Filter::new(&options).map_err(|e| {
        Failure::usage("trace what --only and --except say", e)
            .remedy("`stratus trace --help` has examples of patterns")
    })?;
    if args.client_command.is_empty() {
        live::run(&args, &options)
    } else {
        wrap::run(args, &options)
    }
}

fn options(args: &TraceArgs) -> Options {
    Options {
        format: if args.json { Format::Json } else { Format::Text },
        times: match args.time {
            TraceTime::Start => Times::Start,
            TraceTime::Wall => Times::Wall,
            TraceTime::Delta => Times::Delta,
        },
        numbers: args.numbers,
        only: args.only.clone(),
        except: args.except.clone(),
        clients: args.client.clone(),
        no_requests: args.direction == Some(TraceDirection::Events),
        no_events: args.direction == Some(TraceDirection::Requests),
        only_changes: args.changes,
    }
}

/// Where to record to, if that is wanted. The path is absolute.
fn record_to(args: &TraceArgs) -> Result<Option<RecordTo>, Failure> {
    let Some(path) = &args.record else { return Ok(None) };
    let path = std::path::absolute(path)
        .map_err(|e| Failure::new(format!("record to {}", path.display()), e))?;
    let max_bytes = args.record_limit.saturating_mul(1 << 20);
    Ok(Some(RecordTo { path, overwrite: args.force, max_bytes }))
}

fn cannot_record(to: &RecordTo, why: &str) -> Failure {
    Failure::new(format!("record to {}", to.path.display()), why)
        .remedy("choose another file, or replace this one with --force")
}

/// Where lines go: to `file`, or else to `usual`.
fn output(
    file: Option<&Path>,
    usual: impl Write + Send + 'static,
) -> Result<Box<dyn Write + Send>, Failure> {
    let Some(path) = file else { return Ok(Box::new(usual)) };
    let file = File::create(path)
        .map_err(|e| Failure::new(format!("write the trace to {}", path.display()), e))?;
    Ok(Box::new(file))
}
