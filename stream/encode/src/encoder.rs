//! What the pipeline asks of a video encoder, and how it can fail.

use bytes::Bytes;
use stratus_frame::{Codec, Size};

use crate::picture::Picture;

/// The largest picture that is streamed unless a session asks for more: 8K with the height of a
/// cinema screen. A player takes as much, whatever size its session has: the stream follows a
/// game that keeps a size of its own.
pub const LARGEST_PICTURE: Size = Size::new(8192, 4320);

/// Bits a second that an encoder is held to: 64 kbit/s to 1 Gbit/s.
pub const BITRATES: std::ops::RangeInclusive<u64> = 64_000..=1_000_000_000;

/// How an encoder is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderConfig {
    /// Visible width and height; see [`Picture::coded_size`].
    pub size: Size,
    /// Frames a second that the bitrate is meant for: each frame gets its share of one second's
    /// bits, whenever it comes, so that a burst after a still moment is no larger than others.
    pub fps: u32,
    /// Bits a second, held to [`BITRATES`].
    pub bitrate: u64,
    /// Threads that work on slices of one picture; 0 chooses by the size and the
    /// number of cores, see [`threads_for`].
    pub threads: usize,
}

/// How a picture is to be coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As the difference to the frame before, except for an encoder's first, which is a keyframe.
    Delta,
    /// So that decoding can start here (IDR picture, parameter sets in front).
    Keyframe,
    /// As the difference to the frame before, in better quality: the picture stands still.
    Refinement,
}

/// One access unit.
#[derive(Clone, Debug)]
pub struct AccessUnit {
    /// Annex B bytes, in the encoder's own buffer: not copied.
    pub data: Bytes,
    /// Whether decoding can start here.
    pub keyframe: bool,
}

/// Why encoding did not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// This FFmpeg was built without the encoder.
    #[error("this FFmpeg has no encoder {encoder}; install an FFmpeg that was built with it")]
    Missing {
        /// FFmpeg's name of it.
        encoder: &'static str,
    },
    /// A picture without pixels.
    #[error("a picture of {size} has no pixels")]
    EmptySize {
        /// The size asked for.
        size: Size,
    },
    /// A picture larger than the codec or the configuration allows.
    #[error("a picture of {size} is too large: {limit}")]
    TooLarge {
        /// The size asked for.
        size: Size,
        /// What it exceeds.
        limit: SizeLimit,
    },
    /// The encoder is there but does not open.
    #[error("{encoder} does not open for {size}: {reason}")]
    Open {
        /// FFmpeg's name of it.
        encoder: &'static str,
        /// Visible size asked for.
        size: Size,
        /// FFmpeg's words.
        reason: String,
    },
    /// A picture of another size than the encoder was opened for: a bug of ours.
    #[error("{encoder} is open for {expected}, not for a picture of {size}")]
    WrongSize {
        /// FFmpeg's name of it.
        encoder: &'static str,
        /// Size it was opened for.
        expected: Size,
        /// Size of the picture.
        size: Size,
    },
    /// The encoder failed while encoding.
    #[error("{encoder} failed: {reason}")]
    Failed {
        /// FFmpeg's name of it.
        encoder: &'static str,
        /// FFmpeg's words.
        reason: String,
    },
    /// The encoder returned none or several access units for one picture, so it delays frames.
    #[error("{encoder} returned {units} access units for one picture")]
    NotOneForOne {
        /// FFmpeg's name of it.
        encoder: &'static str,
        /// How many it returned; 2 means two or more.
        units: usize,
    },
}

impl EncodeError {
    /// Whether the picture is to blame and another one may work.
    #[must_use]
    pub fn is_about_size(&self) -> bool {
        matches!(self, Self::EmptySize { .. } | Self::TooLarge { .. })
    }
}

/// What a size exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SizeLimit {
    /// Too wide or too high.
    #[error("at most {0} pixels wide and high")]
    Side(u32),
    /// Too many macroblocks of 16 by 16 pixels (H.264 table A-1, MaxFS).
    #[error("at most {0} macroblocks of 16x16 pixels")]
    Macroblocks(u32),
    /// More than the configuration allows.
    #[error("this session allows at most {0}")]
    Configured(Size),
}

/// A video encoder that returns each picture's access unit before it takes the next.
pub trait Encoder: Send {
    /// FFmpeg's name of it.
    fn name(&self) -> &'static str;

    /// What it makes.
    fn codec(&self) -> Codec;

    /// Visible size of the pictures it takes.
    fn size(&self) -> Size;

    /// Encodes one picture.
    ///
    /// # Errors
    /// See [`EncodeError`]; after [`EncodeError::Failed`] or [`EncodeError::NotOneForOne`] the
    /// encoder should be opened anew.
    fn encode(&mut self, picture: &mut Picture, coding: Coding) -> Result<AccessUnit, EncodeError>;

    /// Sets the bits a second, held to [`BITRATES`], from the next frame on, without a keyframe.
    fn set_bitrate(&mut self, bits_per_second: u64);

    /// The bits a second that hold for the next frame.
    fn bitrate(&self) -> u64;
}

/// Pixels up to which one thread is the best choice. A slice of such a picture saves less time
/// than its thread costs where the game needs the cores too; and on a busy machine libx264's rate
/// control takes about one slice in some thousands for too large and leaves its last rows as they
/// were in the picture before, which one thread was never seen to do.
const ONE_THREAD_PIXELS: u64 = 1280 * 720;

/// Threads for one encoder of pictures of `size` where nothing else is configured: one up to 720p,
/// then one a core, at most 4.
///
/// Each thread codes a slice of its own, and nothing is predicted across slices: more of them
/// cost bits and bring less time each.
#[must_use]
pub fn threads_for(size: Size) -> usize {
    if u64::from(size.width) * u64::from(size.height) <= ONE_THREAD_PIXELS {
        return 1;
    }
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(4)
}
