//! What is pressed, and when: moments that no tick of a compositor can fall into step with, the
//! same for the same seed.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// Milliseconds from one key to the next.
const BETWEEN: RangeInclusive<u64> = 80..=150;
/// Milliseconds from the first frame to the first key.
const FIRST: u64 = 500;
/// Milliseconds that the last key has to be answered.
const LAST: u64 = 500;

/// For `stratus play --input`.
pub(super) struct Script {
    pub(super) text: String,
    /// From the first frame until the last key is answered.
    pub(super) seconds: f64,
}

impl Script {
    pub(super) fn new(keys: u32, seed: u64) -> Self {
        let mut at = FIRST;
        let mut state = seed;
        let mut text = String::new();
        for _ in 0..keys {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{at}ms key KEY_A tap");
            at += BETWEEN.start() + random(&mut state) % (BETWEEN.end() - BETWEEN.start() + 1);
        }
        Self { text, seconds: (at + LAST) as f64 / 1e3 }
    }
}

/// SplitMix64 (Steele, Lea and Flood: Fast splittable pseudorandom number generators, 2014).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn keys_are_irregular_and_the_same_for_a_seed() {
        let script = Script::new(100, 1);
        let time = |line: &str| line.split_once("ms").unwrap().0.parse::<u64>().unwrap();
        let times: Vec<u64> = script.text.lines().map(time).collect();
        assert_eq!((times.len(), times[0]), (100, FIRST));
        let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| BETWEEN.contains(gap)), "{gaps:?}");
        let kinds: std::collections::BTreeSet<_> = gaps.iter().collect();
        assert!(kinds.len() > 30, "{kinds:?}");
        assert_eq!(script.text, Script::new(100, 1).text);
        assert_ne!(script.text, Script::new(100, 2).text);
        assert!(script.seconds > *times.last().unwrap() as f64 / 1e3);
    }

    #[test]
    fn the_generator_is_the_published_one() {
        // The first of seed 0, as other implementations have it.
        assert_eq!(random(&mut 0), 0xe220_a839_7b1d_cdaf);
    }
}
