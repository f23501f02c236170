//! The server: one endpoint on a thread of its own.
//!
//! The thread runs a single-threaded tokio runtime with everything of QUIC in it. So a frame
//! crosses one thread border, encoder to network, and nothing else of the program can delay a
//! packet; within the thread, sending a frame and acknowledging one need no wake-up.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Endpoint, EndpointConfig, TokioRuntime};
use rustls::crypto::ring::default_provider;
use thiserror::Error;
use tokio::sync::{oneshot, watch};

use stratus_stream_core::ALPN;
use stratus_stream_core::link::{Link, LinkError};
use stratus_stream_core::message::{EndCode, EndReason};

use crate::accept::{Session, accept};
use crate::config::ServerConfig;
use crate::event::ServerEvent;
use crate::hub::{Events, Hub, Publisher, Screen};
use crate::{identity, transport};

/// Why a server did not start.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Another process has the port.
    #[error(
        "cannot listen on {addr} (UDP): the port is taken; stop what uses it (`ss -ulpn`) or choose \
         another with --listen"
    )]
    PortBusy {
        /// Where.
        addr: SocketAddr,
    },
    /// The machine has no such address.
    #[error("cannot listen on {addr}: this machine has no such address (`ip addr` lists them)")]
    NoSuchAddress {
        /// Where.
        addr: SocketAddr,
    },
    /// The port is reserved.
    #[error("cannot listen on {addr}: ports below 1024 need privileges; choose a higher one")]
    Privileged {
        /// Where.
        addr: SocketAddr,
    },
    /// The socket cannot be made for another reason.
    #[error("cannot listen on {addr} (UDP): {source}")]
    Socket {
        /// Where.
        addr: SocketAddr,
        /// What the kernel said.
        source: io::Error,
    },
    /// The public host does not fit a link.
    #[error("cannot name {host:?} in a link: {source}")]
    PublicHost {
        /// The host as given.
        host: String,
        /// What is wrong with it.
        source: LinkError,
    },
    /// Certificate or random numbers could not be made.
    #[error("cannot make the session's certificate: {0}")]
    Certificate(String),
    /// The network thread could not be started.
    #[error("cannot start the network thread: {0}")]
    Thread(#[source] io::Error),
}

fn bind_error(addr: SocketAddr, source: io::Error) -> ServeError {
    match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::PortBusy { addr },
        io::ErrorKind::AddrNotAvailable => ServeError::NoSuchAddress { addr },
        io::ErrorKind::PermissionDenied => ServeError::Privileged { addr },
        _ => ServeError::Socket { addr, source },
    }
}

/// A running server. Dropping it ends the session as [`EndCode::Stopped`].
pub struct Server {
    link: Link,
    local: SocketAddr,
    hub: Arc<Hub>,
    stop: Option<oneshot::Sender<EndReason>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Opens the socket, makes a certificate and starts the network thread.
    ///
    /// # Errors
    /// [`ServeError`] says what to do.
    pub fn start(
        config: ServerConfig,
        events: Arc<dyn Fn(ServerEvent) + Send + Sync>,
    ) -> Result<Self, ServeError> {
        let socket = transport::socket(config.listen).map_err(|e| bind_error(config.listen, e))?;
        let local = socket.local_addr().map_err(|e| bind_error(config.listen, e))?;
        let failed = |e: &dyn std::fmt::Display| ServeError::Certificate(e.to_string());
        let certificate = identity::certificate().map_err(|e| failed(&e))?;
        let host = link_host(config.public_host.as_deref(), local);
        let link = Link::new(&host, local.port(), config.token.clone(), certificate.hash)
            .map_err(|source| ServeError::PublicHost { host, source })?;
        let crypto = quic_config(certificate).map_err(|e| failed(&e))?;
        let session = Session {
            id: identity::random_u64().map_err(|e| failed(&e))?,
            machine: identity::machine_tag(&config.token),
            config: config.clone(),
        };
        let screen = Screen { size: config.size, millifps: config.millifps };
        let hub = Hub::new(events as Events, screen, config.limits.viewers);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ServeError::Thread)?;
        // Within the runtime, as the socket must be registered with its reactor.
        let endpoint = {
            let _guard = runtime.enter();
            Endpoint::new(EndpointConfig::default(), Some(crypto), socket, Arc::new(TokioRuntime))
                .map_err(|e| bind_error(config.listen, e))?
        };
        let (stop, stopped) = oneshot::channel();
        let serving = Serving { endpoint, hub: Arc::clone(&hub), session: Arc::new(session) };
        let thread = std::thread::Builder::new()
            .name("stratus-quic".to_owned())
            .spawn(move || runtime.block_on(serving.run(stopped)))
            .map_err(ServeError::Thread)?;
        Ok(Self { link, local, hub, stop: Some(stop), thread: Some(thread) })
    }

    /// What a player needs. Holds the secret: print it for the user, never into a log.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Where the server listens, with the port that it really has.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The encoder's handle.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        Publisher::new(Arc::clone(&self.hub))
    }

    /// Tells every viewer why the session ends, after the frames already published, and closes.
    /// Blocks for at most [`Limits::end`] and half a second.
    pub fn end(mut self, reason: EndReason) {
        self.shut_down(reason);
    }

    fn shut_down(&mut self, reason: EndReason) {
        let Some(stop) = self.stop.take() else { return };
        // If nobody listens the thread has ended already.
        let _ = stop.send(reason);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the network thread panicked");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shut_down(EndReason {
            code: EndCode::Stopped,
            text: "the session was stopped".to_owned(),
        });
    }
}

/// An address that listens everywhere is nowhere to connect to; loopback at least works here.
fn link_host(public: Option<&str>, local: SocketAddr) -> String {
    match (public, local) {
        (Some(host), _) => host.trim_start_matches('[').trim_end_matches(']').to_owned(),
        (None, SocketAddr::V4(a)) if a.ip().is_unspecified() => "127.0.0.1".to_owned(),
        (None, SocketAddr::V6(a)) if a.ip().is_unspecified() => "::1".to_owned(),
        (None, a) => a.ip().to_string(),
    }
}

fn quic_config(
    certificate: identity::Certificate,
) -> Result<quinn::ServerConfig, Box<dyn std::error::Error>> {
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der], certificate.key)?;
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let crypto = QuicServerConfig::try_from(tls)?;
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(Arc::new(transport::server()));
    Ok(config)
}

/// What the network thread runs.
struct Serving {
    endpoint: Endpoint,
    hub: Arc<Hub>,
    session: Arc<Session>,
}

impl Serving {
    async fn run(self, stopped: oneshot::Receiver<EndReason>) {
        let limit = self.session.config.limits.end;
        let (ending, end) = watch::channel(());
        let mut sessions = accept(&self.endpoint, &self.hub, &self.session, end, stopped).await;
        // Strangers are dropped at once, viewers get the end.
        drop(ending);
        let drained = async { while sessions.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, drained).await.is_err() {
            tracing::debug!("closing over viewers that did not take the end in time");
        }
        sessions.abort_all();
        self.endpoint.close(quinn::VarInt::from_u32(0), b"the session is over");
        // Close packets go out at once; waiting lets a lost one be repeated.
        let _ = tokio::time::timeout(Duration::from_millis(300), self.endpoint.wait_idle()).await;
    }
}
