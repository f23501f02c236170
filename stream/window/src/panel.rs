//! What is written over the picture: the overlay of figures in its corner, and what there is to
//! say of the session in its middle.

use stratus_frame::Size;

use crate::canvas::Canvas;
use crate::text::{LINE, draw, width, wrap};

const WHITE: u32 = 0x00ff_ffff;
const GREY: u32 = 0x00b8_c0cc;
const ACCENT: u32 = 0x0066_c2ff;

/// What the window has to say of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// A few words.
    pub title: String,
    /// What happened, and what to do.
    pub text: String,
}

/// The factor of text that `columns` characters and `lines` fit with: twice the screen's scale,
/// or what a small window leaves.
fn factor(size: Size, scale: f64, columns: u32, lines: u32) -> u32 {
    // Screens have scales of 1 to 4 or so; the cast is exact but for rounding.
    let wanted = (scale * 2.0).round().clamp(1.0, 16.0) as u32;
    let fits = (size.width / width(columns + 4, 1)).min(size.height / (LINE * (lines + 2)));
    wanted.min(fits).max(1)
}

/// Draws lines in the top left corner. A line whose first character is no space is a heading.
pub(crate) fn overlay(canvas: &mut Canvas<'_>, lines: &[String], scale: f64) {
    let columns = lines.iter().map(|l| l.chars().count()).max().unwrap_or(0);
    let (columns, count) = (count(columns), count(lines.len()));
    let factor = factor(canvas.size(), scale, columns, count);
    let (margin, line) = (4 * factor, LINE * factor);
    let area = Size::new(width(columns, factor) + 2 * margin, line * count + 2 * margin);
    canvas.shade((0, 0), area);
    for (i, text) in (0u32..).zip(lines) {
        let color = if text.starts_with(' ') { WHITE } else { ACCENT };
        draw(canvas, (margin, margin + i * line), text, factor, color);
    }
}

/// Draws a notice in the middle, over a darkened picture.
pub(crate) fn notice(canvas: &mut Canvas<'_>, notice: &Notice, scale: f64) {
    const COLUMNS: u32 = 52;
    let size = canvas.size();
    canvas.shade((0, 0), size);
    let columns = COLUMNS.min(size.width / width(1, 1)).max(1);
    let lines = wrap(&notice.text, columns as usize);
    // The title is half as large again, rounded up, and has a line's room below it.
    let factor = factor(size, scale, columns, count(lines.len()) + 4);
    let large = factor + factor.div_ceil(2);
    let height = LINE * large + LINE * factor * (count(lines.len()) + 1);
    let middle = |text: &str, factor: u32| {
        size.width.saturating_sub(width(count(text.chars().count()), factor)) / 2
    };
    let mut top = size.height.saturating_sub(height) / 2;
    draw(canvas, (middle(&notice.title, large), top), &notice.title, large, WHITE);
    top += LINE * large + LINE * factor / 2;
    for line in &lines {
        draw(canvas, (middle(line, factor), top), line, factor, GREY);
        top += LINE * factor;
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX).min(10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_twice_the_scale_unless_the_window_is_small() {
        let large = Size::new(1920, 1080);
        assert_eq!(factor(large, 1.0, 40, 20), 2);
        assert_eq!(factor(large, 1.5, 40, 20), 3);
        assert_eq!(factor(large, 2.0, 40, 20), 4);
        assert_eq!(factor(Size::new(320, 240), 1.0, 40, 18), 1);
        assert_eq!(factor(Size::new(1, 1), 1.0, 40, 18), 1);
    }

    #[test]
    fn panels_fit_windows_of_any_size() {
        let lines = vec!["Latency".to_owned(), "  total 5.0 ms".to_owned()];
        let said = Notice { title: "Ended".into(), text: "the game ended by itself".into() };
        for size in [(1, 1), (7, 300), (300, 7), (1280, 720)] {
            let size = Size::new(size.0, size.1);
            let mut pixels = vec![0x00ff_ffff; size.width as usize * size.height as usize];
            let mut canvas = Canvas::new(&mut pixels, size);
            overlay(&mut canvas, &lines, 1.0);
            notice(&mut canvas, &said, 2.0);
            let dark = pixels.iter().filter(|p| **p <= 0x003f_3f3f).count();
            // A single pixel may be one of a letter's.
            assert!(dark * 2 > pixels.len() || pixels.len() == 1, "{size}");
        }
    }
}
