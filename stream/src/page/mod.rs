//! The player's page, over HTTP/1.1 on the same port number in TCP.
//!
//! Without TLS on the loopback addresses, which browsers trust; over TLS elsewhere, where a plain
//! request is sent to the right place. Whoever asks gets the same files and what the session is;
//! the tokens stand behind the `#` of a link, which no browser sends.

mod answer;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use stratus_stream_core::link::Link;

use crate::certificate::Certificates;
use answer::Body;

/// Time for a TLS handshake, and for the headers of a request.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Time for a whole connection. A browser that needs more of them opens another.
const CONNECTION: Duration = Duration::from_secs(60);
/// The longest head of a request, bytes.
const MAX_HEAD: usize = 16 * 1024;
/// The first byte of a TLS connection: a handshake record (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// What the page is and says.
pub(crate) struct Page {
    /// Where it is; of this the tokens are never told.
    pub(crate) link: Link,
    /// What is played.
    pub(crate) game: String,
    /// Whether texts are passed between clipboards.
    pub(crate) clipboard: bool,
    /// What the server shows of itself.
    pub(crate) certificates: Arc<Certificates>,
    /// Absent where the page is had without TLS.
    pub(crate) tls: Option<TlsAcceptor>,
}

/// Answers browsers, `limit` at once, for ever.
pub(crate) async fn serve(page: Arc<Page>, listener: TcpListener, limit: usize) {
    let places = Arc::new(Semaphore::new(limit));
    loop {
        // Who finds no place waits in the kernel's queue. The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, remote)) => {
                let page = Arc::clone(&page);
                tokio::spawn(async move {
                    if timeout(CONNECTION, page.talk(stream)).await.is_err() {
                        tracing::debug!(%remote, "a browser's connection was closed for its age");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                // Out of fds, most likely: others may give some back.
                tracing::warn!(%error, "cannot take a browser's connection");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

impl Page {
    async fn talk(self: Arc<Self>, stream: TcpStream) {
        // The answers are small and whole; waiting for more to send gains nothing.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else { return self.answer(stream, false).await };
        let mut first = [0];
        match timeout(HANDSHAKE, stream.peek(&mut first)).await {
            Ok(Ok(1..)) if first[0] == TLS_HANDSHAKE => {}
            Ok(Ok(1..)) => return self.answer(stream, true).await,
            _ => return,
        }
        match timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.answer(stream, false).await,
            // Browsers that mistrust the certificate end here, before they ask their user.
            Ok(Err(error)) => tracing::debug!(%error, "no TLS with a browser"),
            Err(_) => tracing::debug!("a browser's TLS handshake took too long"),
        }
    }

    /// Answers the requests of one connection; where it should have been TLS, by saying so.
    async fn answer(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        is_misplaced: bool,
    ) {
        let service = service_fn(|request: Request<Incoming>| {
            let response: Response<Body> =
                if is_misplaced { self.redirect(&request) } else { self.respond(&request) };
            async move { Ok::<_, Infallible>(response) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HANDSHAKE)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a browser's connection broke");
        }
    }
}
