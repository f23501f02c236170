//! Pictures as three planes of samples, and the way back from them to RGB.
//!
//! Colour is BT.709 in limited range throughout (ITU-R BT.709-6 item 3, H.264 table E-5): luma
//! 16 to 235, chroma 16 to 240 around 128, one chroma sample for two by two pixels.

use stratus_frame::Size;

/// One plane of 8-bit samples: `size.height` rows of `size.width` samples, `stride` bytes apart.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    /// The rows; ends with the last sample of the last one.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Samples in a row, and rows.
    pub size: Size,
}

impl<'a> Plane<'a> {
    /// Row `y`, which must be below `size.height`.
    #[must_use]
    pub fn row(&self, y: u32) -> &'a [u8] {
        let start = y as usize * self.stride;
        &self.data[start..start + self.size.width as usize]
    }
}

/// An I420 picture, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Planes<'a> {
    /// Brightness, one sample a pixel.
    pub luma: Plane<'a>,
    /// Cb and Cr, one sample each for two by two pixels.
    pub chroma: [Plane<'a>; 2],
}

impl Planes<'_> {
    /// Width and height in pixels, those of the luma plane.
    #[must_use]
    pub fn size(&self) -> Size {
        self.luma.size
    }

    /// The top left `visible` pixels as rows of R, G, B bytes without gaps.
    ///
    /// Chroma is repeated, not interpolated: for screenshots and tests, not for playing.
    #[must_use]
    pub fn to_rgb(&self, visible: Size) -> Vec<u8> {
        let width = visible.width.min(self.size().width);
        let height = visible.height.min(self.size().height);
        let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
        for y in 0..height {
            let luma = self.luma.row(y);
            let [cb, cr] = self.chroma.map(|c| c.row(y / 2));
            for x in 0..width as usize {
                rgb.extend_from_slice(&rgb_of(luma[x], cb[x / 2], cr[x / 2]));
            }
        }
        rgb
    }

    /// The top left `visible` pixels as a binary PPM file (`P6`, 8 bits).
    #[must_use]
    pub fn to_ppm(&self, visible: Size) -> Vec<u8> {
        let width = visible.width.min(self.size().width);
        let height = visible.height.min(self.size().height);
        let mut ppm = format!("P6\n{width} {height}\n255\n").into_bytes();
        ppm.append(&mut self.to_rgb(visible));
        ppm
    }
}

/// BT.709 limited range back to R'G'B' in full range: Kr = 0.2126, Kb = 0.0722.
fn rgb_of(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    const KR: f32 = 0.2126;
    const KB: f32 = 0.0722;
    const KG: f32 = 1.0 - KR - KB;
    let y = (f32::from(y) - 16.0) / 219.0;
    let cb = (f32::from(cb) - 128.0) / 224.0;
    let cr = (f32::from(cr) - 128.0) / 224.0;
    let r = y + 2.0 * (1.0 - KR) * cr;
    let b = y + 2.0 * (1.0 - KB) * cb;
    let g = (y - KR * r - KB * b) / KG;
    // The clamp makes the cast exact but for rounding.
    [r, g, b].map(|c| (c * 255.0).round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corners_of_the_colour_cube_come_back() {
        // Codes from BT.709 limited range, worked out by hand.
        assert_eq!(rgb_of(16, 128, 128), [0, 0, 0]);
        assert_eq!(rgb_of(235, 128, 128), [255, 255, 255]);
        let near = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 2);
        assert!(near(rgb_of(63, 102, 240), [255, 0, 0]));
        assert!(near(rgb_of(173, 42, 26), [0, 255, 0]));
        assert!(near(rgb_of(32, 240, 118), [0, 0, 255]));
    }

    #[test]
    fn ppm_holds_the_visible_part_only() {
        let luma = [16, 235, 16, 16];
        let chroma = [128];
        let planes = Planes {
            luma: Plane { data: &luma, stride: 2, size: Size::new(2, 2) },
            chroma: [Plane { data: &chroma, stride: 1, size: Size::new(1, 1) }; 2],
        };
        assert_eq!(planes.to_ppm(Size::new(2, 1)), b"P6\n2 1\n255\n\0\0\0\xff\xff\xff");
        assert_eq!(planes.to_rgb(Size::new(1, 1)), [0, 0, 0]);
    }
}
