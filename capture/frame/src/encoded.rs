//! A frame after the encoder.

use bytes::Bytes;

use crate::{FrameId, Size, Stamps};

/// The video codec of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// H.264 (ITU-T H.264), Annex B byte stream, parameter sets in front of every IDR picture.
    H264,
}

/// One access unit and what the player must know about it.
///
/// Ids number the access units of a stream, from 1 and without gaps, in the order of encoding:
/// they are the pipeline's own, since commits that were replaced in the mailbox have no access
/// unit, and a picture may get several (a keyframe for a viewer who joins while nothing moves, a
/// refinement). What ties an access unit to its commit are the stamps, which stay those of the
/// commit it shows. One that shows again what an earlier one showed, or what was converted before
/// anybody watched, has no conversion of its own: see [`EncodedFrame::is_repeat`].
#[derive(Clone, Debug)]
pub struct EncodedFrame {
    /// Its number in the stream.
    pub id: FrameId,
    /// The access unit that must be decoded before this one; `None` for a keyframe.
    pub depends_on: Option<FrameId>,
    /// When the commit that it shows passed which stage; `convert_start` and `convert_end` are
    /// unset in a repeat.
    pub stamps: Stamps,
    /// The newest input that the picture may show; 0 if there was none.
    pub newest_input: u64,
    /// Visible width and height; the coded size is this, rounded up to even numbers.
    pub size: Size,
    /// How `data` is coded.
    pub codec: Codec,
    /// Whether the game may have drawn over it while it was read.
    pub torn: bool,
    /// The access unit.
    pub data: Bytes,
}

impl EncodedFrame {
    /// Whether decoding can start here.
    #[must_use]
    pub fn is_keyframe(&self) -> bool {
        self.depends_on.is_none()
    }

    /// Whether this is a picture encoded again rather than a commit on its way: its commit may be
    /// long past, so the time since then says nothing about delay.
    #[must_use]
    pub fn is_repeat(&self) -> bool {
        !self.stamps.convert_start.is_set()
    }
}
