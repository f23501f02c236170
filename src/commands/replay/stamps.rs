//! How long the capture takes for each frame of a recording, in a file.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use stratus_frame::{Frame, MonoTime};
use stratus_proxy_core::Direction;
use stratus_recording::{Record, What};

use crate::failure::Failure;

/// The first line. Moments are nanoseconds of this machine's monotonic clock; that of the read is
/// empty where no commit made the frame.
const HEAD: &str = "id,read,handed";

/// The requests of a client that came out of one `recvmsg`, as far as they were said again.
///
/// A recording has a record for each, of the same moment, with the memory that they show between
/// them. In a session the frame's way begins as the first of them is read, so the time that the
/// session and its capture had for the earlier ones counts, and what the recording cost in between
/// does not.
#[derive(Default)]
pub(super) struct Batch {
    /// The client, and when it was read.
    of: Option<(u64, u64)>,
    /// What the earlier requests took.
    before: Duration,
    /// When the last one was said, and when that was done.
    began: MonoTime,
    ended: MonoTime,
}

impl Batch {
    /// A record was said; if it is a message, the session had it between these moments.
    pub(super) fn said(&mut self, record: &Record<'_>, [began, ended]: [MonoTime; 2]) {
        let What::Message { direction: Direction::Request, .. } = record.what else { return };
        let of = Some((record.client, record.time_ns));
        self.before =
            if self.of == of { self.before + self.ended.since(self.began) } else { Duration::ZERO };
        (self.of, self.began, self.ended) = (of, began, ended);
    }

    /// When the bytes of the commit would have been read that led to a frame of this moment; none
    /// if another cause did.
    fn read(&self, handed: MonoTime) -> Option<MonoTime> {
        let commit = (self.began..=self.ended).contains(&handed);
        let before = u64::try_from(self.before.as_nanos()).ok().filter(|_| commit)?;
        Some(MonoTime::from_nanos(self.began.as_nanos().saturating_sub(before)))
    }
}

/// A CSV file that is being written, a line a frame.
pub(super) struct StampsFile {
    out: BufWriter<File>,
    path: PathBuf,
}

impl StampsFile {
    /// Makes the file at `path`.
    ///
    /// # Errors
    /// A [`Failure`] if it cannot be made.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let made = File::create(path).and_then(|file| {
            let mut out = BufWriter::new(file);
            writeln!(out, "{HEAD}")?;
            Ok(out)
        });
        let out = made.map_err(|e| failure(path, e))?;
        Ok(Self { out, path: path.to_owned() })
    }

    /// Adds a frame that the last request of `batch` led to.
    ///
    /// # Errors
    /// A [`Failure`] if it cannot be written.
    pub(super) fn write(&mut self, frame: &Frame, batch: &Batch) -> Result<(), Failure> {
        let handed = frame.stamps.handed;
        let read = batch.read(handed).map_or(String::new(), |read| read.as_nanos().to_string());
        writeln!(self.out, "{},{read},{}", frame.id.0, handed.as_nanos())
            .map_err(|e| failure(&self.path, e))
    }

    /// Finishes the file.
    ///
    /// # Errors
    /// A [`Failure`] if it cannot be written.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|e| failure(&self.path, e))
    }
}

fn failure(path: &Path, e: io::Error) -> Failure {
    Failure::new(format!("keep the frames' moments in {}", path.display()), e)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn at(ns: u64) -> MonoTime {
        MonoTime::from_nanos(ns)
    }

    fn record(time_ns: u64, direction: Direction) -> Record<'static> {
        let what = What::Message { direction, fds: Vec::new(), bytes: &[] };
        Record { client: 1, time_ns, what }
    }

    #[test]
    fn requests_of_one_read_count_and_what_lies_between_them_does_not() {
        let mut batch = Batch::default();
        batch.said(&record(7, Direction::Request), [at(1000), at(1300)]);
        batch.said(&record(7, Direction::Event), [at(2000), at(2900)]);
        batch.said(&record(7, Direction::Request), [at(5000), at(5600)]);
        assert_eq!(batch.read(at(5400)), Some(at(4700)));
        assert_eq!(batch.read(at(5601)), None, "handed by something else");
        batch.said(&record(8, Direction::Request), [at(9000), at(9100)]);
        assert_eq!(batch.read(at(9050)), Some(at(9000)));
    }
}
