//! Sizes and rectangles in buffer pixels.

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// A size of `width` by `height` pixels.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Whether no pixel lies inside.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The smallest size that has room for both.
    #[must_use]
    pub fn at_least(self, other: Self) -> Self {
        Self::new(self.width.max(other.width), self.height.max(other.height))
    }

    /// This size rounded up to even numbers, as 4:2:0 chroma needs.
    #[must_use]
    pub const fn rounded_up_to_even(self) -> Self {
        Self { width: self.width.next_multiple_of(2), height: self.height.next_multiple_of(2) }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A rectangle inside a picture, in pixels from its top left corner; never empty by itself, but
/// see [`Rect::clipped`] for how one comes from a peer's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width, at least 1.
    pub width: u32,
    /// Height, at least 1.
    pub height: u32,
}

impl Rect {
    /// The rectangle that covers all of `size`, or `None` if that is empty.
    #[must_use]
    pub const fn covering(size: Size) -> Option<Self> {
        if size.is_empty() {
            return None;
        }
        Some(Self { x: 0, y: 0, width: size.width, height: size.height })
    }

    /// Clips a rectangle as a client states it (any numbers, `INT32_MAX` is usual) to `size`.
    #[must_use]
    pub fn clipped(x: i32, y: i32, width: i32, height: i32, size: Size) -> Option<Self> {
        let span = |from: i32, len: i32, limit: u32| {
            let start = i64::from(from).clamp(0, i64::from(limit));
            let end = (i64::from(from) + i64::from(len)).clamp(0, i64::from(limit));
            // Both ends lie in 0..=limit, which is a u32.
            (end > start).then_some((start as u32, (end - start) as u32))
        };
        let (x, width) = span(x, width, size.width)?;
        let (y, height) = span(y, height, size.height)?;
        Some(Self { x, y, width, height })
    }

    /// The column just right of the rectangle.
    #[must_use]
    pub const fn right(self) -> u32 {
        self.x + self.width
    }

    /// The row just below the rectangle.
    #[must_use]
    pub const fn bottom(self) -> u32 {
        self.y + self.height
    }

    /// Number of pixels inside.
    #[must_use]
    pub const fn area(self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// The smallest rectangle around both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let x = self.x.min(other.x);
        let y = self.y.min(other.y);
        Self {
            x,
            y,
            width: self.right().max(other.right()) - x,
            height: self.bottom().max(other.bottom()) - y,
        }
    }

    /// Whether `other` lies wholly inside.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && self.right() >= other.right()
            && self.bottom() >= other.bottom()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_survives_extreme_numbers() {
        let size = Size::new(640, 480);
        let all = Rect::covering(size);
        assert_eq!(Rect::clipped(0, 0, i32::MAX, i32::MAX, size), all);
        assert_eq!(Rect::clipped(i32::MIN, i32::MIN, i32::MAX, i32::MAX, size), None);
        assert_eq!(Rect::clipped(i32::MAX, 0, i32::MAX, 1, size), None);
        assert_eq!(Rect::clipped(0, 0, -1, 5, size), None);
        assert_eq!(
            Rect::clipped(-10, 470, 20, 20, size),
            Some(Rect { x: 0, y: 470, width: 10, height: 10 })
        );
        assert_eq!(Rect::covering(Size::new(0, 5)), None);
    }

    #[test]
    fn room_for_both_takes_the_larger_of_each() {
        let both = Size::new(640, 900).at_least(Size::new(800, 600));
        assert_eq!(both, Size::new(800, 900));
    }

    #[test]
    fn union_and_containment_agree() {
        let a = Rect { x: 1, y: 2, width: 3, height: 4 };
        let b = Rect { x: 10, y: 0, width: 1, height: 1 };
        let u = a.union(b);
        assert_eq!(u, Rect { x: 1, y: 0, width: 10, height: 6 });
        assert!(u.contains(a) && u.contains(b) && !a.contains(b));
    }
}
