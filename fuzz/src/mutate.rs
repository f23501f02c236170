//! Seeded changes of inputs, for the tests that run without libFuzzer.

/// A small pseudo-random generator (xorshift64*): the same seed gives the same inputs for ever.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// One that starts at `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next_u64() >> 16) as usize % n
    }
}

/// The longest input that a mutation makes.
const MAX_LEN: usize = 1024;

/// An input that resembles those of `corpus`, or anything at all if there is none.
pub fn mutated(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = match corpus.len() {
        0 => Vec::new(),
        n => corpus[random.below(n)].clone(),
    };
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len() + 1);
        match random.below(7) {
            0 | 1 if at < bytes.len() => bytes[at] = random.next_u64() as u8,
            2 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            3 if at < bytes.len() => {
                let end = (at + 1 + random.below(16)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 if !corpus.is_empty() => {
                let other = &corpus[random.below(corpus.len())];
                let from = random.below(other.len() + 1);
                let len = random.below(48).min(other.len() - from);
                bytes.splice(at..at, other[from..from + len].iter().copied());
            }
            5 => {
                let len = 1 + random.below(8);
                bytes.splice(at..at, (0..len).map(|_| random.next_u64() as u8));
            }
            _ => {
                let from = random.below(bytes.len() + 1);
                let len = random.below(32).min(bytes.len() - from);
                let part = bytes[from..from + len].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
    bytes.truncate(MAX_LEN);
    bytes
}
