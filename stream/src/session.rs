//! One viewer, from welcome to goodbye.
//!
//! Frames: one unidirectional stream each, written and finished at once. Older ones have the
//! higher priority: each builds on those before it, so a newer one that overtakes is of no use,
//! and what is not worth sending was already replaced before the encoder. No stream is reset,
//! since at most a few frames are ever on the way.

use std::pin::Pin;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use quinn::{Connection, ConnectionError, RecvStream, SendStream, WriteError};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use stratus_frame::{CursorState, EncodedFrame, MonoTime};
use stratus_stream_core::cursor::CursorFeed;
use stratus_stream_core::header::{FrameHeader, HEADER_LEN};
use stratus_stream_core::message::{EndReason, Message, Messages, Refusal, RefusalCode, Resize};
use stratus_stream_core::wire::{FRAMING_LEN, MAX_MESSAGE};

use crate::config::Limits;
use crate::event::{ServerEvent, ViewerId};
use crate::hub::{Hub, Outgoing, Seat};
use crate::refusal::{close_normally, from_close, refuse, send_last};

/// Above every video stream.
const CONTROL_PRIORITY: i32 = i32::MAX;
/// Reports closer together than this are not passed on.
const STATS_GAP: Duration = Duration::from_millis(50);
/// Between wishes for another screen, each of which costs the game a whole picture at least.
const RESIZE_GAP: Duration = Duration::from_millis(33);

/// How a viewer's session ends.
enum Over {
    /// The viewer left, or the network did.
    Gone(String),
    /// It broke a rule.
    Refused(Refusal),
    /// The session itself ends.
    End(EndReason),
}

impl From<ConnectionError> for Over {
    fn from(error: ConnectionError) -> Self {
        Self::Gone(match from_close(&error) {
            Some(refusal) => format!("it refused us: {}", refusal.text),
            None => error.to_string(),
        })
    }
}

fn stalled(what: &str, limits: Limits) -> Over {
    let text = format!("{what} for {} ms", limits.stall.as_millis());
    Over::Refused(Refusal { code: RefusalCode::Stalled, text })
}

/// Serves a viewer; returns why it is gone.
pub(crate) async fn serve(
    connection: Connection,
    mut control: Control,
    mut seat: Seat,
    hub: &Hub,
    limits: Limits,
) -> String {
    let id = seat.id;
    let over = {
        let (unacknowledged, arriving) = mpsc::unbounded_channel();
        let frames = async {
            let sent = send_frames(&connection, &mut seat.outgoing, unacknowledged, limits);
            let arrived = acknowledge(&connection, arriving, hub, id, limits);
            match tokio::try_join!(sent, arrived) {
                Ok((reason, ())) => Over::End(reason),
                Err(over) => over,
            }
        };
        tokio::select! {
            biased;
            over = frames => over,
            over = control.run(hub, id) => over,
            over = ask_for_keyframes(hub, id, &seat.deadline_changed) => over,
            error = connection.closed() => error.into(),
        }
    };
    // Out of the hub first: nobody waits for this viewer while it is told the rest.
    drop(seat);
    match over {
        Over::Gone(why) => {
            close_normally(&connection, "goodbye");
            why
        }
        Over::Refused(refusal) => {
            refuse(&connection, &mut control.send, &refusal).await;
            let why = format!("it was refused: {}", refusal.text);
            hub.event(ServerEvent::Refused { remote: connection.remote_address(), refusal });
            why
        }
        Over::End(reason) => {
            control.end(&connection, &reason).await;
            "the session ended".to_owned()
        }
    }
}

type Arrival = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Writes frames in order until the end comes.
async fn send_frames(
    connection: &Connection,
    outgoing: &mut mpsc::UnboundedReceiver<Outgoing>,
    unacknowledged: mpsc::UnboundedSender<Arrival>,
    limits: Limits,
) -> Result<EndReason, Over> {
    loop {
        let (sequence, frame) = match outgoing.recv().await {
            Some(Outgoing::Frame { sequence, frame }) => (sequence, frame),
            Some(Outgoing::End(reason)) => return Ok(reason),
            None => return Err(Over::Gone("the server is gone".to_owned())),
        };
        let arrival = timeout(limits.stall, send_frame(connection, sequence, &frame))
            .await
            .map_err(|_| stalled("no frame was taken", limits))??;
        // The receiver lives as long as this loop.
        let _ = unacknowledged.send(arrival);
    }
}

