//! The messages of a recording, as `stratus trace` shows those of a session.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::task::Waker;
use std::time::Duration;

use stratus_frame::mailbox;
use stratus_proxy_core::{ClientId, Hook, Observed, Observer, PassThrough, Seen};
use stratus_recording::{Rerun, What};
use stratus_trace::{Format, Hub, Options, Printer, QUEUE_LIMIT};

use super::{Recording, ReplayArgs, Through, capture};
use crate::failure::{Failure, chain};
use crate::print::print;

/// Knows whether there is something to print.
#[derive(Default)]
struct Stirred(bool);

impl Observer for Stirred {
    fn active(&self) -> bool {
        true
    }

    fn client_added(&mut self, _client: ClientId, _process: Option<u32>) {
        self.0 = true;
    }

    fn seen(&mut self, _seen: &Seen<'_>) {
        self.0 = true;
    }

    fn client_gone(&mut self, _client: ClientId) {
        self.0 = true;
    }
}

/// Prints all messages; with `--through capture`, also what the capture makes of them.
pub(super) fn run(recording: Recording, args: &ReplayArgs) -> Result<ExitCode, Failure> {
    if args.through == Some(Through::Capture) {
        let (post, slot) = mailbox();
        let config = capture::config(&recording, args);
        let hook = stratus_capture::Capture::new(&config, post, Waker::noop().clone());
        return print_all(recording, args, hook, || {
            while matches!(slot.wait(true, Some(Duration::ZERO)), stratus_frame::Arrival::Frame(_))
            {
            }
        });
    }
    print_all(recording, args, PassThrough, || {})
}

fn print_all(
    mut recording: Recording,
    args: &ReplayArgs,
    hook: impl Hook,
    drain_frames: impl Fn(),
) -> Result<ExitCode, Failure> {
    let failed = |e: &dyn std::error::Error| Failure::new("print the recording", chain(e));
    let format = if args.json { Format::Json } else { Format::Text };
    let options = Options { format, ..Options::default() };
    let mut printer = Printer::of_recording(&options).map_err(|e| failed(&e))?;
    let (hub, tap) = Hub::new(Waker::noop().clone());
    let mut feed = hub.attach(QUEUE_LIMIT);
    let hook = Observed { hook, observer: (tap, Stirred::default()) };
    let mut rerun = Rerun::new(hook, recording.policy());
    let mut programs = BTreeMap::new();
    let mut lines = String::new();
    while let Some(record) = recording.next_record()? {
        if let What::Connected { pid, program } = &record.what {
            programs.insert(*pid, (*program).to_owned());
        }
        let now = record.time_ns;
        rerun.advance(now).map_err(|e| failed(&e))?;
        let violation = rerun.handle(&record, now).map_err(|e| failed(&e))?;
        drain_frames();
        rerun.advance(now).map_err(|e| failed(&e))?;
        if std::mem::take(&mut rerun.hook.observer.1.0)
            && let Some(mut batch) = feed.take()
        {
            while let Some(shown) = batch.next_record().map_err(|e| failed(&e))? {
                printer.print(&mut lines, &shown, |process| programs.get(&process).cloned());
            }
        }
        if let Some(violation) = violation {
            tracing::warn!("{violation}");
        }
        if lines.len() > 64 << 10 {
            print(lines.as_bytes())?;
            lines.clear();
        }
    }
    print(lines.as_bytes())?;
    if let Some(ending) = recording.ending() {
        tracing::info!("the recording: {ending}");
    }
    Ok(ExitCode::SUCCESS)
}
