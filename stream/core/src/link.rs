//! The one line that a player needs: `stratus://HOST:PORT/#TOKEN.CERTIFICATE`.
//!
//! Token and certificate hash stand in the fragment, which browsers never send anywhere
//! (RFC 3986 section 3.5).

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use thiserror::Error;

use crate::base64url;
use crate::token::Token;

const SCHEME: &str = "stratus://";

/// SHA-256 of a certificate in DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CertificateHash(pub [u8; 32]);

/// Where a session is, how to know its server, and the secret that lets in.
///
/// `Display` gives the whole link, secret included: for the player only. `Debug` and
/// [`Link::redacted`] are for logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    host: String,
    port: u16,
    token: Token,
    certificate: CertificateHash,
}

/// Why a link cannot be used. No text of the link is repeated, because it may hold a secret.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum LinkError {
    /// It is no link of ours.
    #[error("a link begins with {SCHEME}; copy it whole, as `stratus run` printed it")]
    Scheme,
    /// The host is missing or not a name or an address.
    #[error("the link's host is not a name, an IPv4 address or an IPv6 address in brackets")]
    Host,
    /// The port is missing or not in 1..=65535.
    #[error("the link's port is missing or not in 1..=65535")]
    Port,
    /// There is no fragment.
    #[error("the link ends before its `#`: copy it whole, in quotes in a shell")]
    NoSecret,
    /// The fragment is cut or altered.
    #[error("the part of the link after `#` is damaged: copy it whole")]
    Secret,
}

impl Link {
    /// A link to `host` (a name or an address, IPv6 without brackets) at `port`.
    ///
    /// # Errors
    /// [`LinkError::Host`] or [`LinkError::Port`].
    pub fn new(
        host: &str,
        port: u16,
        token: Token,
        certificate: CertificateHash,
    ) -> Result<Self, LinkError> {
        if !is_ipv6(host) && !is_name(host) {
            return Err(LinkError::Host);
        }
        if port == 0 {
            return Err(LinkError::Port);
        }
        Ok(Self { host: host.to_owned(), port, token, certificate })
    }

    /// The host: a name or an address, IPv6 without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The UDP port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The secret.
    #[must_use]
    pub const fn token(&self) -> &Token {
        &self.token
    }

    /// The hash of the only certificate to accept.
    #[must_use]
    pub const fn certificate(&self) -> CertificateHash {
        self.certificate
    }

    /// The same with another secret.
    #[must_use]
    pub fn with_token(mut self, token: Token) -> Self {
        self.token = token;
        self
    }

    /// The same with another certificate.
    #[must_use]
    pub fn with_certificate(mut self, certificate: CertificateHash) -> Self {
        self.certificate = certificate;
        self
    }

    /// Host and port as `HOST:PORT`, IPv6 in brackets.
    #[must_use]
    pub fn authority(&self) -> String {
        if is_ipv6(&self.host) {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The link without its secret, for logs.
    #[must_use]
    pub fn redacted(&self) -> String {
        format!("{SCHEME}{}/#…", self.authority())
    }
}

fn is_ipv6(host: &str) -> bool {
    // A zone (fe80::1%eth0) belongs to an interface of this machine; RFC 6874 allows it in a URI.
    let (address, zone) = host.split_once('%').unwrap_or((host, "0"));
    address.parse::<Ipv6Addr>().is_ok()
        && !zone.is_empty()
        && zone.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c))
}

fn is_name(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 253
        && host.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._".contains(&c))
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{SCHEME}{}/#{}.{}",
            self.authority(),
            base64url::encode(self.token.as_bytes()),
            base64url::encode(&self.certificate.0)
        )
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({})", self.redacted())
    }
}

impl FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let rest = text.trim().strip_prefix(SCHEME).ok_or(LinkError::Scheme)?;
        let (place, secret) = rest.split_once('#').ok_or(LinkError::NoSecret)?;
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, port) = place.rsplit_once(':').ok_or(LinkError::Port)?;
        let host = match host.strip_prefix('[') {
            Some(inner) => inner.strip_suffix(']').filter(|h| is_ipv6(h)),
            None => Some(host).filter(|h| is_name(h)),
        }
        .ok_or(LinkError::Host)?;
        // A port has digits only (RFC 3986 section 3.2.3); `parse` takes a sign as well.
        let digits = Some(port).filter(|p| p.bytes().all(|c| c.is_ascii_digit()));
        let port = digits.and_then(|p| p.parse().ok()).ok_or(LinkError::Port)?;
        let (token, certificate) = secret.split_once('.').ok_or(LinkError::Secret)?;
        let token = base64url::decode(token).ok_or(LinkError::Secret)?;
        let certificate = base64url::decode(certificate).ok_or(LinkError::Secret)?;
        Self::new(host, port, Token::new(token), CertificateHash(certificate))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn link(host: &str) -> Link {
        Link::new(host, 8080, Token::new([1; 32]), CertificateHash([2; 32])).unwrap()
    }

    #[test]
    fn survives_the_way_through_text() {
        for host in ["localhost", "127.0.0.1", "::1", "fe80::1%eth0", "a-b.example"] {
            let link = link(host);
            assert_eq!(link.to_string().parse(), Ok(link.clone()), "{host}");
            assert_eq!(format!(" {link}\n").parse(), Ok(link));
        }
        let text = link("::1").to_string();
        assert!(text.starts_with("stratus://[::1]:8080/#AQEB"), "{text}");
    }

    #[test]
    fn logs_show_no_secret() {
        let link = link("::1");
        assert_eq!(link.redacted(), "stratus://[::1]:8080/#…");
        assert_eq!(format!("{link:?}"), "Link(stratus://[::1]:8080/#…)");
    }

    #[test]
    fn each_damage_has_its_error() {
        let whole = link("host").to_string();
        let parse = |text: &str| text.parse::<Link>().map(|_| ());
        assert_eq!(parse("http://host:1/#a.b"), Err(LinkError::Scheme));
        assert_eq!(parse(&whole.replace("host", "")), Err(LinkError::Host));
        assert_eq!(parse(&whole.replace("host", "ho/st")), Err(LinkError::Host));
        assert_eq!(parse(&whole.replace("host", "::1")), Err(LinkError::Host));
        assert_eq!(parse(&whole.replace("host", "[::g]")), Err(LinkError::Host));
        assert_eq!(parse(&whole.replace(":8080", "")), Err(LinkError::Port));
        assert_eq!(parse(&whole.replace("8080", "0")), Err(LinkError::Port));
        assert_eq!(parse(&whole.replace("8080", "65536")), Err(LinkError::Port));
        assert_eq!(parse(&whole.replace("8080", "+8080")), Err(LinkError::Port));
        assert_eq!(parse("stratus://host:8080/"), Err(LinkError::NoSecret));
        assert_eq!(parse(&whole[..whole.len() - 1]), Err(LinkError::Secret));
        assert_eq!(parse(&whole.replace("AQEB", "AQ B")), Err(LinkError::Secret));
    }
}