async fn send_frame(
    connection: &Connection,
    sequence: u64,
    frame: &EncodedFrame,
) -> Result<Arrival, Over> {
    let mut stream = connection.open_uni().await?;
    let header = FrameHeader::of(frame, sequence, MonoTime::now())
        .map_err(|e| Over::Refused(Refusal { code: RefusalCode::Internal, text: e.to_string() }))?;
    let mut head = BytesMut::with_capacity(FRAMING_LEN + HEADER_LEN);
    header.encode(&mut head);
    // A stream that the viewer already stopped needs no priority and no end.
    let _ = stream.set_priority(priority(sequence));
    match stream.write_all_chunks(&mut [head.freeze(), frame.data.clone()]).await {
        Ok(()) => {
            let _ = stream.finish();
        }
        // It does not want this one; that is as good as an acknowledgement.
        Err(WriteError::Stopped(_)) => {}
        Err(WriteError::ConnectionLost(e)) => return Err(e.into()),
        Err(e) => return Err(Over::Gone(e.to_string())),
    }
    let stopped = stream.stopped();
    // The stream is kept, as dropping an unfinished one resets it.
    Ok(Box::pin(async move {
        let _ = stopped.await;
        drop(stream);
    }))
}

/// Falls with every frame: the oldest goes first. After 2^31 frames, a year at 60 fps, one order
/// of a few frames is wrong.
fn priority(sequence: u64) -> i32 {
    -((sequence & 0x7fff_ffff) as i32)
}

/// Counts frames as arrived in their order: one behind a missing one is of no use yet.
async fn acknowledge(
    connection: &Connection,
    mut arriving: mpsc::UnboundedReceiver<Arrival>,
    hub: &Hub,
    id: ViewerId,
    limits: Limits,
) -> Result<(), Over> {
    while let Some(arrival) = arriving.recv().await {
        timeout(limits.stall, arrival)
            .await
            .map_err(|_| stalled("no frame was acknowledged", limits))?;
        hub.acknowledged(id, connection.min_rtt());
    }
    Ok(())
}

/// Asks for the first keyframe, and repeats what is not answered. Never ends by itself.
async fn ask_for_keyframes(hub: &Hub, id: ViewerId, changed: &tokio::sync::Notify) -> Over {
    loop {
        hub.poll(id);
        let Some(deadline) = hub.deadline(id) else {
            changed.notified().await;
            continue;
        };
        sleep(deadline.since(MonoTime::now())).await;
    }
}

/// A viewer's control stream.
pub(crate) struct Control {
    send: SendStream,
    recv: RecvStream,
    messages: Messages,
    outbox: BytesMut,
    last_stats: Option<Instant>,
    /// The newest wish that was not told.
    resize: Option<Resize>,
    /// When the next may be told.
    next_resize: Instant,
    /// What is sent of the cursor.
    feed: CursorFeed,
}

impl Control {
    /// A control stream of which `messages` holds what is read and not yet handled, and `outbox`
    /// what is to be sent first.
    pub(crate) fn new(
        send: SendStream,
        recv: RecvStream,
        messages: Messages,
        outbox: BytesMut,
    ) -> Self {
        // A stream just accepted has a priority to set.
        let _ = send.set_priority(CONTROL_PRIORITY);
        let next_resize = Instant::now();
        let feed = CursorFeed::default();
        Self { send, recv, messages, outbox, last_stats: None, resize: None, next_resize, feed }
    }

