//! The thread that compresses and writes, and what it has to say at the end.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use nix::sys::signal::{SigSet, Signal};

use crate::block::{PREAMBLE_LEN, Packer, preamble};
use crate::queue::Queue;
use crate::record::{EndReason, Record, What, count_messages};

/// Used while more waits than a quarter of what may.
const FAST_LEVEL: i32 = -5;
const USUAL_LEVEL: i32 = zstd::DEFAULT_COMPRESSION_LEVEL;

/// A recording cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum CannotRecord {
    /// There is such a file.
    #[error("{0} exists")]
    Exists(PathBuf),
    /// The file cannot be made or written.
    #[error("writing {path} failed: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The writer's thread or its compressor cannot be had.
    #[error("the writer cannot be started: {0}")]
    Start(io::Error),
}

/// What a recording holds now that it has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Messages in it.
    pub messages: u64,
    /// How often content was left out because there was no room for it.
    pub missing: u64,
    /// Why it ended.
    pub reason: EndReason,
    /// The same in words; empty for [`EndReason::Finished`].
    pub text: String,
}

impl std::fmt::Display for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, bytes, messages, missing, reason, text } = self;
        let name = path.display();
        if *reason != EndReason::Finished {
            write!(f, "the recording ended early, and the session goes on without: {text}; ")?;
        }
        write!(f, "{name} holds {messages} messages in {bytes} bytes")?;
        if *missing > 0 {
            write!(f, "; what {missing} commits showed is not all in it, for lack of room")?;
        }
        Ok(())
    }
}

/// A recording that is being made, seen from outside the proxy. It ends when this is dropped.
pub struct Recording {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<Kept>>,
}

impl Recording {
    /// Starts to write `path`.
    pub(crate) fn start(
        path: &Path,
        overwrite: bool,
        max_bytes: u64,
        queue: Arc<Queue>,
    ) -> Result<Self, CannotRecord> {
        let failed = |source| CannotRecord::Write { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        // What was typed and what was seen is in it.
        options.write(true).mode(0o600);
        let options =
            if overwrite { options.create(true).truncate(true) } else { options.create_new(true) };
        let file = match options.open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                return Err(CannotRecord::Exists(path.to_owned()));
            }
            Err(e) => return Err(failed(e)),
        };
        file.write_all_at(&preamble(), 0).map_err(failed)?;
        let packer = Packer::new().map_err(CannotRecord::Start)?;
        let writer = Writer {
            path: path.to_owned(),
            file,
            packer,
            written: PREAMBLE_LEN as u64,
            messages: 0,
            max_bytes,
            queue: Arc::clone(&queue),
        };
        let thread = std::thread::Builder::new()
            .name("stratus-record".into())
            .spawn(move || writer.run())
            .map_err(CannotRecord::Start)?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// Whether nothing more is recorded, for whatever reason.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.queue.has_ended()
    }

    /// Ends the recording, and waits until it is written. `None` only if the writer's thread
    /// panicked, which is logged.
    pub fn finish(mut self) -> Option<Kept> {
        self.close()
    }

    fn close(&mut self) -> Option<Kept> {
        self.queue.end(EndReason::Finished, String::new());
        let kept = self.thread.take()?.join();
        if kept.is_err() {
            tracing::error!("the recording's thread panicked");
        }
        kept.ok()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let _ = self.close();
    }
}

struct Writer {
    path: PathBuf,
    file: File,
    packer: Packer,
    written: u64,
    messages: u64,
    max_bytes: u64,
    queue: Arc<Queue>,
}

impl Writer {
    fn run(mut self) -> Kept {
        // A file that meets RLIMIT_FSIZE is an error like any other, not the end of the process.
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGXFSZ);
        if let Err(error) = signals.thread_block() {
            tracing::debug!("cannot block SIGXFSZ: {error}");
        }
        let mut emptied = None;
        let mut failed = None;
        let (reason, text) = loop {
            let chunk = match self.queue.next(emptied.take()) {
                Ok(chunk) => chunk,
                Err(end) => break failed.take().unwrap_or(end),
            };
            // What is left in the queue after a failure goes nowhere.
            if failed.is_none()
                && let Err(end) = self.write(&chunk.records, chunk.hurry)
            {
                self.queue.end(end.0, end.1.clone());
                failed = Some(end);
            }
            emptied = Some(chunk.records);
        };
        self.say_end(reason, &text);
        let kept = Kept {
            path: self.path,
            bytes: self.written,
            messages: self.messages,
            missing: self.queue.missing(),
            reason,
            text,
        };
        if reason == EndReason::Finished {
            tracing::info!("{kept}");
        } else {
            tracing::error!("{kept}");
        }
        kept
    }

    fn write(&mut self, records: &[u8], hurry: bool) -> Result<(), (EndReason, String)> {
        let level = if hurry { FAST_LEVEL } else { USUAL_LEVEL };
        let error = |e: io::Error| (EndReason::WriteError, format!("writing failed: {e}"));
        let block = self.packer.pack(records, level).map_err(error)?;
        if self.written + block.len() as u64 > self.max_bytes {
            let text = format!("it reached {} bytes, the most that it may have", self.max_bytes);
            return Err((EndReason::SizeLimit, text));
        }
        if let Err(e) = self.file.write_all_at(block, self.written) {
            // A piece of a block is of no use, and the end needs its room.
            if let Err(e) = self.file.set_len(self.written) {
                tracing::debug!("cannot cut the recording to its last whole block: {e}");
            }
            return Err(error(e));
        }
        self.written += block.len() as u64;
        self.messages += count_messages(records);
        Ok(())
    }

    /// Writes the last record. If even that cannot be written, readers see a recording that was
    /// never ended.
    fn say_end(&mut self, reason: EndReason, text: &str) {
        let (mut bytes, mut scratch) = (Vec::new(), Vec::new());
        let what = What::End { reason, text, messages: self.messages };
        Record { client: 0, time_ns: 0, what }.write(&mut bytes, &mut scratch);
        self.max_bytes = u64::MAX;
        if let Err((_, text)) = self.write(&bytes, false) {
            tracing::debug!("the recording's last record is not written: {text}");
        }
    }
}
