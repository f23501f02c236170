//! Nothing is left of connections that are over. Alone in its binary, as it counts the
//! descriptors of the whole process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use stratus_stream::{Limits, ServerEvent};
use support::{bounded, frame, next_id, play, runtime, start};

fn open_fds() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn two_hundred_players_leave_no_descriptor() {
    let running = start(Limits::default());
    let runtime = runtime();
    let mut counts = Vec::new();
    for batch in 0..10u64 {
        let mut closing = Vec::new();
        for cycle in batch * 20 + 1..=batch * 20 + 20 {
            let mut player = runtime.block_on(play(&running));
            running.publish(&frame(cycle, None));
            assert_eq!(runtime.block_on(next_id(&mut player)), cycle);
            // A socket stays until the peer cannot ask any more (RFC 9000 section 10.2), so
            // twenty of them wait together.
            closing.push(runtime.spawn(bounded(player.close())));
            running.wait("leave", |e| matches!(e, ServerEvent::Left { .. }).then_some(()));
        }
        for player in closing {
            runtime.block_on(player).unwrap();
        }
        counts.push(open_fds());
    }
    assert_eq!(running.server.publisher().viewers(), 0);
    // A task that is just being dropped may still hold one; a leak would be 180.
    assert!(counts[9] <= counts[0] + 2, "descriptors after each twenty players: {counts:?}");
    let before = counts[9];
    drop(running);
    assert!(open_fds() < before, "the server keeps its socket");
}
