//! The receiving side.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use quinn::Endpoint;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use stratus_frame::input::{Input, Rumble};
use stratus_frame::sound::SoundPacket;
use stratus_frame::{CursorState, MonoTime};
use stratus_stream_core::clipboard::parts;
use stratus_stream_core::clock::Clock;
use stratus_stream_core::link::Link;
use stratus_stream_core::message::{ClientStats, EndReason, Message, Refusal, Resize, Welcome};
use stratus_stream_core::order::{DecodeOrder, OrderCounts};

use crate::connect::{ConnectError, PlayerConfig, connect};
use crate::connection::Connection;
use crate::pump::{Arrived, Outcome, Pump};
use crate::receive::ReceivedFrame;
use crate::refusal::close_normally;
use crate::sent_input::InputSender;
use crate::sounds::hear;

/// What a player sees.
#[derive(Clone, Debug)]
pub enum PlayerEvent {
    /// The next frame to decode.
    Frame(ReceivedFrame),
    /// What the cursor is from now on, if it changed since it was told last; before the first it
    /// is unknown. What was in between is left out.
    Cursor(CursorState),
    /// A packet of the game's sound; some may be missing, and their order may be another.
    Sound(SoundPacket),
    /// A gamepad's motors are to do this.
    Rumble(Rumble),
    /// The game put this text into its clipboard.
    Clipboard(String),
    /// The session is over; all frames sent before have been yielded.
    End(EndReason),
    /// The connection is gone without an end.
    Lost(String),
}

/// Events beside frames that wait to be fetched: a quarter of a second of sound.
const BESIDE: usize = 32;

/// Closes the connection when the player goes, however that happens.
struct Closing(Connection);

impl Drop for Closing {
    fn drop(&mut self) {
        close_normally(&self.0, "goodbye");
    }
}

/// A connection to a session.
///
/// Streams are read by tasks of the tokio runtime in which [`Player::connect`] was called, from
/// the first moment on. They need its thread free: what decodes for milliseconds on it delays and
/// falsifies the stamps of the next frame, so decode on another thread or use a runtime with
/// more than one. Dropping the player closes the connection.
pub struct Player {
    endpoint: Endpoint,
    connection: Closing,
    remote: SocketAddr,
    welcome: Welcome,
    clock: Arc<Mutex<Clock>>,
    cursor: watch::Receiver<CursorState>,
    cursor_changed: bool,
    waiting: Option<PlayerEvent>,
    arrived: mpsc::Receiver<Arrived>,
    beside: mpsc::Receiver<PlayerEvent>,
    outgoing: mpsc::UnboundedSender<Message>,
    inputs: InputSender,
    order: DecodeOrder<ReceivedFrame>,
    outcome: Option<Outcome>,
}

impl Player {
    /// Connects to the session of `link` and is let in.
    ///
    /// # Errors
    /// [`ConnectError`] says what was tried, what went wrong and what to do.
    pub async fn connect(link: &Link, config: PlayerConfig) -> Result<Self, ConnectError> {
        let joined = connect(link, &config).await?;
        let clock = Arc::new(Mutex::new(Clock::new(joined.same_machine)));
        // One frame being decoded and one behind it; more wait in their streams, where the
        // server sees them.
        let (arrived_in, arrived) = mpsc::channel(2);
        // What is not of frames never waits behind them: see `next_beside_frames`. A player that
        // does not fetch loses sound.
        let (beside_in, beside) = mpsc::channel(BESIDE);
        let (outgoing, to_send) = mpsc::unbounded_channel();
        let (cursor_in, cursor) = watch::channel(CursorState::default());
        let pump = Pump::new(
            joined.connection.clone(),
            joined.control,
            Arc::clone(&clock),
            cursor_in,
            (arrived_in, beside_in.clone()),
            to_send,
        );
        tokio::spawn(pump.run());
        tokio::spawn(hear(joined.connection.clone(), beside_in));
        let inputs = InputSender::start(joined.connection.clone());
        Ok(Self {
            endpoint: joined.endpoint,
            connection: Closing(joined.connection),
            remote: joined.remote,
            welcome: joined.welcome,
            clock,
            cursor,
            cursor_changed: false,
            waiting: None,
            arrived,
            beside,
            outgoing,
            inputs,
            order: DecodeOrder::default(),
            outcome: None,
        })
    }

    /// What the server said of the session.
    #[must_use]
    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// The server's address.
    #[must_use]
    pub fn remote_addr(&self) -> SocketAddr {
        self.remote
    }

    /// What is known of the server's clock by now.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Frames yielded, dropped and missing so far.
    #[must_use]
    pub fn counts(&self) -> OrderCounts {
        self.order.counts()
    }

