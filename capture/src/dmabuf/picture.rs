//! A dmabuf's picture as frames take it along.

use std::sync::Arc;

use stratus_dmabuf::{Failure, Picture};
use stratus_frame::{PixelView, Pixels, ReadError};

use crate::CaptureStats;
use crate::allowance::Allowance;

/// The picture, with one mark for each descriptor that is kept for it.
pub(super) struct DmabufPicture {
    picture: Picture,
    kept: Vec<Allowance>,
    stats: Arc<CaptureStats>,
}

impl DmabufPicture {
    pub(super) fn new(picture: Picture, kept: Vec<Allowance>, stats: Arc<CaptureStats>) -> Self {
        Self { picture, kept, stats }
    }
}

impl Pixels for DmabufPicture {
    fn read(&self, read: &mut dyn FnMut(PixelView<'_>)) -> Result<(), ReadError> {
        self.picture.read(read).map_err(|failure| {
            if self.kept.first().is_some_and(Allowance::is_first_failure) {
                tracing::warn!("dropping a frame that cannot be read: {failure}");
            }
            match failure {
                Failure::Unfinished => {
                    self.stats.unfinished.add(1);
                    ReadError::Unfinished
                }
                Failure::Truncated => {
                    self.stats.truncated.add(1);
                    ReadError::Truncated
                }
                Failure::Unreadable(_) => {
                    self.stats.unread.add(1);
                    ReadError::Unreadable
                }
            }
        })
    }

    fn reads_at_once(&self) -> bool {
        self.picture.reads_at_once()
    }
}
