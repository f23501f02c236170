//! libx264, tuned for the least delay.
//!
//! The preset is ultrafast: superfast takes twice the time of a frame, and a frame's time is
//! delay. `zerolatency` turns off lookahead and B frames; threads work on slices of one picture,
//! since threads on whole frames would hold frames back. Keyframes come only where asked, with
//! the parameter sets in front, for they are what a joining viewer needs and large otherwise.
//!
//! Rate control holds each frame to its share of the bitrate with a buffer (VBV) of two frames:
//! a larger one would let a frame take several frames' time on the link.

use bytes::Bytes;
use ffmpeg_next::codec::{self, threading};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::{Dictionary, Error, Packet, color, encoder, picture};
use stratus_frame::{Codec, Size};

use crate::encoder::{
    AccessUnit, BITRATES, Coding, EncodeError, Encoder, EncoderConfig, SizeLimit, threads_for,
};
use crate::ffi;
use crate::picture::Picture;

/// FFmpeg's name.
pub(crate) const NAME: &str = "libx264";

/// libx264 takes no picture wider or higher.
const MAX_SIDE: u32 = 16_384;

/// MaxFS of level 6.2, the highest (H.264 table A-1).
const MAX_MACROBLOCKS: u32 = 139_264;

/// Frames whose bits fit the rate control's buffer.
const BUFFER_FRAMES: u64 = 2;

/// A refinement may take the bits of this many frames: 133 ms of the link at 60 frames a second,
/// in a moment when nothing else waits for it.
const REFINEMENT_FRAMES: u64 = 8;

/// A keyframe interval that never ends (x264's own `infinite`).
const NEVER: u32 = 1 << 30;

/// An open libx264.
pub struct X264 {
    encoder: encoder::Video,
    size: Size,
    fps: u32,
    bitrate: u64,
    next: i64,
}

/// Whether this FFmpeg has libx264 at all.
///
/// # Errors
/// [`EncodeError::Missing`] if not.
pub fn check_x264() -> Result<(), EncodeError> {
    ffi::prepare();
    encoder::find_by_name(NAME).map(|_| ()).ok_or(EncodeError::Missing { encoder: NAME })
}

/// Whether libx264 takes pictures of `size`.
///
/// # Errors
/// [`EncodeError::EmptySize`] or [`EncodeError::TooLarge`].
pub fn check_x264_size(size: Size) -> Result<(), EncodeError> {
    if size.is_empty() {
        return Err(EncodeError::EmptySize { size });
    }
    if size.width > MAX_SIDE || size.height > MAX_SIDE {
        return Err(EncodeError::TooLarge { size, limit: SizeLimit::Side(MAX_SIDE) });
    }
    if size.width.div_ceil(16) * size.height.div_ceil(16) > MAX_MACROBLOCKS {
        return Err(EncodeError::TooLarge { size, limit: SizeLimit::Macroblocks(MAX_MACROBLOCKS) });
    }
    Ok(())
}

impl X264 {
    /// Opens libx264.
    ///
    /// # Errors
    /// [`EncodeError::Missing`], [`EncodeError::EmptySize`], [`EncodeError::TooLarge`] or
    /// [`EncodeError::Open`].
    pub fn open(config: EncoderConfig) -> Result<Self, EncodeError> {
        check_x264()?;
        check_x264_size(config.size)?;
        ffi::log::forget_errors();
        let open = |e: Error| EncodeError::Open {
            encoder: NAME,
            size: config.size,
            reason: ffi::log::take_first_error().unwrap_or_else(|| e.to_string()),
        };
        let codec = encoder::find_by_name(NAME).ok_or(EncodeError::Missing { encoder: NAME })?;
        let mut video = codec::Context::new_with_codec(codec).encoder().video().map_err(open)?;
        let fps = config.fps.clamp(1, 1000);
        let coded = config.size.rounded_up_to_even();
        video.set_width(coded.width);
        video.set_height(coded.height);
        video.set_format(Pixel::YUV420P);
        // Both fps are below i32::MAX.
        video.set_time_base((1, fps as i32));
        video.set_frame_rate(Some((fps as i32, 1)));
        video.set_gop(NEVER);
        video.set_max_b_frames(0);
        video.set_color_range(color::Range::MPEG);
        video.set_colorspace(color::Space::BT709);
        video.set_color_primaries(color::Primaries::BT709);
        video.set_color_transfer_characteristic(color::TransferCharacteristic::BT709);
        // Without an explicit type FFmpeg turns the tune's sliced threads off again.
        let count = if config.threads == 0 { threads_for(config.size) } else { config.threads };
        let mut threads = threading::Config::kind(threading::Type::Slice);
        threads.count = count.min(64);
        video.set_threading(threads);
        let bitrate = config.bitrate.clamp(*BITRATES.start(), *BITRATES.end());
        write_rate(&mut video, bitrate, fps, 1);
        let mut options = Dictionary::new();
        options.set("preset", "ultrafast");
        options.set("tune", "zerolatency");
        options.set("forced-idr", "1");
        options.set("sc_threshold", "0");
        let opened = video.open_with(options).map_err(open)?;
        if ffi::context::has_delay(&opened) {
            let reason = "it would hold frames back".to_owned();
            return Err(EncodeError::Open { encoder: NAME, size: config.size, reason });
        }
        Ok(Self { encoder: opened, size: config.size, fps, bitrate, next: 0 })
    }

