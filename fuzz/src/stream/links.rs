//! Links, as people paste them.

use stratus_stream_core::link::{CertificateHash, Link, Scheme};
use stratus_stream_core::token::Token;

use crate::input::Input;

const HOSTS: [&str; 8] =
    ["localhost", "127.0.0.1", "[::1]", "[fe80::1%eth0]", "a-b.example", "::1", "", "ho/st"];

/// A good link, or one that was damaged, or any text.
pub(super) fn run(input: &mut Input<'_>) {
    let choice = input.byte();
    if choice == 255 {
        check(&String::from_utf8_lossy(input.rest()));
        return;
    }
    let host = HOSTS[usize::from(choice & 7)];
    let (port, byte) = (input.word() as u16, input.byte());
    let made = Link::new(
        host.trim_matches(['[', ']']),
        port,
        Token::new([byte; 32]),
        CertificateHash([!byte; 32]),
    );
    // Of the hosts, one is nothing and one is no name; a bare IPv6 address is fine here.
    assert_eq!(made.is_ok(), port != 0 && !host.is_empty() && !host.contains('/'));
    let Ok(link) = made else { return };
    let scheme = [Scheme::Stratus, Scheme::Http, Scheme::Https, Scheme::Http];
    let link = link.with_scheme(scheme[usize::from(choice >> 5 & 3)]);
    let text = link.to_string();
    assert_eq!(text.parse::<Link>().as_ref(), Ok(&link), "what was printed is read");
    let mut damaged = text.into_bytes();
    for _ in 0..choice >> 3 & 3 {
        let at = input.below(damaged.len());
        match input.byte() {
            0..=99 => damaged[at] = input.byte() & 0x7f,
            100..=149 => drop(damaged.remove(at)),
            _ => damaged.insert(at, *input.pick(b"+-0 /#.:[]%@\0a")),
        }
    }
    check(&String::from_utf8_lossy(&damaged));
    let other = link.clone().with_token(Token::new([1; 32]));
    let other = other.with_certificate(CertificateHash([2; 32]));
    assert_eq!(other.authority(), link.authority());
}

/// Whatever is read as a link says what was written, and its log says no secret.
fn check(text: &str) {
    let link = match text.parse::<Link>() {
        Ok(link) => link,
        Err(error) => {
            assert!(!error.to_string().contains(text) || text.len() < 43);
            return;
        }
    };
    assert!(link.port() > 0);
    let canonical = link.to_string();
    let (place, secret) = text.trim().split_once('#').expect("a fragment");
    let (canonical_place, canonical_secret) = canonical.split_once('#').expect("a fragment");
    assert_eq!(secret, canonical_secret);
    // A port may have zeros in front or be left to the scheme, and the slash may be missing.
    let place = place.strip_suffix('/').unwrap_or(place);
    let (scheme, authority) = place.split_once("://").expect("a scheme");
    let usual = if scheme == "https" { "443" } else { "80" };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.trim_start_matches('0')),
        _ => (authority, usual),
    };
    assert_eq!(format!("{scheme}://{host}:{port}/"), canonical_place);
    for log in [link.redacted(), format!("{link:?}")] {
        assert!(!log.contains(secret) && log.contains(&link.authority()));
    }
    assert_eq!(format!("{:?}", link.token()).len(), "Token(…)".len());
}
