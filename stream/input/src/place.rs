//! Where on the compositor's output a point of the player's picture lies.

use std::time::Duration;

use stratus_frame::input::PicturePoint;
use stratus_frame::{MonoTime, Size};

use crate::action::Action;

/// For so long after a change of the output's mode, a picture of another size is an old one.
const SETTLING: Duration = Duration::from_millis(500);

/// What is known of the output.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Output {
    size: Option<Size>,
    changed: MonoTime,
}

impl Output {
    /// Its mode is this from now on.
    pub(crate) fn set(&mut self, size: Size, now: MonoTime) {
        match self.size {
            // What it had before is not known, and no picture is older than the session.
            None => self.size = Some(size),
            Some(old) if old != size => *self = Self { size: Some(size), changed: now },
            Some(_) => {}
        }
    }

    /// Where the pointer goes.
    ///
    /// The picture is the whole output. One of another size is of a mode that the output had
    /// until a moment ago, so that it is stretched; or it is that of a window which keeps a size
    /// of its own, and compositors show that in the middle, or from the top left corner where it
    /// is too large.
    pub(crate) fn place(&self, point: PicturePoint, now: MonoTime) -> Action {
        let PicturePoint { x, y, size } = point;
        let stretched = Action::MoveTo { x, y, width: size.width, height: size.height };
        let Some(output) = self.size else { return stretched };
        let settling = self.changed.is_set() && now.since(self.changed) < SETTLING;
        if output == size || settling {
            return stretched;
        }
        // In halves of a pixel: the rest of the output may be odd.
        let halves = |at: u32, side: u32, whole: u32| {
            (at * 2 + whole.saturating_sub(side)).min(whole.saturating_mul(2))
        };
        Action::MoveTo {
            x: halves(x, size.width, output.width),
            y: halves(y, size.height, output.height),
            width: output.width.saturating_mul(2),
            height: output.height.saturating_mul(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_lie_where_the_compositor_shows_them() {
        let (start, late) = (MonoTime::from_nanos(1), MonoTime::from_nanos(2_000_000_000));
        let point = |x, y, width, height| PicturePoint { x, y, size: Size::new(width, height) };
        let to = |x, y, width, height| Action::MoveTo { x, y, width, height };
        let mut output = Output::default();
        assert_eq!(output.place(point(1, 2, 4, 4), late), to(1, 2, 4, 4), "nothing is known");
        output.set(Size::new(800, 600), start);
        assert_eq!(output.place(point(1, 2, 4, 4), start), to(2 + 796, 4 + 596, 1600, 1200));
        output.set(Size::new(1280, 720), start);
        let whole = point(640, 360, 1280, 720);
        assert_eq!(output.place(whole, late), to(640, 360, 1280, 720));
        let small = point(10, 20, 640, 401);
        assert_eq!(output.place(small, start), to(10, 20, 640, 401), "an old picture");
        // The window's corner is at 320, 159.5.
        assert_eq!(output.place(small, late), to(660, 359, 2560, 1440));
        let large = point(100, 1000, 1920, 1080);
        assert_eq!(output.place(large, late), to(200, 1440, 2560, 1440), "clipped at the edge");
        output.set(Size::new(640, 401), late);
        assert_eq!(output.place(whole, late), to(640, 360, 1280, 720), "an old picture again");
    }
}
