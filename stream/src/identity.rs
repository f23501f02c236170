//! Secrets and names: the session's token, its certificate, and the machine's tag.

use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use ring::digest::{SHA256, digest};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use stratus_stream_core::link::CertificateHash;
use stratus_stream_core::message::MachineTag;
use stratus_stream_core::token::Token;

/// Browsers accept a certificate by its hash only if it is valid for at most two weeks
/// (WebTransport, "custom certificate requirements"); the hour before now is for clocks that lag.
const VALID: Duration = Duration::from_secs(14 * 24 * 3600);
const CLOCK_SLACK: Duration = Duration::from_secs(3600);

/// A fresh 256-bit token from the system's random source.
///
/// # Errors
/// If the system has no random source.
pub fn random_token() -> Result<Token, ring::error::Unspecified> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(Token::new(bytes))
}

pub(crate) fn random_u64() -> Result<u64, ring::error::Unspecified> {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(u64::from_be_bytes(bytes))
}

/// A self-signed certificate with its key.
pub(crate) struct Certificate {
    pub(crate) der: CertificateDer<'static>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) hash: CertificateHash,
}

/// Makes an ECDSA P-256 certificate, which lives as long as the process at most.
pub(crate) fn certificate() -> Result<Certificate, rcgen::Error> {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(vec![SERVER_NAME.to_owned()])?;
    let now = SystemTime::now();
    params.not_before = (now - CLOCK_SLACK).into();
    params.not_after = (now + VALID - CLOCK_SLACK).into();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Stratus session");
    let der = params.self_signed(&pair)?.der().clone();
    let hash = hash(&der);
    Ok(Certificate { hash, der, key: PrivatePkcs8KeyDer::from(pair.serialize_der()).into() })
}

/// The name in certificate and TLS hello. It says nothing: the hash alone is trusted.
pub(crate) const SERVER_NAME: &str = "stratus";

pub(crate) fn hash(der: &[u8]) -> CertificateHash {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, der).as_ref());
    CertificateHash(out)
}

/// Names the running kernel's CLOCK_MONOTONIC: the boot id, which every container of a machine
/// shares, and this process's time namespace, which can shift the clock (time_namespaces(7)).
/// Keyed with the token, so that it tells strangers nothing. Unknown where /proc does not say.
pub(crate) fn machine_tag(token: &Token) -> MachineTag {
    let Ok(boot) = std::fs::read("/proc/sys/kernel/random/boot_id") else {
        return MachineTag::default();
    };
    // Kernels without time namespaces lack the file and cannot shift the clock.
    let offsets = std::fs::read_to_string("/proc/self/timens_offsets").unwrap_or_default();
    let shift = offsets
        .lines()
        .find(|l| l.starts_with("monotonic") && !l.split_whitespace().skip(1).all(|n| n == "0"));
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes()));
    context.update(b"stratus machine\0");
    context.update(boot.trim_ascii());
    context.update(shift.unwrap_or_default().as_bytes());
    let mut tag = [0; 16];
    tag.copy_from_slice(&context.sign().as_ref()[..16]);
    MachineTag(tag)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tags_differ_by_token_and_tokens_differ() {
        let (a, b) = (random_token().unwrap(), random_token().unwrap());
        assert_ne!(a, b);
        assert!(machine_tag(&a).shares_clock_with(machine_tag(&a)));
        assert!(!machine_tag(&a).shares_clock_with(machine_tag(&b)));
        assert!(!MachineTag::default().shares_clock_with(MachineTag::default()));
    }

    #[test]
    fn certificates_differ() {
        let (a, b) = (certificate().unwrap(), certificate().unwrap());
        assert_ne!(a.hash, b.hash);
        assert_eq!(a.hash, hash(&a.der));
    }
}
