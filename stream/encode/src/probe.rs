//! Which encoders really work on this machine.
//!
//! That FFmpeg lists an encoder says little: a driver, a device or a permission may be missing.
//! So each one is opened and given one picture. Today only libx264 streams; the others are probed
//! so that `stratus doctor` can tell what the machine has.

use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::{Dictionary, Error, Packet, codec, encoder, picture};
use stratus_frame::Size;

use crate::ffi;
use crate::ffi::hardware::{Device, Pool};
use crate::x264;

/// Large enough for every hardware encoder; some refuse less than 145 by 49.
const SIZE: Size = Size::new(320, 240);

/// What probing an encoder found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It opened and encoded a picture.
    Opened,
    /// This FFmpeg was built without it.
    Absent,
    /// It is there but does not work, in FFmpeg's words.
    Failed(String),
}

/// An encoder and what probing it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// FFmpeg's name of it.
    pub encoder: &'static str,
    /// Whether Stratus streams with it when it works.
    pub used: bool,
    /// What probing found.
    pub outcome: Outcome,
}

/// Where an encoder takes its pictures from.
#[derive(Clone, Copy)]
enum Input {
    /// Memory, in this format; the encoder uploads by itself.
    Memory(Pixel),
    /// A device.
    Device(Device),
}

/// The encoders we know, best first.
const KNOWN: [(&str, Input); 5] = [
    ("h264_nvenc", Input::Memory(Pixel::YUV420P)),
    ("h264_vaapi", Input::Device(Device::Vaapi)),
    ("h264_qsv", Input::Memory(Pixel::NV12)),
    ("h264_vulkan", Input::Device(Device::Vulkan)),
    (x264::NAME, Input::Memory(Pixel::YUV420P)),
];

/// Opens every known encoder once and lets it encode one picture. Takes milliseconds each, up to
/// seconds where a driver starts.
#[must_use]
pub fn probe() -> Vec<Probed> {
    KNOWN
        .iter()
        .map(|&(name, input)| Probed {
            encoder: name,
            used: name == x264::NAME,
            outcome: outcome(name, input),
        })
        .collect()
}

fn outcome(name: &str, input: Input) -> Outcome {
    ffi::prepare();
    let Some(found) = encoder::find_by_name(name) else { return Outcome::Absent };
    ffi::log::forget_errors();
    let mut step = "opening it";
    match encode_once(found, input, &mut step) {
        Ok(()) => Outcome::Opened,
        Err(e) => {
            let words = ffi::log::take_first_error().unwrap_or_else(|| e.to_string());
            Outcome::Failed(format!("{step}: {words}"))
        }
    }
}

/// Encodes one picture; `step` says at which step it failed.
fn encode_once(
    found: ffmpeg_next::Codec,
    input: Input,
    step: &mut &'static str,
) -> Result<(), Error> {
    let mut video = codec::Context::new_with_codec(found).encoder().video()?;
    video.set_width(SIZE.width);
    video.set_height(SIZE.height);
    video.set_time_base((1, 60));
    video.set_frame_rate(Some((60, 1)));
    video.set_bit_rate(4_000_000);
    video.set_max_b_frames(0);
    let (format, pool) = match input {
        Input::Memory(format) => (format, None),
        Input::Device(device) => {
            *step = "opening its device";
            (Pixel::NV12, Some(Pool::open(device, SIZE)?))
        }
    };
    *step = "opening it";
    match (input, &pool) {
        (Input::Device(Device::Vaapi), Some(pool)) => {
            video.set_format(Pixel::VAAPI);
            pool.give_to(&mut video)?;
        }
        (Input::Device(Device::Vulkan), Some(pool)) => {
            video.set_format(Pixel::VULKAN);
            pool.give_to(&mut video)?;
        }
        _ => video.set_format(format),
    }
    let mut opened = video.open_with(Dictionary::new())?;
    *step = "encoding a picture";
    let mut frame = black(format)?;
    if let Some(pool) = &pool {
        frame = pool.upload(&frame)?;
    }
    frame.set_pts(Some(0));
    frame.set_kind(picture::Type::None);
    opened.send_frame(&frame)?;
    // Some keep a picture until they know that none follows.
    opened.send_eof()?;
    let mut packet = Packet::empty();
    opened.receive_packet(&mut packet)?;
    if packet.size() == 0 { Err(Error::InvalidData) } else { Ok(()) }
}

fn black(format: Pixel) -> Result<Video, Error> {
    let memory = Error::Other { errno: ffmpeg_next::util::error::ENOMEM };
    let mut frame = ffi::frame::allocate(format, SIZE).ok_or(memory)?;
    ffi::frame::fill(&mut frame, &[16, 128, 128]);
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_encoder_is_reported_and_libx264_works_here() {
        let found = probe();
        assert_eq!(found.len(), KNOWN.len());
        for probed in &found {
            if let Outcome::Failed(reason) = &probed.outcome {
                assert!(!reason.is_empty(), "{} failed without a reason", probed.encoder);
            }
        }
        let x264 = found.iter().find(|p| p.used).map(|p| (p.encoder, &p.outcome));
        assert_eq!(x264, Some(("libx264", &Outcome::Opened)));
    }

    #[test]
    fn an_encoder_that_does_not_exist_is_absent() {
        assert_eq!(outcome("h264_nowhere", Input::Memory(Pixel::NV12)), Outcome::Absent);
    }

    #[test]
    fn a_picture_that_the_encoder_cannot_take_is_a_failure_with_words() {
        let Outcome::Failed(reason) = outcome(x264::NAME, Input::Memory(Pixel::PAL8)) else {
            unreachable!("libx264 took a palette");
        };
        assert!(reason.contains("pal8") || reason.contains("format"), "{reason}");
    }
}
