//! Turning a peer away so that it learns why.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use quinn::{ApplicationClose, Connection, ConnectionError, SendStream, VarInt};

use stratus_stream_core::message::{Message, Refusal, RefusalCode};

/// How long a peer may take to acknowledge the message before the connection closes anyway.
const PATIENCE: Duration = Duration::from_millis(300);

/// Sends `refusal` on the control stream and closes with the same code and text, so that the
/// peer learns it from whichever arrives.
pub(crate) async fn refuse(connection: &Connection, send: &mut SendStream, refusal: &Refusal) {
    let mut out = BytesMut::new();
    Message::Refused(refusal.clone()).encode(&mut out);
    send_last(send, out.freeze()).await;
    close(connection, refusal);
}

/// Closes with the refusal's code and text alone: there is no control stream to write to.
pub(crate) fn close(connection: &Connection, refusal: &Refusal) {
    let code = VarInt::from_u32(refusal.code.to_wire().into());
    // A close frame must fit one packet.
    let text = refusal.text.as_bytes();
    connection.close(code, &text[..text.len().min(512)]);
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
pub(crate) fn from_close(error: &ConnectionError) -> Option<Refusal> {
    let ConnectionError::ApplicationClosed(ApplicationClose { error_code, reason }) = error else {
        return None;
    };
    let code = u16::try_from(error_code.into_inner()).ok().filter(|&c| c != 0)?;
    let text = String::from_utf8_lossy(reason).into_owned();
    Some(Refusal { code: RefusalCode::from_wire(code), text })
}

/// Closes without a fault.
pub(crate) fn close_normally(connection: &Connection, text: &str) {
    connection.close(VarInt::from_u32(0), text.as_bytes());
}
