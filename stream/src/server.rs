//! The server: one endpoint, and the page beside it, on a thread of their own.
//!
//! The thread runs a single-threaded tokio runtime with everything of the network in it. So a frame
//! crosses one thread border, encoder to network, and nothing else of the program can delay a
//! packet; within the thread, sending a frame and acknowledging one need no wake-up.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Endpoint, EndpointConfig, TokioRuntime};
use rustls::crypto::ring::default_provider;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio_rustls::TlsAcceptor;

use stratus_stream_core::ALPN;
use stratus_stream_core::link::{Link, LinkError, Scheme};
use stratus_stream_core::message::{EndCode, EndReason};

use crate::accept::{Session, accept};
use crate::certificate::{CertificateError, Certificates};
use crate::config::ServerConfig;
use crate::connection::HTTP3;
use crate::event::ServerEvent;
use crate::hub::{Events, Hub, Screen};
use crate::listen::{self, sockets};
use crate::page::{self, Page};
use crate::publisher::Publisher;
use crate::{identity, transport};

/// Why a server did not start.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Another process has the port.
    #[error(
        "cannot listen on {addr} ({protocol}): the port is taken; stop what uses it (`ss -tulpn`) or \
         choose another with --listen"
    )]
    PortBusy {
        /// Where.
        addr: SocketAddr,
        /// UDP or TCP.
        protocol: &'static str,
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
    #[error("cannot listen on {addr} ({protocol}): {source}")]
    Socket {
        /// Where.
        addr: SocketAddr,
        /// UDP or TCP.
        protocol: &'static str,
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
    /// There is no certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// TLS cannot be set up, or there are no random numbers.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
    /// The network thread could not be started.
    #[error("cannot start the network thread: {0}")]
    Thread(#[source] io::Error),
}

/// A running server. Dropping it ends the session as [`EndCode::Stopped`].
pub struct Server {
    link: Link,
    viewers: Option<Link>,
    local: SocketAddr,
    hub: Arc<Hub>,
    stop: Option<oneshot::Sender<EndReason>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Opens the sockets, makes a certificate and starts the network thread.
    ///
    /// # Errors
    /// [`ServeError`] says what to do.
    pub fn start(
        config: ServerConfig,
        events: Arc<dyn Fn(ServerEvent) + Send + Sync>,
    ) -> Result<Self, ServeError> {
        let (udp, tcp) = sockets(config.listen)?;
        let local = udp.local_addr().map_err(|e| listen::error(config.listen, "UDP", e))?;
        let host = link_host(config.public_host.as_deref(), local);
        let certificates = Arc::new(match &config.certificate {
            Some(files) => Certificates::from_files(files.clone())?,
            None => Certificates::made(vec![host.clone()], config.certificate_validity)?,
        });
        let is_plain = local.ip().is_loopback() && config.certificate.is_none();
        let scheme = if is_plain { Scheme::Http } else { Scheme::Https };
        let hash = certificates.newest().hash;
        let link = Link::new(&host, local.port(), config.tokens.player.clone(), hash)
            .map_err(|source| ServeError::PublicHost { host, source })?
            .with_scheme(scheme);
        let failed = |e: &dyn std::fmt::Display| ServeError::Tls(e.to_string());
        let crypto = quic_config(&certificates).map_err(|e| failed(&e))?;
        let tls =
            if is_plain { None } else { Some(page_tls(&certificates).map_err(|e| failed(&e))?) };
        let session =
            Session { id: identity::random_u64().map_err(|e| failed(&e))?, config: config.clone() };
        let screen = Screen { size: config.size, millifps: config.millifps };
        let hub = Hub::new(events as Events, screen, config.limits);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ServeError::Thread)?;
        // Within the runtime, as the sockets must be registered with its reactor.
        let (endpoint, listener) = {
            let _guard = runtime.enter();
            let quic = EndpointConfig::default();
            let endpoint = Endpoint::new(quic, Some(crypto), udp, Arc::new(TokioRuntime))
                .map_err(|e| listen::error(local, "UDP", e))?;
            let listener =
                TcpListener::from_std(tcp).map_err(|e| listen::error(local, "TCP", e))?;
            (endpoint, listener)
        };
        let page = Page {
            link: link.clone(),
            game: config.game.clone(),
            clipboard: config.clipboard,
            certificates,
            tls,
        };
        let (stop, stopped) = oneshot::channel();
        let (page, session) = (Arc::new(page), Arc::new(session));
        let serving = Serving { endpoint, listener, page, hub: Arc::clone(&hub), session };
        let thread = std::thread::Builder::new()
            .name("stratus-quic".to_owned())
            .spawn(move || runtime.block_on(serving.run(stopped)))
            .map_err(ServeError::Thread)?;
        let viewers = config.tokens.viewers.map(|token| link.clone().with_token(token));
        Ok(Self { link, viewers, local, hub, stop: Some(stop), thread: Some(thread) })
    }

    /// What a player needs. Holds the secret: print it for the user, never into a log.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// What a viewer needs, where there may be viewers; as secret as the other.
    #[must_use]
    pub fn viewers_link(&self) -> Option<&Link> {
        self.viewers.as_ref()
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

/// TLS as both transports have it; `names` are what follows it (RFC 7301).
fn tls_config(
    certificates: &Arc<Certificates>,
    names: &[&[u8]],
) -> Result<rustls::ServerConfig, rustls::Error> {
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(certificates) as _);
    tls.alpn_protocols = names.iter().map(|name| name.to_vec()).collect();
    Ok(tls)
}

fn quic_config(
    certificates: &Arc<Certificates>,
) -> Result<quinn::ServerConfig, Box<dyn std::error::Error>> {
    let crypto = QuicServerConfig::try_from(tls_config(certificates, &[ALPN, HTTP3])?)?;
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(Arc::new(transport::server()));
    Ok(config)
}

fn page_tls(certificates: &Arc<Certificates>) -> Result<TlsAcceptor, rustls::Error> {
    Ok(TlsAcceptor::from(Arc::new(tls_config(certificates, &[b"http/1.1"])?)))
}

/// What the network thread runs.
struct Serving {
    endpoint: Endpoint,
    listener: TcpListener,
    page: Arc<Page>,
    hub: Arc<Hub>,
    session: Arc<Session>,
}

impl Serving {
    async fn run(self, stopped: oneshot::Receiver<EndReason>) {
        let limits = self.session.config.limits;
        let certificates = Arc::clone(&self.page.certificates);
        tokio::spawn(async move { renew(&certificates).await });
        tokio::spawn(page::serve(self.page, self.listener, limits.pages));
        let (ending, end) = watch::channel(());
        let mut sessions = accept(&self.endpoint, &self.hub, &self.session, end, stopped).await;
        // Strangers are dropped at once, viewers get the end.
        drop(ending);
        let drained = async { while sessions.join_next().await.is_some() {} };
        if tokio::time::timeout(limits.end, drained).await.is_err() {
            tracing::debug!("closing over viewers that did not take the end in time");
        }
        sessions.abort_all();
        self.endpoint.close(quinn::VarInt::from_u32(0), b"the session is over");
        // Close packets go out at once; waiting lets a lost one be repeated.
        let _ = tokio::time::timeout(Duration::from_millis(300), self.endpoint.wait_idle()).await;
    }
}

/// Replaces the certificate whenever half of its time is over, for ever.
///
/// Looks now and then instead of sleeping to the moment: the clock that certificates go by can be
/// set, and goes on while the machine sleeps.
async fn renew(certificates: &Certificates) {
    const LOOK: Duration = Duration::from_secs(600);
    loop {
        match certificates.renewal().duration_since(SystemTime::now()) {
            Ok(left) if !left.is_zero() => tokio::time::sleep(left.min(LOOK)).await,
            _ => {
                match certificates.renew() {
                    Ok(()) => tracing::debug!("the certificate was renewed"),
                    Err(error) => tracing::warn!(%error, "the certificate stays as it is"),
                }
                // Files may still hold the old one.
                if certificates.renewal() <= SystemTime::now() {
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }
}
