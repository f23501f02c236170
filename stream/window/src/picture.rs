//! Decoded pictures on their way to the window, and where they wait: only the newest counts.

use std::sync::{Arc, Mutex, PoisonError};

use stratus_frame::{FrameId, MonoTime, Size};

/// One plane of 8-bit samples.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    /// The rows; ends with the last sample of the last one.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
}

/// A picture in I420, BT.709 and limited range (H.264 table E-5). Planes may be larger than what
/// is to be seen.
#[derive(Clone, Copy, Debug)]
pub struct I420<'a> {
    /// Luma; then Cb and Cr, a sample for two by two pixels.
    pub planes: [Samples<'a>; 3],
    /// The pixels to be seen, from the top left.
    pub visible: Size,
}

impl I420<'_> {
    /// Whether all planes have the samples that `visible` needs.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let Size { width, height } = self.visible;
        let half = Size::new(width.div_ceil(2), height.div_ceil(2));
        width > 0
            && height > 0
            && self.planes.iter().zip([self.visible, half, half]).all(|(plane, size)| {
                let (width, height) = (size.width as usize, size.height as usize);
                let last = (height - 1).checked_mul(plane.stride);
                plane.stride >= width
                    && last
                        .and_then(|l| l.checked_add(width))
                        .is_some_and(|n| n <= plane.data.len())
            })
    }
}

/// A picture that its decoder gave away, so that nobody copies it.
pub trait Picture: Send {
    /// The samples.
    fn samples(&self) -> I420<'_>;
}

/// A picture to show, and what is known of it.
pub struct Shown {
    /// The samples.
    pub picture: Box<dyn Picture>,
    /// The frame's number.
    pub id: FrameId,
    /// The newest input that it can show.
    pub newest_input: u64,
    /// When the decoder returned it, on this machine's clock.
    pub decoded: MonoTime,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shown({})", self.id.0)
    }
}

/// A place for one thing: a newer one replaces what nobody took.
#[derive(Debug)]
pub(crate) struct Latest<T>(Arc<Mutex<Option<T>>>);

impl<T> Clone for Latest<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Latest<T> {
    /// Puts `value` there and gives what it replaced: if nothing, whoever takes has to be woken.
    pub(crate) fn put(&self, value: T) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(value)
    }

    pub(crate) fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_replaces_what_nobody_took() {
        let cell = Latest::default();
        let other = cell.clone();
        assert_eq!(cell.put(1), None);
        assert_eq!(cell.put(2), Some(1));
        assert_eq!(other.take(), Some(2));
        assert_eq!(other.take(), None);
        assert_eq!(cell.put(3), None);
    }

    #[test]
    fn planes_that_are_too_short_are_noticed() {
        let (luma, chroma) = ([0; 3 * 4 + 3], [0; 2 * 2]);
        let picture = |luma: usize, chroma: usize, stride: usize| {
            let chroma = Samples { data: &[0; 4][..chroma], stride: 2 };
            I420 {
                planes: [Samples { data: &[0; 15][..luma], stride }, chroma, chroma],
                visible: Size::new(3, 4),
            }
        };
        assert!(picture(luma.len(), chroma.len(), 4).is_whole());
        assert!(!picture(luma.len() - 1, chroma.len(), 4).is_whole());
        assert!(!picture(luma.len(), chroma.len() - 1, 4).is_whole());
        assert!(!picture(luma.len(), chroma.len(), 2).is_whole());
        assert!(!I420 { visible: Size::new(0, 4), ..picture(15, 4, 4) }.is_whole());
    }
}
