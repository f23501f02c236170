//! The browser player's files, embedded in the binary.
//!
//! They are built from `player/` by `npm run build` and kept in `dist/`, so that building the binary
//! needs no node; `./scripts/test` builds them anew and compares.

/// A file of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// What it is, for the Content-Type header.
    pub media_type: &'static str,
    /// Its contents.
    pub bytes: &'static [u8],
    /// Whether a file of this name never changes, so that browsers need not ask again.
    pub immutable: bool,
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The file at `path`, which begins with a slash; the page itself is at `/`.
#[must_use]
pub fn file(path: &str) -> Option<File> {
    let (media_type, bytes): (_, &[u8]) = match path {
        "/" => (HTML, include_bytes!("../dist/index.html")),
        "/page.js" => (SCRIPT, include_bytes!("../dist/page.js")),
        "/worker.js" => (SCRIPT, include_bytes!("../dist/worker.js")),
        "/worklet.js" => (SCRIPT, include_bytes!("../dist/worklet.js")),
        "/style.css" => ("text/css; charset=utf-8", include_bytes!("../dist/style.css")),
        "/icon.svg" => ("image/svg+xml", include_bytes!("../dist/icon.svg")),
        _ => return None,
    };
    // Names stay when contents change: with another version of the server comes another page.
    Some(File { media_type, bytes, immutable: false })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]

    use super::*;

    #[test]
    fn the_page_is_there_and_nothing_else_is() {
        assert!(file("/").is_some_and(|f| f.bytes.starts_with(b"<!doctype html>")));
        assert_eq!(file(""), None);
        assert_eq!(file("/../Cargo.toml"), None);
    }

    #[test]
    fn everything_that_the_page_names_is_there_and_nothing_is_elsewhere() {
        let page = file("/").expect("the page");
        let page = std::str::from_utf8(page.bytes).expect("UTF-8");
        let mut named = 0;
        for attribute in page.split(['"', '\'']).filter(|s| s.contains('.') && !s.contains(' ')) {
            assert!(!attribute.contains("//"), "{attribute} is on another host");
            assert!(file(&format!("/{attribute}")).is_some(), "{attribute} is missing");
            named += 1;
        }
        assert!(named >= 3, "script, style and icon are named");
        let script = file("/page.js").expect("the script");
        let script = std::str::from_utf8(script.bytes).expect("UTF-8");
        for name in ["worker.js", "worklet.js"] {
            assert!(script.contains(name) && file(&format!("/{name}")).is_some(), "{name}");
        }
    }
}
