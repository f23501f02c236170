//! The player's task: streams in, control messages both ways.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use web_transport_quinn::{RecvStream, SendStream, SessionError};

use stratus_frame::{CursorState, MonoTime};
use stratus_stream_core::clipboard::ClipboardText;
use stratus_stream_core::clock::Clock;
use stratus_stream_core::cursor::CursorStore;
use stratus_stream_core::message::{EndReason, Message, Messages, Refusal, RefusalCode};

use crate::connection::{Connection, closed_with, describe, plain};
use crate::player::PlayerEvent;
use crate::receive::{Received, ReceivedFrame, receive};
use crate::refusal::{close, close_normally, from_close};

/// The first pings come close together, for a good estimate at once; then they keep it.
const FIRST_PINGS: u32 = 8;
const FIRST_GAP: Duration = Duration::from_millis(20);
const LATER_GAP: Duration = Duration::from_secs(1);
/// Time for the last streams after the end was said: their bytes are here already.
const DRAIN: Duration = Duration::from_millis(500);

/// Streams read at once. Frames come in bursts, oldest first, so few are ever incomplete; the
/// rest waits unread, where it counts against the streams that the server may open.
const MAX_READING: usize = 8;

/// How the connection ended.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    End(EndReason),
    /// The server closed the connection and said why.
    Refused(Refusal),
    Lost(String),
}

/// What the task hands to the player.
pub(crate) enum Arrived {
    Frame(ReceivedFrame),
    Lost(u64),
    Over(Outcome),
}

/// A control stream and what was read from it and not yet handled.
pub(crate) struct ControlStream {
    pub(crate) send: SendStream,
    pub(crate) recv: RecvStream,
    pub(crate) messages: Messages,
}

pub(crate) struct Pump {
    connection: Connection,
    control: ControlStream,
    clock: Arc<Mutex<Clock>>,
    images: CursorStore,
    cursor: watch::Sender<CursorState>,
    arrived: mpsc::Sender<Arrived>,
    beside: mpsc::Sender<PlayerEvent>,
    pasted: ClipboardText,
    outgoing: mpsc::UnboundedReceiver<Message>,
    outbox: BytesMut,
    streams: JoinSet<Option<Refusal>>,
    pings: u32,
    next_ping: Instant,
}

impl Pump {
    pub(crate) fn new(
        connection: Connection,
        control: ControlStream,
        clock: Arc<Mutex<Clock>>,
        cursor: watch::Sender<CursorState>,
        (arrived, beside): (mpsc::Sender<Arrived>, mpsc::Sender<PlayerEvent>),
        outgoing: mpsc::UnboundedReceiver<Message>,
    ) -> Self {
        Self {
            connection,
            control,
            clock,
            images: CursorStore::default(),
            cursor,
            arrived,
            beside,
            pasted: ClipboardText::default(),
            outgoing,
            outbox: BytesMut::new(),
            streams: JoinSet::new(),
            pings: 0,
            next_ping: Instant::now(),
        }
    }

    /// Runs until the connection is over, and says how.
    pub(crate) async fn run(mut self) {
        let outcome = self.pump().await;
        if matches!(outcome, Outcome::End(_)) {
            self.drain().await;
            close_normally(&self.connection, "goodbye");
        }
        // Behind all frames; a player that is gone needs none.
        let _ = self.arrived.send(Arrived::Over(outcome)).await;
    }

    async fn pump(&mut self) -> Outcome {
        loop {
            match self.handle_messages() {
                Ok(None) => {}
                Ok(Some(reason)) => return Outcome::End(reason),
                Err(refusal) => return self.refuse(&refusal),
            }
            tokio::select! {
                biased;
                stream = self.connection.accept_uni(), if self.streams.len() < MAX_READING => match stream {
                    Ok(stream) => self.spawn(stream),
                    Err(e) => return self.lost(&e),
                },
                Some(done) = self.streams.join_next() => if let Ok(Some(refusal)) = done {
                    return self.refuse(&refusal);
                },
                read = self.control.recv.read_chunk(4096, true) => match read {
                    Ok(Some(chunk)) => self.control.messages.handle_bytes(&chunk.bytes),
                    // The close that follows says why.
                    Ok(None) | Err(_) => {
                        let error = self.connection.closed().await;
                        return self.lost(&error);
                    }
                },
                written = self.control.send.write(&self.outbox), if !self.outbox.is_empty() => {
                    match written {
                        Ok(n) => self.outbox.advance(n),
                        Err(_) => self.outbox.clear(),
                    }
                }
                message = self.outgoing.recv() => match message {
                    Some(message) => message.encode(&mut self.outbox),
                    None => return Outcome::Lost("the player was dropped".to_owned()),
                },
                () = sleep_until(self.next_ping) => self.ping(),
            }
        }
    }

