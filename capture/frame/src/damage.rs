//! The changed part of a picture.

use crate::{Rect, Size};

/// Rectangles kept apart before they are joined: more cost more than they save.
const MAX_RECTS: usize = 8;

/// The part of a picture that changed, as at most eight rectangles inside `size`.
///
/// It may cover more than what changed, never less.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    size: Size,
    rects: [Option<Rect>; MAX_RECTS],
    len: usize,
}

impl Damage {
    /// No damage in a picture of `size`.
    #[must_use]
    pub fn none(size: Size) -> Self {
        Self { size, ..Self::default() }
    }

    /// All of a picture of `size`.
    #[must_use]
    pub fn full(size: Size) -> Self {
        let mut damage = Self::none(size);
        if let Some(all) = Rect::covering(size) {
            damage.add(all);
        }
        damage
    }

    /// The size of the picture.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether one rectangle covers the whole picture.
    #[must_use]
    pub fn is_full(&self) -> bool {
        Rect::covering(self.size).is_some_and(|all| self.rects().any(|r| r.contains(all)))
    }

    /// The rectangles, which may overlap.
    pub fn rects(&self) -> impl Iterator<Item = Rect> + '_ {
        self.rects.iter().flatten().copied()
    }

    /// Adds `rect`, which must lie inside the picture (see [`Rect::clipped`]).
    pub fn add(&mut self, rect: Rect) {
        if self.rects().any(|r| r.contains(rect)) {
            return;
        }
        if self.len == MAX_RECTS {
            let all = self.rects().fold(rect, Rect::union);
            self.clear();
            self.push(all);
            return;
        }
        self.push(rect);
    }

    /// Adds everything that `older`, a skipped picture, had damaged. A picture of another size
    /// shares no pixel with this one, so then all of this one counts as changed.
    pub fn absorb(&mut self, older: &Self) {
        if older.size != self.size {
            *self = Self::full(self.size);
            return;
        }
        for rect in older.rects() {
            self.add(rect);
        }
    }

    /// Forgets all rectangles.
    pub fn clear(&mut self) {
        self.rects = [None; MAX_RECTS];
        self.len = 0;
    }

    fn push(&mut self, rect: Rect) {
        self.rects[self.len] = Some(rect);
        self.len += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(100, 100);

    fn dot(x: u32, y: u32) -> Rect {
        Rect { x, y, width: 1, height: 1 }
    }

    #[test]
    fn joins_when_full_and_never_loses_a_pixel() {
        let mut damage = Damage::none(SIZE);
        let dots: Vec<Rect> = (0..30).map(|i| dot(i * 3, i)).collect();
        for &d in &dots {
            damage.add(d);
            assert!(damage.rects().count() <= MAX_RECTS);
        }
        for d in dots {
            assert!(damage.rects().any(|r| r.contains(d)), "{d:?} lost");
        }
    }

    #[test]
    fn absorbing_another_size_damages_all() {
        let mut damage = Damage::none(SIZE);
        damage.absorb(&Damage::none(Size::new(50, 50)));
        assert!(damage.is_full());
        let mut same = Damage::none(SIZE);
        let mut older = Damage::none(SIZE);
        older.add(dot(5, 5));
        same.absorb(&older);
        assert_eq!(same.rects().collect::<Vec<_>>(), [dot(5, 5)]);
        assert!(!same.is_full() && !same.is_empty());
    }

    #[test]
    fn full_damage_of_nothing_is_empty() {
        assert!(Damage::full(Size::new(0, 9)).is_empty());
        assert!(!Damage::full(Size::new(0, 9)).is_full());
    }
}
