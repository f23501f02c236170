//! Keeps a stream in a file, as it is: access units go through FFmpeg's muxer without being
//! decoded.
//!
//! The container follows from the file's name (`.mkv` is the usual one; `.mp4`, `.ts`, `.flv` and
//! whatever else libavformat guesses for H.264 work too). Containers hold one picture size, so
//! when the size or the parameter sets change, the file is finished and the recording goes on in
//! `name-2.mkv`, `name-3.mkv` and so on, each starting at time 0 with a keyframe. The same where
//! another stream follows, whose times are of another clock ([`Recorder::cut`]).

use std::path::{Path, PathBuf};

use ffmpeg_next::format::context::Output;
use ffmpeg_next::{Error, Packet, Rational, codec, format, packet};
use stratus_frame::{EncodedFrame, FrameId, MonoTime, Size};

use crate::{annexb, ffi};

/// Nanoseconds in a second.
const SECOND: i128 = 1_000_000_000;

/// Why recording did not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The path is not text, or has no file name.
    #[error("cannot record to {0:?}: not a file name in UTF-8")]
    BadPath(PathBuf),
    /// The file cannot be made, or its name tells no container.
    #[error("cannot record to {path:?}: {reason}")]
    Create {
        /// The file.
        path: PathBuf,
        /// FFmpeg's words.
        reason: String,
    },
    /// The container does not take the stream.
    #[error("{path:?} cannot hold this stream: {reason}")]
    Container {
        /// The file.
        path: PathBuf,
        /// FFmpeg's words.
        reason: String,
    },
    /// A keyframe without SPS and PPS in front: the sender's fault.
    #[error("keyframe {0:?} comes without parameter sets")]
    NoParameterSets(FrameId),
    /// Writing failed: the disk is full, for example.
    #[error("writing {path:?}: {reason}")]
    Write {
        /// The file.
        path: PathBuf,
        /// FFmpeg's words.
        reason: String,
    },
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is in the file.
    Kept,
    /// It is left out: it depends on a frame that is not in the file. Ask for a keyframe.
    Skipped,
}

/// A finished recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// The files, in order; none if there was no keyframe.
    pub files: Vec<PathBuf>,
    /// Frames kept.
    pub frames: u64,
    /// Frames left out.
    pub skipped: u64,
}

/// Writes access units into a container.
pub struct Recorder {
    path: PathBuf,
    /// A file that was made and has no header yet.
    empty: Option<Output>,
    segment: Option<Segment>,
    last: Option<FrameId>,
    done: Recording,
}

/// One file with its header written.
struct Segment {
    output: Output,
    path: PathBuf,
    time_base: Rational,
    size: Size,
    headers: Vec<u8>,
    start: MonoTime,
    /// In units of `time_base`.
    last: Option<i64>,
}

impl Recorder {
    /// Makes the file at `path`, so that a wrong name or a missing folder is known at once.
    ///
    /// # Errors
    /// [`RecordError::BadPath`], [`RecordError::Create`].
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        ffi::prepare();
        let empty = Some(create(path)?);
        Ok(Self {
            path: path.to_owned(),
            empty,
            segment: None,
            last: None,
            done: Recording::default(),
        })
    }

    /// Adds a frame. Its time is that of its commit, or of its encoding where it shows again what
    /// was shown before.
    ///
    /// # Errors
    /// [`RecordError`]; after [`RecordError::Write`] the recording should be finished.
    pub fn write(&mut self, frame: &EncodedFrame) -> Result<Recorded, RecordError> {
        if frame.is_keyframe() {
            self.begin(frame)?;
        } else if self.last.is_none() || self.last != frame.depends_on {
            self.done.skipped += 1;
            return Ok(Recorded::Skipped);
        }
        let Some(segment) = &mut self.segment else { return Ok(Recorded::Skipped) };
        segment.write(frame)?;
        self.last = Some(frame.id);
        self.done.frames += 1;
        Ok(Recorded::Kept)
    }

    /// Finishes the file, if it has a frame; the next keyframe begins another.
    ///
    /// # Errors
    /// [`RecordError::Write`].
    pub fn cut(&mut self) -> Result<(), RecordError> {
        self.last = None;
        self.segment.take().map_or(Ok(()), Segment::finish)
    }

    /// Finishes the file. A file without a frame is removed.
    ///
    /// # Errors
    /// [`RecordError::Write`].
    pub fn finish(mut self) -> Result<Recording, RecordError> {
        self.close()?;
        Ok(std::mem::take(&mut self.done))
    }

    fn close(&mut self) -> Result<(), RecordError> {
        if self.empty.take().is_some()
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::debug!(path = ?self.path, %error, "an empty recording could not be removed");
        }
        self.cut()
    }

    /// Makes sure that the open file fits `frame`, a keyframe.
    fn begin(&mut self, frame: &EncodedFrame) -> Result<(), RecordError> {
        let headers = annexb::parameter_sets(&frame.data);
        if headers.is_empty() {
            return Err(RecordError::NoParameterSets(frame.id));
        }
        let fits =
            self.segment.as_ref().is_some_and(|s| s.size == frame.size && s.headers == headers);
        if fits {
            return Ok(());
        }
        if let Some(segment) = self.segment.take() {
            segment.finish()?;
        }
        let path = segment_path(&self.path, self.done.files.len() + 1);
        let output = match self.empty.take() {
            Some(output) => output,
            None => create(&path)?,
        };
        self.segment = Some(Segment::start(output, path.clone(), frame, headers)?);
        tracing::info!(?path, size = %frame.size, "recording");
        self.done.files.push(path);
        Ok(())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "a recording could not be finished");
        }
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The first file has the name as given; later ones carry their number.
fn segment_path(path: &Path, number: usize) -> PathBuf {
    if number == 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().map(|s| s.to_string_lossy()).unwrap_or_default();
    let name = match path.extension() {
        Some(extension) => format!("{stem}-{number}.{}", extension.to_string_lossy()),
        None => format!("{stem}-{number}"),
    };
    path.with_file_name(name)
}

