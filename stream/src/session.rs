//! One client, from welcome to goodbye.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use web_transport_quinn::{ReadError, SessionError, WriteError};

use stratus_stream_core::message::{EndReason, Refusal, RefusalCode};
use stratus_stream_core::place::Parting;

use crate::config::Limits;
use crate::connection::{Connection, describe, is_silence};
use crate::control::Control;
use crate::event::ServerEvent;
use crate::frames::{acknowledge, ask_for_keyframes, send_frames};
use crate::hub::{Hub, Seat};
use crate::refusal::{close_normally, from_close, refuse};
use crate::{inputs, sounds};

/// Time for a goodbye to leave.
const PATIENCE: Duration = Duration::from_millis(300);

/// How a client's session ends.
pub(crate) enum Over {
    /// It said goodbye.
    Left(String),
    /// The network broke, and the client may come back.
    Lost(String),
    /// It broke a rule, or its place is taken.
    Refused(Refusal),
    /// The session itself ends.
    End(EndReason),
}

impl Over {
    /// How its place is left. A frame that does not arrive is how a broken link mostly shows: its
    /// timer began before the silence did.
    fn parting(&self) -> Parting {
        match self {
            Self::Lost(_) => Parting::Lost,
            Self::Refused(refusal) if refusal.code == RefusalCode::Stalled => Parting::Lost,
            Self::Left(_) | Self::Refused(_) | Self::End(_) => Parting::Left,
        }
    }
}

impl From<SessionError> for Over {
    fn from(error: SessionError) -> Self {
        match from_close(&error) {
            Some(refusal) => Self::Left(format!("it refused us: {}", refusal.text)),
            None if is_silence(&error) => Self::Lost(describe(&error)),
            None => Self::Left(describe(&error)),
        }
    }
}

impl From<WriteError> for Over {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::SessionError(e) => e.into(),
            e => Self::Left(format!("its control stream: {e}")),
        }
    }
}

impl From<ReadError> for Over {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::SessionError(e) => e.into(),
            e => Self::Left(format!("its control stream: {e}")),
        }
    }
}

pub(crate) fn stalled(what: &str, limits: Limits) -> Over {
    let text = format!("{what} for {} ms", limits.stall.as_millis());
    Over::Refused(Refusal { code: RefusalCode::Stalled, text })
}

fn replaced() -> Over {
    let text = "this session is played from another window or connection of yours now".to_owned();
    Over::Refused(Refusal { code: RefusalCode::Replaced, text })
}

/// Serves a client; returns why it is gone.
pub(crate) async fn serve(
    connection: Connection,
    mut control: Control,
    mut seat: Seat,
    hub: &Arc<Hub>,
    limits: Limits,
) -> String {
    let id = seat.id;
    // Tasks of their own: neither waits while a frame is written.
    let mut beside = JoinSet::new();
    beside.spawn(inputs::run(connection.clone(), Arc::clone(hub), id, seat.role));
    beside.spawn(sounds::run(connection.clone(), hub.sounds()));
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
            _ = &mut seat.replaced => replaced(),
            Some(Ok(over)) = beside.join_next() => over,
            over = frames => over,
            over = control.run(hub, id) => over,
            over = ask_for_keyframes(hub, id, &seat.deadline_changed) => over,
            over = extra_streams(&connection) => over,
            error = connection.closed() => error.into(),
        }
    };
    seat.parting = over.parting();
    beside.abort_all();
    // Out of the hub first: nobody waits for this client while it is told the rest.
    drop(seat);
    match over {
        Over::Left(why) | Over::Lost(why) => {
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
            // Over HTTP/3 the close is a message of its own, which is on its way until now.
            let _ = timeout(PATIENCE, connection.closed()).await;
            "the session ended".to_owned()
        }
    }
}

/// Waits for a stream that a client must not open: beside its control stream there is no other
/// bidirectional one.
async fn extra_streams(connection: &Connection) -> Over {
    match connection.accept_bi().await {
        Ok(_) => {
            let text = "a client must not open a second bidirectional stream".to_owned();
            Over::Refused(Refusal { code: RefusalCode::Unexpected, text })
        }
        Err(e) => e.into(),
    }
}
