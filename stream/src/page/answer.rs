//! What a request gets: a file of the page, what the session is, or why not.

use std::time::SystemTime;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;

use super::Page;

pub(super) type Body = Full<Bytes>;

/// Where the page learns what the session is.
const SESSION: &str = "/session.json";

/// Headers of every answer: nothing is guessed, told to other sites, framed or shared. The last two
/// give the page clocks of full resolution (HTML, "cross-origin isolation").
const ALWAYS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
];

/// What the page may load: its own files, and a connection to the server's stream.
fn policy(stream: &str) -> String {
    // Addresses in brackets are not in the grammar; there the page's own host has to do.
    let stream = if stream.contains('[') { "" } else { stream };
    format!(
        "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; font-src \
         'self'; img-src 'self' data: blob:; media-src 'self' blob:; manifest-src 'self'; \
         connect-src 'self' {stream}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

impl Page {
    /// The answer to a request.
    pub(super) fn respond<B>(&self, request: &Request<B>) -> Response<Body> {
        let stream = match self.host_for(request) {
            Ok(host) => format!("https://{host}:{}", self.link.port()),
            Err(status) => return plain(status, "this name is not that of the session's machine"),
        };
        let mut response = match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, SESSION) => self.session(&stream),
            (&Method::GET | &Method::HEAD, path) => match stratus_web::file(path) {
                Some(file) => found(&file),
                None => plain(StatusCode::NOT_FOUND, "there is nothing here"),
            },
            _ => {
                let mut refused =
                    plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered");
                refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
                refused
            }
        };
        if let Ok(policy) = HeaderValue::try_from(policy(&stream)) {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }

    /// The answer to a request that came without TLS to where there is only TLS.
    pub(super) fn redirect<B>(&self, request: &Request<B>) -> Response<Body> {
        let Ok(host) = self.host_for(request) else {
            return plain(StatusCode::BAD_REQUEST, "this port is for https");
        };
        let to = format!("https://{host}:{}{}", self.link.port(), request.uri().path());
        let mut response = plain(StatusCode::PERMANENT_REDIRECT, "this port is for https");
        if let Ok(to) = HeaderValue::try_from(to) {
            response.headers_mut().insert(header::LOCATION, to);
        }
        response
    }

    fn session(&self, stream: &str) -> Response<Body> {
        let certificate = self.certificates.newest();
        let expires = certificate.expires.duration_since(SystemTime::UNIX_EPOCH);
        let session = json!({
            "game": self.game,
            "webtransport": format!("{stream}/"),
            "certificate": certificate.pinned.then(|| certificate.hash.to_string()),
            "expires": expires.unwrap_or_default().as_secs(),
            "clipboard": self.clipboard,
        });
        answer(StatusCode::OK, "application/json", "no-store", session.to_string().into())
    }

    /// How the browser calls this machine, or for a loopback address how the link does: another
    /// name for the same may lead a browser to an address that nobody listens on.
    ///
    /// Without TLS a name that is not of this machine is turned away, as a site of that name could
    /// read the answer (DNS rebinding).
    fn host_for<B>(&self, request: &Request<B>) -> Result<String, StatusCode> {
        let header = request.headers().get(header::HOST).and_then(|h| h.to_str().ok());
        let host = header.and_then(host).ok_or(StatusCode::BAD_REQUEST)?;
        let own = self.link.authority();
        let own = own.rsplit_once(':').map_or(own.as_str(), |(host, _)| host);
        if self.tls.is_some() {
            return Ok(host.to_owned());
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_loopback = bare.eq_ignore_ascii_case("localhost")
            || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if is_loopback || host.eq_ignore_ascii_case(own) {
            return Ok(own.to_owned());
        }
        Err(StatusCode::MISDIRECTED_REQUEST)
    }
}

/// The host of a Host header, an IPv6 address in its brackets.
fn host(header: &str) -> Option<&str> {
    let host = match header.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|c| c.is_ascii_digit()) => host,
        _ => header,
    };
    let (inner, allowed): (_, &[u8]) =
        match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
            Some(inner) => (inner, b":."),
            None => (host, b"-._"),
        };
    let fine = |c: u8| c.is_ascii_alphanumeric() || allowed.contains(&c);
    Some(host).filter(|_| !inner.is_empty() && inner.bytes().all(fine))
}

fn found(file: &stratus_web::File) -> Response<Body> {
    let cache = if file.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    answer(StatusCode::OK, file.media_type, cache, Bytes::from_static(file.bytes))
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    answer(status, "text/plain; charset=utf-8", "no-store", Bytes::from_static(text.as_bytes()))
}

fn answer(
    status: StatusCode,
    kind: &'static str,
    cache: &'static str,
    body: Bytes,
) -> Response<Body> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
