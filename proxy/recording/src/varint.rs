//! Numbers and strings inside records: LEB128, as in DWARF (section 7.6) and WebAssembly.

/// The longest form of a `u64`.
const MAX_LEN: usize = 10;

/// Appends `value`.
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a length and the bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads what the functions above wrote; `None` where the bytes end too early or a number is
/// larger than its type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn u64(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for (index, &byte) in self.0.iter().take(MAX_LEN).enumerate() {
            let bits = u64::from(byte & 0x7f);
            let shifted = bits << (7 * index);
            if shifted >> (7 * index) != bits {
                return None;
            }
            value |= shifted;
            if byte & 0x80 == 0 {
                self.0 = &self.0[index + 1..];
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.u64()?.try_into().ok()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A length and as many bytes.
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.u64()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn numbers_are_as_in_the_dwarf_standard() {
        // DWARF 5, table 7.8, "Examples of unsigned LEB128 encodings".
        for (value, bytes) in [
            (2, &[2][..]),
            (127, &[127]),
            (128, &[0x80, 1]),
            (129, &[0x81, 1]),
            (12857, &[0x80 + 0x39, 100]),
        ] {
            let mut out = Vec::new();
            put(&mut out, value);
            assert_eq!(out, bytes);
            let mut fields = Fields(bytes);
            assert_eq!((fields.u64(), fields.0.len()), (Some(value), 0));
        }
    }

    #[test]
    fn what_is_too_long_or_too_large_is_refused() {
        let mut largest = Vec::new();
        put(&mut largest, u64::MAX);
        assert_eq!(Fields(&largest).u64(), Some(u64::MAX));
        assert_eq!(Fields(&largest).u32(), None);
        assert_eq!(Fields(&[0xff; 9]).u64(), None);
        assert_eq!(Fields(&[0xff; 20]).u64(), None);
        assert_eq!(Fields(&[0x80; 20]).u64(), None);
        let mut over = [0xff; 10];
        over[9] = 2;
        assert_eq!(Fields(&over).u64(), None);
        assert_eq!(Fields(&[5, 1, 2]).bytes(), None);
        assert_eq!(Fields(&largest).bytes(), None);
    }
}
