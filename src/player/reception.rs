//! One connection to a session: frames go to the decoder, what comes of them is counted, and the
//! server hears of both.

use std::time::Duration;

use stratus_encode::LARGEST_PICTURE;
use stratus_frame::input::Rumble;
use stratus_frame::{CursorState, MonoTime};
use stratus_stream::core::clock::Clock;
use stratus_stream::core::link::Link;
use stratus_stream::core::message::{ClientStats, EndReason, Welcome};
use stratus_stream::{ConnectError, Player, PlayerConfig, PlayerEvent};
use tokio::time::{Interval, MissedTickBehavior};

use super::decoding::{Decoding, Done, Extras};
use super::files::Files;
use super::tally::Tally;
use crate::failure::Failure;

/// How often the server hears what arrived.
const REPORT_EVERY: Duration = Duration::from_millis(200);

/// A stream that is being received.
pub(crate) struct Reception {
    /// The connection, to ask things of the server.
    pub(crate) player: Player,
    /// What was counted since it was made.
    pub(crate) tally: Tally,
    decoding: Decoding,
    /// Without those that the decoder and the sound have.
    files: Files,
    received: u64,
    report: Interval,
}

/// What came.
#[derive(Debug)]
pub(crate) enum Received {
    /// A frame went through the decoder and was counted.
    Frame,
    /// The cursor is another, and was counted.
    Cursor(CursorState),
    /// A gamepad's motors are to do this.
    Rumble(Rumble),
    /// The game copied this text.
    Copied(String),
    /// The server said that the session is over.
    End(EndReason),
    /// The connection is gone.
    Lost(String),
    /// The decoder's thread ended; [`Reception::finish`] tells why.
    NoDecoder,
}

enum Step {
    Done(Box<Done>),
    /// A frame went to the decoder.
    Taken,
    Event(PlayerEvent),
    /// The server is to hear what arrived.
    Report,
    NoDecoder,
}

/// What is left of a stream that is no longer received.
pub(crate) struct Rest {
    /// What was counted.
    pub(crate) tally: Tally,
    /// The server's clock as last known.
    pub(crate) clock: Clock,
    /// The files it is kept in, to go on with or to finish.
    pub(crate) files: Files,
}

impl Reception {
    /// Joins the session of `link`.
    ///
    /// # Errors
    /// Those of [`Player::connect`].
    pub(crate) async fn join(link: &Link, config: PlayerConfig) -> Result<Player, ConnectError> {
        let player = Player::connect(link, config).await?;
        let Welcome { size, .. } = player.welcome();
        tracing::info!("joined the session at {}: {size}", player.remote_addr());
        Ok(player)
    }

    /// Starts to receive, to decode, and to keep what comes in the files.
    ///
    /// # Errors
    /// A [`Failure`] if there is no decoder, or no file to go on in.
    pub(crate) fn start(player: Player, mut files: Files, extras: Extras) -> Result<Self, Failure> {
        files.begin(player.welcome().session)?;
        let mut tally = Tally::default();
        tally.sound.record(files.sound.take());
        // A game may keep a larger size than its session's.
        let largest = player.welcome().size.at_least(LARGEST_PICTURE);
        let decoding = Decoding::start(largest, extras, files.stream.take())?;
        let mut report = tokio::time::interval(REPORT_EVERY);
        report.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Ok(Self { player, tally, decoding, files, received: 0, report })
    }

    /// What comes next. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Received {
        loop {
            match self.step().await {
                Step::Done(done) => {
                    self.note(&done);
                    return Received::Frame;
                }
                Step::Event(PlayerEvent::Cursor(state)) => {
                    self.tally.cursor.note(&state);
                    return Received::Cursor(state);
                }
                Step::Event(PlayerEvent::Sound(packet)) => {
                    let clock = self.player.clock();
                    self.tally.sound.note(packet, MonoTime::now(), &clock);
                }
                Step::Event(PlayerEvent::End(reason)) => return Received::End(reason),
                Step::Event(PlayerEvent::Lost(why)) => return Received::Lost(why),
                Step::NoDecoder => return Received::NoDecoder,
                Step::Taken => self.received += 1,
                Step::Event(PlayerEvent::Rumble(rumble)) => return Received::Rumble(rumble),
                Step::Event(PlayerEvent::Clipboard(text)) => return Received::Copied(text),
                // Frames go to the decoder at once.
                Step::Event(PlayerEvent::Frame(_)) => {}
                Step::Report => self.player.report(self.stats()),
            }
        }
    }

    async fn step(&mut self) -> Step {
        let Self { player, decoding, report, .. } = self;
        let (frames, done) = (&decoding.frames, &mut decoding.done);
        let event = async {
            // The room comes first: a frame that the decoder has no room for stays where the
            // server sees that it was not fetched.
            let room = frames.reserve().await;
            (room, player.next().await)
        };
        tokio::select! {
            // Results first, so that no more is received than was asked for.
            biased;
            Some(done) = done.recv() => Step::Done(Box::new(done)),
            _ = report.tick() => Step::Report,
            (room, event) = event => match (room, event) {
                (Ok(room), PlayerEvent::Frame(frame)) => {
                    room.send(frame);
                    Step::Taken
                }
                (Err(_), PlayerEvent::Frame(_)) => Step::NoDecoder,
                (_, event) => Step::Event(event),
            },
        }
    }

    /// Waits until what was received is decoded, and counts it as long as `wanted` says so. Gives
    /// the connection as well, which is still open.
    ///
    /// # Errors
    /// A [`Failure`] if a file cannot be written.
    pub(crate) async fn finish(
        self,
        wanted: impl Fn(&Tally) -> bool,
    ) -> Result<(Player, Rest), Failure> {
        let Self { player, mut tally, decoding, mut files, .. } = self;
        let clock = player.clock();
        let (rest, stream) = tokio::task::spawn_blocking(move || decoding.finish())
            .await
            .map_err(|e| Failure::new("decode the stream", e))??;
        for done in rest {
            if wanted(&tally) {
                tally.count(&done, &clock);
            }
        }
        files.stream = stream;
        files.sound = tally.sound.take_file()?;
        Ok((player, Rest { tally, clock, files }))
    }

    fn note(&mut self, done: &Done) {
        self.tally.count(done, &self.player.clock());
        if let Some(why) = &done.failure {
            tracing::warn!("frame {} cannot be decoded: {why}", done.header.id.0);
            self.player.request_keyframe();
        }
    }

    fn stats(&self) -> ClientStats {
        let Self { player, tally, received, .. } = self;
        let counts = player.counts();
        let rtt = player.clock().rtt().unwrap_or_default();
        ClientStats {
            received: *received,
            decoded: tally.decoded,
            dropped: counts.dropped,
            bytes: tally.bytes,
            newest: tally.newest,
            rtt_us: u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX),
            waiting: u32::try_from(received.saturating_sub(tally.decoded + tally.damaged))
                .unwrap_or(u32::MAX),
        }
    }
}