fn create(path: &Path) -> Result<Output, RecordError> {
    // ffmpeg-next takes text without zeros only.
    let text = path.to_str().filter(|t| !t.contains('\0') && path.file_name().is_some());
    let text = text.ok_or_else(|| RecordError::BadPath(path.to_owned()))?;
    ffi::log::forget_errors();
    // Without the protocol's name, "a:b.mkv" would be a protocol of its own.
    format::output(&format!("file:{text}"))
        .map_err(|e| RecordError::Create { path: path.to_owned(), reason: words(e) })
}

fn words(error: Error) -> String {
    ffi::log::take_first_error().unwrap_or_else(|| error.to_string())
}

impl Segment {
    fn start(
        mut output: Output,
        path: PathBuf,
        frame: &EncodedFrame,
        headers: Vec<u8>,
    ) -> Result<Self, RecordError> {
        ffi::log::forget_errors();
        let container = |e: Error| RecordError::Container { path: path.clone(), reason: words(e) };
        let coded = frame.size.rounded_up_to_even();
        let parameters = ffi::output::h264_parameters(coded, &headers)
            .ok_or_else(|| container(Error::InvalidData))?;
        let mut stream = output.add_stream(codec::Id::None).map_err(container)?;
        stream.set_parameters(parameters);
        // A wish: Matroska counts milliseconds whatever it is told.
        stream.set_time_base((1, 1_000_000));
        output.write_header().map_err(container)?;
        let time_base = output.stream(0).map(|s| s.time_base());
        let time_base = time_base
            .filter(|t| t.numerator() > 0 && t.denominator() > 0)
            .ok_or_else(|| container(Error::InvalidData))?;
        let (size, start) = (frame.size, time_of(frame));
        Ok(Self { output, path, time_base, size, headers, start, last: None })
    }

    fn write(&mut self, frame: &EncodedFrame) -> Result<(), RecordError> {
        let failed = |e: Error| RecordError::Write { path: self.path.clone(), reason: words(e) };
        if i32::try_from(frame.data.len()).is_err() {
            return Err(failed(Error::InvalidData));
        }
        ffi::log::forget_errors();
        let time = ticks(time_of(frame), self.start, self.time_base);
        // Two frames may fall into one tick, and no container takes the same time twice.
        let time = self.last.map_or(time, |last| time.max(last + 1));
        let mut packet = Packet::copy(&frame.data);
        packet.set_stream(0);
        packet.set_pts(Some(time));
        packet.set_dts(Some(time));
        if frame.is_keyframe() {
            packet.set_flags(packet::Flags::KEY);
        }
        packet.write_interleaved(&mut self.output).map_err(failed)?;
        self.last = Some(time);
        Ok(())
    }

    fn finish(mut self) -> Result<(), RecordError> {
        ffi::log::forget_errors();
        self.output
            .write_trailer()
            .map_err(|e| RecordError::Write { path: self.path.clone(), reason: words(e) })
    }
}

fn time_of(frame: &EncodedFrame) -> MonoTime {
    if frame.is_repeat() || !frame.stamps.read.is_set() {
        frame.stamps.encoded
    } else {
        frame.stamps.read
    }
}

/// Units of `base` from `start` to `time`, rounded to the nearest; 0 if `time` is earlier.
fn ticks(time: MonoTime, start: MonoTime, base: Rational) -> i64 {
    let nanos = i128::from(time.as_nanos().saturating_sub(start.as_nanos()));
    let unit = i128::from(base.numerator()) * SECOND;
    let ticks = (nanos * i128::from(base.denominator()) + unit / 2) / unit;
    i64::try_from(ticks).unwrap_or(i64::MAX - 1)
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
