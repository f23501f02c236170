//! Text by a small font of our own: ASCII, drawn in `font.txt`, magnified by whole factors.

use std::sync::OnceLock;

use stratus_frame::Size;

use crate::canvas::Canvas;

/// Pixels from one character to the next, at factor 1: five and a gap.
pub(crate) const ADVANCE: u32 = 6;
/// Rows of a character: seven above the line it stands on and two below.
const ROWS: usize = 9;
/// Pixels from one line to the next.
pub(crate) const LINE: u32 = 12;
/// Characters drawn side by side in the file.
const SIDE_BY_SIDE: usize = 16;
const FIRST: char = ' ';
const COUNT: usize = 95;

/// A row is five bits, the left pixel in the highest of them.
type Glyph = [u8; ROWS];

fn glyphs() -> &'static [Glyph; COUNT] {
    static GLYPHS: OnceLock<[Glyph; COUNT]> = OnceLock::new();
    GLYPHS.get_or_init(|| parse(include_str!("font.txt")))
}

fn parse(drawn: &str) -> [Glyph; COUNT] {
    let mut glyphs = [[0; ROWS]; COUNT];
    for (block, lines) in drawn.split("\n\n").enumerate() {
        for (row, line) in lines.lines().enumerate().take(ROWS) {
            for (i, pixels) in line.split(' ').enumerate() {
                let bits = pixels.bytes().fold(0, |bits, b| bits << 1 | u8::from(b == b'#'));
                if let Some(glyph) = glyphs.get_mut(block * SIDE_BY_SIDE + i) {
                    glyph[row] = bits;
                }
            }
        }
    }
    glyphs
}

fn glyph(character: char) -> &'static Glyph {
    let index = |c: char| (c as usize).checked_sub(FIRST as usize).filter(|i| *i < COUNT);
    &glyphs()[index(character).or_else(|| index('?')).unwrap_or(0)]
}

/// Width of a line of `characters`, in pixels.
pub(crate) const fn width(characters: u32, factor: u32) -> u32 {
    characters * ADVANCE * factor
}

/// Draws a line whose top left corner is at `at`. What the font lacks looks like a question mark.
pub(crate) fn draw(canvas: &mut Canvas<'_>, at: (u32, u32), text: &str, factor: u32, color: u32) {
    let mut left = at.0;
    for character in text.chars() {
        for (row, bits) in (0u32..).zip(glyph(character)) {
            for column in (0u32..5).filter(|c| bits >> (4 - c) & 1 == 1) {
                let pixel = (left + column * factor, at.1 + row * factor);
                canvas.fill(pixel, Size::new(factor, factor), color);
            }
        }
        left = left.saturating_add(ADVANCE * factor);
    }
}

/// Breaks text into lines of at most `width` characters, between words where it can.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let mut rest = word;
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            // A word longer than a line is cut.
            while let Some((at, _)) = rest.char_indices().nth(width.max(1)) {
                lines.push(rest[..at].to_owned());
                rest = &rest[at..];
            }
            line.push_str(rest);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_drawn_and_different() {
        let glyphs = glyphs();
        assert_eq!(glyphs[0], [0; ROWS]);
        for (i, glyph) in glyphs.iter().enumerate().skip(1) {
            assert_ne!(*glyph, [0; ROWS], "{:?}", (b' ' + i as u8) as char);
            for (k, other) in glyphs.iter().enumerate().skip(i + 1) {
                let name = |i: usize| (b' ' + i as u8) as char;
                assert_ne!(glyph, other, "{:?} and {:?}", name(i), name(k));
            }
        }
        assert_eq!(glyph('T'), &[0b11111, 4, 4, 4, 4, 4, 4, 0, 0]);
        assert_eq!(glyph('\u{e9}'), glyph('?'));
    }

    #[test]
    fn pixels_are_as_large_as_the_factor() {
        let mut pixels = vec![0; 12 * 20];
        let mut canvas = Canvas::new(&mut pixels, Size::new(12, 20));
        draw(&mut canvas, (0, 0), "L", 2, 7);
        let lit = |x: usize, y: usize| pixels[y * 12 + x] == 7;
        assert!(lit(0, 0) && lit(1, 1) && lit(0, 13) && lit(9, 13) && !lit(2, 0) && !lit(10, 13));
        assert_eq!(pixels.iter().filter(|p| **p == 7).count(), (6 + 5) * 4);
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("the game ended\nby itself", 9), ["the game", "ended", "by itself"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 3), Vec::<String>::new());
    }
}
