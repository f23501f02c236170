//! The command line of `stratus replay`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::options::StreamSize;

/// `stratus replay`
#[derive(Debug, Args)]
#[command(after_help = "\
Without --through, a client per recorded client connects to the compositor in $WAYLAND_DISPLAY and \
says what was recorded. With --through capture no compositor is needed: both sides come from the \
recording, and what the capture takes is printed: the same in each run with --fast, so that two \
versions of Stratus can be compared. Exit code 1 if the replay got stuck, or something broke the \
protocol.

Example: stratus replay --through capture --fast game.wlrec")]
pub struct ReplayArgs {
    /// The recording
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Who hears what was recorded [default: compositor]
    #[arg(long, value_name = "WHO", value_enum)]
    pub through: Option<Through>,
    /// Wait for nothing but what must come first, instead of keeping the recording's pace
    #[arg(long, conflicts_with = "speed")]
    pub fast: bool,
    /// Keep this many times the recording's pace
    #[arg(long, value_name = "X", value_parser = speed)]
    pub speed: Option<f64>,
    /// Say what is in the recording, and replay nothing
    #[arg(long, conflicts_with_all = ["through", "print"])]
    pub summary: bool,
    /// Print the messages as `stratus trace` does, at once; with --through capture also what the
    /// capture changes, drops and adds
    #[arg(long)]
    pub print: bool,
    /// With --print: one JSON object a line
    #[arg(long, requires = "print")]
    pub json: bool,
    /// Through the capture: write the last frame to this file in PPM
    #[arg(long, value_name = "FILE")]
    pub dump_ppm: Option<PathBuf>,
    /// Through the capture: write to this file in CSV, a line a frame, when the first request of
    /// its commit was said and when the frame was handed over: nanoseconds of the monotonic clock
    #[arg(long, value_name = "FILE")]
    pub stamps: Option<PathBuf>,
    /// Through the capture: how long the encoder reads each frame, in ms of the recording
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub hold: u64,
    /// Through the capture: the size that the game is told [default: as when it was recorded]
    #[arg(long, value_name = "WxH")]
    pub size: Option<StreamSize>,
    /// To a compositor: the longest wait for an event, in seconds
    #[arg(long, value_name = "S", default_value_t = 10)]
    pub patience: u64,
    /// Stop after this many seconds of the recording
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub until: Option<f64>,
    /// To a compositor: keep what is shown at the end for so many seconds
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub stay: Option<f64>,
}

/// Who hears a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Through {
    /// The compositor in $WAYLAND_DISPLAY.
    Compositor,
    /// The capture, in memory.
    Capture,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x <= 1e6 => Ok(x),
        _ => Err("a number above 0 and up to 1000000".into()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(s) if (0.0..=1e6).contains(&s) => Ok(s),
        _ => Err("a number of seconds from 0 to 1000000".into()),
    }
}
