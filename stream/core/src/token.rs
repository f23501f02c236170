//! The secrets that let clients in.

use std::fmt;

use subtle::ConstantTimeEq;

use crate::message::Role;

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

/// What lets into a session, and as what.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Lets the player in.
    pub player: Token,
    /// Lets viewers in, where there may be any.
    pub viewers: Option<Token>,
}

impl Tokens {
    /// What whoever shows `token` may be. Compares all, so that the time tells nothing of which.
    #[must_use]
    pub fn role(&self, token: &Token) -> Option<Role> {
        let player = self.player == *token;
        let viewer = self.viewers.as_ref().is_some_and(|t| t == token);
        match (player, viewer) {
            (true, _) => Some(Role::Player),
            (false, true) => Some(Role::Viewer),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_has_its_role() {
        let (player, viewer) = (Token::new([1; 32]), Token::new([2; 32]));
        let tokens = Tokens { player: player.clone(), viewers: Some(viewer.clone()) };
        assert_eq!(tokens.role(&player), Some(Role::Player));
        assert_eq!(tokens.role(&viewer), Some(Role::Viewer));
        assert_eq!(tokens.role(&Token::new([3; 32])), None);
        let alone = Tokens { player, viewers: None };
        assert_eq!(alone.role(&viewer), None);
    }

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
