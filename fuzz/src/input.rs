//! A fuzzer's bytes, read as choices.

/// Reads choices off a fuzzer's bytes. Behind the last byte every choice is the first one.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    /// All of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether no byte is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        first
    }

    /// A number below `n`, which is not 0. Takes one byte up to 256 and two above.
    pub fn below(&mut self, n: usize) -> usize {
        let wide = if n > 256 { usize::from(self.byte()) << 8 } else { 0 };
        (wide | usize::from(self.byte())) % n
    }

    /// One of `all`, which is not empty.
    pub fn pick<'b, T>(&mut self, all: &'b [T]) -> &'b T {
        &all[self.below(all.len())]
    }

    /// Four bytes.
    pub fn word(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// A number of the kind that peers send: small mostly, now and then at an edge.
    pub fn number(&mut self) -> u32 {
        match self.byte() {
            n @ 0..=199 => u32::from(n),
            200..=219 => u32::from(self.byte()) << 8 | u32::from(self.byte()),
            220..=229 => self.word(),
            230..=234 => u32::MAX,
            235..=239 => i32::MAX as u32,
            240..=244 => i32::MIN as u32,
            245..=249 => u32::MAX - 3,
            n => u32::from(n).wrapping_neg(),
        }
    }

    /// The next `n` bytes, or those that are left.
    pub fn bytes(&mut self, n: usize) -> &'a [u8] {
        let (head, rest) = self.rest.split_at(n.min(self.rest.len()));
        self.rest = rest;
        head
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }
}
