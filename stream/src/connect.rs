//! From a link to a welcome.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, ConnectionError, Endpoint, EndpointConfig, TokioRuntime};
use rustls::crypto::ring::default_provider;
use thiserror::Error;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};
use web_transport_quinn::SessionError;

use stratus_stream_core::link::Link;
use stratus_stream_core::message::{
    ClientId, Hello, MachineTag, Message, Messages, Refusal, RefusalCode, Welcome,
};
use stratus_stream_core::{ALPN, VERSION};

use crate::connection::{Connection, describe, plain};
use crate::identity::{SERVER_NAME, machine_tag, own_client};
use crate::pin::Pin;
use crate::pump::ControlStream;
use crate::refusal::{close, from_close};
use crate::transport;

/// The TLS alert `no_application_protocol` (RFC 7301 section 3.2) as a QUIC error code (RFC 9001
/// section 4.8).
const NO_APPLICATION_PROTOCOL: u64 = 0x100 + 120;
/// RFC 9000 section 20.1.
const CONNECTION_REFUSED: u64 = 0x2;

/// How a player behaves.
#[derive(Clone, Debug)]
pub struct PlayerConfig {
    /// What it calls itself in the server's log; cut to 64 bytes.
    pub name: String,
    /// By which the server knows it again when it connects anew; without one, all players of this
    /// user on this machine are one client, of which the newest connection counts.
    pub client: Option<ClientId>,
    /// Time for name lookup, handshake, hello and welcome together.
    pub timeout: Duration,
    /// Frames on the way at once that the server may open streams for; a player that does not
    /// fetch its frames stops the server's stream to it after about as many.
    pub streams: u32,
}

impl Default for PlayerConfig {
    fn default() -> Self {
        Self {
            name: "stratus play".to_owned(),
            client: None,
            timeout: Duration::from_secs(5),
            streams: 16,
        }
    }
}

/// Why a player did not get in.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The host has no address.
    #[error("cannot find the address of {host}: {source}; check the link's host and the network")]
    Resolve {
        /// Host and port of the link.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The machine answers that nothing listens there.
    #[error(
        "nobody listens on {addr} (UDP): the session is over or was never started there; start it \
         and take its new link"
    )]
    NobodyListens {
        /// Where.
        addr: SocketAddr,
    },
    /// Nothing came back.
    #[error(
        "no answer from {addr} within {} s: check that the session runs and that a firewall lets \
         UDP through", after.as_secs_f32()
    )]
    Timeout {
        /// Where.
        addr: SocketAddr,
        /// How long was waited.
        after: Duration,
    },
    /// Somebody else answers there.
    #[error(
        "{addr} shows another certificate than the link names: the link is of an earlier session, \
         or somebody stands between; take the link that the running session printed"
    )]
    Certificate {
        /// Where.
        addr: SocketAddr,
    },
    /// What answers is no server of this protocol.
    #[error("{addr} does not speak stratus/1: update the older of player and server")]
    Protocol {
        /// Where.
        addr: SocketAddr,
    },
    /// The server turned the player away, or the player the server.
    #[error("{addr} refused: {}", refusal.text)]
    Refused {
        /// Where.
        addr: SocketAddr,
        /// Why and what to do.
        refusal: Refusal,
    },
    /// The server takes no connection at the moment.
    #[error("{addr} is overrun with connections and takes none now: try again")]
    Overrun {
        /// Where.
        addr: SocketAddr,
    },
    /// The connection broke before the welcome.
    #[error("the connection to {addr} broke before the welcome: {reason}")]
    Lost {
        /// Where.
        addr: SocketAddr,
        /// What QUIC says.
        reason: String,
    },
    /// This machine cannot make a connection.
    #[error("cannot open a UDP socket for {addr}: {reason}")]
    Local {
        /// Where to.
        addr: SocketAddr,
        /// What went wrong.
        reason: String,
    },
}

/// A connection whose server said welcome.
pub(crate) struct Joined {
    pub(crate) endpoint: Endpoint,
    pub(crate) connection: Connection,
    pub(crate) remote: SocketAddr,
    pub(crate) control: ControlStream,
    pub(crate) welcome: Welcome,
    pub(crate) same_machine: bool,
}

