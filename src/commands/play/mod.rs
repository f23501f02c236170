//! `stratus play --headless`: receives, decodes, checks and measures.

mod change;
mod cursor;
mod decoding;
mod recording;
mod tally;

use std::io::BufRead;
use std::process::ExitCode;
use std::time::Duration;

use stratus_encode::LARGEST_PICTURE;
use stratus_stream::core::link::Link;
use stratus_stream::core::message::{ClientStats, EndReason, Resize};
use stratus_stream::{Player, PlayerConfig, PlayerEvent};
use tokio::time::{Instant, MissedTickBehavior};

use crate::assemble::ScreenWish;
use crate::cli::PlayArgs;
use crate::failure::{Failure, chain};
use crate::logging;
use crate::signals::{Said, Signals};
use decoding::{Decoding, Done, Extras};
use recording::Recording;
use tally::Tally;

/// How often the server hears what arrived.
const REPORT_EVERY: Duration = Duration::from_millis(200);

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
    let mut player = Player::connect(link, PlayerConfig::default())
        .await
        .map_err(|e| Failure::new("join the session", chain(&e)))?;
    let welcome = *player.welcome();
    tracing::info!("joined the session at {}: {}", player.remote_addr(), welcome.size);
    let record = match &args.record {
        Some(path) => Some(Recording::create(path)?),
        None => None,
    };
    let extras = Extras { record, dump: args.dump_ppm.clone() };
    // A game may keep a larger size than its session's.
    let mut decoding = Decoding::start(welcome.size.at_least(LARGEST_PICTURE), extras)?;
    let mut tally = Tally::default();
    if let Some(ScreenWish { size, fps }) = args.resize {
        player.resize(Resize { size, millifps: fps.unwrap_or(0) * 1000 });
    }

    let over = receive(&mut player, &mut decoding, &mut tally, &mut signals, args).await;

    let clock = player.clock();
    for done in tokio::task::spawn_blocking(move || decoding.finish())
        .await
        .map_err(|e| Failure::new("decode the stream", e))??
    {
        if !is_enough(&tally, args) {
            tally.count(&done, &clock);
        }
    }
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

async fn receive(
    player: &mut Player,
    decoding: &mut Decoding,
    tally: &mut Tally,
    signals: &mut Signals,
    args: &PlayArgs,
) -> Over {
    let deadline = args.seconds.map(|s| Instant::now() + Duration::from_secs_f64(s));
    let mut report = tokio::time::interval(REPORT_EVERY);
    report.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let frames = decoding.frames.clone();
    let mut received = 0;
    loop {
        let event = async {
            // The room comes first: a frame that the decoder has no room for stays where the
            // server sees that it was not fetched.
            let room = frames.reserve().await;
            (room, player.next().await)
        };
        tokio::select! {
            // Results first, so that no more is received than was asked for.
            biased;
            Some(done) = decoding.done.recv() => {
                note(player, tally, &done);
                if is_enough(tally, args) {
                    return Over::Enough;
                }
            }
            said = signals.next() => if let Said::End(_) = said { return Over::Asked },
            () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)),
                if deadline.is_some() => return Over::Enough,
            _ = report.tick() => player.report(stats(player, tally, received)),
            (room, event) = event => match event {
                PlayerEvent::Frame(frame) => {
                    received += 1;
                    // Without the thread there is no room; `finish` tells why.
                    let Ok(room) = room else { return Over::Asked };
                    room.send(frame);
                }
                PlayerEvent::Cursor(state) => tally.cursor.note(&state),
                PlayerEvent::End(reason) => return Over::End(reason),
                PlayerEvent::Lost(why) => return Over::Lost(why),
            },
        }
    }
}

fn note(player: &mut Player, tally: &mut Tally, done: &Done) {
    tally.count(done, &player.clock());
    if let Some(why) = &done.failure {
        tracing::warn!("frame {} cannot be decoded: {why}", done.header.id.0);
        player.request_keyframe();
    }
}

fn stats(player: &Player, tally: &Tally, received: u64) -> ClientStats {
    let counts = player.counts();
    let rtt = player.clock().rtt().unwrap_or_default();
    ClientStats {
        received,
        decoded: tally.decoded,
        dropped: counts.dropped,
        bytes: tally.bytes,
        newest: tally.newest,
        rtt_us: u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX),
        waiting: u32::try_from(received.saturating_sub(tally.decoded + tally.damaged))
            .unwrap_or(u32::MAX),
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
