//! Frame numbers drawn into the picture, readable after H.264 at a low bitrate.
//!
//! A marker is a grid of 10 by 6 cells of 16 px, each all black or all white and, when it starts
//! at a multiple of 16, one macroblock of its own: a flat block keeps its mean through any
//! quantiser. (An encoder that runs out of bits skips blocks; the marker of an older frame is then
//! what the picture shows.) Twelve cells are a fixed finder pattern from which the reader
//! takes its black and white levels, so limited range, a wrong matrix or a brightness offset do
//! not matter. The other 48 carry the number (32 bits) and a CRC-16 over it.
//!
//! One marker lies in the top left corner. Pictures of at least 320x240 carry a second one at the
//! bottom right: two halves of different frames ([`MarkerError::Torn`]) mean that the client drew
//! into a buffer that was still being read.

/// Width and height of a cell in pixels: a macroblock of H.264.
pub const CELL: u32 = 16;
/// Cells in a row of the marker.
pub const COLUMNS: u32 = 10;
/// Rows of cells.
pub const ROWS: u32 = 6;
/// The smallest picture that can carry a marker, in pixels.
pub const MIN_SIZE: (u32, u32) = (COLUMNS * CELL, ROWS * CELL);

/// Pictures from this size on carry a second marker.
const SECOND_FROM: (u32, u32) = (2 * COLUMNS * CELL, 240);
/// Cells of the finder pattern, in reading order: the first row and the ends of the last.
const FINDER: [bool; 12] =
    [true, false, true, true, false, false, true, false, true, false, false, true];
const FINDER_AT: [u32; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 50, 59];
/// White minus black that must remain, in luma steps, for cells to be told apart.
const MIN_CONTRAST: u32 = 48;
/// Bits of payload: number and checksum.
const PAYLOAD: u32 = 48;

/// Why no number could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkerError {
    /// The picture, or the slice it lies in, is smaller than a marker.
    #[error("the picture of {0}x{1} px is too small for a marker of 160x96 px")]
    TooSmall(u32, u32),
    /// The finder pattern is not there.
    #[error("no marker: its finder pattern is missing (contrast of {contrast} luma steps)")]
    NoFinder {
        /// White minus black, as far as it could be measured.
        contrast: u32,
    },
    /// A cell is neither black nor white.
    #[error("cell {cell} of the marker is neither black nor white (luma {luma})")]
    Unclear {
        /// Its place in reading order.
        cell: u32,
        /// The mean luma of its middle.
        luma: u8,
    },
    /// The number does not match its checksum.
    #[error("the marker reads {number} but its checksum does not match")]
    Checksum {
        /// What was read.
        number: u32,
    },
    /// The two markers carry different numbers: the picture is made of two frames.
    #[error("the picture is torn: {top} at the top, {bottom} at the bottom")]
    Torn {
        /// The number at the top left.
        top: u32,
        /// The number at the bottom right.
        bottom: u32,
    },
}

/// A rectangle that a marker covers: x, y, width, height in pixels.
pub type MarkerRect = (u32, u32, u32, u32);

/// Where the markers of a picture of `size` lie: one or two rectangles, none if it is too small.
pub fn places(size: (u32, u32)) -> impl Iterator<Item = MarkerRect> {
    let (width, height) = MIN_SIZE;
    let fits = size.0 >= width && size.1 >= height;
    let both = size.0 >= SECOND_FROM.0 && size.1 >= SECOND_FROM.1;
    // Rounded down, so that the cells fall on macroblocks here too.
    let aligned = |v: u32| v / CELL * CELL;
    let first = fits.then_some((0, 0, width, height));
    let second = both.then(|| {
        (aligned(size.0) - aligned(width), aligned(size.1) - aligned(height), width, height)
    });
    first.into_iter().chain(second)
}

/// Draws `number` into a picture of bytes B G R X with rows `stride` bytes apart. What lies
/// outside the [`places`] stays as it is. A slice too short for the picture gets what fits.
pub fn draw(bgrx: &mut [u8], stride: usize, size: (u32, u32), number: u32) {
    let word = payload(number);
    for (left, top, _, _) in places(size) {
        for row in 0..ROWS {
            let mut line = [0u8; (COLUMNS * CELL * 4) as usize];
            let cells = line.chunks_exact_mut((CELL * 4) as usize);
            for (column, pixels) in (0..COLUMNS).zip(cells) {
                let value = if cell(row * COLUMNS + column, word) { 0xff } else { 0x00 };
                for pixel in pixels.chunks_exact_mut(4) {
                    pixel.copy_from_slice(&[value, value, value, 0xff]);
                }
            }
            for y in top + row * CELL..top + (row + 1) * CELL {
                let start = y as usize * stride + left as usize * 4;
                if let Some(to) = bgrx.get_mut(start..start + line.len()) {
                    to.copy_from_slice(&line);
                }
            }
        }
    }
}