    fn ping(&mut self) {
        // Unsent pings say that the server does not read; more of them help nobody.
        if self.outbox.is_empty() {
            Message::Ping { sent: MonoTime::now() }.encode(&mut self.outbox);
        }
        self.pings = self.pings.saturating_add(1);
        let gap = if self.pings < FIRST_PINGS { FIRST_GAP } else { LATER_GAP };
        self.next_ping = Instant::now() + gap;
    }

    fn spawn(&mut self, stream: RecvStream) {
        let arrived = self.arrived.clone();
        self.streams.spawn(async move {
            // Read first, for true stamps; then wait for room, so that a player that does not
            // fetch its frames gathers only a few.
            let arrival = match receive(stream).await {
                Received::Frame(frame) => Arrived::Frame(frame),
                Received::Lost(sequence) => Arrived::Lost(sequence),
                Received::Nothing => return None,
                Received::Bad(refusal) => return Some(refusal),
            };
            // A player that is gone needs no frame.
            let _ = arrived.send(arrival).await;
            None
        });
    }

    fn handle_messages(&mut self) -> Result<Option<EndReason>, Refusal> {
        while let Some(m) = self.control.messages.poll().map_err(|e| Refusal::from(&e))? {
            match m {
                Message::Pong { ping, received, sent } => {
                    let now = MonoTime::now();
                    let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
                    clock.handle_pong(ping, received, sent, now);
                }
                Message::CursorImage(part) => {
                    self.images.handle_part(&part).map_err(|e| Refusal::from(&e))?;
                }
                Message::Cursor(sent) => {
                    let state = self.images.handle_cursor(&sent).map_err(|e| Refusal::from(&e))?;
                    self.cursor.send_replace(state);
                }
                Message::Rumble(rumble) => self.tell(PlayerEvent::Rumble(rumble)),
                Message::Clipboard(part) => {
                    let text = self.pasted.handle_part(&part).map_err(|e| Refusal::from(&e))?;
                    if let Some(text) = text {
                        self.tell(PlayerEvent::Clipboard(text));
                    }
                }
                Message::End(EndReason { code, text }) => {
                    return Ok(Some(EndReason { code, text: plain(&text) }));
                }
                // The close that follows has the same text.
                Message::Refused(refusal) => {
                    tracing::debug!(code = ?refusal.code, text = refusal.text, "refused");
                }
                other => {
                    let text = format!("a server must not send {} here", other.name());
                    return Err(Refusal { code: RefusalCode::Unexpected, text });
                }
            }
        }
        Ok(None)
    }

    /// Hands on what is not of frames. Who fetches nothing any more needs none of it.
    fn tell(&self, event: PlayerEvent) {
        let _ = self.beside.try_send(event);
    }

    fn refuse(&self, refusal: &Refusal) -> Outcome {
        close(&self.connection, refusal);
        Outcome::Lost(format!("the server broke the protocol: {}", refusal.text))
    }

    fn lost(&self, error: &SessionError) -> Outcome {
        if let Some(refusal) = from_close(error) {
            return Outcome::Refused(refusal);
        }
        Outcome::Lost(match closed_with(error) {
            Some((_, text)) => format!("the server left: {text}"),
            None => match error {
                SessionError::ConnectionError(quinn::ConnectionError::TimedOut) => {
                    "the server went silent".to_owned()
                }
                other => describe(other),
            },
        })
    }

    /// Takes in the streams whose bytes came before the end.
    async fn drain(&mut self) {
        let draining = async {
            loop {
                tokio::select! {
                    biased;
                    Ok(stream) = self.connection.accept_uni(), if self.streams.len() < MAX_READING => {
                        self.spawn(stream);
                    }
                    done = self.streams.join_next() => if done.is_none() { break },
                }
            }
        };
        let _ = timeout(DRAIN, draining).await;
    }
}