    fn failed(error: Error) -> EncodeError {
        let reason = ffi::log::take_first_error().unwrap_or_else(|| error.to_string());
        EncodeError::Failed { encoder: NAME, reason }
    }
}

/// Writes `bitrate` and the buffer into a context, both times `scale`. libx264 compares them with
/// what holds before every frame, so this works while it is open, too.
fn write_rate(context: &mut encoder::encoder::Encoder, bitrate: u64, fps: u32, scale: u64) {
    let bitrate = bitrate * scale;
    let buffer = bitrate * BUFFER_FRAMES / u64::from(fps);
    // At most 8 Gbit/s, which is below usize::MAX on every machine with FFmpeg's 64-bit rates.
    context.set_bit_rate(bitrate as usize);
    context.set_max_bit_rate(bitrate as usize);
    ffi::context::set_rate_buffer(context, i32::try_from(buffer).unwrap_or(i32::MAX));
}

impl Encoder for X264 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn codec(&self) -> Codec {
        Codec::H264
    }

    fn size(&self) -> Size {
        self.size
    }

    fn encode(&mut self, picture: &mut Picture, coding: Coding) -> Result<AccessUnit, EncodeError> {
        if picture.size() != self.size {
            let (expected, size) = (self.size, picture.size());
            return Err(EncodeError::WrongSize { encoder: NAME, expected, size });
        }
        let refine = coding == Coding::Refinement;
        if refine {
            let scale = REFINEMENT_FRAMES / BUFFER_FRAMES;
            write_rate(&mut self.encoder, self.bitrate, self.fps, scale);
        }
        let frame = picture.frame_mut();
        frame.set_pts(Some(self.next));
        frame.set_kind(match coding {
            Coding::Keyframe => picture::Type::I,
            Coding::Delta | Coding::Refinement => picture::Type::None,
        });
        self.next += 1;
        ffi::log::forget_errors();
        let sent = self.encoder.send_frame(frame).map_err(Self::failed);
        if refine {
            write_rate(&mut self.encoder, self.bitrate, self.fps, 1);
        }
        sent?;
        let mut packet = Packet::empty();
        match self.encoder.receive_packet(&mut packet) {
            Ok(()) => {}
            Err(Error::Other { errno }) if errno == ffmpeg_next::util::error::EAGAIN => {
                return Err(EncodeError::NotOneForOne { encoder: NAME, units: 0 });
            }
            Err(e) => return Err(Self::failed(e)),
        }
        match self.encoder.receive_packet(&mut Packet::empty()) {
            Err(Error::Other { errno }) if errno == ffmpeg_next::util::error::EAGAIN => {}
            Err(e) => return Err(Self::failed(e)),
            Ok(()) => return Err(EncodeError::NotOneForOne { encoder: NAME, units: 2 }),
        }
        let keyframe = packet.is_key();
        Ok(AccessUnit { data: Bytes::from_owner(Unit(packet)), keyframe })
    }

    fn set_bitrate(&mut self, bits_per_second: u64) {
        self.bitrate = bits_per_second.clamp(*BITRATES.start(), *BITRATES.end());
        write_rate(&mut self.encoder, self.bitrate, self.fps, 1);
    }

    fn bitrate(&self) -> u64 {
        self.bitrate
    }
}

/// FFmpeg's packet as the owner of bytes that travel on without a copy.
struct Unit(Packet);

impl AsRef<[u8]> for Unit {
    fn as_ref(&self) -> &[u8] {
        self.0.data().unwrap_or(&[])
    }
}

#[cfg(test)]
#[path = "x264_tests.rs"]
mod tests;
