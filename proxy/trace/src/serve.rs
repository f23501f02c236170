//! The command `trace` of the control socket: lines of what happens from now on.
//!
//! Its argument is [`Options`] as a JSON object, or nothing for the defaults.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use crate::control::{Answer, Command};
use crate::printer::{Options, Printer};
use crate::tap::{Closer, Feed, Hub};

/// The name of the command.
pub const TRACE: &str = "trace";

/// Lines are given on in pieces of about this many bytes while many wait.
const PIECE: usize = 64 << 10;

/// Serves traces from a hub.
pub struct TraceCommand {
    hub: Hub,
    limit: usize,
}

impl TraceCommand {
    /// Each trace may let `limit` bytes wait, see [`crate::QUEUE_LIMIT`].
    #[must_use]
    pub fn new(hub: Hub, limit: usize) -> Self {
        Self { hub, limit }
    }
}

impl Command for TraceCommand {
    fn begin(&self, arguments: &str) -> Result<Answer, String> {
        let options = match arguments.trim() {
            "" => Options::default(),
            json => serde_json::from_str(json).map_err(|e| format!("in the options: {e}"))?,
        };
        let printer = Printer::new(&options).map_err(|e| e.to_string())?;
        let (hub, limit) = (self.hub.clone(), self.limit);
        Ok(Box::new(move |peer| send_lines(peer, printer, hub.attach(limit))))
    }
}

fn send_lines(mut peer: UnixStream, printer: Printer, feed: Feed) {
    let watch = peer.try_clone().and_then(|peer| watch(peer, feed.closer()));
    if let Err(e) = watch {
        return tracing::warn!("cannot watch a tracer: {e}");
    }
    printer.print_all(feed, &mut peer).unwrap_or_else(|e| tracing::debug!("a tracer left: {e}"));
    // This ends the watching thread as well.
    let _ = peer.shutdown(Shutdown::Both);
}

/// Closes the feed when the peer hangs up, also while there is nothing to send to it.
fn watch(mut peer: UnixStream, closer: Closer) -> std::io::Result<()> {
    std::thread::Builder::new().name("stratus-tracer".into()).spawn(move || {
        let mut ignored = [0; 256];
        while peer.read(&mut ignored).is_ok_and(|len| len > 0) {}
        closer.close();
    })?;
    Ok(())
}

impl Printer {
    /// Writes the lines of all that `feed` gives, until it ends.
    ///
    /// # Errors
    /// Those of writing.
    pub fn print_all(mut self, mut feed: Feed, out: &mut impl Write) -> std::io::Result<()> {
        let mut lines = String::new();
        while let Some(mut batch) = feed.take() {
            while let Some(record) = batch.next_record().map_err(std::io::Error::other)? {
                self.print(&mut lines, &record, process_name);
                if lines.len() > PIECE {
                    out.write_all(lines.as_bytes())?;
                    lines.clear();
                }
            }
            if batch.lost > 0 {
                self.print_lost(&mut lines, batch.lost);
            }
            out.write_all(lines.as_bytes())?;
            out.flush()?;
            lines.clear();
        }
        Ok(())
    }
}

/// The name of a process, while it lives.
fn process_name(process: u32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}
