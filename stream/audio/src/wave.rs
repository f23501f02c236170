//! Sound in a file, with silence where nothing was sent.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use stratus_frame::MonoTime;
use stratus_frame::sound::SOUND_RATE;

/// Bytes of a frame: two samples of 16 bits.
const FRAME: u32 = 4;
/// Bytes in front of the samples.
const HEADER: u32 = 44;
/// The most that a file can count: about six hours.
const MOST: u64 = (u32::MAX - HEADER) as u64 / FRAME as u64;
/// Stamps that are off by less belong where the file ends.
const CLOSE: Duration = Duration::from_millis(2);

/// A WAVE file of 16 bits, stereo, 48 kHz.
#[derive(Debug)]
pub struct WaveFile {
    out: BufWriter<File>,
    start: Option<MonoTime>,
    frames: u64,
}

impl WaveFile {
    /// Makes the file at `path`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut out = BufWriter::new(File::create(path)?);
        out.write_all(&header(0))?;
        Ok(Self { out, start: None, frames: 0 })
    }

    /// Adds samples, interleaved, the first of which has this stamp. Those of a time that is in
    /// the file already, or beyond what a file can hold, are left out.
    ///
    /// # Errors
    /// The kernel's.
    pub fn write(&mut self, stamp: MonoTime, samples: &[f32]) -> io::Result<()> {
        let start = *self.start.get_or_insert(stamp);
        let rate = u128::from(SOUND_RATE);
        let place = (stamp.since(start).as_nanos() * rate / 1_000_000_000) as u64;
        let close = (CLOSE.as_nanos() * rate / 1_000_000_000) as u64;
        let frames = samples.len() as u64 / 2;
        if place + close < self.frames || place + frames > MOST {
            return Ok(());
        }
        if place > self.frames + close {
            let silence = (place - self.frames) * u64::from(FRAME);
            io::copy(&mut io::Read::take(io::repeat(0), silence), &mut self.out)?;
            self.frames = place;
        }
        for x in samples {
            self.out.write_all(&((x.clamp(-1.0, 1.0) * 32767.0) as i16).to_le_bytes())?;
        }
        self.frames += frames;
        Ok(())
    }

    /// Writes how long it became.
    ///
    /// # Errors
    /// The kernel's.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header(self.frames as u32))?;
        self.out.flush()
    }
}

/// The file's head (RIFF, one `fmt ` and one `data` chunk) for so many frames.
fn header(frames: u32) -> Vec<u8> {
    let data = frames * FRAME;
    let mut head = Vec::with_capacity(HEADER as usize);
    head.extend(b"RIFF");
    head.extend((data + HEADER - 8).to_le_bytes());
    head.extend(b"WAVEfmt ");
    head.extend(16u32.to_le_bytes());
    // PCM, two channels.
    head.extend([1, 0, 2, 0]);
    head.extend(SOUND_RATE.to_le_bytes());
    head.extend((SOUND_RATE * FRAME).to_le_bytes());
    head.extend([FRAME as u8, 0, 16, 0]);
    head.extend(b"data");
    head.extend(data.to_le_bytes());
    head
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn silence_stands_where_nothing_was_sent() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("out.wav");
        let mut file = WaveFile::create(&path).unwrap();
        let at = |ms: u64| MonoTime::from_nanos((1000 + ms) * 1_000_000);
        file.write(at(0), &[0.5; 96]).unwrap();
        file.write(at(1), &[0.5; 96]).unwrap();
        file.write(at(10), &[-1.0; 96]).unwrap();
        file.write(at(3), &[1.0; 96]).unwrap();
        file.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 44 + 11 * 48 * 4);
        assert_eq!((&bytes[..4], &bytes[36..40]), (&b"RIFF"[..], &b"data"[..]));
        assert_eq!(bytes[40..44], (11u32 * 48 * 4).to_le_bytes());
        let sample =
            |frame: usize| i16::from_le_bytes([bytes[44 + frame * 4], bytes[45 + frame * 4]]);
        let expected = [(0, 16_383), (95, 16_383), (96, 0), (479, 0), (480, -32_767)];
        for (frame, value) in expected {
            assert_eq!(sample(frame), value, "{frame}");
        }
    }
}
