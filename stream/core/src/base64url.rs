//! Base64 with the URL alphabet and without padding (RFC 4648 section 5), for 32 bytes.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Characters that 32 bytes take: ten groups of four and three more for the last two bytes.
pub(crate) const ENCODED_LEN: usize = 43;

pub(crate) fn encode(bytes: &[u8; 32]) -> String {
    let mut out = String::with_capacity(ENCODED_LEN);
    for group in bytes.chunks(3) {
        let word =
            group.iter().fold(0u32, |w, &b| w << 8 | u32::from(b)) << (8 * (3 - group.len()));
        for i in 0..=group.len() {
            out.push(char::from(ALPHABET[(word >> (18 - 6 * i)) as usize & 63]));
        }
    }
    out
}

/// The bytes, or `None` for another length, another alphabet, or stray bits at the end, which
/// would let two texts mean the same.
pub(crate) fn decode(text: &str) -> Option<[u8; 32]> {
    if text.len() != ENCODED_LEN {
        return None;
    }
    let mut out = [0; 32];
    let mut bits = 0u32;
    let mut held = 0;
    let mut at = 0;
    for c in text.bytes() {
        let digit = ALPHABET.iter().position(|&a| a == c)? as u32;
        bits = (bits << 6 | digit) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            *out.get_mut(at)? = (bits >> held) as u8;
            at += 1;
        }
    }
    (at == out.len() && bits & ((1 << held) - 1) == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn known_text() {
        // From the RFC's own table: 0xfb 0xff 0xbf is "-_-_".
        let mut bytes = [0; 32];
        bytes[..3].copy_from_slice(&[0xfb, 0xff, 0xbf]);
        bytes[30..].copy_from_slice(&[0xff, 0xff]);
        let text = encode(&bytes);
        assert_eq!(text, format!("-_-_{}__8", "A".repeat(36)));
        assert_eq!(decode(&text), Some(bytes));
        assert_eq!(decode(&text.replace("__8", "__9")), None, "stray bits");
        assert_eq!(decode(&text.replace('-', "+")), None);
        assert_eq!(decode(&text[1..]), None);
    }
}
