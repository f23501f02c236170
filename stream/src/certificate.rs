//! The server's certificates: self-signed ones that follow each other, or the owner's own.
//!
//! A link names one certificate for as long as the session lives, and a browser accepts a
//! certificate by its hash for two weeks at most. So native players are shown the first for ever
//! (they look at the hash alone), and everybody else the newest.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thiserror::Error;

use stratus_stream_core::ALPN;
use stratus_stream_core::link::CertificateHash;

use crate::identity::{SERVER_NAME, hash};
use crate::validity::validity;

/// Browsers accept a certificate by its hash only if it is valid for at most two weeks
/// (WebTransport, "custom certificate requirements").
pub(crate) const LONGEST_VALIDITY: Duration = Duration::from_secs(14 * 24 * 3600);
/// The part of that which lies before now, for clocks that lag.
const CLOCK_SLACK: Duration = Duration::from_secs(3600);

/// A certificate chain and its key in PEM, the server's own certificate first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificates.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Why there is no certificate.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file of certificates has none.
    #[error(
        "{} holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`): name the file of the \
         certificate chain with --cert", path.display()
    )]
    NoCertificate {
        /// Which file.
        path: PathBuf,
    },
    /// The file of the key has none.
    #[error(
        "{} holds no private key in PEM (`-----BEGIN PRIVATE KEY-----`): name the file of the key \
         with --key", path.display()
    )]
    NoKey {
        /// Which file.
        path: PathBuf,
    },
    /// The key is of a kind that TLS 1.3 has no use for.
    #[error("the key in {} cannot be used: {reason}", path.display())]
    BadKey {
        /// Which file.
        path: PathBuf,
        /// What the TLS library said.
        reason: String,
    },
    /// The key is another certificate's.
    #[error(
        "the key in {} is not that of the first certificate in {}: the server's own certificate \
         must come first in its file", key.display(), certificate.display()
    )]
    Mismatch {
        /// The file of the key.
        key: PathBuf,
        /// The file of the certificates.
        certificate: PathBuf,
    },
    /// The certificate's time is over.
    #[error("the certificate in {} expired {} days ago: renew it", path.display(), days)]
    Expired {
        /// Which file.
        path: PathBuf,
        /// How long ago.
        days: u64,
    },
    /// The certificate's time is still to come.
    #[error("the certificate in {} is not valid yet: look at this machine's clock", path.display())]
    TooEarly {
        /// Which file.
        path: PathBuf,
    },
    /// No certificate could be made.
    #[error("cannot make the session's certificate: {0}")]
    Making(String),
}

/// A certificate in use.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    key: Arc<CertifiedKey>,
    pub(crate) hash: CertificateHash,
    not_before: SystemTime,
    pub(crate) expires: SystemTime,
    /// Whether a browser may accept it by its hash.
    pub(crate) pinned: bool,
}

/// Where certificates come from.
#[derive(Debug)]
enum Source {
    /// They are made, for these names, and valid for so long.
    Made { names: Vec<String>, validity: Duration },
    /// They are the owner's.
    Files(CertificateFiles),
}

/// The first and the newest certificate of a server.
#[derive(Debug)]
pub(crate) struct Certificates {
    source: Source,
    first: Arc<CertifiedKey>,
    newest: RwLock<Current>,
}

impl Certificates {
    /// Self-signed ones for whoever calls the machine one of `names`.
    pub(crate) fn made(names: Vec<String>, validity: Duration) -> Result<Self, CertificateError> {
        Self::start(Source::Made { names, validity: validity.min(LONGEST_VALIDITY) })
    }

    /// The owner's.
    pub(crate) fn from_files(files: CertificateFiles) -> Result<Self, CertificateError> {
        Self::start(Source::Files(files))
    }

    fn start(source: Source) -> Result<Self, CertificateError> {
        let current = source.next()?;
        Ok(Self { first: Arc::clone(&current.key), newest: RwLock::new(current), source })
    }

