//! Values of options that are more than a number: sizes, bit rates, names of codecs.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use stratus_capture::Formats;
use stratus_encode::check_x264_size;
use stratus_frame::input::{BadLayout, Layout};
use stratus_frame::{Codec, Size};

/// The size of a stream, written `1280x720`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct StreamSize(pub Size);

/// The smallest width and height, in pixels; below it no game draws anything.
const SMALLEST: u32 = 16;

impl FromStr for StreamSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((width, height)) = text.split_once(['x', 'X']) else {
            return Err("a size is written WIDTHxHEIGHT, as in 1280x720".into());
        };
        let side = |text: &str, name: &str| -> Result<u32, String> {
            let side: u32 =
                text.parse().map_err(|_| format!("the {name} must be a whole number of pixels"))?;
            match side {
                0 => Err(format!("the {name} is 0; a picture needs at least {SMALLEST} pixels")),
                1..SMALLEST => Err(format!("the {name} must be at least {SMALLEST} pixels")),
                _ if !side.is_multiple_of(2) => Err(format!(
                    "the {name} is odd; the encoder halves the colours and needs even sizes, such as {}",
                    side + 1
                )),
                _ => Ok(side),
            }
        };
        let size = Size::new(side(width, "width")?, side(height, "height")?);
        check_x264_size(size).map_err(|e| format!("it is above what the encoder takes: {e}"))?;
        Ok(Self(size))
    }
}

impl TryFrom<String> for StreamSize {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|why| format!("size {text:?}: {why}"))
    }
}

impl fmt::Display for StreamSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A bit rate in bit/s, written `12M`, `800k` or `12000000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "NumberOrText")]
pub struct Bitrate(pub u32);

const SLOWEST: u64 = 100_000;
const FASTEST: u64 = 500_000_000;

impl FromStr for Bitrate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (digits, unit) = match text.as_bytes().last() {
            Some(b'k' | b'K') => (&text[..text.len() - 1], 1e3),
            Some(b'm' | b'M') => (&text[..text.len() - 1], 1e6),
            _ => (text, 1.0),
        };
        let number = digits.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
        let Some(number) = number else {
            return Err("a bit rate is written 12M, 800k or in bit/s".into());
        };
        // Clamped before the cast; the limits below refuse both ends of the clamp.
        Self::checked((number * unit).round().clamp(0.0, 1e12) as u64)
    }
}

impl Bitrate {
    fn checked(bits: u64) -> Result<Self, String> {
        if !(SLOWEST..=FASTEST).contains(&bits) {
            return Err("a bit rate lies between 100k and 500M".into());
        }
        u32::try_from(bits).map(Self).map_err(|e| e.to_string())
    }
}

/// In a config file a rate may be a number without quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u64),
    Text(String),
}

impl TryFrom<NumberOrText> for Bitrate {
    type Error = String;

    fn try_from(value: NumberOrText) -> Result<Self, String> {
        match value {
            NumberOrText::Number(bits) => Self::checked(bits),
            NumberOrText::Text(text) => {
                text.parse().map_err(|why| format!("bitrate {text:?}: {why}"))
            }
        }
    }
}

/// The codec of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct StreamCodec(pub Codec);

impl FromStr for StreamCodec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "h264" => Ok(Self(Codec::H264)),
            _ => Err("the only codec of this version is h264".into()),
        }
    }
}

impl TryFrom<String> for StreamCodec {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|why| format!("codec {text:?}: {why}"))
    }
}

/// The layout of the player's keyboard, as XKB names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct KeyboardLayout(pub Layout);

impl FromStr for KeyboardLayout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|e: BadLayout| e.to_string())
    }
}

impl TryFrom<String> for KeyboardLayout {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|why| format!("keyboard-layout {text:?}: {why}"))
    }
}

/// Whether texts pass between the player's clipboard and the game's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SharedClipboard {
    /// What the player pastes goes to the game, and what it copies there comes back.
    #[default]
    On,
    /// Nothing passes.
    Off,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Whether frames are taken at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capture {
    /// Frames are taken, encoded and served.
    #[default]
    On,
    /// Messages only pass through; nothing is changed, taken or served.
    Off,
}

/// Whether the sound of games is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TakeSound {
    /// Games find a sound server of the session's own, and players hear them.
    #[default]
    On,
    /// Games find none.
    Off,
}

/// Which pixel formats games are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PixelFormats {
    /// Those that the encoder takes as they are, 8 bits a channel.
    #[default]
    Direct,
    /// All that can be converted, 10 bits a channel among them.
    All,
}

impl From<PixelFormats> for Formats {
    fn from(formats: PixelFormats) -> Self {
        match formats {
            PixelFormats::Direct => Self::Direct,
            PixelFormats::All => Self::All,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn sizes_are_read_or_refused_with_the_reason() {
        for (width, height) in [(1280, 720), (8192, 4352), (16, 16)] {
            let size = format!("{width}x{height}").parse::<StreamSize>().unwrap();
            assert_eq!(size.0, Size::new(width, height));
        }
        for (text, reason) in [
            ("0x720", "the width is 0"),
            ("1280x0", "the height is 0"),
            ("1281x720", "the width is odd"),
            ("1280x721", "the height is odd"),
            ("16386x720", "above what the encoder takes"),
            ("16384x16384", "above what the encoder takes"),
            ("2x2", "at least 16"),
            ("1280", "WIDTHxHEIGHT"),
            ("ax5", "whole number"),
            ("-4x720", "whole number"),
            ("99999999999x720", "whole number"),
        ] {
            let error = text.parse::<StreamSize>().unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn bit_rates_are_read_or_refused() {
        for (text, bits) in [("12M", 12_000_000), ("800k", 800_000), ("2.5m", 2_500_000)] {
            assert_eq!(text.parse::<Bitrate>().unwrap().0, bits);
        }
        assert_eq!("12000000".parse::<Bitrate>().unwrap().0, 12_000_000);
        for text in ["", "M", "0", "-1M", "99k", "501M", "1e99M", "infM", "nan", "12Q", "é"] {
            assert!(text.parse::<Bitrate>().is_err(), "{text}");
        }
    }

    #[test]
    fn unknown_codecs_are_refused_with_the_known_ones() {
        assert!("vp9".parse::<StreamCodec>().unwrap_err().contains("h264"));
        assert_eq!("h264".parse::<StreamCodec>().unwrap().0, Codec::H264);
    }
}
