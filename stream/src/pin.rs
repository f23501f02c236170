//! Trusting exactly one certificate: the one that the link names.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use stratus_stream_core::link::CertificateHash;

use crate::identity;

/// Accepts a certificate by its hash alone. Names, dates and issuers do not matter then; that the
/// server holds the key does, so the handshake's signature is verified as always (RFC 8446
/// section 4.4.3).
#[derive(Debug)]
pub(crate) struct Pin {
    hash: CertificateHash,
    provider: Arc<CryptoProvider>,
    mismatched: AtomicBool,
}

impl Pin {
    pub(crate) fn new(hash: CertificateHash, provider: Arc<CryptoProvider>) -> Arc<Self> {
        Arc::new(Self { hash, provider, mismatched: AtomicBool::new(false) })
    }

    /// Whether another certificate was shown.
    pub(crate) fn mismatched(&self) -> bool {
        self.mismatched.load(Ordering::Relaxed)
    }
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if identity::hash(end_entity) == self.hash {
            return Ok(ServerCertVerified::assertion());
        }
        self.mismatched.store(true, Ordering::Relaxed);
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
