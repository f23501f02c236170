//! The command line of `stratus play`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use stratus_frame::input::Layout;

use crate::assemble::ScreenWish;
use crate::player::Paths;

/// `stratus play`
#[derive(Debug, Args)]
#[command(after_help = "\
In the window these keys are not the game's: F11 or Ctrl+Alt+Shift+F full screen; \
Ctrl+Alt+Shift with S the figures of every stage, Z the pointer free until the next click, V gives \
what you copied to the game's clipboard, C takes what the game copied into yours, I lets an input \
method compose text, Q closes the window. Letters are those of a QWERTY keyboard, by their place.

With --headless every frame is decoded and its id checked. The exit code is 0 if at least one \
frame was decoded, none was missing, and as many came as --frames asked for; where it was not \
given, until --seconds passed or the session ended. `--frames N` together with `--seconds S` waits \
at most S seconds for N frames. With a window, --frames and --seconds close it and print the same \
results, which --json does as well.")]
pub struct PlayArgs {
    /// The link that `stratus run` or `stratus proxy` printed; - reads it from standard input
    #[arg(value_name = "LINK")]
    pub link: String,
    /// Receive, decode and measure without showing anything
    #[arg(long)]
    pub headless: bool,
    /// Stop after this many decoded frames
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub frames: Option<u64>,
    /// Stop after this many seconds
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub seconds: Option<f64>,
    /// Keep the stream, as it came, in this Matroska file
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Keep the sound in this WAVE file, with silence where none was sent
    #[arg(long, value_name = "FILE")]
    pub record_sound: Option<PathBuf>,
    /// Write the moments of each frame to this file in CSV, a line a frame: nanoseconds of the
    /// monotonic clock from commit to picture
    #[arg(long, value_name = "FILE")]
    pub stamps: Option<PathBuf>,
    /// Another screen of the game: its size, and its refresh rate if that is given; or `follow`,
    /// the size of the window, whatever it is resized to; or `keep`, the one it has
    /// [default: follow with a window, else keep]
    #[arg(long, value_name = "WxH[@HZ]|follow|keep")]
    pub resize: Option<Resizing>,
    /// Do what this file says with keyboard and pointer, a line each, such as `0.5s key KEY_ENTER
    /// tap`; docs/input.md has them all. Only with --headless
    #[arg(long, value_name = "FILE", requires = "headless")]
    pub input: Option<PathBuf>,
    /// Write to this file in CSV, a line an input, when it was sent, which frame answered it and
    /// when that was decoded: nanoseconds of the monotonic clock
    #[arg(long, value_name = "FILE", requires = "input")]
    pub answers: Option<PathBuf>,
    /// Write the last decoded picture to this file in PPM
    #[arg(long, value_name = "FILE")]
    pub dump_ppm: Option<PathBuf>,
    /// Print the results as one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// How log lines look on standard error [default: human]
    #[arg(long, env = "STRATUS_LOG_FORMAT", value_name = "FORMAT", value_enum)]
    pub log_format: Option<crate::options::LogFormat>,
    /// The window.
    #[command(flatten)]
    pub window: WindowArgs,
}

impl PlayArgs {
    /// The files to keep what is received in.
    pub(super) fn paths(&self) -> Paths<'_> {
        Paths {
            stream: self.record.as_deref(),
            sound: self.record_sound.as_deref(),
            stamps: self.stamps.as_deref(),
        }
    }
}

/// What is of the window alone.
#[derive(Debug, Args)]
pub struct WindowArgs {
    /// How large the picture is in the window
    #[arg(long, value_enum, default_value_t, conflicts_with = "headless")]
    pub scale: Scaling,
    /// How the picture is made larger or smaller
    #[arg(long, value_enum, default_value_t, conflicts_with = "headless")]
    pub filter: Filtering,
    /// Begin in full screen
    #[arg(long, conflicts_with = "headless")]
    pub fullscreen: bool,
    /// Your keyboard's layout, as in `de` or `de(nodeadkeys)` [default: $XKB_DEFAULT_LAYOUT, or
    /// that of /etc/default/keyboard]
    #[arg(long, value_name = "LAYOUT", conflicts_with = "headless")]
    pub keyboard_layout: Option<Layout>,
    /// Play no sound
    #[arg(long, conflicts_with = "headless")]
    pub no_sound: bool,
    /// Let no text go between your clipboard and the game's
    #[arg(long, conflicts_with = "headless")]
    pub no_clipboard: bool,
}

/// How large the picture is in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Scaling {
    /// As large as fits.
    #[default]
    Fit,
    /// The largest whole multiple that fits.
    Integer,
}

/// How the picture is made larger or smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Filtering {
    /// Pixels keep their edges.
    #[default]
    Sharp,
    /// Pixels run into each other (bilinear).
    Smooth,
}

/// Which screen the game is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resizing {
    /// That of the window.
    Follow,
    /// The one it has.
    Keep,
    /// This one.
    To(ScreenWish),
}

impl FromStr for Resizing {
    type Err = <ScreenWish as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "follow" => Ok(Self::Follow),
            "keep" => Ok(Self::Keep),
            other => other.parse().map(Self::To),
        }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(s) if s > 0.0 && s <= 1e6 => Ok(s),
        _ => Err("a number of seconds above 0 and up to 1000000".into()),
    }
}
