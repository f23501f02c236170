//! Keeps the stream in a file, as it came.

use std::path::{Path, PathBuf};

use stratus_encode::{RecordError, Recorder};
use stratus_frame::EncodedFrame;
use stratus_stream::ReceivedFrame;

use crate::failure::Failure;

/// A file that is being written.
pub(crate) struct Recording {
    recorder: Recorder,
    path: PathBuf,
}

impl Recording {
    /// Makes the file at `path`.
    ///
    /// # Errors
    /// A [`Failure`] if it cannot be made.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let recorder = Recorder::create(path).map_err(|e| {
            failure(path, &e).remedy("name a file in a folder that you may write to, as in out.mkv")
        })?;
        Ok(Self { recorder, path: path.to_owned() })
    }

    /// Adds a frame. One that cannot be decoded with what is in the file is left out.
    ///
    /// # Errors
    /// A [`Failure`] if it cannot be written.
    pub(crate) fn write(&mut self, frame: ReceivedFrame) -> Result<(), Failure> {
        let ReceivedFrame { header, data, .. } = frame;
        let frame = EncodedFrame {
            id: header.id,
            depends_on: header.depends_on,
            stamps: header.stamps,
            newest_input: header.newest_input,
            size: header.size,
            codec: header.codec,
            torn: header.torn,
            data,
        };
        self.recorder.write(&frame).map(drop).map_err(|e| failure(&self.path, &e))
    }

    /// What follows is of another session, and goes into another file.
    ///
    /// # Errors
    /// A [`Failure`] if this one cannot be written.
    pub(crate) fn cut(&mut self) -> Result<(), Failure> {
        self.recorder.cut().map_err(|e| failure(&self.path, &e))
    }

    /// Finishes the file.
    ///
    /// # Errors
    /// A [`Failure`] if it cannot be written.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let recorded = self.recorder.finish().map_err(|e| failure(&self.path, &e))?;
        tracing::info!("kept {} frames in {:?}", recorded.frames, recorded.files);
        Ok(())
    }
}

fn failure(path: &Path, e: &RecordError) -> Failure {
    Failure::new(format!("keep the stream in {}", path.display()), e)
}