/// Tries every address of the link's host in turn; the first error counts if none works.
pub(crate) async fn connect(link: &Link, config: &PlayerConfig) -> Result<Joined, ConnectError> {
    let deadline = Instant::now() + config.timeout;
    let failed = |source| ConnectError::Resolve { host: link.authority(), source };
    let late = |_| failed(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"));
    let lookup = tokio::net::lookup_host((link.host(), link.port()));
    let addresses = timeout_at(deadline, lookup).await.map_err(late)?.map_err(failed)?;
    let mut first = None;
    for addr in addresses {
        match timeout_at(deadline, attempt(addr, link, config)).await {
            Ok(Ok(joined)) => return Ok(joined),
            Ok(Err(error)) => first.get_or_insert(error),
            Err(_) => first.get_or_insert(ConnectError::Timeout { addr, after: config.timeout }),
        };
    }
    Err(first.unwrap_or_else(|| failed(io::Error::other("it has no address"))))
}

async fn attempt(
    addr: SocketAddr,
    link: &Link,
    config: &PlayerConfig,
) -> Result<Joined, ConnectError> {
    let local = |e: &dyn std::fmt::Display| ConnectError::Local { addr, reason: e.to_string() };
    let provider = Arc::new(default_provider());
    let pin = Pin::new(link.certificate(), Arc::clone(&provider));
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| local(&e))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&pin) as _)
        .with_no_client_auth();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let crypto = QuicClientConfig::try_from(tls).map_err(|e| local(&e))?;
    let mut quic = ClientConfig::new(Arc::new(crypto));
    quic.transport_config(Arc::new(transport::player(config.streams)));

    let socket = transport::socket(any(addr)).map_err(|e| local(&e))?;
    let endpoint = Endpoint::new(EndpointConfig::default(), None, socket, Arc::new(TokioRuntime))
        .map_err(|e| local(&e))?;
    let connecting = endpoint.connect_with(quic, addr, SERVER_NAME).map_err(|e| local(&e))?;
    let connection = tokio::select! {
        // A server's own answer says more than a closed port.
        biased;
        done = connecting => done.map_err(|e| explain(addr, &e.into(), &pin, config))?,
        () = nobody_listens(addr) => return Err(ConnectError::NobodyListens { addr }),
    };
    let connection = Connection::raw(connection);
    let machine = machine_tag(link.token());
    match greet(&connection, addr, link, machine, config, &pin).await {
        Ok((control, welcome)) => {
            let same_machine = machine.shares_clock_with(welcome.machine);
            Ok(Joined { endpoint, connection, remote: addr, control, welcome, same_machine })
        }
        Err(error) => {
            // An error of the server's own making; closing twice does nothing.
            if let ConnectError::Refused { refusal, .. } = &error {
                close(&connection, refusal);
            }
            Err(error)
        }
    }
}

const fn any(remote: SocketAddr) -> SocketAddr {
    match remote {
        SocketAddr::V4(_) => SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        SocketAddr::V6(_) => SocketAddr::new(std::net::IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
    }
}

/// Completes when the kernel learns from an ICMP message (RFC 1122 section 4.1.3.3) that the port
/// is closed. Only a connected socket is told, and quinn's is not; the byte it sends is no QUIC
/// packet and ignored by a server.
async fn nobody_listens(addr: SocketAddr) {
    let asking = async {
        let socket = UdpSocket::bind(any(addr)).await?;
        socket.connect(addr).await?;
        socket.send(&[0]).await?;
        socket.recv(&mut [0; 1]).await
    };
    match asking.await {
        Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => {}
        // Anything else says nothing; the connection itself will.
        _ => std::future::pending().await,
    }
}

/// Says hello and waits for the welcome.
async fn greet(
    connection: &Connection,
    addr: SocketAddr,
    link: &Link,
    machine: MachineTag,
    config: &PlayerConfig,
    pin: &Pin,
) -> Result<(ControlStream, Welcome), ConnectError> {
    let lost = |e: &SessionError| explain(addr, e, pin, config);
    let (mut send, mut recv) = connection.open_bi().await.map_err(|e| lost(&e))?;
    let token = link.token().clone();
    let name = config.name.clone();
    let client = config.client.unwrap_or_else(|| own_client(&token));
    let hello = Hello { version: VERSION, token, machine, name, client };
    let mut out = BytesMut::new();
    Message::Hello(hello).encode(&mut out);
    if send.write_chunk(out.freeze()).await.is_err() {
        return Err(lost(&connection.closed().await));
    }
    let mut messages = Messages::default();
    let welcome = loop {
        match messages.poll() {
            Ok(Some(message)) => break welcome(message),
            Ok(None) => {}
            Err(e) => break Err(Refusal::from(&e)),
        }
        match recv.read_chunk(4096, true).await {
            Ok(Some(chunk)) => messages.handle_bytes(&chunk.bytes),
            Ok(None) | Err(_) => return Err(lost(&connection.closed().await)),
        }
    };
    let welcome = welcome.map_err(|refusal| ConnectError::Refused { addr, refusal })?;
    Ok((ControlStream { send, recv, messages }, welcome))
}

fn welcome(message: Message) -> Result<Welcome, Refusal> {
    match message {
        Message::Welcome(w) if w.version == VERSION => Ok(w),
        Message::Welcome(w) => {
            let theirs = w.version;
            let text = format!(
                "the player speaks stratus/1 version {VERSION}, the server version {theirs}: \
                 update the older of them"
            );
            Err(Refusal { code: RefusalCode::Version, text })
        }
        Message::Refused(Refusal { code, text }) => Err(Refusal { code, text: plain(&text) }),
        other => {
            let text = format!("the first answer must be welcome, but this is {}", other.name());
            Err(Refusal { code: RefusalCode::Unexpected, text })
        }
    }
}

fn explain(
    addr: SocketAddr,
    error: &SessionError,
    pin: &Pin,
    config: &PlayerConfig,
) -> ConnectError {
    if pin.mismatched() {
        return ConnectError::Certificate { addr };
    }
    if let Some(refusal) = from_close(error) {
        return ConnectError::Refused { addr, refusal };
    }
    let SessionError::ConnectionError(error) = error else {
        return ConnectError::Lost { addr, reason: describe(error) };
    };
    match error {
        ConnectionError::TimedOut => ConnectError::Timeout { addr, after: config.timeout },
        ConnectionError::VersionMismatch => ConnectError::Protocol { addr },
        ConnectionError::ConnectionClosed(c)
            if u64::from(c.error_code) == NO_APPLICATION_PROTOCOL =>
        {
            ConnectError::Protocol { addr }
        }
        ConnectionError::ConnectionClosed(c) if u64::from(c.error_code) == CONNECTION_REFUSED => {
            ConnectError::Overrun { addr }
        }
        other => ConnectError::Lost { addr, reason: plain(&other.to_string()) },
    }
}
