//! The pictures of frames: what stands for them, and the last of them in a file.

use std::io::{self, Write};
use std::path::Path;

use stratus_frame::{Frame, PixelView, Size};
use stratus_recording::Digest;

/// The rows of a picture, as blue, green and red of each pixel: the fourth byte is not part of it.
fn rows(view: PixelView<'_>, mut each: impl FnMut(&[u8])) {
    let (width, height) = (view.size.width as usize, view.size.height as usize);
    let mut row = vec![0; width * 3];
    for pixels in view.data.chunks(view.stride).take(height) {
        let pixels = pixels.chunks_exact(view.format.bytes_per_pixel());
        for (to, from) in row.chunks_exact_mut(3).zip(pixels) {
            to.copy_from_slice(&from[..3]);
        }
        each(&row);
    }
}

/// Stands for the picture. `None` if it cannot be read.
pub(super) fn digest(frame: &Frame) -> Option<Digest> {
    let mut digest = Digest::new();
    let read = frame.pixels.read(&mut |view| rows(view, |row| digest.add(row)));
    read.ok().map(|()| digest)
}

/// A copy of a frame's picture.
#[derive(Default)]
pub(super) struct Picture {
    size: Size,
    bgr: Vec<u8>,
}

impl Picture {
    /// Becomes the frame's picture, unless that cannot be read.
    pub(super) fn copy(&mut self, frame: &Frame) {
        let mut bgr = Vec::new();
        let read = frame.pixels.read(&mut |view| rows(view, |row| bgr.extend_from_slice(row)));
        if read.is_ok() {
            *self = Self { size: frame.size, bgr };
        }
    }

    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = io::BufWriter::new(std::fs::File::create(path)?);
        write!(file, "P6\n{} {}\n255\n", self.size.width, self.size.height)?;
        for pixel in self.bgr.chunks_exact(3) {
            file.write_all(&[pixel[2], pixel[1], pixel[0]])?;
        }
        file.flush()
    }
}
