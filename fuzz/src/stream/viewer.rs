//! One viewer, as the server sees it.

use std::time::Duration;

use stratus_frame::{FrameId, MonoTime};
use stratus_stream_core::viewer::{MAX_IN_FLIGHT, Viewer, in_flight_limit};

use crate::input::Input;

const MS: u64 = 1_000_000;

/// Frames are made, some go to the viewer, and it acknowledges them.
pub(super) fn run(input: &mut Input<'_>) {
    let rtt = Duration::from_micros(input.number().into());
    let mut limit = in_flight_limit(rtt, input.number());
    assert!((2..=MAX_IN_FLIGHT).contains(&limit));
    let mut viewer = Viewer::new(limit);
    // What the viewer has since its last keyframe.
    let mut sent: Vec<u64> = Vec::new();
    let (mut in_flight, mut next, mut skipped) = (0, 0, 0);
    let (mut now, mut id) = (MS, 0);
    let mut asked: Option<u64> = None;
    for _ in 0..300 {
        if input.is_empty() {
            break;
        }
        let choice = input.byte();
        match choice {
            0..=127 => {
                id += 1;
                let depends_on = match choice & 7 {
                    0 => None,
                    1 => Some(id - (1 + u64::from(input.byte() & 31)).min(id)),
                    _ => Some(id - 1),
                };
                let memory = &sent[sent.len().saturating_sub(16)..];
                let fits = depends_on.is_none_or(|d| memory.contains(&d));
                let number = viewer.handle_frame(FrameId(id), depends_on.map(FrameId));
                if fits && in_flight < limit {
                    assert_eq!(number, Some(next), "frames are numbered without gaps");
                    if depends_on.is_none() {
                        sent.clear();
                    }
                    sent.push(id);
                    (next, in_flight) = (next + 1, in_flight + 1);
                } else {
                    assert_eq!(number, None, "no frame that is useless or finds no room");
                    skipped += 1;
                }
            }
            128..=199 => {
                viewer.handle_acknowledged();
                in_flight = in_flight.saturating_sub(1);
            }
            200..=215 => viewer.handle_keyframe_request(FrameId(u64::from(input.byte()))),
            216..=223 => {
                limit = usize::from(choice & 15).max(1);
                viewer.set_limit(usize::from(choice & 15));
            }
            _ => now += u64::from(input.byte()) * 2 * MS,
        }
        assert_eq!(viewer.in_flight(), in_flight);
        assert_eq!((viewer.has_room(), viewer.skipped()), (in_flight < limit, skipped));
        let at = MonoTime::from_nanos(now);
        if viewer.poll_keyframe(at) {
            let rare = asked.is_none_or(|t| now >= t + 250 * MS);
            assert!(rare, "an encoder is asked four times a second for one viewer");
            asked = Some(now);
            assert!(!viewer.poll_keyframe(at));
        }
        assert!(viewer.poll_timeout().is_none_or(|t| t > at));
    }
    // Whoever missed something and has nothing on its way is helped.
    while viewer.in_flight() > 0 {
        viewer.handle_acknowledged();
    }
    viewer.set_limit(1);
    let lost = viewer.handle_frame(FrameId(id + 2), Some(FrameId(id + 1))).is_none();
    assert!(lost && viewer.poll_keyframe(MonoTime::from_nanos(now + 1000 * MS)));
}
