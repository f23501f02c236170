//! The scripted client as a program: plays marker frames against `$WAYLAND_DISPLAY` and prints
//! what it counted as one line of JSON.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Parser, ValueEnum};

use stratus_harness::client::{Buffers, Config, End, Format, Pace, Trick, play};
use stratus_harness::scene::Motion;

/// Draws numbered frames into a window and counts what the compositor makes of them.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Frames to commit; 0 plays until the connection ends
    #[arg(long, default_value_t = 600)]
    frames: u64,
    /// Frames a second; without it the client follows frame callbacks
    #[arg(long, conflicts_with = "unbounded")]
    rate: Option<f64>,
    /// Draw as fast as buffers are released
    #[arg(long)]
    unbounded: bool,
    /// Write the number of each frame and when it was committed to this file: nanoseconds of the
    /// monotonic clock
    #[arg(long, value_name = "FILE")]
    commits: Option<PathBuf>,
    /// Change nothing but the marker, and that with each key or button that is pressed; write the
    /// frame's number, when the press was heard of and when the frame was committed to this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rate", "unbounded"])]
    on_key: Option<PathBuf>,
    /// Size in pixels where the compositor states none
    #[arg(long, default_value = "1280x720", value_parser = size)]
    size: (u32, u32),
    /// Follow the size of every configure
    #[arg(long)]
    size_from_configure: bool,
    /// Number of buffers
    #[arg(long, default_value_t = 3)]
    buffers: usize,
    /// How buffers are made
    #[arg(long, value_enum, default_value_t = Kind::OnePool)]
    kind: Kind,
    /// Bytes between rows
    #[arg(long, default_value_t = 0)]
    row_gap: u32,
    /// Bytes in front of the first buffer of a pool
    #[arg(long, default_value_t = 0)]
    offset: u32,
    /// Use argb8888 rather than xrgb8888
    #[arg(long)]
    argb: bool,
    /// Change nothing but the marker from frame to frame
    #[arg(long)]
    still: bool,
    /// Commit the same picture again and again, and damage nothing
    #[arg(long, conflicts_with = "still")]
    unchanged: bool,
    /// Ask for fullscreen
    #[arg(long)]
    fullscreen: bool,
    /// Number in the first marker
    #[arg(long, default_value_t = 1)]
    first_number: u32,
    /// Truncate the pool right after each commit, from this frame on
    #[arg(long)]
    truncate_from: Option<u64>,
    /// Write garbage to the socket after this frame
    #[arg(long)]
    garbage_after: Option<u64>,
    /// Drop the connection after this frame
    #[arg(long)]
    vanish_after: Option<u64>,
    /// Socket to connect to; without it the one that `$WAYLAND_DISPLAY` names
    #[arg(long)]
    socket: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    OnePool,
    PoolEach,
    FreshEachFrame,
    Dmabufs,
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    parsed.filter(|&(w, h)| w > 0 && h > 0).ok_or_else(|| format!("{text} is no WIDTHxHEIGHT"))
}

/// The socket that `$WAYLAND_DISPLAY` names, by the rules of `wl_display_connect`.
fn socket_from_environment() -> anyhow::Result<PathBuf> {
    let display = std::env::var_os("WAYLAND_DISPLAY").unwrap_or_else(|| "wayland-0".into());
    let display = PathBuf::from(display);
    if display.is_absolute() {
        return Ok(display);
    }
    let Some(folder) = std::env::var_os("XDG_RUNTIME_DIR") else {
        bail!("XDG_RUNTIME_DIR is not set, so {} names no socket", display.display());
    };
    Ok(PathBuf::from(folder).join(display))
}

fn script(options: &Options) -> Config {
    let mut tricks = Vec::new();
    tricks.extend(
        options.truncate_from.map(|from| Trick::TruncateAfterCommit { from, frames: u64::MAX / 2 }),
    );
    tricks.extend(options.garbage_after.map(|after| Trick::Garbage { after }));
    tricks.extend(options.vanish_after.map(|after| Trick::Vanish { after }));
    Config {
        size: options.size,
        obey_configure: options.size_from_configure,
        buffers: options.buffers,
        kind: match options.kind {
            Kind::OnePool => Buffers::OnePool,
            Kind::PoolEach => Buffers::PoolEach,
            Kind::FreshEachFrame => Buffers::FreshEachFrame,
            Kind::Dmabufs => Buffers::Dmabufs,
        },
        row_gap: options.row_gap,
        offset: options.offset,
        format: if options.argb { Format::Argb8888 } else { Format::Xrgb8888 },
        pace: match (options.rate, options.unbounded) {
            _ if options.on_key.is_some() => Pace::Presses,
            (Some(rate), _) => Pace::Rate(rate),
            (None, true) => Pace::Releases,
            (None, false) => Pace::FrameCallbacks,
        },
        frames: if options.frames == 0 { u64::MAX } else { options.frames },
        motion: match (options.still || options.on_key.is_some(), options.unchanged) {
            (_, true) => Motion::Nothing,
            (true, false) => Motion::MarkerOnly,
            (false, false) => Motion::All,
        },
        first_number: options.first_number,
        wait_for_releases: Duration::from_secs(1),
        fullscreen: options.fullscreen,
        title: "harness-client".to_owned(),
        commits: options.commits.clone(),
        presses: options.on_key.clone(),
        tricks,
        ..Config::default()
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let socket = options.socket.clone().map_or_else(socket_from_environment, Ok);
    let played = socket.and_then(|socket| {
        play(&socket, &script(&options)).with_context(|| "harness-client cannot play".to_owned())
    });
    match played {
        Ok(counts) => {
            println!("{}", counts.to_json());
            let fine = matches!(counts.end, End::Finished | End::Closed | End::Trick);
            if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
