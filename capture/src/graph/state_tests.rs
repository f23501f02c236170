//! Tests of pending and cached state and of a client's damage.

use super::*;

const SIZE: Size = Size::new(100, 50);

fn rects(damage: &Damage) -> Vec<[u32; 4]> {
    let mut all: Vec<_> = damage.rects().map(|r| [r.x, r.y, r.width, r.height]).collect();
    all.sort_unstable();
    all
}

#[test]
fn both_kinds_of_damage_add_up_clipped() {
    let mut damage = ClientDamage::default();
    damage.add_buffer([90, 40, i32::MAX, i32::MAX]);
    damage.add_surface([-5, -5, 10, 10]);
    damage.add_surface([200, 200, 10, 10]);
    damage.add_buffer([3, 3, 0, -7]);
    let resolved = damage.resolve(SIZE, &Applied::default());
    assert_eq!(rects(&resolved), [[0, 0, 5, 5], [90, 40, 10, 10]]);
}

#[test]
fn surface_damage_is_scaled_and_never_shrinks() {
    let mut damage = ClientDamage::default();
    damage.add_surface([10, 5, 3, 4]);
    let mut applied = Applied::default();
    applied.apply(&mut Change { scale: Some(2), ..Change::default() });
    assert_eq!(rects(&damage.resolve(SIZE, &applied)), [[20, 10, 6, 8]]);
    // Numbers that the scale would overflow, a rotation and a crop: all of it, to be safe.
    damage.add_surface([i32::MIN / 2 - 1, 0, i32::MAX, 1]);
    assert!(damage.resolve(SIZE, &applied).is_full());
    let mut one = ClientDamage::default();
    one.add_surface([0, 0, 1, 1]);
    for mut change in [
        Change { transform: Some(1), ..Change::default() },
        Change {
            viewport: Some(Viewport { destination: Some(Size::new(7, 7)), source: None }),
            ..Change::default()
        },
    ] {
        let mut applied = Applied::default();
        applied.apply(&mut change);
        assert!(one.resolve(SIZE, &applied).is_full(), "{applied:?}");
    }
}

#[test]
fn more_rectangles_than_are_kept_damage_all() {
    let mut damage = ClientDamage::default();
    for _ in 0..100 {
        damage.add_buffer([1, 1, 1, 1]);
    }
    assert_eq!(rects(&damage.resolve(SIZE, &Applied::default())), [[1, 1, 1, 1]]);
    for y in 0..20 {
        damage.add_buffer([0, y, 1, 1]);
    }
    assert!(damage.resolve(SIZE, &Applied::default()).is_full());
}

#[test]
fn a_later_commit_overrides_and_its_damage_adds_up() {
    let mut cached =
        Change { attach: Some(Attach::Committed(None)), scale: Some(3), ..Change::default() };
    cached.damage.add_buffer([0, 0, 1, 1]);
    let mut later = Change { transform: Some(2), scale: Some(1), ..Change::default() };
    later.damage.add_buffer([5, 5, 1, 1]);
    assert!(Change::default().is_empty() && !cached.is_empty() && !later.is_empty());
    cached.merge(later);
    assert!(matches!(cached.attach, Some(Attach::Committed(None))));
    assert_eq!((cached.scale, cached.transform), (Some(1), Some(2)));
    let resolved = cached.damage.resolve(SIZE, &Applied::default());
    assert_eq!(rects(&resolved), [[0, 0, 1, 1], [5, 5, 1, 1]]);
}

#[test]
fn only_an_untouched_picture_shows_as_it_is() {
    let mut applied = Applied::default();
    assert!(applied.shows_as_is(SIZE));
    let whole = Viewport { source: None, destination: Some(SIZE) };
    applied.apply(&mut Change { viewport: Some(whole), ..Change::default() });
    assert!(applied.shows_as_is(SIZE));
    assert!(!applied.shows_as_is(Size::new(1, 1)));
    let crop = Viewport { source: Some([0; 4]), destination: None };
    applied.apply(&mut Change { viewport: Some(crop), ..Change::default() });
    assert!(!applied.shows_as_is(SIZE));
}
