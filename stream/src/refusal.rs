//! Turning a peer away so that it can tell why, and hearing why one was turned away oneself.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use web_transport_quinn::{SendStream, SessionError};

use stratus_stream_core::message::{Message, Refusal, RefusalCode};

use crate::connection::{Connection, closed_with};

/// How long a peer may take to acknowledge the message before the connection closes anyway.
const PATIENCE: Duration = Duration::from_millis(300);
/// The longest text of a close: the frame must fit one packet.
const MAX_REASON: usize = 512;

/// Sends `refusal` on the control stream and closes with the same code and text, so that the
/// peer learns it from whichever arrives.
pub(crate) async fn refuse(connection: &Connection, send: &mut SendStream, refusal: &Refusal) {
    let mut out = BytesMut::new();
    Message::Refused(refusal.clone()).encode(&mut out);
    send_last(send, out.freeze()).await;
    close(connection, refusal);
    // Over HTTP/3 the close is a message of its own, which is on its way until now.
    let _ = tokio::time::timeout(PATIENCE, connection.closed()).await;
}

/// Closes with the refusal's code and text alone: there is no control stream to write to.
pub(crate) fn close(connection: &Connection, refusal: &Refusal) {
    let mut end = refusal.text.len().min(MAX_REASON);
    while !refusal.text.is_char_boundary(end) {
        end -= 1;
    }
    connection.close(refusal.code.to_wire().into(), &refusal.text.as_bytes()[..end]);
}

/// Writes the last bytes of a stream and waits, not for ever, until they have arrived.
pub(crate) async fn send_last(send: &mut SendStream, bytes: Bytes) {
    let sending = async {
        if send.write_chunk(bytes).await.is_ok() && send.finish().is_ok() {
            // Whether it arrived or the connection broke, nothing is left to do here.
            let _ = send.stopped().await;
        }
    };
    let _ = tokio::time::timeout(PATIENCE, sending).await;
}

/// What a peer's close says, if it is a refusal.
pub(crate) fn from_close(error: &SessionError) -> Option<Refusal> {
    let (code, text) = closed_with(error)?;
    let code = u16::try_from(code).ok().filter(|&c| c != 0)?;
    Some(Refusal { code: RefusalCode::from_wire(code), text })
}

/// Closes without a fault.
pub(crate) fn close_normally(connection: &Connection, text: &str) {
    connection.close(0, text.as_bytes());
}
