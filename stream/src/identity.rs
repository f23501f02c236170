//! Secrets and names: the session's tokens, and the machine's tag.

use std::os::unix::fs::MetadataExt;

use ring::digest::{SHA256, digest};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use stratus_stream_core::link::CertificateHash;
use stratus_stream_core::message::{ClientId, MachineTag};
use stratus_stream_core::token::Token;

/// Which start of the machine's kernel this is; the same in all of its containers.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// A fresh 256-bit token from the system's random source.
///
/// # Errors
/// If the system has no random source.
pub fn random_token() -> Result<Token, ring::error::Unspecified> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(Token::new(bytes))
}

/// Names this machine and user as a client of the token's session: whoever starts a player here
/// anew is the same client, even if the one before was killed. Unknown where /proc does not say.
pub(crate) fn own_client(token: &Token) -> ClientId {
    let Ok(boot) = std::fs::read(BOOT_ID) else { return ClientId::default() };
    let Ok(me) = std::fs::metadata("/proc/self") else { return ClientId::default() };
    let mut context = keyed(token);
    context.update(b"stratus client\0");
    context.update(boot.trim_ascii());
    context.update(&me.uid().to_be_bytes());
    ClientId(first_half(context))
}

pub(crate) fn random_u64() -> Result<u64, ring::error::Unspecified> {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(u64::from_be_bytes(bytes))
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
    let Ok(boot) = std::fs::read(BOOT_ID) else { return MachineTag::default() };
    // Kernels without time namespaces lack the file and cannot shift the clock.
    let offsets = std::fs::read_to_string("/proc/self/timens_offsets").unwrap_or_default();
    let shift = offsets
        .lines()
        .find(|l| l.starts_with("monotonic") && !l.split_whitespace().skip(1).all(|n| n == "0"));
    let mut context = keyed(token);
    context.update(b"stratus machine\0");
    context.update(boot.trim_ascii());
    context.update(shift.unwrap_or_default().as_bytes());
    MachineTag(first_half(context))
}

fn keyed(token: &Token) -> hmac::Context {
    hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes()))
}

fn first_half(context: hmac::Context) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&context.sign().as_ref()[..16]);
    half
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tags_differ_by_token_and_tokens_differ() {
        let (a, b) = (random_token().unwrap(), random_token().unwrap());
        assert_ne!(a, b);
        assert!(own_client(&a).is_same_as(own_client(&a)));
        assert!(!own_client(&a).is_same_as(own_client(&b)), "tokens tell nothing of each other");
        assert!(machine_tag(&a).shares_clock_with(machine_tag(&a)));
        assert!(!machine_tag(&a).shares_clock_with(machine_tag(&b)));
        assert!(!MachineTag::default().shares_clock_with(MachineTag::default()));
    }
}
