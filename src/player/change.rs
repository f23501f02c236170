//! Whether what a stream shows changes, told apart from the noise of its coding.

use stratus_encode::Plane;

const COLUMNS: usize = 32;
const ROWS: usize = 18;

/// The difference of a block's mean luma, of 255, from which on a picture counts as different.
/// Coding the same picture again moves a mean by less than one.
const VISIBLE: f32 = 2.0;

/// Counts the pictures that look different from the one counted before.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    last: Option<Vec<f32>>,
    count: u64,
}

impl Changes {
    /// Looks at a picture's luma.
    pub(crate) fn look(&mut self, luma: &Plane<'_>) {
        let means = means(luma);
        let different = match &self.last {
            None => true,
            Some(last) => {
                last.len() != means.len()
                    || last.iter().zip(&means).any(|(a, b)| (a - b).abs() >= VISIBLE)
            }
        };
        if different {
            self.count += 1;
            self.last = Some(means);
        }
    }

    /// How many were different.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

/// The mean of each block of a grid over the picture; blocks without pixels give 0.
fn means(luma: &Plane<'_>) -> Vec<f32> {
    let (width, height) = (luma.size.width as usize, luma.size.height as usize);
    let mut sums = vec![0u64; COLUMNS * ROWS];
    let mut counts = vec![0u64; COLUMNS * ROWS];
    for y in 0..height {
        let row = luma.row(u32::try_from(y).unwrap_or(u32::MAX));
        let at = y * ROWS / height * COLUMNS;
        for column in 0..COLUMNS {
            let block = &row[column * width / COLUMNS..(column + 1) * width / COLUMNS];
            // A row of a block is at most 16384 / 32 samples: the sum fits 32 bits and is fast.
            sums[at + column] += u64::from(block.iter().map(|&s| u32::from(s)).sum::<u32>());
            counts[at + column] += block.len() as u64;
        }
    }
    sums.iter().zip(&counts).map(|(&s, &n)| s as f32 / n.max(1) as f32).collect()
}

#[cfg(test)]
mod tests {
    use stratus_frame::Size;

    use super::*;

    const SIZE: Size = Size::new(64, 36);

    fn look(changes: &mut Changes, data: &[u8]) -> u64 {
        changes.look(&Plane { data, stride: SIZE.width as usize, size: SIZE });
        changes.count()
    }

    #[test]
    fn noise_is_no_change_and_a_small_block_is() {
        let mut changes = Changes::default();
        let still = vec![100; 64 * 36];
        assert_eq!(look(&mut changes, &still), 1);
        let noise: Vec<u8> = (0..64 * 36).map(|i| 99 + (i % 3) as u8).collect();
        assert_eq!(look(&mut changes, &noise), 1);
        let mut moved = still.clone();
        moved[0] = 120;
        assert_eq!(look(&mut changes, &moved), 2);
        assert_eq!(look(&mut changes, &moved), 2);
        assert_eq!(look(&mut changes, &still), 3);
    }

    #[test]
    fn tiny_pictures_have_blocks_without_pixels() {
        let mut changes = Changes::default();
        let size = Size::new(2, 2);
        for value in [10, 20] {
            changes.look(&Plane { data: &[value; 4], stride: 2, size });
        }
        assert_eq!(changes.count(), 2);
    }
}