    /// The newest.
    pub(crate) fn newest(&self) -> Current {
        self.newest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When the newest must have been replaced: at half of its time, so that who has heard of it
    /// can use it for the other half.
    pub(crate) fn renewal(&self) -> SystemTime {
        let Current { not_before, expires, .. } = self.newest();
        let time = expires.duration_since(not_before).unwrap_or_default();
        expires - time / 2
    }

    /// Replaces the newest, by another made one or by what lies in the files now.
    pub(crate) fn renew(&self) -> Result<(), CertificateError> {
        let current = self.source.next()?;
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = current;
        Ok(())
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let native = hello.alpn().is_some_and(|mut names| names.any(|name| name == ALPN));
        Some(if native { Arc::clone(&self.first) } else { self.newest().key })
    }
}

impl Source {
    fn next(&self) -> Result<Current, CertificateError> {
        match self {
            Self::Made { names, validity } => make(names, *validity),
            Self::Files(files) => read(files),
        }
    }
}

/// Makes a self-signed ECDSA P-256 certificate, the only kind that browsers accept by hash.
fn make(names: &[String], validity: Duration) -> Result<Current, CertificateError> {
    let failed = |e: &dyn std::fmt::Display| CertificateError::Making(e.to_string());
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|e| failed(&e))?;
    let names: Vec<String> =
        names.iter().cloned().chain([SERVER_NAME.to_owned(), "localhost".to_owned()]).collect();
    let mut params = CertificateParams::new(names).map_err(|e| failed(&e))?;
    let not_before = SystemTime::now() - CLOCK_SLACK.min(validity / 4);
    let expires = not_before + validity;
    params.not_before = not_before.into();
    params.not_after = expires.into();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Stratus session");
    let der = params.self_signed(&pair).map_err(|e| failed(&e))?.der().clone();
    let hash = hash(&der);
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pair.serialize_der()));
    let key = default_provider().key_provider.load_private_key(key).map_err(|e| failed(&e))?;
    let key = Arc::new(CertifiedKey::new(vec![der], key));
    Ok(Current { key, hash, not_before, expires, pinned: true })
}

fn read(files: &CertificateFiles) -> Result<Current, CertificateError> {
    let contents = |path: &PathBuf| {
        std::fs::read(path)
            .map_err(|source| CertificateError::Unreadable { path: path.clone(), source })
    };
    let path = files.certificate.clone();
    let chain: Result<Vec<_>, pem::Error> =
        CertificateDer::pem_slice_iter(&contents(&path)?).collect();
    let none = || CertificateError::NoCertificate { path: path.clone() };
    let chain = chain.map_err(|_| none())?;
    let first = chain.first().ok_or_else(none)?.clone();
    let times = validity(&first).ok_or_else(none)?;

    let path = files.key.clone();
    let key = PrivateKeyDer::from_pem_slice(&contents(&path)?)
        .map_err(|_| CertificateError::NoKey { path: path.clone() })?;
    let bad = |e: rustls::Error| CertificateError::BadKey { path, reason: e.to_string() };
    let key = default_provider().key_provider.load_private_key(key).map_err(bad)?;
    let key = CertifiedKey::new(chain, key);
    let (certificate, path) = (files.certificate.clone(), files.key.clone());
    match key.keys_match() {
        // A key that cannot say whose it is may still be the right one.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            return Err(CertificateError::Mismatch { key: path, certificate });
        }
        Err(_) => return Err(CertificateError::NoCertificate { path: certificate }),
    }

    let (not_before, expires) = times;
    let now = SystemTime::now();
    if let Ok(ago) = now.duration_since(expires) {
        let days = ago.as_secs() / (24 * 3600);
        return Err(CertificateError::Expired { path: certificate, days });
    }
    if now < not_before {
        return Err(CertificateError::TooEarly { path: certificate });
    }
    let hash = hash(&first);
    Ok(Current { key: Arc::new(key), hash, not_before, expires, pinned: false })
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
