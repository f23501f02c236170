//! The cursor over loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use stratus_frame::{CursorId, CursorImage, CursorLook, CursorState, PointerBounds, Size};
use stratus_stream::{Limits, Player, PlayerEvent};
use support::{bounded, frame, play, runtime, start, watch};

fn image(id: u64, side: u32) -> CursorState {
    let size = Size::new(side, side);
    let bgra: Vec<u8> = (0..side * side * 4).map(|i| (i + id as u32) as u8).collect();
    let image = Arc::new(CursorImage { id: CursorId(id), size, bgra: bgra.into() });
    let look = CursorLook::Image { image, shown: size, hotspot: (2, 5) };
    CursorState { look, bounds: PointerBounds::Locked { hint: Some((256, 512)) } }
}

/// The next state of the cursor; frames in between are counted.
async fn cursor(player: &mut Player, frames: &mut usize) -> CursorState {
    loop {
        match bounded(player.next()).await {
            PlayerEvent::Cursor(state) => return state,
            PlayerEvent::Frame(_) => *frames += 1,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn who_watches_is_told_and_who_joins_later_too() {
    let running = start(Limits::default());
    let runtime = runtime();
    let mut first = runtime.block_on(play(&running));
    let publisher = running.server.publisher();
    let mut frames = 0;
    let large = image(1, 256);
    publisher.set_cursor(large.clone());
    assert_eq!(runtime.block_on(cursor(&mut first, &mut frames)), large);
    let mut second = runtime.block_on(watch(&running));
    assert_eq!(runtime.block_on(cursor(&mut second, &mut frames)), large);
    let hidden = CursorState { look: CursorLook::Hidden, bounds: PointerBounds::Free };
    publisher.set_cursor(hidden.clone());
    for player in [&mut first, &mut second] {
        assert_eq!(runtime.block_on(cursor(player, &mut frames)), hidden);
    }
}

#[test]
fn a_storm_of_cursors_takes_nothing_from_frames_and_its_last_arrives() {
    let running = start(Limits::default());
    let runtime = runtime();
    let mut player = runtime.block_on(play(&running));
    let publisher = running.server.publisher();
    let receiving = runtime.spawn(async move {
        let (mut frames, mut states) = (0, 0);
        let last = image(240, 64);
        loop {
            let state = cursor(&mut player, &mut frames).await;
            states += 1;
            if state == last {
                return (frames, states, player);
            }
        }
    });
    for id in 1..=240 {
        publisher.set_cursor(image(id, 64));
        running.publish(&frame(id, (id > 1).then(|| id - 1)));
        std::thread::sleep(Duration::from_millis(1));
    }
    let (frames, states, player) = runtime.block_on(bounded(receiving)).unwrap();
    // 16 KiB each: some come at once, then the link is left to the frames.
    assert!((2..=120).contains(&states), "{states} states of 240 came");
    assert!(frames > 120, "{frames} frames came beside them");
    assert_eq!(player.counts().missing, 0);
}
