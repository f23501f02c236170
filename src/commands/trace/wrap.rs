//! A client that is started for its messages.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use stratus_proxy::upstream_path;
use stratus_recording::{EndReason, Kept, Recording};
use stratus_trace::{Options, Printer, QUEUE_LIMIT};
use tokio::sync::mpsc;

use super::{cannot_record, output, record_to};
use crate::assemble::{Passage, RecordTo, Report, drain, policy};
use crate::cli::TraceArgs;
use crate::failure::{Failure, chain};
use crate::game::why;
use crate::options::{Settings, StreamOptions};
use crate::process::{self, Ended, Family};
use crate::signals::{INTERRUPTED, Said, Signals};

/// The name of the client's socket, in a directory of its own.
const SOCKET: &str = "trace-0";

/// How long a client may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(2);

/// How long the last messages of a client that ended may take to pass.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A client that ends at once is accepted within this, and counted from then on.
const ACCEPTED: Duration = Duration::from_millis(10);

/// Runs the client and gives its exit code.
pub(super) fn run(args: TraceArgs, options: &Options) -> Result<ExitCode, Failure> {
    let record = record_to(&args)?;
    let stream = StreamOptions {
        socket: Some(SOCKET.into()),
        capture: Some(args.capture.unwrap_or(crate::options::Capture::Off)),
        size: args.size,
        fps: args.fps,
        allow_global: args.allow_global,
        hide_global: args.hide_global,
        ..StreamOptions::default()
    };
    let settings = stream.settle()?;
    policy(&settings)?;
    let printer = Printer::new(options).map_err(|e| Failure::usage("trace", e))?;
    let out = output(args.output.as_deref(), io::stderr())?;
    let traced = Traced { record, settings, upstream: compositor()?, command: args.client_command };
    super::super::on_this_thread(traced.run(printer, out))
}

/// The compositor's socket, as libwayland's clients find it, checked to answer.
fn compositor() -> Result<PathBuf, Failure> {
    const REMEDY: &str = "start a compositor first, and set WAYLAND_DISPLAY to its socket";
    let variable = |name| std::env::var_os(name);
    let (display, directory) = (variable("WAYLAND_DISPLAY"), variable("XDG_RUNTIME_DIR"));
    let path = upstream_path(display.as_deref(), directory.as_deref())
        .map_err(|e| Failure::new("find the compositor", e).remedy(REMEDY))?;
    match UnixStream::connect(&path) {
        Ok(_) => Ok(path),
        Err(e) => {
            Err(Failure::new(format!("reach the compositor at {}", path.display()), e)
                .remedy(REMEDY))
        }
    }
}

/// What becomes of the messages.
enum Watching {
    Lines(JoinHandle<io::Result<()>>),
    Recording(Recording),
}

/// Says what a recording holds, and fails if that is not all.
fn say_kept(kept: Option<Kept>) -> Result<(), Failure> {
    let Some(kept) = kept else {
        return Err(Failure::new("write the recording", "the thread that writes it panicked")
            .remedy("report this as a bug of Stratus, with the log"));
    };
    if kept.reason != EndReason::Finished {
        return Err(Failure::new("record the whole session", kept));
    }
    // Nobody waits for it.
    let _ = writeln!(io::stderr(), "stratus: {kept}");
    Ok(())
}

struct Traced {
    record: Option<RecordTo>,
    settings: Settings,
    upstream: PathBuf,
    command: Vec<OsString>,
}

impl Traced {
    async fn run(
        self,
        printer: Printer,
        out: Box<dyn io::Write + Send>,
    ) -> Result<ExitCode, Failure> {
        let mut signals = Signals::listen().map_err(|e| Failure::new("listen to signals", e))?;
        let (reporter, mut reports) = mpsc::unbounded_channel();
        let mut family = Family::begin()?;
        let post = self.settings.capture.then(drain).transpose()?;
        let directory = family.directory().to_owned();
        let (settings, upstream) = (&self.settings, self.upstream.clone());
        let passage = Passage::open(settings, &directory, upstream, post, None, &reporter)?;
        let watching = self.watch(&passage, printer, out)?;
        let ended = match self.start(passage.socket(), &family) {
            Ok(client) => {
                family.watch(client);
                wait(client, &mut family, &mut signals, &mut reports).await
            }
            Err(failure) => Err(failure),
        };
        // What the client started and left behind says its last words as well.
        family.end_all_but(&[]);
        std::thread::sleep(ACCEPTED);
        passage.hub().wait_until_nobody(LAST_WORDS);
        passage.close();
        match watching {
            Watching::Lines(lines) => finish(lines, &mut signals).await?,
            Watching::Recording(recording) => say_kept(recording.finish())?,
        }
        ended.map(|ended| ExitCode::from(ended.shell_code()))
    }

