//! Pictures in memory: comparing them, and keeping those that failed a test.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// An RGB picture, three bytes a pixel, rows without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// `width * height * 3` bytes R G B.
    pub rgb: Vec<u8>,
}

/// Why pictures could not be made or compared.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// Fewer bytes than the size asks for.
    #[error("{have} bytes are too few for {}x{} px with rows {stride} bytes apart", size.0, size.1)]
    TooShort {
        /// Bytes there.
        have: usize,
        /// Width and height.
        size: (u32, u32),
        /// Bytes from row to row.
        stride: usize,
    },
    /// Pictures of different sizes have no distance.
    #[error("sizes differ: {}x{} and {}x{} px", .0.0, .0.1, .1.0, .1.1)]
    Sizes((u32, u32), (u32, u32)),
    /// Not a binary PPM file with 8 bits a sample.
    #[error("not a binary 8-bit PPM file")]
    NotPpm,
    /// Reading or writing the file.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Picture {
    /// Takes bytes B G R X (the memory of `xrgb8888`), rows `stride` bytes apart.
    ///
    /// # Errors
    /// [`PictureError::TooShort`].
    pub fn from_bgrx(bgrx: &[u8], stride: usize, size: (u32, u32)) -> Result<Self, PictureError> {
        let row_len = size.0 as usize * 4;
        let needed = (size.1 as usize).saturating_sub(1) * stride + row_len;
        if bgrx.len() < needed || stride < row_len || size.0 == 0 {
            return Err(PictureError::TooShort { have: bgrx.len(), size, stride });
        }
        let rows = bgrx.chunks(stride).take(size.1 as usize);
        let rgb = rows
            .flat_map(|row| row[..row_len].chunks_exact(4))
            .flat_map(|pixel| [pixel[2], pixel[1], pixel[0]])
            .collect();
        Ok(Self { size, rgb })
    }

    /// The pixel in column `x` of row `y`, if it is inside.
    #[must_use]
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 3]> {
        if x >= self.size.0 || y >= self.size.1 {
            return None;
        }
        let at = (y as usize * self.size.0 as usize + x as usize) * 3;
        self.rgb.get(at..at + 3)?.try_into().ok()
    }

    /// The part from (x, y) on with the given width and height.
    ///
    /// # Errors
    /// [`PictureError::Sizes`] if it reaches past the edge.
    pub fn cropped(&self, x: u32, y: u32, size: (u32, u32)) -> Result<Self, PictureError> {
        let fits =
            |from: u32, len: u32, limit: u32| from.checked_add(len).is_some_and(|e| e <= limit);
        if !fits(x, size.0, self.size.0) || !fits(y, size.1, self.size.1) {
            return Err(PictureError::Sizes(self.size, size));
        }
        let stride = self.size.0 as usize * 3;
        let rows = self.rgb.chunks(stride.max(1)).skip(y as usize).take(size.1 as usize);
        let span = x as usize * 3..(x + size.0) as usize * 3;
        Ok(Self { size, rgb: rows.flat_map(|row| &row[span.clone()]).copied().collect() })
    }

    /// Peak signal-to-noise ratio against `other` in dB over all three channels; infinite for
    /// equal pictures. Above 30 dB a compressed picture shows the same thing.
    ///
    /// # Errors
    /// [`PictureError::Sizes`] if the sizes differ.
    pub fn psnr(&self, other: &Self) -> Result<f64, PictureError> {
        if self.size != other.size || self.rgb.len() != other.rgb.len() {
            return Err(PictureError::Sizes(self.size, other.size));
        }
        let squares: u64 =
            self.rgb.iter().zip(&other.rgb).map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2)).sum();
        let mean = squares as f64 / self.rgb.len().max(1) as f64;
        Ok(10.0 * (255.0 * 255.0 / mean).log10())
    }

    /// Number of different colours, counted up to `limit`: 1 means an empty picture.
    #[must_use]
    pub fn colours(&self, limit: usize) -> usize {
        let mut seen = std::collections::HashSet::new();
        for pixel in self.rgb.chunks_exact(3) {
            if seen.insert(pixel) && seen.len() >= limit {
                break;
            }
        }
        seen.len()
    }

    /// Writes a binary PPM (`P6`) file, which every viewer shows.
    ///
    /// # Errors
    /// As the file system says.
    pub fn write_ppm(&self, path: &Path) -> io::Result<()> {
        let mut file = io::BufWriter::new(fs::File::create(path)?);
        write!(file, "P6\n{} {}\n255\n", self.size.0, self.size.1)?;
        file.write_all(&self.rgb)?;
        file.flush()
    }

    /// Reads a binary PPM file, as [`Picture::write_ppm`] and `grim -t ppm` write it.
    ///
    /// # Errors
    /// [`PictureError::NotPpm`] or what the file system says.
    pub fn read_ppm(path: &Path) -> Result<Self, PictureError> {
        Self::parse_ppm(&fs::read(path)?)
    }

    /// Parses the bytes of a binary PPM file.
    ///
    /// # Errors
    /// [`PictureError::NotPpm`].
    pub fn parse_ppm(mut bytes: &[u8]) -> Result<Self, PictureError> {
        let mut fields = [0u32; 3];
        bytes = bytes.strip_prefix(b"P6").ok_or(PictureError::NotPpm)?;
        for field in &mut fields {
            let (number, rest) = ppm_number(bytes).ok_or(PictureError::NotPpm)?;
            (*field, bytes) = (number, rest);
        }
        let [width, height, limit] = fields;
        // One white space ends the header.
        let rgb = bytes.get(1..).ok_or(PictureError::NotPpm)?;
        let wanted = u64::from(width) * u64::from(height) * 3;
        if limit != 255 || rgb.len() as u64 != wanted {
            return Err(PictureError::NotPpm);
        }
        Ok(Self { size: (width, height), rgb: rgb.to_vec() })
    }
}

