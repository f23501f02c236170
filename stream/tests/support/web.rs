//! A browser as far as the network sees one, built on the WebTransport library's client alone.

use std::net::SocketAddr;
use std::sync::Arc;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, Endpoint};
use stratus_stream::core::VERSION;
use stratus_stream::core::header::{FrameHeader, VIDEO_FRAME};
use stratus_stream::core::link::CertificateHash;
use stratus_stream::core::message::{Message, Messages, Welcome};
use stratus_stream::core::wire::{Framer, MAX_HEADER};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use web_transport_quinn::generic::Error as _;
use web_transport_quinn::{RecvStream, SendStream, Session};

use super::{Running, anyone, bounded, hello, payload};

/// A connection over which nothing of HTTP/3 was said yet.
pub async fn http3(running: &Running) -> (Endpoint, Connection) {
    let tls = anyone(b"h3");
    let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    let port = running.server.local_addr().port();
    let to = SocketAddr::from(([127, 0, 0, 1], port));
    let endpoint = Endpoint::client(([127, 0, 0, 1], 0).into()).unwrap();
    let connecting = endpoint.connect_with(config, to, "127.0.0.1").unwrap();
    (endpoint, bounded(connecting).await.expect("QUIC handshake"))
}

/// A WebTransport session.
pub struct Web {
    _endpoint: Endpoint,
    pub session: Session,
}

impl Web {
    pub async fn connect(running: &Running, path: &str) -> Result<Self, String> {
        let (endpoint, connection) = http3(running).await;
        let url = url::Url::parse(&format!("https://{}{path}", connection.remote_address()));
        let url = url.unwrap();
        let session =
            bounded(Session::connect(connection, url)).await.map_err(|e| e.to_string())?;
        Ok(Self { _endpoint: endpoint, session })
    }

    /// Opens the control stream with `bytes`.
    pub async fn say(&self, bytes: &[u8]) -> (SendStream, RecvStream) {
        let (mut send, recv) = bounded(self.session.open_bi()).await.unwrap();
        bounded(send.write_all(bytes)).await.unwrap();
        (send, recv)
    }

    /// Joins as a viewer.
    pub async fn join(&self) -> (SendStream, RecvStream, Welcome) {
        let (send, mut recv) = self.say(&hello(VERSION)).await;
        let Message::Welcome(welcome) = self.message(&mut recv).await else { panic!("not let in") };
        (send, recv, welcome)
    }

    pub async fn message(&self, recv: &mut RecvStream) -> Message {
        let mut messages = Messages::default();
        loop {
            if let Some(m) = messages.poll().expect("readable") {
                return m;
            }
            let chunk = bounded(recv.read_chunk(4096, true)).await.unwrap().expect("a message");
            messages.handle_bytes(&chunk.bytes);
        }
    }

    /// The id of the next frame, whose bytes must be right.
    pub async fn next_frame(&self) -> u64 {
        let mut stream = bounded(self.session.accept_uni()).await.unwrap();
        let bytes = bounded(stream.read_to_end(1 << 20)).await.unwrap();
        let mut framer = Framer::new(MAX_HEADER);
        framer.handle_bytes(&bytes);
        let (kind, header) = framer.poll().unwrap().expect("a header");
        assert_eq!(kind, VIDEO_FRAME);
        let header = FrameHeader::decode(&header).unwrap();
        assert_eq!(framer.into_rest(), payload(header.id.0));
        header.id.0
    }

    /// Code and text with which the server closes the session.
    pub async fn closed(&self) -> (u32, String) {
        let error = bounded(self.session.closed()).await;
        error.session_error().unwrap_or_else(|| panic!("no close but {error}"))
    }

    /// The certificate that the server showed, as links and the page name it.
    pub fn certificate(&self) -> String {
        let shown = self.session.peer_identity().expect("a certificate");
        let chain = shown.downcast::<Vec<rustls::pki_types::CertificateDer<'static>>>().unwrap();
        let hash = ring::digest::digest(&ring::digest::SHA256, &chain[0]);
        CertificateHash(hash.as_ref().try_into().unwrap()).to_string()
    }
}

/// What the page's port answers to a request over TLS.
pub async fn get_over_tls(to: SocketAddr, path: &str, host: &str) -> String {
    let connector = tokio_rustls::TlsConnector::from(Arc::new(anyone(b"http/1.1")));
    let stream = bounded(tokio::net::TcpStream::connect(to)).await.unwrap();
    let name = "play.example".try_into().unwrap();
    let mut stream = bounded(connector.connect(name, stream)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    bounded(stream.write_all(request.as_bytes())).await.unwrap();
    let mut answer = Vec::new();
    // A server may leave without the closing alert.
    let _ = bounded(stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}