    /// Prints or records from now on.
    fn watch(
        &self,
        passage: &Passage,
        printer: Printer,
        mut out: Box<dyn io::Write + Send>,
    ) -> Result<Watching, Failure> {
        if let Some(to) = &self.record {
            let recording = passage.records().start(to).map_err(|e| cannot_record(to, &e))?;
            return Ok(Watching::Recording(recording));
        }
        let feed = passage.hub().attach(QUEUE_LIMIT);
        let lines = std::thread::Builder::new()
            .name("stratus-lines".into())
            .spawn(move || printer.print_all(feed, &mut out))
            .map_err(|e| Failure::new("start the thread that prints", e))?;
        Ok(Watching::Lines(lines))
    }

    fn start(&self, socket: &Path, family: &Family) -> Result<Pid, Failure> {
        let Some((program, arguments)) = self.command.split_first() else {
            return Err(Failure::usage("start the client", "none is given"));
        };
        let mut client = Command::new(program);
        // An absolute path leads to the socket whatever the runtime directory is, which stays
        // the user's: other things than Wayland live there.
        client.args(arguments).env("WAYLAND_DISPLAY", socket).env_remove("WAYLAND_SOCKET");
        let child = process::spawn_beside(client, family.marker()).map_err(|e| {
            Failure::new(format!("start the client {:?}", program.to_string_lossy()), why(&e))
                .remedy("check the name, install the client, or give its full path after --")
                .exiting_with(if e.kind() == io::ErrorKind::NotFound { 127 } else { 126 })
        })?;
        Ok(process::pid_of(&child))
    }
}

/// Waits for the client's end, and sees to it when a signal comes.
async fn wait(
    client: Pid,
    family: &mut Family,
    signals: &mut Signals,
    reports: &mut mpsc::UnboundedReceiver<Report>,
) -> Result<Ended, Failure> {
    // What to send next if the client has not ended by the deadline.
    let mut insist = None;
    loop {
        let ended = family.reap();
        if let Some((_, how)) = ended.iter().find(|(pid, _)| *pid == client) {
            return Ok(*how);
        }
        let patience = async {
            match insist {
                Some(_) => tokio::time::sleep(GRACE).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            said = signals.next() => match said {
                Said::Child => {}
                // A terminal's Ctrl-C reached the client as well.
                Said::End(INTERRUPTED) if insist.is_none() => insist = Some(Signal::SIGTERM),
                Said::End(_) => {
                    let _ = kill(client, Signal::SIGTERM);
                    insist = Some(Signal::SIGKILL);
                }
            },
            Some(Report::Broken(failure)) = reports.recv() => return Err(failure),
            () = patience => if let Some(signal) = insist.replace(Signal::SIGKILL) {
                let _ = kill(client, signal);
            },
        }
    }
}

/// Waits until all lines are printed, or a signal says that this takes too long.
async fn finish(lines: JoinHandle<io::Result<()>>, signals: &mut Signals) -> Result<(), Failure> {
    while !lines.is_finished() {
        tokio::select! {
            said = signals.next() => if let Said::End(_) = said { return Ok(()) },
            () = tokio::time::sleep(Duration::from_millis(2)) => {}
        }
    }
    match lines.join() {
        Ok(Ok(())) => Ok(()),
        // Whoever read our lines has seen enough.
        Ok(Err(e)) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Ok(Err(e)) => Err(Failure::new("print the trace", chain(&e))),
        Err(_) => Err(Failure::new("print the trace", "the thread that prints panicked")
            .remedy("report this as a bug of Stratus, with the log")),
    }
}
