//! Both kinds of connection as one: native QUIC, and WebTransport (HTTP/3) from browsers.
//!
//! A [`Connection`] is a session of the WebTransport library, which takes a plain QUIC connection
//! for one as well: streams then have no prefix, and codes are not mapped. All messages are the
//! same on both, so nothing behind this module asks which kind it has.

use quinn::crypto::rustls::HandshakeData;
use web_transport_quinn::http::StatusCode;
use web_transport_quinn::{Request, SessionError, WebTransportError};

pub(crate) use web_transport_quinn::Session as Connection;

/// The ALPN name of HTTP/3 (RFC 9114 section 3.1).
pub(crate) const HTTP3: &[u8] = web_transport_quinn::ALPN.as_bytes();

/// Makes a peer's connection usable, whichever of the two protocols it chose.
///
/// A browser's session begins with settings of both sides and its CONNECT request, whose path must
/// be `/`. Nothing is sent on it before its hello: what reaches a browser together with the
/// answer to its request, it may drop.
pub(crate) async fn establish(connection: quinn::Connection) -> Result<Connection, String> {
    let data = connection.handshake_data().and_then(|data| data.downcast::<HandshakeData>().ok());
    if data.and_then(|data| data.protocol).as_deref() != Some(HTTP3) {
        return Ok(Connection::raw(connection));
    }
    let failed = |e: web_transport_quinn::ServerError| format!("no WebTransport session: {e}");
    let request = Request::accept(connection).await.map_err(failed)?;
    if request.url.path() != "/" {
        let text = "it asked for a session at another path than /".to_owned();
        request.reject(StatusCode::NOT_FOUND).await.map_err(failed)?;
        return Err(text);
    }
    request.ok().await.map_err(failed)
}

/// A peer's text for people, without control characters: it neither begins a line of its own in a
/// log nor tells a terminal what to do.
pub(crate) fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// The code and text with which the peer closed the session, if it did.
pub(crate) fn closed_with(error: &SessionError) -> Option<(u32, String)> {
    match error {
        SessionError::WebTransportError(WebTransportError::Closed(code, text)) => {
            Some((*code, plain(text)))
        }
        _ => None,
    }
}

/// Whether the network broke, and not the peer the connection.
pub(crate) fn is_silence(error: &SessionError) -> bool {
    use quinn::ConnectionError::{Reset, TimedOut, TransportError};
    matches!(error, SessionError::ConnectionError(TimedOut | Reset | TransportError(_)))
}

/// What ended a connection, for people.
pub(crate) fn describe(error: &SessionError) -> String {
    match closed_with(error) {
        Some((_, text)) if text.is_empty() => "closed by peer".to_owned(),
        Some((_, text)) => format!("closed by peer: {text}"),
        // With the peer's words if it closed in QUIC's own way.
        None => plain(&match error {
            SessionError::ConnectionError(e) => e.to_string(),
            other => other.to_string(),
        }),
    }
}
