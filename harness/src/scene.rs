//! A moving picture that gives an encoder real work, drawn at little cost.
//!
//! Textured bands scroll sideways at different whole-pixel speeds, with the frame's number in
//! front as a [`crate::marker`]. Every row is one copy out of a texture that was made once, so a
//! 720p frame costs about as much as copying it. The same number and size always give the same
//! pixels.

use crate::marker;

/// Columns after which the texture repeats.
const PERIOD: usize = 256;
/// Rows of the texture.
const TEXTURE_ROWS: usize = 64;
/// Pixels per frame by which the bands move, in turn from the top.
const SPEEDS: [i64; 6] = [3, -2, 5, -7, 1, -4];

/// What moves beside the marker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Motion {
    /// The whole picture.
    #[default]
    All,
    /// Nothing: two frames differ in their markers alone.
    MarkerOnly,
    /// Nothing at all, the marker included: all frames are the same and damage nothing.
    Nothing,
}

/// Draws the frames of one size.
#[derive(Debug)]
pub struct Scene {
    size: (u32, u32),
    motion: Motion,
    texture: Vec<u8>,
    texture_stride: usize,
}

impl Scene {
    /// A scene for pictures of `size` pixels.
    #[must_use]
    pub fn new(size: (u32, u32), motion: Motion) -> Self {
        let texture_stride = (size.0 as usize + PERIOD) * 4;
        let mut texture = Vec::with_capacity(texture_stride * TEXTURE_ROWS);
        for y in 0..TEXTURE_ROWS {
            let row: Vec<u8> = (0..PERIOD).flat_map(|x| texel(x, y)).collect();
            texture.extend(row.iter().cycle().take(texture_stride));
        }
        Self { size, motion, texture, texture_stride }
    }

    /// The size of the pictures in pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Draws frame `number` into bytes B G R X with rows `stride` bytes apart; bytes between the
    /// rows stay as they are.
    pub fn draw(&self, bgrx: &mut [u8], stride: usize, number: u32) {
        let row_len = self.size.0 as usize * 4;
        let time = if self.motion == Motion::All { i64::from(number) } else { 0 };
        for (y, row) in bgrx.chunks_mut(stride.max(1)).take(self.size.1 as usize).enumerate() {
            let Some(row) = row.get_mut(..row_len) else { continue };
            let speed = SPEEDS[y / TEXTURE_ROWS % SPEEDS.len()];
            let shift = (time * speed).rem_euclid(PERIOD as i64) as usize * 4;
            let start = y % TEXTURE_ROWS * self.texture_stride + shift;
            row.copy_from_slice(&self.texture[start..start + row_len]);
        }
        marker::draw(bgrx, stride, self.size, number);
    }

    /// The same where another frame of this scene was drawn: what differs, as [`Scene::damage`] says.
    pub fn redraw(&self, bgrx: &mut [u8], stride: usize, number: u32) {
        if self.motion == Motion::All {
            self.draw(bgrx, stride, number);
        } else {
            marker::draw(bgrx, stride, self.size, number);
        }
    }

    /// The rectangles (x, y, width, height in pixels) in which two frames of this scene differ.
    #[must_use]
    pub fn damage(&self) -> Vec<marker::MarkerRect> {
        match self.motion {
            Motion::All => vec![(0, 0, self.size.0, self.size.1)],
            Motion::MarkerOnly => marker::places(self.size).collect(),
            Motion::Nothing => Vec::new(),
        }
    }
}

/// A texture with slopes, edges and some grain, but no more detail than a game has.
fn texel(x: usize, y: usize) -> [u8; 4] {
    let slope = (x.abs_diff(PERIOD / 2) + y) as u8;
    let tile = if (x / 32 + y / 32).is_multiple_of(2) { 64 } else { 0 };
    let grain = ((x / 2).wrapping_mul(0x9e37) ^ (y / 2).wrapping_mul(0x79b9)) as u8 & 0x0f;
    let (x, y) = (x as u8, y as u8);
    [slope.saturating_add(tile), (y << 1).saturating_add(grain), x ^ (y & 0x38), 0xff]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn picture(scene: &Scene, number: u32) -> Vec<u8> {
        let (width, height) = scene.size();
        let mut pixels = vec![0; width as usize * 4 * height as usize];
        scene.draw(&mut pixels, width as usize * 4, number);
        pixels
    }

    fn differing_outside(
        a: &[u8],
        b: &[u8],
        scene: &Scene,
        damage: &[marker::MarkerRect],
    ) -> usize {
        let width = scene.size().0;
        let inside =
            |x, y| damage.iter().any(|&(l, t, w, h)| x >= l && x < l + w && y >= t && y < t + h);
        let pixels = a.chunks_exact(4).zip(b.chunks_exact(4)).enumerate();
        pixels.filter(|(i, (a, b))| a != b && !inside(*i as u32 % width, *i as u32 / width)).count()
    }

    #[test]
    fn frames_carry_their_numbers_and_repeat_exactly() {
        for size in [(160, 120), (500, 333), (1280, 720)] {
            let scene = Scene::new(size, Motion::All);
            for number in [0, 1, 59, 100_000] {
                let pixels = picture(&scene, number);
                let stride = size.0 as usize * 4;
                assert_eq!(marker::read_bgrx(&pixels, stride, size), Ok(number));
                assert_eq!(pixels, picture(&Scene::new(size, Motion::All), number));
            }
        }
    }

    #[test]
    fn much_of_the_picture_moves_or_only_the_markers_do() {
        let moving = Scene::new((640, 480), Motion::All);
        let (a, b) = (picture(&moving, 10), picture(&moving, 11));
        assert!(differing_outside(&a, &b, &moving, &[]) > 640 * 480 / 2);
        let still = Scene::new((640, 480), Motion::MarkerOnly);
        let (a, b) = (picture(&still, 10), picture(&still, 11));
        assert!(differing_outside(&a, &b, &still, &[]) > 0);
        assert_eq!(differing_outside(&a, &b, &still, &still.damage()), 0);
        for scene in [moving, still] {
            let mut redrawn = picture(&scene, 10);
            scene.redraw(&mut redrawn, 640 * 4, 11);
            assert_eq!(redrawn, picture(&scene, 11));
        }
    }
}
