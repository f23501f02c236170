//! H.264 back to pictures: one access unit in, its picture out at once.

use ffmpeg_next::codec::{self, decoder, threading};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::{Dictionary, Error, Packet, color};
use stratus_frame::Size;

use crate::ffi;
use crate::planes::Planes;

/// Why an access unit gave no picture. All but [`DecodeError::Missing`], [`DecodeError::Open`]
/// and [`DecodeError::Memory`] are the sender's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// This FFmpeg was built without an H.264 decoder.
    #[error("this FFmpeg has no H.264 decoder")]
    Missing,
    /// The decoder does not open.
    #[error("the H.264 decoder does not open: {0}")]
    Open(String),
    /// No memory for a picture.
    #[error("no memory for a decoded picture")]
    Memory,
    /// No bytes at all, or more than FFmpeg can count.
    #[error("an access unit of {0} bytes")]
    Length(usize),
    /// The bytes are damaged, or begin with what is not a keyframe.
    #[error("damaged access unit of {len} bytes: {reason}")]
    Damaged {
        /// Bytes that came in.
        len: usize,
        /// FFmpeg's words.
        reason: String,
    },
    /// The bytes are well formed but hold no picture, or the picture is to be shown later.
    #[error("an access unit of {0} bytes holds no picture to show now")]
    NoPicture(usize),
    /// The picture is not 8-bit 4:2:0, which every stream of ours is.
    #[error("the picture is {0}, not 8-bit 4:2:0")]
    Format(String),
    /// The picture is larger than allowed.
    #[error("the picture is {size}; at most {max} is allowed")]
    TooLarge {
        /// Its size.
        size: Size,
        /// What [`Decoder::new`] was told.
        max: Size,
    },
}

/// What the stream says about its colours (H.264 annex E.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColorSignal {
    /// Whether codes are limited range (luma 16 to 235), BT.709 primaries, transfer function and
    /// matrix, all stated.
    pub is_bt709_limited: bool,
}

/// A decoded picture, valid until the next one.
#[derive(Debug, Clone, Copy)]
pub struct Decoded<'a> {
    /// The samples, of the coded size: even, so up to one column and row more than visible.
    pub planes: Planes<'a>,
    /// What the stream says about its colours.
    pub color: ColorSignal,
    /// Whether it was a keyframe.
    pub keyframe: bool,
}

/// A decoded picture that its decoder gave away; nothing of it was copied.
pub struct Kept(Video);

impl Kept {
    /// The samples, of the coded size; none if FFmpeg's frame is not what it was when decoded.
    #[must_use]
    pub fn planes(&self) -> Option<Planes<'_>> {
        ffi::frame::planes(&self.0)
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({}x{})", self.0.width(), self.0.height())
    }
}

/// An H.264 decoder without delay: one thread, no reordering.
///
/// It does not notice a missing frame: a difference to a picture that it never got decodes into
/// something. Whoever feeds it compares ids (`EncodedFrame::depends_on`).
pub struct Decoder {
    decoder: decoder::Video,
    picture: Video,
    max: Size,
}

impl Decoder {
    /// A decoder for pictures of at most `max`.
    ///
    /// # Errors
    /// [`DecodeError::Missing`], [`DecodeError::Open`], [`DecodeError::Memory`].
    pub fn new(max: Size) -> Result<Self, DecodeError> {
        ffi::prepare();
        let codec = decoder::find(codec::Id::H264).ok_or(DecodeError::Missing)?;
        let mut context = codec::Context::new_with_codec(codec);
        context.set_flags(codec::Flags::LOW_DELAY);
        // Threads on frames delay by a frame each, and a slice takes less than a wake-up.
        context.set_threading(threading::Config::count(1));
        let mut decoder = context.decoder();
        // Damage is an error, not a guess at a picture.
        decoder.check(decoder::Check::EXPLODE);
        let mut options = Dictionary::new();
        // FFmpeg refuses larger pictures before it allocates them, but counts what it would
        // allocate: whole macroblocks, and rows rounded up to at most 128 bytes.
        let blocks = |n: u32| u64::from(n).next_multiple_of(128);
        options.set("max_pixels", &(blocks(max.width) * blocks(max.height)).to_string());
        let opened = decoder
            .open_as_with(codec, options)
            .and_then(decoder::Opened::video)
            .map_err(|e| DecodeError::Open(e.to_string()))?;
        Ok(Self { decoder: opened, picture: Video::empty(), max })
    }

    /// Decodes one access unit (Annex B) into its picture.
    ///
    /// # Errors
    /// See [`DecodeError`]. The decoder stays usable: go on with the next keyframe.
    pub fn decode(&mut self, access_unit: &[u8]) -> Result<Decoded<'_>, DecodeError> {
        let len = access_unit.len();
        if len == 0 || i32::try_from(len).is_err() {
            return Err(DecodeError::Length(len));
        }
        ffi::log::forget_errors();
        let damaged = |e: Error| DecodeError::Damaged {
            len,
            reason: ffi::log::take_first_error().unwrap_or_else(|| e.to_string()),
        };
        // FFmpeg reads beyond the end, so it copies bytes that it does not own into a buffer of
        // its own with room for that.
        self.decoder.send_packet(&Packet::borrow(access_unit)).map_err(damaged)?;
        match self.decoder.receive_frame(&mut self.picture) {
            Ok(()) => {}
            Err(Error::Other { errno }) if errno == ffmpeg_next::util::error::EAGAIN => {
                return Err(DecodeError::NoPicture(len));
            }
            Err(e) => return Err(damaged(e)),
        }
        self.decoded()
    }

    /// Gives away the picture that was decoded last, without copying it: FFmpeg takes other memory
    /// for the next.
    #[must_use]
    pub fn take(&mut self) -> Kept {
        Kept(std::mem::replace(&mut self.picture, Video::empty()))
    }

    fn decoded(&self) -> Result<Decoded<'_>, DecodeError> {
        let picture = &self.picture;
        let size = Size::new(picture.width(), picture.height());
        let allowed = self.max.rounded_up_to_even();
        if size.width > allowed.width || size.height > allowed.height {
            return Err(DecodeError::TooLarge { size, max: self.max });
        }
        if !matches!(picture.format(), Pixel::YUV420P | Pixel::YUVJ420P) {
            return Err(DecodeError::Format(format!("{:?}", picture.format())));
        }
        let planes = ffi::frame::planes(picture).ok_or(DecodeError::Memory)?;
        let is_bt709_limited = picture.color_range() == color::Range::MPEG
            && picture.color_space() == color::Space::BT709
            && picture.color_primaries() == color::Primaries::BT709
            && picture.color_transfer_characteristic() == color::TransferCharacteristic::BT709;
        let keyframe = picture.is_key();
        Ok(Decoded { planes, color: ColorSignal { is_bt709_limited }, keyframe })
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("max", &self.max).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
