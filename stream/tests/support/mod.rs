//! A server with its events, frames to send, and a client built on quinn alone.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(unreachable_pub, reason = "shared by inclusion")]

pub mod web;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, RecvStream, SendStream};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use stratus_frame::{Codec, EncodedFrame, FrameId, MonoTime, Size, Stamps};
use stratus_stream::core::message::{ClientId, Hello, MachineTag, Message, Messages};
use stratus_stream::core::token::Token;
use stratus_stream::core::{ALPN, VERSION};
use stratus_stream::{
    Limits, Player, PlayerConfig, PlayerEvent, Server, ServerConfig, ServerEvent,
};

/// No test may hang; what takes longer than this on a busy machine has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);
pub const SIZE: Size = Size::new(640, 480);

pub struct Running {
    pub server: Server,
    events: Receiver<ServerEvent>,
    /// What came while something else was waited for.
    earlier: RefCell<VecDeque<ServerEvent>>,
}

pub fn token() -> Token {
    Token::new([0x42; 32])
}

pub fn viewers_token() -> Token {
    Token::new([0x43; 32])
}

pub fn config(limits: Limits) -> ServerConfig {
    let mut config = ServerConfig { size: SIZE, limits, ..ServerConfig::new(token()) };
    config.tokens.viewers = Some(viewers_token());
    config.game = "a game".to_owned();
    config
}

pub fn start(limits: Limits) -> Running {
    start_with(config(limits))
}

pub fn start_with(config: ServerConfig) -> Running {
    start_delayed(config, |_| ())
}

/// One whose network thread waits for `delay` at each event.
pub fn start_delayed(
    config: ServerConfig,
    delay: impl Fn(&ServerEvent) + Send + Sync + 'static,
) -> Running {
    let (tell, events) = channel();
    let tell = std::sync::Mutex::new(tell);
    let server = Server::start(
        config,
        Arc::new(move |e| {
            delay(&e);
            let _ = tell.lock().unwrap().send(e);
        }),
    )
    .expect("server");
    Running { server, events, earlier: RefCell::default() }
}

impl Running {
    /// Waits for an event that `pick` accepts; the others stay for those who wait for them.
    pub fn wait<T>(&self, what: &str, mut pick: impl FnMut(&ServerEvent) -> Option<T>) -> T {
        let mut earlier = self.earlier.borrow_mut();
        for i in 0..earlier.len() {
            if let Some(found) = pick(&earlier[i]) {
                earlier.remove(i);
                return found;
            }
        }
        // Of all together: a viewer without frames asks for keyframes for ever.
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left).unwrap_or_else(|_| panic!("no {what}"));
            if let Some(found) = pick(&event) {
                return found;
            }
            earlier.push_back(event);
        }
    }

    /// Publishes a frame as soon as there is room.
    pub fn publish(&self, frame: &EncodedFrame) {
        let publisher = self.server.publisher();
        while !publisher.ready() {
            self.wait("room", |e| matches!(e, ServerEvent::Ready).then_some(()));
        }
        publisher.publish(frame);
    }
}

/// The bytes of frame `id`: their number and content follow from it.
pub fn payload(id: u64) -> Bytes {
    let len = (id * 7919 % 30_000) as usize;
    (0..len).map(|i| (i as u64).wrapping_mul(id + 31).to_le_bytes()[0]).collect()
}

pub fn frame(id: u64, depends_on: Option<u64>) -> EncodedFrame {
    let now = MonoTime::now();
    EncodedFrame {
        id: FrameId(id),
        depends_on: depends_on.map(FrameId),
        stamps: Stamps {
            read: now,
            handed: now,
            convert_start: now,
            convert_end: now,
            encoded: now,
        },
        newest_input: id * 3,
        size: SIZE,
        codec: Codec::H264,
        torn: false,
        data: payload(id),
    }
}

/// A runtime for the client's side.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

pub async fn bounded<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("took too long")
}

pub async fn play(running: &Running) -> Player {
    bounded(Player::connect(running.server.link(), PlayerConfig::default())).await.expect("let in")
}

/// Another client, which only watches.
pub async fn watch(running: &Running) -> Player {
    let link = running.server.viewers_link().expect("viewers are let in");
    bounded(Player::connect(link, PlayerConfig::default())).await.expect("let in")
}

