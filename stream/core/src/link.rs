//! The one line that a player needs: `http://HOST:PORT/#TOKEN.CERTIFICATE`.
//!
//! A browser opens it as a page, and `stratus play` takes host, port and secrets out of it. Token and certificate hash stand in the fragment, which browsers never send anywhere
//! (RFC 3986 section 3.5).

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use thiserror::Error;

use crate::base64url;
use crate::token::Token;

/// How the page of a session is had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Without TLS, which browsers trust on the loopback addresses alone.
    Http,
    /// Over TLS.
    Https,
    /// Not at all: the link is for native players only.
    Stratus,
}

impl Scheme {
    const ALL: [Self; 3] = [Self::Http, Self::Https, Self::Stratus];

    /// What stands in front of the host.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Http => "http://",
            Self::Https => "https://",
            Self::Stratus => "stratus://",
        }
    }

    /// The port that browsers leave out (RFC 9110 section 4.2).
    const fn default_port(self) -> Option<u16> {
        match self {
            Self::Http => Some(80),
            Self::Https => Some(443),
            Self::Stratus => None,
        }
    }
}

/// SHA-256 of a certificate in DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CertificateHash(pub [u8; 32]);

/// In base64url without padding (RFC 4648 section 5), as links have it.
impl fmt::Display for CertificateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(&self.0))
    }
}

/// Where a session is, how to know its server, and the secret that lets in.
///
/// `Display` gives the whole link, secret included: for the player only. `Debug` and
/// [`Link::redacted`] are for logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    scheme: Scheme,
    host: String,
    port: u16,
    token: Token,
    certificate: CertificateHash,
}

/// Why a link cannot be used. No text of the link is repeated, because it may hold a secret.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum LinkError {
    /// It is no link of ours.
    #[error(
        "a link begins with http://, https:// or stratus://; copy it whole, as `stratus run` printed it"
    )]
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
    /// A link to `host` (a name or an address, IPv6 without brackets) at `port`, for native players
    /// until [`Link::with_scheme`] says more.
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
        Ok(Self { scheme: Scheme::Stratus, host: host.to_owned(), port, token, certificate })
    }

    /// How the session's page is had.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host: a name or an address, IPv6 without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port: UDP for the stream, TCP for the page.
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

    /// The same, but with its page had in another way.
    #[must_use]
    pub fn with_scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
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
        format!("{}{}/#…", self.scheme.prefix(), self.authority())
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
            "{}{}/#{}.{}",
            self.scheme.prefix(),
            self.authority(),
            base64url::encode(self.token.as_bytes()),
            self.certificate
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
        let text = text.trim();
        let (scheme, rest) = Scheme::ALL
            .into_iter()
            .find_map(|scheme| Some((scheme, text.strip_prefix(scheme.prefix())?)))
            .ok_or(LinkError::Scheme)?;
        let (place, secret) = rest.split_once('#').ok_or(LinkError::NoSecret)?;
        let place = place.strip_suffix('/').unwrap_or(place);
        // A colon within brackets belongs to the address.
        let split = place.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
        let (host, port) = match split {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        };
        let host = match host.strip_prefix('[') {
            Some(inner) => inner.strip_suffix(']').filter(|h| is_ipv6(h)),
            None => Some(host).filter(|h| is_name(h)),
        }
        .ok_or(LinkError::Host)?;
        let port = match port {
            // Digits only (RFC 3986 section 3.2.3); `parse` takes a sign as well.
            Some(port) if port.bytes().all(|c| c.is_ascii_digit()) => port.parse().ok(),
            Some(_) => None,
            None => scheme.default_port(),
        }
        .ok_or(LinkError::Port)?;
        let (token, certificate) = secret.split_once('.').ok_or(LinkError::Secret)?;
        let token = base64url::decode(token).ok_or(LinkError::Secret)?;
        let certificate = base64url::decode(certificate).ok_or(LinkError::Secret)?;
        let link = Self::new(host, port, Token::new(token), CertificateHash(certificate))?;
        Ok(link.with_scheme(scheme))
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
            for scheme in Scheme::ALL {
                let link = link(host).with_scheme(scheme);
                assert_eq!(link.to_string().parse(), Ok(link.clone()), "{host}");
                assert_eq!(format!(" {link}\n").parse(), Ok(link));
            }
        }
        let text = link("::1").to_string();
        assert!(text.starts_with("stratus://[::1]:8080/#AQEB"), "{text}");
    }

    #[test]
    fn ports_that_browsers_leave_out_are_known() {
        for (host, shown) in [("play.example", "play.example"), ("::1", "[::1]")] {
            let secret = link(host).to_string().split_once('#').unwrap().1.to_owned();
            let port = |text: String| text.parse::<Link>().map(|l| (l.host().to_owned(), l.port()));
            assert_eq!(port(format!("https://{shown}/#{secret}")), Ok((host.to_owned(), 443)));
            assert_eq!(port(format!("http://{shown}#{secret}")), Ok((host.to_owned(), 80)));
            assert_eq!(port(format!("stratus://{shown}/#{secret}")), Err(LinkError::Port));
        }
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
        assert_eq!(parse("ftp://host:1/#a.b"), Err(LinkError::Scheme));
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
