//! Pictures in memory of ours: what a waiting frame becomes when the game needs its buffer back.

use std::sync::{Arc, Mutex, PoisonError};

use stratus_frame::{PixelFormat, PixelView, Pixels, ReadError, Size};

/// Spare memories kept: one picture may be read while another waits.
const MAX_SPARE: usize = 2;

/// No picture that a game means to show is larger; 8K has 127 MiB. The bound keeps a client that
/// lies about its buffers from costing memory.
const MAX_BYTES: usize = 256 << 20;

/// Why a picture was not copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CopyError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("a picture of {0} bytes is larger than any screen")]
    TooLarge(usize),
}

/// Makes pictures, in memory that earlier ones used where it can.
#[derive(Clone, Debug, Default)]
pub(crate) struct PicturePool(Arc<Mutex<Vec<Vec<u8>>>>);

impl PicturePool {
    /// Copies a picture, row for row.
    ///
    /// # Errors
    /// [`CopyError`]; there is then nothing to show.
    pub(crate) fn copy(&self, pixels: &dyn Pixels) -> Result<Arc<dyn Pixels>, CopyError> {
        let mut copied = Err(CopyError::Read(ReadError::Truncated));
        pixels.read(&mut |view| copied = self.copy_view(view))?;
        Ok(Arc::new(copied?))
    }

    fn copy_view(&self, view: PixelView<'_>) -> Result<OwnedPicture, CopyError> {
        let row = view.size.width as usize * view.format.bytes_per_pixel();
        let len = row.saturating_mul(view.size.height as usize);
        if len > MAX_BYTES {
            return Err(CopyError::TooLarge(len));
        }
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut data = spare.unwrap_or_default();
        data.clear();
        data.reserve_exact(len);
        for from in view.data.chunks(view.stride).take(view.size.height as usize) {
            data.extend_from_slice(&from[..row.min(from.len())]);
        }
        Ok(OwnedPicture { data, size: view.size, format: view.format, home: self.clone() })
    }
}

struct OwnedPicture {
    data: Vec<u8>,
    size: Size,
    format: PixelFormat,
    home: PicturePool,
}

impl Pixels for OwnedPicture {
    fn read(&self, read: &mut dyn FnMut(PixelView<'_>)) -> Result<(), ReadError> {
        let Self { data, size, format, .. } = self;
        let stride = size.width as usize * format.bytes_per_pixel();
        read(PixelView { data, stride, size: *size, format: *format });
        Ok(())
    }
}

impl Drop for OwnedPicture {
    fn drop(&mut self) {
        let mut spare = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < MAX_SPARE {
            spare.push(std::mem::take(&mut self.data));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    struct Rows {
        data: Vec<u8>,
        stride: usize,
        size: Size,
    }

    impl Pixels for Rows {
        fn read(&self, read: &mut dyn FnMut(PixelView<'_>)) -> Result<(), ReadError> {
            let format = PixelFormat::Xrgb8888;
            read(PixelView { data: &self.data, stride: self.stride, size: self.size, format });
            Ok(())
        }
    }

    #[test]
    fn rows_lose_their_padding_and_memory_is_used_again() {
        let pool = PicturePool::default();
        // Two rows of two pixels, 12 bytes apart; the last row has no padding behind it.
        let data: Vec<u8> = (0..20).collect();
        let rows = Rows { data, stride: 12, size: Size::new(2, 2) };
        let mut address = None;
        for _ in 0..3 {
            let copy = pool.copy(&rows).unwrap();
            let mut seen = Vec::new();
            copy.read(&mut |view| {
                assert_eq!((view.stride, view.size), (8, Size::new(2, 2)));
                seen = view.data.to_vec();
                assert_eq!(*address.get_or_insert(view.data.as_ptr()), view.data.as_ptr());
            })
            .unwrap();
            assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15, 16, 17, 18, 19]);
        }
        assert_eq!(pool.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_lie_about_the_size_costs_no_memory() {
        let pool = PicturePool::default();
        let rows = Rows { data: Vec::new(), stride: 400_000, size: Size::new(100_000, 100_000) };
        let refused = pool.copy(&rows).err();
        assert_eq!(refused, Some(CopyError::TooLarge(40_000_000_000)));
    }
}
