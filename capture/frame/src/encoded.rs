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
#[derive(Clone, Debug)]
pub struct EncodedFrame {
    /// The frame that it shows.
    pub id: FrameId,
    /// The frame that must be decoded before this one; `None` for a keyframe.
    pub depends_on: Option<FrameId>,
    /// When it passed which stage.
    pub stamps: Stamps,
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
}