    /// What the server said as it closed the connection, if it did: whether another connection
    /// would fare better.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.outcome {
            Some(Outcome::Refused(refusal)) => Some(refusal),
            _ => None,
        }
    }

    /// The next event; after an end or a loss the same again. Dropping the future loses nothing.
    pub async fn next(&mut self) -> PlayerEvent {
        loop {
            let now = MonoTime::now();
            if let Some(frame) = self.order.poll_frame(now) {
                return PlayerEvent::Frame(frame);
            }
            if self.order.poll_keyframe_request(now) {
                self.send_keyframe_request();
            }
            if let Some(event) = self.waiting.take() {
                return event;
            }
            if std::mem::take(&mut self.cursor_changed) {
                return PlayerEvent::Cursor(self.cursor.borrow_and_update().clone());
            }
            match &self.outcome {
                Some(Outcome::End(reason)) => return PlayerEvent::End(reason.clone()),
                Some(Outcome::Refused(refusal)) => {
                    let why = format!("the server closed the connection: {}", refusal.text);
                    return PlayerEvent::Lost(why);
                }
                Some(Outcome::Lost(why)) => return PlayerEvent::Lost(why.clone()),
                None => {}
            }
            self.wait().await;
        }
    }

    /// The next event that is no frame, for who has no room for one: frames stay where the server
    /// sees that they were not fetched, and the end of the stream is behind them. Dropping the
    /// future loses nothing.
    pub async fn next_beside_frames(&mut self) -> PlayerEvent {
        if let Some(event) = self.waiting.take() {
            return event;
        }
        if !std::mem::take(&mut self.cursor_changed) {
            tokio::select! {
                biased;
                Some(event) = self.beside.recv() => return event,
                Ok(()) = self.cursor.changed() => {}
                // Nothing comes any more but what is behind the frames.
                else => std::future::pending().await,
            }
        }
        PlayerEvent::Cursor(self.cursor.borrow_and_update().clone())
    }

    async fn wait(&mut self) {
        let deadline = self.order.poll_timeout();
        let due = async {
            match deadline {
                Some(t) => sleep(t.since(MonoTime::now())).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(event) = self.beside.recv() => self.waiting = Some(event),
            arrived = self.arrived.recv() => match arrived {
                Some(Arrived::Frame(f)) => {
                    let (h, bytes) = (f.header, f.data.len());
                    let now = MonoTime::now();
                    self.order.handle_frame(now, h.sequence, (h.id, h.depends_on), bytes, f);
                }
                Some(Arrived::Lost(sequence)) => self.order.handle_lost(sequence),
                Some(Arrived::Over(outcome)) => self.outcome = Some(outcome),
                None => {
                    let why = "the receiving task ended".to_owned();
                    self.outcome.get_or_insert(Outcome::Lost(why));
                }
            },
            // Without a sender, the end is what comes next.
            Ok(()) = self.cursor.changed() => self.cursor_changed = true,
            () = due => {}
        }
    }

    /// Tells that the decoder failed: nothing is yielded before the next keyframe, and one is
    /// asked for, at most twice a second.
    pub fn request_keyframe(&mut self) {
        self.order.handle_decoder_failure();
        if self.order.poll_keyframe_request(MonoTime::now()) {
            self.send_keyframe_request();
        }
    }

    /// Sends statistics; the server takes at most 20 a second.
    pub fn report(&self, stats: ClientStats) {
        self.send(Message::ClientStats(stats));
    }

    /// Sends what the player did, ahead of everything else. The id must be above all before it. Only
    /// with the player's link: a viewer is sent away for it.
    pub fn send_input(&self, input: &Input) {
        self.inputs.send(input);
    }

    /// Sends a text that the player pasted, at most 1 MiB of it. Only with the player's link.
    pub fn send_clipboard(&self, text: &str) {
        parts(text).for_each(|part| self.send(part));
    }

    /// Asks for another screen of the game. The server takes 30 a second, the newest of them. Only
    /// with the player's link.
    pub fn resize(&self, resize: Resize) {
        self.send(Message::Resize(resize));
    }

    /// Leaves, and waits until the server knows and the socket is closed.
    pub async fn close(self) {
        let Self { endpoint, connection, arrived, beside, outgoing, inputs, .. } = self;
        drop((connection, arrived, beside, outgoing, inputs));
        endpoint.wait_idle().await;
    }

    fn send_keyframe_request(&self) {
        self.send(Message::KeyframeRequest { newest: self.order.newest() });
    }

    fn send(&self, message: Message) {
        // Without a receiver the connection is gone, which `next` tells.
        let _ = self.outgoing.send(message);
    }
}
