//! The moments of each frame in a file, for those who want more than percentiles.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use stratus_frame::MonoTime;
use stratus_stream::core::header::FrameHeader;
use stratus_stream::core::latency::FrameTimes;

use crate::failure::Failure;

/// The first line. Moments are nanoseconds of this machine's monotonic clock; one that is not known
/// is empty, as are those before the encoder of a frame that shows again what another had shown.
const HEAD: &str = "sequence,id,newest_input,bytes,keyframe,read,handed,convert_start,convert_end,\
                    encoded,sent,first_byte,last_byte,decoded";

/// A CSV file that is being written, a line a frame.
pub(crate) struct StampsFile {
    out: BufWriter<File>,
    path: PathBuf,
    /// Why nothing more is written.
    failed: Option<io::Error>,
}

impl StampsFile {
    /// Makes the file at `path`.
    ///
    /// # Errors
    /// A [`Failure`] if it cannot be made.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let made = File::create(path).and_then(|file| {
            let mut out = BufWriter::new(file);
            writeln!(out, "{HEAD}")?;
            Ok(out)
        });
        let out = made.map_err(|e| {
            failure(path, e).remedy("name a file in a folder that you may write to, as in out.csv")
        })?;
        Ok(Self { out, path: path.to_owned(), failed: None })
    }

    /// Adds a frame that was decoded. What cannot be written is told by [`StampsFile::finish`].
    pub(super) fn write(&mut self, header: &FrameHeader, times: &FrameTimes) {
        if self.failed.is_none() {
            self.failed = self.line(header, times).err();
        }
    }

    fn line(&mut self, header: &FrameHeader, times: &FrameTimes) -> io::Result<()> {
        let FrameHeader { sequence, id, newest_input, payload_len, .. } = header;
        let keyframe = u8::from(header.is_keyframe());
        write!(self.out, "{sequence},{},{newest_input},{payload_len},{keyframe}", id.0)?;
        let FrameTimes { stamps, sent, first_byte, last_byte, decoded } = times;
        let before =
            [stamps.read, stamps.handed, stamps.convert_start, stamps.convert_end, stamps.encoded];
        for at in before.iter().chain([sent, first_byte, last_byte, decoded]) {
            write_moment(&mut self.out, *at)?;
        }
        writeln!(self.out)
    }

    /// Finishes the file.
    ///
    /// # Errors
    /// A [`Failure`] if it cannot be written, or could not be.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let flushed = self.failed.map_or_else(|| self.out.flush(), Err);
        flushed.map_err(|e| failure(&self.path, e))
    }
}

fn write_moment(out: &mut impl io::Write, at: MonoTime) -> io::Result<()> {
    if at.is_set() { write!(out, ",{}", at.as_nanos()) } else { write!(out, ",") }
}

fn failure(path: &Path, e: io::Error) -> Failure {
    Failure::new(format!("keep the frames' moments in {}", path.display()), e)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use stratus_frame::Stamps;

    use super::super::tally::tests::done;
    use super::*;

    #[test]
    fn a_line_has_a_field_for_each_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let mut file = StampsFile::create(&path).unwrap();
        let at = MonoTime::from_nanos;
        let stamps = Stamps { read: at(5), handed: at(6), ..Stamps::default() };
        let times = FrameTimes { stamps, decoded: at(90), ..FrameTimes::default() };
        file.write(&done(0, 3).header, &times);
        file.write(&done(1, 4).header, &FrameTimes::default());
        file.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], HEAD);
        assert_eq!(lines[1], "0,3,0,10,1,5,6,,,,,,,90");
        assert_eq!(lines[2], "1,4,0,10,0,,,,,,,,,");
        for line in &lines {
            assert_eq!(line.matches(',').count(), HEAD.matches(',').count());
        }
    }

    #[test]
    fn a_full_disk_is_told_at_the_end() {
        let mut file = StampsFile::create(Path::new("/dev/full")).unwrap();
        for sequence in 0..1000 {
            file.write(&done(sequence, sequence + 1).header, &FrameTimes::default());
        }
        let failure = file.finish().unwrap_err().to_string();
        assert!(failure.contains("/dev/full"), "{failure}");
    }
}
