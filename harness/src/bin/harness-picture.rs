//! Looks at PPM files, for scripts: how many colours a picture has, and how far it is from another.
//!
//! Prints `COLOURS`, or with a second file `COLOURS PSNR`, in dB.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use stratus_harness::picture::{Picture, PictureError};

/// Colours that are counted at most.
const MOST: usize = 10_000;

/// Counts the colours of a picture and compares it with another.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// A binary PPM file
    picture: PathBuf,
    /// Another, of the same size
    other: Option<PathBuf>,
}

fn look(options: &Options) -> Result<String, PictureError> {
    let picture = Picture::read_ppm(&options.picture)?;
    let colours = picture.colours(MOST);
    match &options.other {
        None => Ok(format!("{colours}")),
        Some(other) => {
            let distance = picture.psnr(&Picture::read_ppm(other)?)?;
            Ok(format!("{colours} {distance:.1}"))
        }
    }
}

fn main() -> ExitCode {
    match look(&Options::parse()) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("harness-picture: {error}");
            ExitCode::FAILURE
        }
    }
}
