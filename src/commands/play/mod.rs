//! `stratus play`: a session's stream in a window, or measured without one.

mod args;
mod headless;
mod keyboard;
mod overlay;
mod reconnect;
mod script;
mod session;
mod window;

use std::io::BufRead;
use std::process::ExitCode;

use stratus_stream::core::link::Link;
use stratus_stream::core::message::{EndReason, Resize};

use crate::assemble::ScreenWish;
use crate::failure::Failure;
use crate::logging;
use crate::player::{Drawn, Rest, Tally};

pub use args::PlayArgs;
use args::Resizing;

/// Receives a stream until it has what it was to get, or until its window is closed.
///
/// # Errors
/// A [`Failure`] if it cannot connect or the stream is not what it should be; see [`PlayArgs`].
pub(super) fn run(args: PlayArgs) -> Result<ExitCode, Failure> {
    logging::start(args.log_format.unwrap_or_default());
    if !args.headless {
        window::check_display()?;
    }
    let link = parse(&args.link)?;
    if args.headless {
        super::on_this_thread(headless::play(&link, &args))?;
    } else {
        window::play(link, args)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `-` stands for a line of standard input, which no list of processes shows.
fn parse(text: &str) -> Result<Link, Failure> {
    let mut line = String::new();
    if text == "-" {
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(|e| Failure::new("read the link from standard input", e))?;
    }
    let text = if text == "-" { line.trim() } else { text };
    text.parse().map_err(|e| Failure::usage("use the link", e))
}

/// Why receiving ended.
#[derive(Debug)]
enum Over {
    /// As many frames were decoded, or as many seconds passed, as were asked for.
    Enough,
    /// The server said that the session is over.
    End(EndReason),
    /// The connection is gone.
    Lost(String),
    /// A signal came, or the window was closed.
    Asked,
}

/// The screen that is asked for at the beginning, if one is.
fn first_wish(args: &PlayArgs) -> Option<Resize> {
    match args.resize {
        Some(Resizing::To(ScreenWish { size, fps })) => {
            Some(Resize { size, millifps: fps.unwrap_or(0) * 1000 })
        }
        Some(Resizing::Follow | Resizing::Keep) | None => None,
    }
}

fn is_enough(tally: &Tally, args: &PlayArgs) -> bool {
    args.frames.is_some_and(|wanted| tally.decoded >= wanted)
}

/// Prints what was counted.
fn report(rest: &Rest, over: &Over, drawn: Option<Drawn>, args: &PlayArgs) -> Result<(), Failure> {
    let end = match over {
        Over::End(reason) => Some(reason),
        _ => None,
    };
    let report = rest.tally.report(&rest.clock, end, drawn);
    let text = if args.json {
        serde_json::to_string(&report).map_err(|e| Failure::new("write the results as JSON", e))?
            + "\n"
    } else {
        rest.tally.readable(&report)
    };
    crate::print::print(text.as_bytes())
}

/// Whether the stream was what it should be.
fn judge(over: &Over, tally: &Tally, args: &PlayArgs) -> Result<(), Failure> {
    let failed = |cause: String| Failure::new("call the stream good", cause);
    if let Over::Lost(why) = over {
        return Err(failed(format!("the connection is gone: {why}"))
            .remedy("look whether the session still runs; its log says why it ended"));
    }
    if let Some(fault) = tally.fault() {
        return Err(failed(match over {
            Over::End(reason) => format!("{fault}; the session ended: {}", reason.text),
            _ => fault,
        }));
    }
    match (args.frames, over) {
        (Some(wanted), _) if tally.decoded >= wanted => Ok(()),
        (Some(wanted), over) => {
            let why = match over {
                Over::End(reason) => format!("the session ended: {}", reason.text),
                Over::Asked => "a signal came".to_owned(),
                Over::Enough | Over::Lost(_) => "the time was over".to_owned(),
            };
            Err(failed(format!("{} of {wanted} frames came; {why}", tally.decoded)))
        }
        (None, _) => Ok(()),
    }
}