/// The next decimal number of a PPM header and what follows; comments reach to the line's end.
fn ppm_number(mut bytes: &[u8]) -> Option<(u32, &[u8])> {
    loop {
        bytes = bytes.trim_ascii_start();
        let Some(comment) = bytes.strip_prefix(b"#") else { break };
        let end = comment.iter().position(|&b| b == b'\n')?;
        bytes = &comment[end..];
    }
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    let number = std::str::from_utf8(&bytes[..digits]).ok()?.parse().ok()?;
    Some((number, &bytes[digits..]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn gradient(size: (u32, u32)) -> Picture {
        let pixels = (0..size.1).flat_map(|y| (0..size.0).map(move |x| (x, y)));
        let rgb = pixels.flat_map(|(x, y)| [x as u8, y as u8, (x + y) as u8]).collect();
        Picture { size, rgb }
    }

    #[test]
    fn psnr_follows_its_definition() {
        let a = gradient((100, 80));
        assert_eq!(a.psnr(&a).unwrap(), f64::INFINITY);
        let mut b = a.clone();
        b.rgb.iter_mut().for_each(|v| *v = if *v < 255 { *v + 1 } else { 254 });
        // All samples are off by one: the mean square is 1.
        assert!((a.psnr(&b).unwrap() - 20.0 * 255f64.log10()).abs() < 1e-9);
        assert!(a.psnr(&gradient((80, 100))).is_err());
    }

    #[test]
    fn bgrx_with_gaps_between_rows_becomes_rgb() {
        let bgrx = [1, 2, 3, 9, 4, 5, 6, 9, 0, 0, 7, 8, 9, 9, 10, 11, 12, 9];
        let picture = Picture::from_bgrx(&bgrx, 10, (2, 2)).unwrap();
        assert_eq!(picture.rgb, [3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10]);
        assert_eq!(picture.pixel(1, 1), Some([12, 11, 10]));
        assert_eq!(picture.pixel(2, 0), None);
        assert!(Picture::from_bgrx(&bgrx[..17], 10, (2, 2)).is_err());
        assert!(Picture::from_bgrx(&bgrx, 7, (2, 2)).is_err());
    }

    #[test]
    fn ppm_files_come_back_and_others_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ppm");
        let picture = gradient((33, 7));
        picture.write_ppm(&path).unwrap();
        assert_eq!(Picture::read_ppm(&path).unwrap(), picture);
        let commented = b"P6 # made by hand\n1 1\n# more\n255\nabc";
        assert_eq!(Picture::parse_ppm(commented).unwrap().rgb, b"abc");
        let cut = &fs::read(&path).unwrap()[..100];
        for wrong in [cut, b"", b"P6", b"P5\n1 1\n255\nabc", b"P6\n1 1\n65535\nabc", b"P6\n9 9"] {
            assert!(matches!(Picture::parse_ppm(wrong), Err(PictureError::NotPpm)));
        }
    }

    #[test]
    fn cropping_and_colours() {
        let picture = gradient((20, 10));
        let part = picture.cropped(5, 2, (3, 4)).unwrap();
        assert_eq!(part.pixel(1, 1), picture.pixel(6, 3));
        assert_eq!(part.rgb.len(), 36);
        assert!(picture.cropped(18, 0, (3, 1)).is_err());
        assert!(picture.cropped(u32::MAX, 0, (3, 1)).is_err());
        assert_eq!(part.colours(100), 12);
        assert_eq!(picture.colours(5), 5);
    }
}
