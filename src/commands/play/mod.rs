//! `stratus play --headless`: receives, decodes, checks and measures.

use std::io::BufRead;
use std::process::ExitCode;
use std::time::Duration;

use stratus_stream::PlayerConfig;
use stratus_stream::core::link::Link;
use stratus_stream::core::message::{EndReason, Resize};
use tokio::time::Instant;

use crate::assemble::ScreenWish;
use crate::cli::PlayArgs;
use crate::failure::{Failure, chain};
use crate::logging;
use crate::player::{Extras, Received, Reception, Recording, Rest, Tally};
use crate::signals::{Said, Signals};

/// Receives a stream until it has what it was to get.
///
/// # Errors
/// A [`Failure`] if it cannot connect or the stream is not what it should be; see
/// [`crate::cli::PlayArgs`].
pub(super) fn run(args: &PlayArgs) -> Result<ExitCode, Failure> {
    logging::start(args.log_format.unwrap_or_default());
    if !args.headless {
        return Err(Failure::usage(
            "show the stream in a window",
            "this version has no window yet",
        )
        .remedy("add --headless: it receives, decodes, measures, and records with --record"));
    }
    let link = parse(&args.link)?;
    super::on_this_thread(play(&link, args))?;
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
enum Over {
    /// As many frames were decoded, or as many seconds passed, as were asked for.
    Enough,
    /// The server said that the session is over.
    End(EndReason),
    /// The connection is gone.
    Lost(String),
    /// A signal came.
    Asked,
}

async fn play(link: &Link, args: &PlayArgs) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(|e| Failure::new("listen to signals", e))?;
    let player = Reception::join(link, PlayerConfig::default())
        .await
        .map_err(|e| Failure::new("join the session", chain(&e)))?;
    let record = match &args.record {
        Some(path) => Some(Recording::create(path)?),
        None => None,
    };
    let extras = Extras { record, dump: args.dump_ppm.clone() };
    let mut reception = Reception::start(player, extras)?;
    if let Some(ScreenWish { size, fps }) = args.resize {
        reception.player.resize(Resize { size, millifps: fps.unwrap_or(0) * 1000 });
    }

    let over = receive(&mut reception, &mut signals, args).await;

    let Rest { player, tally, clock } = reception.finish(|tally| !is_enough(tally, args)).await?;
    let end = match &over {
        Over::End(reason) => Some(reason),
        _ => None,
    };
    let report = tally.report(&clock, end);
    let text = if args.json {
        serde_json::to_string(&report).map_err(|e| Failure::new("write the results as JSON", e))?
            + "\n"
    } else {
        tally.readable(&report)
    };
    crate::print::print(text.as_bytes())?;
    player.close().await;
    judge(&over, &tally, args)
}

fn is_enough(tally: &Tally, args: &PlayArgs) -> bool {
    args.frames.is_some_and(|wanted| tally.decoded >= wanted)
}

async fn receive(reception: &mut Reception, signals: &mut Signals, args: &PlayArgs) -> Over {
    let deadline = args.seconds.map(|s| Instant::now() + Duration::from_secs_f64(s));
    loop {
        tokio::select! {
            biased;
            said = signals.next() => if let Said::End(_) = said { return Over::Asked },
            () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)),
                if deadline.is_some() => return Over::Enough,
            received = reception.next() => match received {
                Received::Frame if is_enough(&reception.tally, args) => return Over::Enough,
                Received::Frame | Received::Cursor => {}
                Received::End(reason) => return Over::End(reason),
                Received::Lost(why) => return Over::Lost(why),
                Received::NoDecoder => return Over::Asked,
            },
        }
    }
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
