//! The clients of a session that runs, through its control socket.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use stratus_trace::{Attached, CannotAttach, Options, TRACE, attach, control_path};
use tokio::sync::oneshot;

use super::{output, record_to};
use crate::assemble::RECORD;
use crate::cli::TraceArgs;
use crate::failure::{Failure, chain};
use crate::process::is_usable_directory;
use crate::signals::{Said, Signals};

/// Prints what the session's clients say until a signal comes or the session ends.
pub(super) fn run(args: &TraceArgs, options: &Options) -> Result<ExitCode, Failure> {
    let name = args.socket.as_deref().unwrap_or(Path::new("stratus-0"));
    let control = find(name)?;
    let record = record_to(args)?;
    let (command, request) = match &record {
        Some(to) => (RECORD, serde_json::to_string(to)),
        None => (TRACE, serde_json::to_string(options)),
    };
    let request = request.map_err(|e| Failure::new("say what to trace", e))?;
    let attached = attach(&control, command, &request).map_err(|e| {
        let failure = Failure::new("attach to the session", chain(&e));
        match e {
            CannotAttach::Silent { .. } => failure.remedy("see whether the session still runs"),
            _ if record.is_some() => failure.remedy("choose another file, or give --force"),
            _ => failure.remedy("use the same version of Stratus for both"),
        }
    })?;
    let out = output(args.output.as_deref(), io::stdout())?;
    // Who only traces has seen enough; who records is told what was kept.
    let how = if record.is_some() { Shutdown::Write } else { Shutdown::Both };
    if let Some(to) = &record {
        let _ = writeln!(
            io::stderr(),
            "stratus: recording the clients that connect from now on to {}, until Ctrl-C",
            to.path.display()
        );
    }
    super::super::on_this_thread(copy_until_signal(attached, out, how))?;
    Ok(ExitCode::SUCCESS)
}

/// Copies on a thread of its own, so that a reader that does not read cannot make us deaf.
/// A signal closes the connection in the way of `how`; a second one, all of it.
async fn copy_until_signal(
    attached: Attached,
    out: Box<dyn Write + Send>,
    mut how: Shutdown,
) -> Result<(), Failure> {
    let failed = |e: io::Error| Failure::new("print the trace", e);
    let mut signals = Signals::listen().map_err(|e| Failure::new("listen to signals", e))?;
    let connection = attached.closer().map_err(failed)?;
    let (done, mut finished) = oneshot::channel();
    std::thread::Builder::new()
        .name("stratus-copy".into())
        .spawn(move || {
            // Nobody waits any more if a signal came.
            let _ = done.send(copy(attached, out));
        })
        .map_err(failed)?;
    loop {
        tokio::select! {
            result = &mut finished => return result.unwrap_or(Ok(())).map_err(failed),
            said = signals.next() => if let Said::End(_) = said {
                let _ = connection.shutdown(how);
                if how == Shutdown::Both {
                    return Ok(());
                }
                how = Shutdown::Both;
            },
        }
    }
}

fn copy(mut from: Attached, mut to: Box<dyn Write + Send>) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let len = match from.read(&mut buffer) {
            // A session that was killed leaves bytes of ours unread.
            Ok(0) | Err(_) => return Ok(()),
            Ok(len) => len,
        };
        match to.write_all(&buffer[..len]).and_then(|()| to.flush()) {
            // Whoever read our lines has seen enough, as `head` does.
            Err(e) if e.kind() == ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
    }
}

/// The control socket of the one session that has a games' socket of this name: in the runtime
/// directory, or in the private one of a `stratus run`.
pub(in crate::commands) fn find(name: &Path) -> Result<PathBuf, Failure> {
    if name.is_absolute() {
        return Ok(control_path(name));
    }
    let tried = format!("find a session with the socket {}", name.display());
    // A session that cannot use the runtime directory falls back to the other.
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let mut answering = Vec::new();
    for parent in runtime.into_iter().chain([PathBuf::from("/tmp")]) {
        if answering.is_empty() {
            let places = places(&parent);
            let controls = places.iter().map(|place| control_path(&place.join(name)));
            answering = controls.filter(answers).collect();
        }
    }
    match &answering[..] {
        [] => Err(Failure::new(tried, "none runs that can be asked").remedy(
            "start `stratus run` or `stratus proxy` as this user, or name its socket with \
             --socket; to trace one client alone: stratus trace -- CLIENT",
        )),
        [one] => Ok(one.clone()),
        several => {
            let list: Vec<String> =
                several.iter().map(|path| path.with_extension("").display().to_string()).collect();
            Err(Failure::usage(tried, format!("there are {}: {}", list.len(), list.join(", ")))
                .remedy("choose one with --socket and its path"))
        }
    }
}

fn answers(control: &PathBuf) -> bool {
    UnixStream::connect(control).is_ok()
}

/// Where below `parent` sessions of this user have their sockets: in it, or in a private directory.
fn places(parent: &Path) -> Vec<PathBuf> {
    let inner = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let private = inner
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"stratus-"))
        .map(|entry| entry.path());
    private.chain([parent.to_owned()]).filter(|path| is_usable_directory(path)).collect()
}
