//! Tests of the order of decoding.

use proptest::prelude::*;

use super::*;

const fn ms(n: u64) -> MonoTime {
    MonoTime::from_nanos(n.saturating_mul(1_000_000))
}

/// A frame whose id is its number plus 1.
fn put(order: &mut DecodeOrder<u64>, now: MonoTime, sequence: u64, keyframe: bool) {
    let id = sequence + 1;
    let depends_on = (!keyframe).then_some(FrameId(id - 1));
    order.handle_frame(now, sequence, (FrameId(id), depends_on), 10, id);
}

fn drain(order: &mut DecodeOrder<u64>, now: MonoTime) -> Vec<u64> {
    std::iter::from_fn(|| order.poll_frame(now)).collect()
}

#[test]
fn overtaking_frames_wait_for_those_before() {
    let mut order = DecodeOrder::default();
    put(&mut order, ms(0), 2, false);
    put(&mut order, ms(0), 1, false);
    assert_eq!(drain(&mut order, ms(0)), []);
    put(&mut order, ms(1), 0, true);
    assert_eq!(drain(&mut order, ms(1)), [1, 2, 3]);
    assert_eq!(order.counts(), OrderCounts { yielded: 3, dropped: 0, missing: 0 });
    assert!(!order.poll_keyframe_request(ms(9999)));
    assert_eq!(order.poll_timeout(), None);
}

#[test]
fn a_missing_frame_is_waited_for_then_a_keyframe_asked_for() {
    let mut order = DecodeOrder::default();
    put(&mut order, ms(0), 0, true);
    put(&mut order, ms(10), 2, false);
    assert_eq!(drain(&mut order, ms(10)), [1]);
    assert!(!order.poll_keyframe_request(ms(10)));
    assert_eq!(order.poll_timeout(), Some(ms(260)));
    assert!(order.poll_keyframe_request(ms(260)));
    assert!(!order.poll_keyframe_request(ms(300)), "limited");
    put(&mut order, ms(300), 3, true);
    assert_eq!(drain(&mut order, ms(302)), [], "1 may be just about to come");
    assert_eq!(order.poll_timeout(), Some(ms(303)));
    assert_eq!(drain(&mut order, ms(303)), [4]);
    put(&mut order, ms(304), 1, false);
    assert_eq!(drain(&mut order, ms(304)), []);
    assert_eq!(order.counts(), OrderCounts { yielded: 2, dropped: 2, missing: 1 });
}

#[test]
fn a_lost_frame_is_not_waited_for() {
    let mut order = DecodeOrder::default();
    put(&mut order, ms(0), 0, true);
    order.handle_lost(1);
    put(&mut order, ms(1), 2, false);
    assert_eq!(drain(&mut order, ms(1)), [1]);
    assert_eq!(order.counts(), OrderCounts { yielded: 1, dropped: 1, missing: 1 });
    assert!(order.poll_keyframe_request(ms(1)), "3 depends on 2");
}

#[test]
fn a_failed_decoder_gets_nothing_but_a_keyframe() {
    let mut order = DecodeOrder::default();
    put(&mut order, ms(0), 0, true);
    assert_eq!(drain(&mut order, ms(0)), [1]);
    order.handle_decoder_failure();
    put(&mut order, ms(1), 1, false);
    put(&mut order, ms(1), 2, true);
    assert_eq!(drain(&mut order, ms(1)), [3]);
}

proptest! {
    /// Arrivals in any order, some doubled, some lost: ids rise, each frame comes after the one
    /// that it depends on, nothing is counted twice, and what waits is bounded.
    #[test]
    fn yields_a_decodable_order(
        arrivals in prop::collection::vec((0u64..80, any::<bool>(), 0u64..20), 1..300),
    ) {
        let mut order = DecodeOrder::default();
        let mut now = 0;
        let mut last = 0;
        let mut taken = 0;
        for (sequence, lost, wait) in arrivals {
            now += wait;
            let keyframe = sequence % 8 == 0;
            if lost && sequence % 5 == 0 {
                order.handle_lost(sequence);
            } else {
                put(&mut order, ms(now), sequence, keyframe);
                taken += 1;
            }
            while let Some(id) = order.poll_frame(ms(now)) {
                prop_assert!(id > last);
                prop_assert!((id - 1) % 8 == 0 || id - 1 == last, "{id} after {last}");
                last = id;
            }
            let counts = order.counts();
            prop_assert_eq!(counts.yielded + counts.dropped + order.waiting() as u64, taken);
            prop_assert!(order.waiting() <= MAX_PENDING);
        }
    }

    /// A server's absurd numbers neither overflow nor stop anything.
    #[test]
    fn absurd_numbers(frames in prop::collection::vec(any::<(u64, u64, Option<u64>, usize)>(), 0..80)) {
        let mut order = DecodeOrder::default();
        for (sequence, id, depends_on, bytes) in frames {
            order.handle_lost(sequence ^ 1);
            order.handle_frame(ms(id), sequence, (FrameId(id), depends_on.map(FrameId)), bytes, ());
            while order.poll_frame(ms(id)).is_some() {}
            order.poll_keyframe_request(ms(id));
            let _ = order.poll_timeout();
            prop_assert!(order.waiting() <= MAX_PENDING);
        }
    }
}
