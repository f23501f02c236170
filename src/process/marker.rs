//! The mark by which a session's processes are known.

use std::fmt;

/// The environment variable that every process of a session carries.
pub const SESSION_VARIABLE: &str = "STRATUS_SESSION";

/// The identity of one session.
#[derive(Clone, PartialEq, Eq)]
pub struct Marker {
    entry: Vec<u8>,
}

impl Marker {
    /// The marker of the session `id`, which must be unique on this machine.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self { entry: format!("{SESSION_VARIABLE}={id}").into_bytes() }
    }

    /// The value of [`SESSION_VARIABLE`].
    #[must_use]
    pub fn id(&self) -> &str {
        let value = &self.entry[SESSION_VARIABLE.len() + 1..];
        // It was made from a `&str` and an ASCII prefix.
        std::str::from_utf8(value).unwrap_or_default()
    }

    /// Whether an environment, as `/proc/PID/environ` shows it, carries this marker.
    #[must_use]
    pub fn is_in(&self, environ: &[u8]) -> bool {
        environ.split(|&b| b == 0).any(|entry| entry == self.entry)
    }
}

impl fmt::Debug for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_entry_counts() {
        let marker = Marker::new("a-1");
        assert_eq!(marker.id(), "a-1");
        assert!(marker.is_in(b"HOME=/\0STRATUS_SESSION=a-1\0"));
        assert!(!marker.is_in(b"STRATUS_SESSION=a-12\0"));
        assert!(!marker.is_in(b"XSTRATUS_SESSION=a-1\0"));
        assert!(!marker.is_in(b""));
    }
}
