//! The player's input stream, in a task of its own: nothing else that the server does for a client
//! stands between an input and the game.

use std::sync::Arc;

use tokio::time::sleep;
use web_transport_quinn::{ReadError, RecvStream};

use stratus_frame::MonoTime;
use stratus_frame::input::{Input, InputEvent};
use stratus_stream_core::input::Inputs;
use stratus_stream_core::input_queue::InputQueue;
use stratus_stream_core::message::{Refusal, RefusalCode, Role};

use crate::connection::Connection;
use crate::event::ViewerId;
use crate::hub::Hub;
use crate::session::Over;

/// Waits for a client's input stream and passes on what comes on it, until the client breaks a rule
/// or is gone.
pub(crate) async fn run(connection: Connection, hub: Arc<Hub>, id: ViewerId, role: Role) -> Over {
    let stream = match connection.accept_uni().await {
        Ok(stream) => stream,
        Err(e) => return e.into(),
    };
    if role != Role::Player {
        let text = "a viewer must not send input: only the player's link lets that".to_owned();
        return Over::Refused(Refusal { code: RefusalCode::NotPlayer, text });
    }
    tokio::select! {
        biased;
        over = read(stream, &hub, id) => over,
        second = connection.accept_uni() => match second {
            Ok(_) => {
                let text = "a client must not open a second unidirectional stream".to_owned();
                Over::Refused(Refusal { code: RefusalCode::Unexpected, text })
            }
            Err(e) => e.into(),
        },
    }
}

async fn read(mut stream: RecvStream, hub: &Hub, id: ViewerId) -> Over {
    let mut inputs = Inputs::default();
    let mut queue = InputQueue::default();
    let mut last = 0;
    loop {
        let all_read = loop {
            if queue.is_full() {
                break false;
            }
            match inputs.poll() {
                Ok(Some(input)) => queue.handle_input(input),
                Ok(None) => break true,
                Err(e) => return Over::Refused(Refusal::from(&e)),
            }
        };
        let now = MonoTime::now();
        while let Some(input) = queue.poll(now) {
            last = input.id;
            hub.input(id, input);
        }
        if !all_read && !queue.is_full() {
            // What was read behind a queue that was full has room in it now.
            continue;
        }
        let due = queue.poll_timeout();
        tokio::select! {
            biased;
            () = sleep(due.unwrap_or(now).since(now)), if due.is_some() => {}
            // What the queue has no room for stays with the sender.
            chunk = stream.read_chunk(4096, true), if !queue.is_full() => match chunk {
                Ok(Some(chunk)) => inputs.handle_bytes(&chunk.bytes),
                Ok(None) if !inputs.is_between_messages() => {
                    let text = "the input stream ended inside a message".to_owned();
                    return Over::Refused(Refusal { code: RefusalCode::Malformed, text });
                }
                Err(ReadError::SessionError(e)) => return e.into(),
                // A player that wants to send no more input holds nothing either.
                Ok(None) | Err(_) => {
                    while let Some(input) = queue.poll_rest() {
                        last = input.id;
                        hub.input(id, input);
                    }
                    hub.input(id, Input { id: last, time: now, event: InputEvent::Release });
                    return std::future::pending().await;
                }
            },
        }
    }
}
