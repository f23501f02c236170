//! Markers under every damage that a codec does, and without any.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const SIZES: [(u32, u32); 7] =
    [(160, 120), (161, 121), (320, 240), (333, 247), (640, 480), (1280, 720), (1366, 769)];
const NUMBERS: [u32; 8] = [0, 1, 2, 0xffff_ffff, 0xaaaa_aaaa, 0x5555_5555, 599, 0x8000_0001];

/// A small deterministic generator (xorshift), so that a failure can be repeated.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number in `-spread..=spread`.
    fn offset(&mut self, spread: i32) -> i32 {
        (self.next() % (2 * spread as u64 + 1)) as i32 - spread
    }
}

/// The luma plane of a picture that is all noise beside the marker.
fn luma_with(size: (u32, u32), number: u32, noise: &mut Noise) -> Vec<u8> {
    let stride = size.0 as usize * 4;
    let mut picture: Vec<u8> = (0..stride * size.1 as usize).map(|_| noise.next() as u8).collect();
    draw(&mut picture, stride, size, number);
    picture.chunks_exact(4).map(|pixel| pixel[1]).collect()
}

fn damaged(luma: &[u8], mut damage: impl FnMut(i32) -> i32) -> Vec<u8> {
    luma.iter().map(|&v| damage(i32::from(v)).clamp(0, 255) as u8).collect()
}

#[test]
fn numbers_survive_every_damage_at_every_size() {
    let mut noise = Noise(0x1234_5678_9abc_def1);
    for size in SIZES {
        for number in NUMBERS {
            let clean = luma_with(size, number, &mut noise);
            let stride = size.0 as usize;
            let check = |what: &str, luma: &[u8]| {
                assert_eq!(read(luma, stride, size), Ok(number), "{what} at {size:?}");
            };
            check("clean", &clean);
            check("limited range", &damaged(&clean, |v| 16 + v * 219 / 255));
            check("brighter", &damaged(&clean, |v| v + 9));
            check("darker", &damaged(&clean, |v| v - 9));
            check("low contrast", &damaged(&clean, |v| 96 + v / 4));
            check("coarse quantiser", &damaged(&clean, |v| (v + 40) / 80 * 80));
            check("noise", &damaged(&clean, |v| v + noise.offset(100)));
            check(
                "all at once",
                &damaged(&clean, |v| (16 + v * 219 / 255 + 7 + noise.offset(60)) / 24 * 24),
            );
        }
    }
}

#[test]
fn blur_and_ringing_at_cell_edges_do_not_matter() {
    let size = (640, 480);
    let luma = luma_with(size, 0xdead_beef, &mut Noise(77));
    let mut blurred = luma.clone();
    let width = size.0 as usize;
    for y in 3..size.1 as usize - 3 {
        for x in 3..width - 3 {
            let sum: u32 = (y - 3..=y + 3)
                .flat_map(|y| &luma[y * width + x - 3..=y * width + x + 3])
                .map(|&v| u32::from(v))
                .sum();
            blurred[y * width + x] = (sum / 49) as u8;
        }
    }
    assert_eq!(read(&blurred, width, size), Ok(0xdead_beef));
}

#[test]
fn a_wider_stride_is_honoured_in_both_directions() {
    let size = (320, 240);
    let stride = 2048;
    let mut picture = vec![7u8; stride * 240];
    draw(&mut picture, stride, size, 4711);
    assert!(picture.chunks(stride).all(|row| row[320 * 4..].iter().all(|&v| v == 7)));
    assert_eq!(read_bgrx(&picture, stride, size), Ok(4711));
}

#[test]
fn pictures_without_a_marker_are_refused() {
    let size = (640, 480);
    let mut noise = Noise(3);
    for round in 0..50 {
        let luma: Vec<u8> = (0..640 * 480).map(|_| noise.next() as u8).collect();
        assert!(matches!(read(&luma, 640, size), Err(MarkerError::NoFinder { .. })), "{round}");
    }
    for flat in [0, 16, 128, 235, 255] {
        let luma = vec![flat; 640 * 480];
        assert_eq!(read(&luma, 640, size), Err(MarkerError::NoFinder { contrast: 0 }));
    }
}

#[test]
fn random_cells_behind_a_true_finder_fail_their_checksum() {
    let size = (160, 120);
    let mut noise = Noise(9);
    let base = luma_with(size, 0, &mut noise);
    let mut wrong = 0;
    for _ in 0..2000 {
        let mut luma = base.clone();
        for index in (0..COLUMNS * ROWS).filter(|i| !FINDER_AT.contains(i)) {
            let value = if noise.next() >> 40 & 1 == 1 { 255 } else { 0 };
            for y in index / COLUMNS * CELL..(index / COLUMNS + 1) * CELL {
                let start = (y * 160 + index % COLUMNS * CELL) as usize;
                luma[start..start + CELL as usize].fill(value);
            }
        }
        match read(&luma, 160, size) {
            Ok(_) => wrong += 1,
            Err(error) => assert!(matches!(error, MarkerError::Checksum { .. }), "{error}"),
        }
    }
    // One in 65,536 is expected to pass a 16-bit checksum.
    assert!(wrong <= 2, "{wrong} of 2000 random payloads were accepted");
}

#[test]
fn every_single_wrong_cell_is_noticed() {
    let size = (160, 120);
    let clean = luma_with(size, 123_456, &mut Noise(5));
    for index in 0..COLUMNS * ROWS {
        let mut luma = clean.clone();
        for y in index / COLUMNS * CELL..(index / COLUMNS + 1) * CELL {
            let start = (y * 160 + index % COLUMNS * CELL) as usize;
            for v in &mut luma[start..start + CELL as usize] {
                *v = 255 - *v;
            }
        }
        assert!(read(&luma, 160, size).is_err(), "cell {index}");
    }
    let mut grey = clean;
    let (row, column) = (3, 5);
    for y in row * CELL..(row + 1) * CELL {
        let start = (y * 160 + column * CELL) as usize;
        grey[start..start + CELL as usize].fill(127);
    }
    assert_eq!(read(&grey, 160, size), Err(MarkerError::Unclear { cell: 35, luma: 127 }));
}

#[test]
fn two_halves_of_different_frames_are_torn() {
    let size = (640, 480);
    let mut noise = Noise(11);
    let mut luma = luma_with(size, 7, &mut noise);
    let newer = luma_with(size, 8, &mut noise);
    luma[640 * 240..].copy_from_slice(&newer[640 * 240..]);
    assert_eq!(read(&luma, 640, size), Err(MarkerError::Torn { top: 7, bottom: 8 }));
}

#[test]
fn short_slices_and_small_sizes_are_errors() {
    assert_eq!(read(&[0; 100], 159, (159, 120)), Err(MarkerError::TooSmall(159, 120)));
    assert_eq!(read(&[0; 100], 640, (640, 480)), Err(MarkerError::TooSmall(640, 480)));
    assert_eq!(read(&[0; 640 * 480], 100, (640, 480)), Err(MarkerError::TooSmall(640, 480)));
    draw(&mut [0; 64], 640 * 4, (640, 480), 1);
    assert_eq!(read_bgrx(&[], 0, (640, 480)), Err(MarkerError::TooSmall(640, 480)));
}
