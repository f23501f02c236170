//! Where the picture lies in the window, and which of its pixels a point of the window is.

use stratus_frame::Size;

/// How large the picture is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// As large as fits, all of it and in its proportions.
    #[default]
    Fit,
    /// The largest whole multiple of its size that fits, so that all pixels are alike; where it
    /// does not fit at all, as [`Scale::Fit`].
    Integer,
}

/// The place of a picture in a window; black bars lie around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letterbox {
    /// The picture's own size.
    pub picture: Size,
    /// Pixels of the window left of it.
    pub left: u32,
    /// Pixels of the window above it.
    pub top: u32,
    /// Its size in pixels of the window.
    pub shown: Size,
}

impl Letterbox {
    /// Places a picture in the middle of a window. Both have at least one pixel.
    #[must_use]
    pub fn new(window: Size, picture: Size, scale: Scale) -> Self {
        let shown = shown(window, picture, scale);
        Self {
            picture,
            left: (window.width - shown.width) / 2,
            top: (window.height - shown.height) / 2,
            shown,
        }
    }

    /// The picture's pixel at a point of the window, in pixels of the window; the nearest one for
    /// a point in the bars.
    #[must_use]
    pub fn to_picture(&self, x: f64, y: f64) -> (u32, u32) {
        let part = |at: f64, start: u32, shown: u32, own: u32| {
            let pixel = (at - f64::from(start)) * f64::from(own) / f64::from(shown);
            // The clamp makes the cast exact but for rounding, and takes what is no number to 0.
            pixel.floor().clamp(0.0, f64::from(own - 1)) as u32
        };
        (
            part(x, self.left, self.shown.width, self.picture.width),
            part(y, self.top, self.shown.height, self.picture.height),
        )
    }

    /// Pixels of the window to a pixel of the picture.
    #[must_use]
    pub fn factor(&self) -> f64 {
        f64::from(self.shown.width) / f64::from(self.picture.width)
    }
}

fn shown(window: Size, picture: Size, scale: Scale) -> Size {
    let whole = (window.width / picture.width).min(window.height / picture.height);
    if scale == Scale::Integer && whole > 0 {
        return Size::new(picture.width * whole, picture.height * whole);
    }
    let wide = u64::from(window.width) * u64::from(picture.height);
    let high = u64::from(window.height) * u64::from(picture.width);
    // Rounded to the nearest; what is limited by the other side never exceeds the window.
    let scaled = |a: u32, of: u32, to: u32| {
        let exact = (u64::from(a) * u64::from(to) * 2 + u64::from(of)) / (u64::from(of) * 2);
        u32::try_from(exact).unwrap_or(u32::MAX).max(1)
    };
    if wide <= high {
        Size::new(
            window.width,
            scaled(picture.height, picture.width, window.width).min(window.height),
        )
    } else {
        Size::new(
            scaled(picture.width, picture.height, window.height).min(window.width),
            window.height,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(window: (u32, u32), picture: (u32, u32), scale: Scale) -> (u32, u32, u32, u32) {
        let size = |(w, h)| Size::new(w, h);
        let b = Letterbox::new(size(window), size(picture), scale);
        (b.left, b.top, b.shown.width, b.shown.height)
    }

    #[test]
    fn bars_lie_where_the_proportions_differ() {
        assert_eq!(place((1280, 720), (1280, 720), Scale::Fit), (0, 0, 1280, 720));
        assert_eq!(place((1600, 720), (1280, 720), Scale::Fit), (160, 0, 1280, 720));
        assert_eq!(place((1280, 800), (640, 360), Scale::Fit), (0, 40, 1280, 720));
        assert_eq!(place((640, 480), (1920, 1080), Scale::Fit), (0, 60, 640, 360));
        assert_eq!(place((1, 1), (16384, 2), Scale::Fit), (0, 0, 1, 1));
        assert_eq!(place((16384, 16384), (3, 2), Scale::Fit), (0, 2730, 16384, 10923));
    }

    #[test]
    fn whole_multiples_are_used_where_one_fits() {
        assert_eq!(place((1000, 700), (320, 200), Scale::Integer), (20, 50, 960, 600));
        assert_eq!(place((320, 200), (320, 200), Scale::Integer), (0, 0, 320, 200));
        assert_eq!(place((300, 200), (320, 160), Scale::Integer), (0, 25, 300, 150));
    }

    #[test]
    fn points_become_pixels_and_bars_their_neighbours() {
        let b = Letterbox::new(Size::new(1600, 720), Size::new(640, 360), Scale::Fit);
        assert_eq!(b.factor(), 2.0);
        for (at, pixel) in [
            ((160.0, 0.0), (0, 0)),
            ((161.9, 1.9), (0, 0)),
            ((162.0, 2.0), (1, 1)),
            ((1439.9, 719.9), (639, 359)),
            ((0.0, 300.0), (0, 150)),
            ((1600.0, 900.0), (639, 359)),
            ((-5.0, -5.0), (0, 0)),
            ((f64::NAN, 10.0), (0, 5)),
        ] {
            assert_eq!(b.to_picture(at.0, at.1), pixel, "{at:?}");
        }
    }
}
