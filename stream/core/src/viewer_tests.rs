//! Tests of a viewer's queue.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const fn ms(n: u64) -> MonoTime {
    MonoTime::from_nanos(n * 1_000_000)
}

fn key(v: &mut Viewer, id: u64) -> Option<u64> {
    v.handle_frame(FrameId(id), None)
}

fn delta(v: &mut Viewer, id: u64) -> Option<u64> {
    v.handle_frame(FrameId(id), Some(FrameId(id - 1)))
}

#[test]
fn a_slow_viewer_skips_to_a_keyframe_after_draining() {
    let mut v = Viewer::new(2);
    assert!(v.poll_keyframe(ms(0)), "a new viewer needs a keyframe");
    assert!(!v.poll_keyframe(ms(0)), "but asks once");
    assert_eq!(delta(&mut v, 4), None);
    assert_eq!(key(&mut v, 5), Some(0));
    assert_eq!(delta(&mut v, 6), Some(1));
    assert!(!v.has_room());
    assert_eq!(delta(&mut v, 7), None);
    v.handle_acknowledged();
    assert!(v.has_room());
    assert_eq!(delta(&mut v, 8), None, "7 is missing");
    assert!(!v.poll_keyframe(ms(900)), "not drained");
    v.handle_acknowledged();
    assert!(v.poll_keyframe(ms(900)));
    assert_eq!(key(&mut v, 9), Some(2));
    assert_eq!(v.poll_timeout(), None);
    assert_eq!(v.skipped(), 3);
}

#[test]
fn asking_is_limited_and_repeated() {
    let mut v = Viewer::new(2);
    assert!(v.poll_keyframe(ms(10)));
    assert_eq!(v.poll_timeout(), Some(ms(260)));
    assert!(!v.poll_keyframe(ms(259)));
    assert!(v.poll_keyframe(ms(260)), "no keyframe came: ask again");
    key(&mut v, 1);
    v.handle_keyframe_request(FrameId(0));
    assert!(!v.poll_keyframe(ms(999)), "one is on its way");
    v.handle_acknowledged();
    v.handle_keyframe_request(FrameId(0));
    assert!(v.poll_keyframe(ms(999)));
}

#[test]
fn a_frame_may_depend_on_an_older_one() {
    let mut v = Viewer::new(3);
    key(&mut v, 1);
    delta(&mut v, 2);
    assert!(v.handle_frame(FrameId(4), Some(FrameId(1))).is_some());
}

#[test]
fn the_limit_follows_the_distance() {
    assert_eq!(in_flight_limit(Duration::ZERO, 60_000), 2);
    assert_eq!(in_flight_limit(Duration::from_micros(80), 60_000), 3);
    assert_eq!(in_flight_limit(Duration::from_millis(50), 60_000), 5);
    assert_eq!(in_flight_limit(Duration::from_millis(50), 0), 2);
    assert_eq!(in_flight_limit(Duration::MAX, u32::MAX), MAX_IN_FLIGHT);
}

proptest! {
    /// Whatever happens, what is sent can be decoded from what was sent before, numbers have no
    /// gap, and no more than the limit is on the way.
    #[test]
    fn sends_only_what_can_be_decoded(ops in prop::collection::vec((0u8..4, 1u64..6), 1..200)) {
        let mut v = Viewer::new(3);
        let mut has = std::collections::HashSet::new();
        let mut in_flight = 0usize;
        let mut sent = 0u64;
        let mut id = 0;
        for (op, back) in ops {
            match op {
                0 | 1 => {
                    id += 1;
                    let depends_on = (op == 1 && id > back).then(|| FrameId(id - back));
                    if let Some(sequence) = v.handle_frame(FrameId(id), depends_on) {
                        prop_assert!(in_flight < 3);
                        prop_assert!(depends_on.is_none_or(|d| has.contains(&d.0)));
                        prop_assert_eq!(sequence, sent);
                        if depends_on.is_none() { has.clear(); }
                        has.insert(id);
                        sent += 1;
                        in_flight += 1;
                    } else if depends_on.is_none() {
                        prop_assert_eq!(in_flight, 3, "a keyframe is refused only for lack of room");
                    }
                }
                2 => { v.handle_acknowledged(); in_flight = in_flight.saturating_sub(1); }
                _ => v.handle_keyframe_request(FrameId(id)),
            }
            prop_assert_eq!(v.in_flight(), in_flight);
            prop_assert_eq!(v.has_room(), in_flight < 3);
        }
    }
}
