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
            // server sees that it was not fetched. What is beside frames needs none.
            tokio::select! {
                biased;
                room = frames.reserve() => (Some(room), player.next().await),
                event = player.next_beside_frames() => (None, event),
            }
        };
        tokio::select! {
            // Results first, so that no more is received than was asked for.
            biased;
            Some(done) = done.recv() => Step::Done(Box::new(done)),
            _ = report.tick() => Step::Report,
            (room, event) = event => match (room, event) {
                (Some(Ok(room)), PlayerEvent::Frame(frame)) => {
                    room.send(frame);
                    Step::Taken
                }
                (_, PlayerEvent::Frame(_)) => Step::NoDecoder,
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
                files.note(&done, tally.count(&done, &clock));
            }
        }
        files.stream = stream;
        files.sound = tally.sound.take_file()?;
        Ok((player, Rest { tally, clock, files }))
    }

    fn note(&mut self, done: &Done) {
        let times = self.tally.count(done, &self.player.clock());
        self.files.note(done, times);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::sync::Arc;
    use std::sync::mpsc::channel;

    use stratus_encode::{Coding, Converter, Encoder as _, EncoderConfig, X264};
    use stratus_frame::sound::SoundPacket;
    use stratus_frame::{
        Codec, Damage, EncodedFrame, FrameId, PixelFormat, PixelView, Size, Stamps,
    };
    use stratus_stream::{Server, ServerConfig, random_token};
    use tokio::time::{sleep, timeout};

    use super::*;

    const SIZE: Size = Size::new(64, 64);
    const PACKETS: u32 = 100;

    /// A grey picture that needs no other.
    fn picture(id: u64) -> EncodedFrame {
        let grey = vec![100; 64 * 64 * 4];
        let format = PixelFormat::Xrgb8888;
        let view = PixelView { data: &grey, stride: 64 * 4, size: SIZE, format };
        let mut converter = Converter::new();
        converter.convert(view, &Damage::full(SIZE)).unwrap();
        let config = EncoderConfig { size: SIZE, fps: 60, bitrate: 1_000_000, threads: 1 };
        let mut encoder = X264::open(config).unwrap();
        let unit = encoder.encode(converter.picture_mut().unwrap(), Coding::Keyframe).unwrap();
        EncodedFrame {
            id: FrameId(id),
            depends_on: None,
            stamps: Stamps::default(),
            newest_input: 0,
            size: SIZE,
            codec: Codec::H264,
            torn: false,
            data: unit.data,
        }
    }

    fn packet(sequence: u32) -> SoundPacket {
        let captured = MonoTime::from_nanos(1_000_000_000 + u64::from(sequence) * 5_000_000);
        let opus = vec![sequence as u8; 40];
        SoundPacket {
            sequence,
            captured,
            samples: 240,
            opus: opus.into(),
            previous: Vec::new().into(),
        }
    }

    #[test]
    fn sound_goes_on_while_the_decoder_stalls() {
        let config = ServerConfig { size: SIZE, ..ServerConfig::new(random_token().unwrap()) };
        let server = Server::start(config, Arc::new(|_| {})).unwrap();
        let publisher = server.publisher();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let heard = runtime.block_on(async {
            let player = Reception::join(server.link(), PlayerConfig::default()).await.unwrap();
            let (stalls, stalled) = tokio::sync::oneshot::channel();
            let (go_on, waits) = channel::<()>();
            let mut stalls = Some(stalls);
            let show: super::super::Show = Box::new(move |_, _, _| {
                if let Some(stalls) = stalls.take() {
                    stalls.send(()).unwrap();
                }
                // Until its other end is gone.
                let _ = waits.recv();
            });
            let extras = Extras { dump: None, show: Some(show) };
            let mut reception = Reception::start(player, Files::default(), extras).unwrap();
            let sound = async {
                // More frames than there is room for.
                for id in 1..=12 {
                    publisher.publish(&picture(id));
                    sleep(Duration::from_millis(20)).await;
                }
                stalled.await.unwrap();
                for sequence in 0..PACKETS {
                    publisher.send_sound(&packet(sequence));
                    sleep(Duration::from_millis(5)).await;
                }
                sleep(Duration::from_millis(300)).await;
            };
            let receiving = async {
                loop {
                    reception.next().await;
                }
            };
            tokio::select! {
                result = timeout(Duration::from_secs(20), sound) => result.unwrap(),
                () = receiving => {}
            }
            drop(go_on);
            let heard = serde_json::to_value(reception.tally.sound.report()).unwrap();
            let (player, _) = reception.finish(|_| true).await.unwrap();
            player.close().await;
            heard["packets"].as_u64().unwrap()
        });
        // A busy machine may lose datagrams; those that were received are heard.
        assert!(heard > u64::from(PACKETS) * 3 / 4, "{heard} of {PACKETS} packets were heard");
    }
}
