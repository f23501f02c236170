//! A client's control stream.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use web_transport_quinn::{RecvStream, SendStream};

use stratus_frame::{CursorState, MonoTime};
use stratus_stream_core::clipboard::ClipboardText;
use stratus_stream_core::cursor::CursorFeed;
use stratus_stream_core::message::{
    EndReason, Message, Messages, Refusal, RefusalCode, Resize, Role,
};
use stratus_stream_core::wire::MAX_MESSAGE;

use crate::connection::Connection;
use crate::event::{ServerEvent, ViewerId};
use crate::hub::Hub;
use crate::refusal::{close_normally, send_last};
use crate::session::Over;
use crate::tellings::Tellings;

/// Above every video stream.
const CONTROL_PRIORITY: i32 = i32::MAX;
/// Reports closer together than this are not passed on.
const STATS_GAP: Duration = Duration::from_millis(50);
/// Between wishes for another screen, each of which costs the game a whole picture at least.
const RESIZE_GAP: Duration = Duration::from_millis(33);

/// A viewer's control stream.
pub(crate) struct Control {
    role: Role,
    pub(crate) send: SendStream,
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
    /// What came of a text of the player's clipboard.
    pasted: ClipboardText,
    /// Whether texts are passed between clipboards.
    clipboard: bool,
}

impl Control {
    /// A control stream of which `messages` holds what is read and not yet handled, and `outbox`
    /// what is to be sent first.
    pub(crate) fn new(
        role: Role,
        send: SendStream,
        recv: RecvStream,
        messages: Messages,
        outbox: BytesMut,
        clipboard: bool,
    ) -> Self {
        // A stream just accepted has a priority to set.
        let _ = send.set_priority(CONTROL_PRIORITY);
        let next_resize = Instant::now();
        let feed = CursorFeed::default();
        Self {
            role,
            send,
            recv,
            messages,
            outbox,
            last_stats: None,
            resize: None,
            next_resize,
            feed,
            pasted: ClipboardText::default(),
            clipboard,
        }
    }

    /// Answers messages until something ends the session. Dropping the future loses nothing.
    pub(crate) async fn run(&mut self, hub: &Hub, id: ViewerId) -> Over {
        let mut cursor = hub.cursor();
        let mut wishes = hub.wishes();
        let mut tellings = Tellings::new(&mut wishes, self.role, self.clipboard);
        loop {
            if let Err(refusal) = self.handle_messages(hub, id) {
                return Over::Refused(refusal);
            }
            let mut text_due = None;
            if self.outbox.is_empty() {
                let now = MonoTime::now();
                match tellings.poll(&mut wishes, now) {
                    Some(message) => message.encode(&mut self.outbox),
                    None => text_due = tellings.poll_timeout().map(|due| due.since(now)),
                }
            }
            let cursor_due = self.feed_cursor(&mut cursor);
            tokio::select! {
                biased;
                written = self.send.write(&self.outbox), if !self.outbox.is_empty() => {
                    match written {
                        Ok(n) => self.outbox.advance(n),
                        Err(e) => return e.into(),
                    }
                }
                // The hub lives as long as this.
                _ = cursor.changed(), if self.outbox.is_empty() => {}
                _ = wishes.changed(), if self.outbox.is_empty() => {}
                () = sleep(cursor_due.unwrap_or_default()), if cursor_due.is_some() => {}
                () = sleep(text_due.unwrap_or_default()), if text_due.is_some() => {}
                () = sleep_until(self.next_resize), if self.resize.is_some() => {
                    self.tell_resize(hub, id);
                }
                read = self.recv.read_chunk(4096, true) => match read {
                    Ok(Some(chunk)) => self.messages.handle_bytes(&chunk.bytes),
                    Ok(None) if self.messages.is_between_messages() => {
                        return Over::Left("it closed its control stream".to_owned());
                    }
                    Ok(None) => return Over::Refused(Refusal {
                        code: RefusalCode::Malformed,
                        text: "the control stream ended inside a message".to_owned(),
                    }),
                    Err(e) => return e.into(),
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
                    self.only_the_player("ask for another screen")?;
                    self.resize = Some(resize);
                }
                Message::Clipboard(part) => {
                    self.only_the_player("send a text for the clipboard")?;
                    let text = self.pasted.handle_part(&part).map_err(|e| Refusal::from(&e))?;
                    if let Some(text) = text.filter(|_| self.clipboard && hub.is_player(id)) {
                        hub.event(ServerEvent::Clipboard(text));
                    }
                }
                other => {
                    let text = format!("a client must not send {} here", other.name());
                    return Err(Refusal { code: RefusalCode::Unexpected, text });
                }
            }
        }
        Ok(())
    }

    fn only_the_player(&self, what: &str) -> Result<(), Refusal> {
        if self.role == Role::Player {
            return Ok(());
        }
        let text = format!("a viewer must not {what}: only the player's link lets that");
        Err(Refusal { code: RefusalCode::NotPlayer, text })
    }

    /// Passes the newest wish on.
    fn tell_resize(&mut self, hub: &Hub, id: ViewerId) {
        self.next_resize = Instant::now() + RESIZE_GAP;
        if let Some(resize) = self.resize.take().filter(|_| hub.is_player(id)) {
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
    pub(crate) async fn end(mut self, connection: &Connection, reason: &EndReason) {
        Message::End(reason.clone()).encode(&mut self.outbox);
        let last: Bytes = self.outbox.split().freeze();
        send_last(&mut self.send, last).await;
        let _ = timeout(Duration::from_millis(500), connection.closed()).await;
        close_normally(connection, &reason.text);
    }
}
