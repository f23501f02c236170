//! The files that a stream is kept in, which outlive its connection.

use std::path::{Path, PathBuf};

use stratus_audio::WaveFile;
use stratus_frame::MonoTime;
use stratus_stream::core::latency::FrameTimes;

use super::decoding::Done;
use super::recording::Recording;
use super::stamps::StampsFile;
use crate::failure::Failure;

/// Where what is received is kept, if it is.
#[derive(Clone, Copy, Default)]
pub(crate) struct Paths<'a> {
    pub(crate) stream: Option<&'a Path>,
    pub(crate) sound: Option<&'a Path>,
    pub(crate) stamps: Option<&'a Path>,
}

/// What is written: pictures, sound, moments, all or none. Each connection goes on with what the
/// one before it left.
#[derive(Default)]
pub(crate) struct Files {
    pub(super) stream: Option<Recording>,
    pub(super) sound: Option<SoundFile>,
    stamps: Option<StampsFile>,
    /// Whose they are, once something was received.
    session: Option<u64>,
}

impl Files {
    /// Makes the files at these paths.
    ///
    /// # Errors
    /// A [`Failure`] if one of them cannot be made.
    pub(crate) fn create(paths: Paths<'_>) -> Result<Self, Failure> {
        let stream = paths.stream.map(Recording::create).transpose()?;
        let sound = paths.sound.map(SoundFile::create).transpose()?;
        let stamps = paths.stamps.map(StampsFile::create).transpose()?;
        Ok(Self { stream, sound, stamps, session: None })
    }

    /// A frame went through the decoder; `times` if it became a picture.
    pub(super) fn note(&mut self, done: &Done, times: Option<FrameTimes>) {
        if let (Some(stamps), Some(times)) = (&mut self.stamps, times) {
            stamps.write(&done.header, &times);
        }
    }

    /// What follows is of this session. The clock of another begins anew, so that its times have
    /// no place in the same file.
    ///
    /// # Errors
    /// A [`Failure`] if a file cannot be finished, or the next one be made.
    pub(super) fn begin(&mut self, session: u64) -> Result<(), Failure> {
        if self.session.replace(session).is_none_or(|before| before == session) {
            return Ok(());
        }
        if let Some(stream) = &mut self.stream {
            stream.cut()?;
        }
        if let Some(sound) = &mut self.sound {
            sound.cut()?;
        }
        Ok(())
    }

    /// Finishes the files.
    ///
    /// # Errors
    /// A [`Failure`] if one of them cannot be written.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let sound = self.sound.map_or(Ok(()), SoundFile::finish);
        let stamps = self.stamps.map_or(Ok(()), StampsFile::finish);
        self.stream.map_or(Ok(()), Recording::finish)?;
        sound.and(stamps)
    }
}

/// A WAVE file that is being written, and the name of its first part. Dropping it finishes it.
pub(crate) struct SoundFile {
    wave: Option<WaveFile>,
    path: PathBuf,
    part: u32,
}

impl SoundFile {
    fn create(path: &Path) -> Result<Self, Failure> {
        let wave = WaveFile::create(path).map_err(|e| {
            failure(path, &e).remedy("name a file in a folder that you may write to, as in out.wav")
        })?;
        Ok(Self { wave: Some(wave), path: path.to_owned(), part: 1 })
    }

    /// Adds samples, the first of which has this stamp.
    pub(super) fn write(&mut self, stamp: MonoTime, samples: &[f32]) -> Result<(), Failure> {
        let Some(wave) = &mut self.wave else { return Ok(()) };
        wave.write(stamp, samples).map_err(|e| failure(&self.current(), &e))
    }

    /// Goes on in another file.
    fn cut(&mut self) -> Result<(), Failure> {
        self.close()?;
        self.part += 1;
        let path = self.current();
        tracing::info!(?path, "the sound goes on in another file");
        self.wave = Some(WaveFile::create(&path).map_err(|e| failure(&path, &e))?);
        Ok(())
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.close()
    }

    fn close(&mut self) -> Result<(), Failure> {
        let Some(wave) = self.wave.take() else { return Ok(()) };
        wave.finish().map_err(|e| failure(&self.current(), &e))
    }

    /// The first part has the name as given; later ones carry their number, as those of the
    /// pictures do.
    fn current(&self) -> PathBuf {
        if self.part == 1 {
            return self.path.clone();
        }
        let stem = self.path.file_stem().map(|s| s.to_string_lossy()).unwrap_or_default();
        let mut name = format!("{stem}-{}", self.part);
        if let Some(extension) = self.path.extension() {
            name = format!("{name}.{}", extension.to_string_lossy());
        }
        self.path.with_file_name(name)
    }
}

impl Drop for SoundFile {
    fn drop(&mut self) {
        if let Err(failure) = self.close() {
            tracing::warn!("{failure}");
        }
    }
}

fn failure(path: &Path, e: &std::io::Error) -> Failure {
    Failure::new(format!("keep the sound in {}", path.display()), e)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn another_session_goes_on_in_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.wav");
        let mut files = Files::create(Paths { sound: Some(&path), ..Paths::default() }).unwrap();
        let mut hear = |session, seconds: u64| {
            files.begin(session).unwrap();
            let stamp = MonoTime::from_nanos(seconds * 1_000_000_000);
            files.sound.as_mut().unwrap().write(stamp, &[0.5; 96]).unwrap();
        };
        // The same session with a pause, and one whose clock began anew.
        hear(7, 100);
        hear(7, 102);
        hear(8, 1);
        hear(8, 1);
        files.finish().unwrap();
        let frames = |name: &str| {
            let bytes = std::fs::read(folder.path().join(name)).unwrap();
            assert_eq!(bytes[40..44], (bytes.len() as u32 - 44).to_le_bytes(), "its head");
            (bytes.len() - 44) / 4
        };
        assert_eq!(frames("out.wav"), 2 * 48_000 + 48);
        assert_eq!(frames("out-2.wav"), 96);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
