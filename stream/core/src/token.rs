//! The secret that lets a player in.

use std::fmt;

use subtle::ConstantTimeEq;

/// 256 random bits. Comparing takes the same time wherever the first difference is, and `Debug`
/// shows nothing, so a token can lie in any type that is logged.
#[derive(Clone)]
pub struct Token([u8; 32]);

impl Token {
    /// A token of these bytes, which must come from a cryptographic random source.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret itself, for the wire and the link.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_every_byte_and_shows_none() {
        let token = Token::new([0xa5; 32]);
        for at in 0..32 {
            let mut bytes = [0xa5; 32];
            bytes[at] ^= 1;
            assert_ne!(token, Token::new(bytes), "byte {at}");
        }
        assert_eq!(token, token.clone());
        assert_eq!(format!("{token:?}"), "Token(…)");
    }
}
