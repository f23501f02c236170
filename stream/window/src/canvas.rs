//! The pixels of the window while it is drawn.

use stratus_frame::Size;

/// Rows of pixels 0x00RRGGBB without gaps.
#[derive(Debug)]
pub(crate) struct Canvas<'a> {
    pixels: &'a mut [u32],
    size: Size,
}

impl<'a> Canvas<'a> {
    /// `pixels` has those of `size`.
    pub(crate) fn new(pixels: &'a mut [u32], size: Size) -> Self {
        Self { pixels, size }
    }

    pub(crate) const fn size(&self) -> Size {
        self.size
    }

    /// All rows from `y` on.
    pub(crate) fn rows_from(&mut self, y: u32) -> &mut [u32] {
        let start = y as usize * self.size.width as usize;
        self.pixels.get_mut(start..).unwrap_or_default()
    }

    /// The pixels of row `y` from `left` on, at most `width`; none outside.
    fn span(&mut self, left: u32, y: u32, width: u32) -> &mut [u32] {
        let end = left.saturating_add(width).min(self.size.width);
        if y >= self.size.height || left >= end {
            return &mut [];
        }
        let start = y as usize * self.size.width as usize;
        &mut self.pixels[start + left as usize..start + end as usize]
    }

    /// Fills a rectangle; what lies outside is left out.
    pub(crate) fn fill(&mut self, (left, top): (u32, u32), size: Size, color: u32) {
        for y in top..top.saturating_add(size.height).min(self.size.height) {
            self.span(left, y, size.width).fill(color);
        }
    }

    /// Darkens a rectangle to a quarter, so that text on it can be read.
    pub(crate) fn shade(&mut self, (left, top): (u32, u32), size: Size) {
        for y in top..top.saturating_add(size.height).min(self.size.height) {
            for pixel in self.span(left, y, size.width) {
                *pixel = *pixel >> 2 & 0x003f_3f3f;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_is_left_out() {
        let mut pixels = [0xffff_ffff; 12];
        let mut canvas = Canvas::new(&mut pixels, Size::new(4, 3));
        canvas.fill((2, 1), Size::new(9, 9), 1);
        canvas.fill((u32::MAX, 0), Size::new(9, u32::MAX), 2);
        canvas.shade((0, 0), Size::new(1, 2));
        let (w, s) = (0xffff_ffff, 0x3f_3f3f);
        assert_eq!(pixels, [s, w, w, w, s, w, 1, 1, w, w, 1, 1]);
    }
}
