//! Tests of the numbers that a client states.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const XRGB: u32 = u32::from_le_bytes(*b"XR24");
/// Any that is not linear: `I915_FORMAT_MOD_X_TILED`.
const TILED: u64 = 1 << 56 | 1;

fn described(size: [i32; 2], planes: &[(u32, u32)], modifier: u64) -> Description {
    let plane = |&(offset, stride): &(u32, u32)| Plane {
        fd: tempfile::tempfile().unwrap().into(),
        offset,
        stride,
    };
    let planes = planes.iter().map(plane).collect();
    Description { width: size[0], height: size[1], format: XRGB, modifier, planes }
}

fn is_ok(size: [i32; 2], plane: (u32, u32), modifier: u64, bytes: u64) -> bool {
    Layout::new(&described(size, &[plane], modifier), &[bytes]).is_ok()
}

#[test]
fn rows_must_lie_in_the_memory() {
    let whole = 16 + 2 * 32 + 20;
    for modifier in [LINEAR, INVALID] {
        assert!(is_ok([5, 3], (16, 32), modifier, whole));
        assert!(!is_ok([5, 3], (16, 32), modifier, whole - 1));
        assert!(!is_ok([5, 3], (16, 19), modifier, 4096), "rows overlap");
        assert!(!is_ok([5, 3], (u32::MAX, 32), modifier, 4096));
    }
    for size in [[0, 3], [5, 0], [-5, 3], [5, -3], [i32::MIN, i32::MIN], [i32::MAX, i32::MAX]] {
        assert!(!is_ok(size, (0, u32::MAX), LINEAR, u64::from(u32::MAX)), "{size:?}");
    }
    assert!(!is_ok([1, i32::MAX], (u32::MAX, u32::MAX), LINEAR, u64::MAX >> 8));
}

#[test]
fn tiles_have_room_for_each_pixel_wherever_it_is() {
    // The stride is what the driver makes of it.
    assert!(is_ok([5, 3], (0, 1), TILED, 60));
    assert!(!is_ok([5, 3], (0, 1), TILED, 59));
    assert!(!is_ok([i32::MAX, i32::MAX], (0, 1), TILED, u64::from(u32::MAX)));
}

#[test]
fn further_planes_lie_in_their_own_memory() {
    let two = described([5, 3], &[(0, 20), (64, 0)], TILED);
    assert!(Layout::new(&two, &[60, 65]).is_ok());
    assert!(Layout::new(&two, &[60, 64]).is_err());
    let five = described([1, 1], &[(0, 4); 5], LINEAR);
    assert!(matches!(Layout::new(&five, &[4; 5]), Err(Rejected::Planes)));
    let none = described([1, 1], &[], LINEAR);
    assert!(matches!(Layout::new(&none, &[]), Err(Rejected::Planes)));
}

#[test]
fn formats_that_no_frame_is_made_of_are_named() {
    let mut video = described([1, 1], &[(0, 4)], LINEAR);
    video.format = u32::from_le_bytes(*b"NV12");
    let rejected = Layout::new(&video, &[4]).unwrap_err();
    assert_eq!(rejected.to_string(), "its format NV12 is none that frames can be made of");
}

#[test]
fn a_layout_that_is_not_stated_is_trusted_to_processors_only() {
    let layout = |modifier| Layout::new(&described([1, 1], &[(0, 4)], modifier), &[4]).unwrap();
    assert!(layout(INVALID).is_linear(&Exporter::Memory));
    assert!(!layout(INVALID).is_linear(&Exporter::Unknown));
    assert!(layout(LINEAR).is_linear(&Exporter::Unknown));
    assert!(!layout(TILED).is_linear(&Exporter::Memory));
}