/// Reads the number out of a luma plane (full or limited range) with rows `stride` bytes apart.
///
/// # Errors
/// [`MarkerError`] if there is no marker, it is damaged, or its two copies differ.
pub fn read(luma: &[u8], stride: usize, size: (u32, u32)) -> Result<u32, MarkerError> {
    let needed = (size.1 as usize).saturating_sub(1) * stride + size.0 as usize;
    let mut markers = places(size);
    let (Some(first), true) = (markers.next(), luma.len() >= needed && stride >= size.0 as usize)
    else {
        return Err(MarkerError::TooSmall(size.0, size.1));
    };
    let top = read_at(luma, stride, first)?;
    let Some(second) = markers.next() else { return Ok(top) };
    let bottom = read_at(luma, stride, second)?;
    if top == bottom { Ok(top) } else { Err(MarkerError::Torn { top, bottom }) }
}

/// Reads the number out of a picture of bytes B G R X.
///
/// # Errors
/// As for [`read`].
pub fn read_bgrx(bgrx: &[u8], stride: usize, size: (u32, u32)) -> Result<u32, MarkerError> {
    // Markers are grey, so any colour channel is their luma.
    let width = size.0 as usize;
    let mut green = Vec::with_capacity(width * size.1 as usize);
    for row in bgrx.chunks(stride.max(1)).take(size.1 as usize) {
        green.extend(row.chunks_exact(4).take(width).map(|pixel| pixel[1]));
    }
    read(&green, width, size)
}

fn read_at(luma: &[u8], stride: usize, place: MarkerRect) -> Result<u32, MarkerError> {
    let mean = |index: u32| mean_of_cell(luma, stride, place, index);
    let level = |white: bool| {
        let cells = FINDER.iter().zip(FINDER_AT).filter(|(w, _)| **w == white);
        let (sum, count) = cells.fold((0, 0), |(s, n), (_, at)| (s + mean(at), n + 1));
        sum / count
    };
    let (black, white) = (level(false), level(true));
    let contrast = white.saturating_sub(black);
    if contrast < MIN_CONTRAST {
        return Err(MarkerError::NoFinder { contrast });
    }
    // The middle eighth between black and white is nobody's.
    let middle = u32::midpoint(black, white);
    let bit = |index: u32| {
        let luma = mean(index);
        (luma.abs_diff(middle) > contrast / 16).then_some(luma > middle).ok_or(
            // A mean of bytes is a byte.
            MarkerError::Unclear { cell: index, luma: luma as u8 },
        )
    };
    for (&expected, at) in FINDER.iter().zip(FINDER_AT) {
        if bit(at) != Ok(expected) {
            return Err(MarkerError::NoFinder { contrast });
        }
    }
    let mut word = 0;
    for index in (0..COLUMNS * ROWS).filter(|index| !FINDER_AT.contains(index)) {
        word = word << 1 | u64::from(bit(index)?);
    }
    let number = (word >> 16) as u32;
    if payload(number) == word { Ok(number) } else { Err(MarkerError::Checksum { number }) }
}

/// The mean of the middle quarter of a cell: its edges take the blur of scalers and deblocking.
fn mean_of_cell(luma: &[u8], stride: usize, place: MarkerRect, index: u32) -> u32 {
    let left = place.0 + index % COLUMNS * CELL + CELL / 4;
    let top = place.1 + index / COLUMNS * CELL + CELL / 4;
    let side = CELL / 2;
    let sum: u32 = (top..top + side)
        .flat_map(|y| {
            let start = y as usize * stride + left as usize;
            &luma[start..start + side as usize]
        })
        .map(|&v| u32::from(v))
        .sum();
    sum / (side * side)
}

/// Whether cell `index` is white in the marker of `word`.
fn cell(index: u32, word: u64) -> bool {
    if let Some(at) = FINDER_AT.iter().position(|&at| at == index) {
        return FINDER[at];
    }
    let finders_before = FINDER_AT.iter().filter(|&&at| at < index).count() as u32;
    word >> (PAYLOAD - 1 - (index - finders_before)) & 1 == 1
}

/// The number and behind it its CRC-16/CCITT. An initial value other than 0 keeps an all-black
/// payload from being valid.
fn payload(number: u32) -> u64 {
    let crc = number.to_be_bytes().iter().fold(0xffff_u16, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
        })
    });
    u64::from(number) << 16 | u64::from(crc)
}

#[cfg(test)]
#[path = "marker_tests.rs"]
mod tests;