/// The id of the next frame, whose bytes must be right.
pub async fn next_id(player: &mut Player) -> u64 {
    match bounded(player.next()).await {
        PlayerEvent::Frame(f) => {
            assert_eq!(f.data, payload(f.header.id.0), "bytes of frame {:?}", f.header.id);
            assert_eq!(f.header.newest_input, f.header.id.0 * 3);
            assert!(f.first_byte >= f.header.sent && f.last_byte >= f.first_byte);
            f.header.id.0
        }
        other => panic!("no frame but {other:?}"),
    }
}

/// Trusts everybody: these tests are about what comes after.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// TLS of a client that trusts everybody and speaks `protocol`.
pub fn anyone(protocol: &[u8]) -> rustls::ClientConfig {
    let mut tls = rustls::ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone))
        .with_no_client_auth();
    tls.alpn_protocols = vec![protocol.to_vec()];
    tls
}

/// A client that does only what a test tells it.
pub struct Raw {
    pub endpoint: Endpoint,
    pub connection: Connection,
}

impl Raw {
    pub async fn try_connect(running: &Running) -> Result<Self, ConnectionError> {
        Self::try_connect_with(running, quinn::TransportConfig::default()).await
    }

    /// Goes silent after this time without anything to say, as one whose network broke does.
    pub async fn connect_fleeting(running: &Running, idle: Duration) -> Self {
        let mut transport = quinn::TransportConfig::default();
        transport.max_idle_timeout(Some(idle.try_into().unwrap()));
        Self::try_connect_with(running, transport).await.expect("QUIC handshake")
    }

    async fn try_connect_with(
        running: &Running,
        mut transport: quinn::TransportConfig,
    ) -> Result<Self, ConnectionError> {
        let tls = anyone(ALPN);
        let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
        let mut config = config;
        transport.max_concurrent_uni_streams(2u32.into());
        config.transport_config(Arc::new(transport));
        let endpoint = Endpoint::client(([127, 0, 0, 1], 0).into()).unwrap();
        let connecting =
            endpoint.connect_with(config, running.server.local_addr(), "anything").unwrap();
        let connection = bounded(connecting).await?;
        Ok(Self { endpoint, connection })
    }

    pub async fn connect(running: &Running) -> Self {
        Self::try_connect(running).await.expect("QUIC handshake")
    }

    /// Opens the control stream with `bytes`.
    pub async fn say(&self, bytes: &[u8]) -> (SendStream, RecvStream) {
        let (mut send, recv) = bounded(self.connection.open_bi()).await.unwrap();
        bounded(send.write_all(bytes)).await.unwrap();
        (send, recv)
    }

    /// Joins as a good client does.
    pub async fn join(&self) -> (SendStream, RecvStream) {
        let (send, mut recv) = self.say(&hello(VERSION)).await;
        assert!(matches!(message(&mut recv).await, Message::Welcome(_)));
        (send, recv)
    }

    /// Joins as the player, as `client`.
    pub async fn play(&self, client: u8) -> (SendStream, RecvStream) {
        let (send, mut recv) = self.say(&player_hello(client)).await;
        assert!(matches!(message(&mut recv).await, Message::Welcome(_)));
        (send, recv)
    }

    /// Code and text with which the server closes.
    pub async fn refusal(&self) -> (u64, String) {
        match bounded(self.connection.closed()).await {
            ConnectionError::ApplicationClosed(c) => {
                (c.error_code.into_inner(), String::from_utf8(c.reason.to_vec()).unwrap())
            }
            other => panic!("not refused but {other}"),
        }
    }
}

pub async fn message(recv: &mut RecvStream) -> Message {
    let mut messages = Messages::default();
    loop {
        if let Some(m) = messages.poll().expect("readable") {
            return m;
        }
        let chunk = bounded(recv.read_chunk(4096, true)).await.unwrap().expect("a message");
        messages.handle_bytes(&chunk.bytes);
    }
}

/// The hello of the player that calls itself by this byte.
pub fn player_hello(client: u8) -> BytesMut {
    encode(&Message::Hello(Hello {
        version: VERSION,
        token: token(),
        machine: MachineTag::default(),
        name: "raw player".to_owned(),
        client: ClientId([client; 16]),
    }))
}

pub fn hello(version: u16) -> BytesMut {
    let name = "raw".to_owned();
    let (token, machine, client) = (viewers_token(), MachineTag::default(), ClientId::default());
    encode(&Message::Hello(Hello { version, token, machine, name, client }))
}

pub fn encode(message: &Message) -> BytesMut {
    let mut out = BytesMut::new();
    message.encode(&mut out);
    out
}