    /// Answers messages until something ends the session. Dropping the future loses nothing.
    async fn run(&mut self, hub: &Hub, id: ViewerId) -> Over {
        let mut cursor = hub.cursor();
        loop {
            if let Err(refusal) = self.handle_messages(hub, id) {
                return Over::Refused(refusal);
            }
            let cursor_due = self.feed_cursor(&mut cursor);
            tokio::select! {
                biased;
                written = self.send.write(&self.outbox), if !self.outbox.is_empty() => {
                    match written {
                        Ok(n) => self.outbox.advance(n),
                        Err(e) => return Over::Gone(e.to_string()),
                    }
                }
                // The hub lives as long as this.
                _ = cursor.changed(), if self.outbox.is_empty() => {}
                () = sleep(cursor_due.unwrap_or_default()), if cursor_due.is_some() => {}
                () = sleep_until(self.next_resize), if self.resize.is_some() => {
                    self.tell_resize(hub, id);
                }
                read = self.recv.read_chunk(4096, true) => match read {
                    Ok(Some(chunk)) => self.messages.handle_bytes(&chunk.bytes),
                    Ok(None) if self.messages.is_between_messages() => {
                        return Over::Gone("it closed its control stream".to_owned());
                    }
                    Ok(None) => return Over::Refused(Refusal {
                        code: RefusalCode::Malformed,
                        text: "the control stream ended inside a message".to_owned(),
                    }),
                    Err(quinn::ReadError::ConnectionLost(e)) => return e.into(),
                    Err(e) => return Over::Gone(e.to_string()),
                },
            }
        }
    }

    /// Puts what is to be said of the cursor next into the empty outbox, so that no more than a
    /// message of it is ever in front of another. Says how long to wait with it, if it must.
    fn feed_cursor(&mut self, cursor: &mut watch::Receiver<CursorState>) -> Option<Duration> {
        if !self.outbox.is_empty() {
            return None;
        }
        let now = MonoTime::now();
        if let Some(message) = self.feed.poll(&cursor.borrow_and_update(), now) {
            message.encode(&mut self.outbox);
        }
        self.feed.poll_timeout().map(|due| due.since(now))
    }

    fn handle_messages(&mut self, hub: &Hub, id: ViewerId) -> Result<(), Refusal> {
        while let Some(message) = self.messages.poll().map_err(|e| Refusal::from(&e))? {
            match message {
                Message::Ping { sent } => self.answer(sent)?,
                Message::KeyframeRequest { newest } => hub.keyframe_requested(id, newest),
                Message::ClientStats(stats) => {
                    let now = Instant::now();
                    if self.last_stats.is_none_or(|t| now - t >= STATS_GAP) {
                        self.last_stats = Some(now);
                        hub.event(ServerEvent::Stats { viewer: id, stats });
                    }
                }
                // A newer one takes its place: only the last of a storm has to be kept.
                Message::Resize(resize) => {
                    self.resize = Some(resize).filter(|_| hub.controls(id));
                }
                other => {
                    let text = format!("a client must not send {} here", other.name());
                    return Err(Refusal { code: RefusalCode::Unexpected, text });
                }
            }
        }
        Ok(())
    }

    /// Passes the newest wish on.
    fn tell_resize(&mut self, hub: &Hub, id: ViewerId) {
        self.next_resize = Instant::now() + RESIZE_GAP;
        if let Some(resize) = self.resize.take() {
            hub.event(ServerEvent::Resize { viewer: id, resize });
        }
    }

    fn answer(&mut self, ping: MonoTime) -> Result<(), Refusal> {
        if self.outbox.len() > MAX_MESSAGE {
            let text = "pings are sent but their answers not read".to_owned();
            return Err(Refusal { code: RefusalCode::Stalled, text });
        }
        let now = MonoTime::now();
        Message::Pong { ping, received: now, sent: now }.encode(&mut self.outbox);
        Ok(())
    }

    /// Sends the end behind what is still unsent, and gives the viewer the time to leave by
    /// itself; the server bounds the whole.
    async fn end(mut self, connection: &Connection, reason: &EndReason) {
        Message::End(reason.clone()).encode(&mut self.outbox);
        let last: Bytes = self.outbox.split().freeze();
        send_last(&mut self.send, last).await;
        let _ = timeout(Duration::from_millis(500), connection.closed()).await;
        close_normally(connection, &reason.text);
    }
}
