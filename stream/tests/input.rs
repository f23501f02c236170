//! What a player does reaches the game's side: in order, whatever the rate, and from the player
//! alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::{Duration, Instant};

use bytes::BytesMut;
use quinn::SendStream;
use stratus_frame::MonoTime;
use stratus_frame::input::{Input, InputEvent};
use stratus_stream::core::input::encode;
use stratus_stream::core::message::{Message, RefusalCode};
use stratus_stream::{Limits, PlayerEvent, ServerEvent};
use support::web::Web;
use support::{
    Raw, Running, bounded, config, frame, message, next_id, play, player_hello, runtime, start,
    start_delayed, watch,
};
use tokio::time::timeout;

fn input(id: u64, event: InputEvent) -> Input {
    Input { id, time: MonoTime::from_nanos(id), event }
}

fn key(id: u64) -> Input {
    input(id, InputEvent::Key { code: 30, pressed: id.is_multiple_of(2) })
}

fn bytes(inputs: &[Input]) -> BytesMut {
    let mut out = BytesMut::new();
    inputs.iter().for_each(|input| encode(input, &mut out));
    out
}

/// The next input that the server tells of.
fn next(running: &Running) -> Input {
    running.wait("input", |e| match e {
        ServerEvent::Input { input, .. } => Some(input.clone()),
        _ => None,
    })
}

fn player_left(running: &Running) {
    running.wait("player's end", |e| matches!(e, ServerEvent::PlayerLeft).then_some(()));
}

#[test]
fn inputs_arrive_in_order_from_native_players_and_browsers() {
    let running = start(Limits::default());
    let runtime = runtime();
    let player = runtime.block_on(play(&running));
    let text = input(1, InputEvent::Text("päll".to_owned()));
    player.send_input(&text);
    assert_eq!(next(&running), text);
    for id in 2..100 {
        player.send_input(&key(id));
    }
    for id in 2..100 {
        assert_eq!(next(&running), key(id));
    }
    runtime.block_on(bounded(player.close()));
    player_left(&running);

    let web = runtime.block_on(Web::connect(&running, "/")).unwrap();
    runtime.block_on(async {
        let (_send, mut recv) = web.say(&player_hello(1)).await;
        assert!(matches!(web.message(&mut recv).await, Message::Welcome(_)));
        let mut stream = bounded(web.session.open_uni()).await.unwrap();
        bounded(stream.write_all(&bytes(&[key(7), key(9)]))).await.unwrap();
        assert_eq!((next(&running), next(&running)), (key(7), key(9)));
        stream.finish().unwrap();
        assert_eq!(next(&running).event, InputEvent::Release, "a stream that ends lets go");
    });
    drop(web);
    player_left(&running);
}

/// A player built by hand, whose input stream begins with `first`.
async fn raw_player(running: &Running, first: &[u8]) -> (Raw, SendStream) {
    let raw = Raw::connect(running).await;
    let control = raw.play(1).await;
    let mut stream = bounded(raw.connection.open_uni()).await.unwrap();
    bounded(stream.write_all(first)).await.unwrap();
    // The control stream must stay open.
    std::mem::forget(control);
    (raw, stream)
}

#[test]
fn a_storm_of_input_loses_no_key_and_slows_nobody() {
    const MOTIONS: u64 = 20_000;
    let running = start(Limits::default());
    let runtime = runtime();
    let mut viewer = runtime.block_on(watch(&running));
    let (raw, mut stream) = runtime.block_on(raw_player(&running, &[]));
    let mut inputs = Vec::new();
    for id in 1..=MOTIONS {
        inputs.push(if id % 50 == 0 {
            key(id)
        } else {
            input(id, InputEvent::PointerBy { dx: 3, dy: -1 })
        });
    }
    let storm = bytes(&inputs);
    let started = Instant::now();
    let storming = runtime.spawn(async move {
        // Faster than the server takes them: flow control holds the sender back.
        bounded(stream.write_all(&storm)).await.unwrap();
        stream
    });
    // There is room when either client has some: a frame that the viewer had none for is followed
    // by one that needs none before it.
    let (mut id, mut seen) = (0, 0);
    while seen < 30 {
        id += 1;
        running.publish(&frame(id, None));
        let next = async { timeout(Duration::from_secs(2), next_id(&mut viewer)).await };
        if let Ok(arrived) = runtime.block_on(next) {
            assert!(arrived <= id, "a frame that was not sent: {arrived}");
            seen += 1;
        }
    }
    let (mut told, mut keys, mut moved, mut last) = (0u32, 0, (0i64, 0i64), 0);
    while last < MOTIONS {
        let input = next(&running);
        assert!(input.id > last, "ids rise");
        last = input.id;
        told += 1;
        match input.event {
            InputEvent::Key { .. } => keys += 1,
            InputEvent::PointerBy { dx, dy } => {
                moved = (moved.0 + i64::from(dx), moved.1 + i64::from(dy));
            }
            other => panic!("{other:?}"),
        }
    }
    let steps = (MOTIONS - MOTIONS / 50) as i64;
    assert_eq!((keys, moved), (MOTIONS / 50, (3 * steps, -steps)));
    // A burst of 256, and 4000 a second.
    let allowed = 300.0 + 4000.0 * started.elapsed().as_secs_f64();
    assert!(f64::from(told) <= allowed, "{told} inputs were told, and {allowed} may be");
    runtime.block_on(bounded(storming)).unwrap();
    assert!(raw.connection.close_reason().is_none());
}

/// More than the queue takes wait when the network's thread is kept from running for so long that
/// all that the queue holds is due at once: what was read beside it is not forgotten.
#[test]
fn inputs_behind_a_full_queue_need_no_more_bytes_to_be_told() {
    const KEYS: u64 = 800;
    let running = start_delayed(config(Limits::default()), |event| {
        if matches!(event, ServerEvent::Input { input, .. } if input.id == 500) {
            std::thread::sleep(Duration::from_millis(150));
        }
    });
    let runtime = runtime();
    let keys: Vec<Input> = (1..=KEYS).map(key).collect();
    let (_raw, mut stream) = runtime.block_on(raw_player(&running, &bytes(&keys)));
    for expected in &keys {
        assert_eq!(next(&running), *expected);
    }
    stream.finish().unwrap();
    assert_eq!(next(&running).event, InputEvent::Release);
}

#[test]
fn input_streams_that_break_rules_are_refused() {
    let mut twice = bytes(&[key(5)]);
    twice.extend_from_slice(&bytes(&[key(5)]));
    let cut = &bytes(&[key(1)])[..20];
    let cases: [(&str, &[u8], bool, u64, &str); 5] = [
        ("an id that does not rise", &twice, false, 3, "id of key is 5"),
        ("a length above the limit", &[0, 0x10, 0, 1, 0, 1], false, 4, "above the limit"),
        ("a key that is none", &[0, 0x10, 0, 0, 0, 2, 0, 0], false, 3, "key ends inside id"),
        ("an end inside a message", cut, true, 3, "the input stream ended inside a message"),
        (
            "nonsense",
            &[0, 0x16, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9],
            false,
            3,
            "touch",
        ),
    ];
    for (name, first, finish, code, text) in cases {
        let running = start(Limits::default());
        let runtime = runtime();
        let mut viewer = runtime.block_on(watch(&running));
        let (raw, mut stream) = runtime.block_on(raw_player(&running, first));
        if finish {
            stream.finish().unwrap();
        }
        let refusal = runtime.block_on(raw.refusal());
        assert_eq!(refusal.0, code, "{name}: {}", refusal.1);
        assert!(refusal.1.contains(text), "{name}: {}", refusal.1);
        player_left(&running);
        running.publish(&frame(1, None));
        assert_eq!(runtime.block_on(next_id(&mut viewer)), 1);
    }
}

#[test]
fn only_the_player_may_act() {
    let running = start(Limits::default());
    let runtime = runtime();
    let _player = runtime.block_on(play(&running));
    let lost = |mut viewer: stratus_stream::Player| {
        let PlayerEvent::Lost(why) = runtime.block_on(bounded(viewer.next())) else {
            panic!("kept")
        };
        let code = running.wait("refusal", |e| match e {
            ServerEvent::Refused { refusal, .. } => Some(refusal.code),
            _ => None,
        });
        assert_eq!(code, RefusalCode::NotPlayer);
        why
    };
    let viewer = runtime.block_on(watch(&running));
    viewer.send_input(&key(1));
    assert!(lost(viewer).contains("a viewer must not send input"));
    let viewer = runtime.block_on(watch(&running));
    viewer.send_clipboard("a text");
    assert!(lost(viewer).contains("a viewer must not send a text"));
}

#[test]
fn a_second_input_stream_and_datagrams() {
    let running = start(Limits::default());
    let runtime = runtime();
    runtime.block_on(async {
        let (raw, mut stream) = raw_player(&running, &bytes(&[key(1)])).await;
        assert_eq!(next(&running), key(1));
        for _ in 0..1000 {
            raw.connection.send_datagram(vec![7; 900].into()).unwrap();
        }
        bounded(stream.write_all(&bytes(&[key(2)]))).await.unwrap();
        assert_eq!(next(&running), key(2), "datagrams of a client are dropped");
        let mut second = bounded(raw.connection.open_uni()).await.unwrap();
        bounded(second.write_all(&[0])).await.unwrap();
        let (code, text) = raw.refusal().await;
        assert_eq!(code, 7);
        assert!(text.contains("second unidirectional stream"), "{text}");
    });
}

#[test]
fn a_player_that_comes_anew_takes_over_from_itself_alone() {
    let running = start(Limits::default());
    let runtime = runtime();
    runtime.block_on(async {
        let (old, mut stream) = raw_player(&running, &bytes(&[key(1)])).await;
        assert_eq!(next(&running), key(1));
        let other = Raw::connect(&running).await;
        let (_send, mut recv) = other.say(&player_hello(2)).await;
        let Message::Refused(refusal) = message(&mut recv).await else { panic!("let in") };
        assert_eq!(refusal.code, RefusalCode::Busy);
        assert!(refusal.text.contains("plays this session already"), "{}", refusal.text);

        let new = Raw::connect(&running).await;
        let _control = new.play(1).await;
        player_left(&running);
        let (code, text) = old.refusal().await;
        assert_eq!(code, 10, "{text}");
        let _ = stream.write_all(&bytes(&[key(3)])).await;
        let mut stream = bounded(new.connection.open_uni()).await.unwrap();
        bounded(stream.write_all(&bytes(&[key(2)]))).await.unwrap();
        assert_eq!(next(&running), key(2), "the old one is not heard any more");
        assert_eq!(running.server.publisher().viewers(), 1);
    });
}

#[test]
fn a_player_that_is_lost_may_come_back_before_others() {
    let grace = Duration::from_millis(1500);
    let running = start(Limits { grace, ..Limits::default() });
    let runtime = runtime();
    runtime.block_on(async {
        let lost = Raw::connect_fleeting(&running, Duration::from_millis(300)).await;
        let _control = lost.play(1).await;
        player_left(&running);
        let other = Raw::connect(&running).await;
        let (_send, mut recv) = other.say(&player_hello(2)).await;
        let Message::Refused(refusal) = message(&mut recv).await else { panic!("let in") };
        assert!(refusal.text.contains("kept for it: try again in"), "{}", refusal.text);

        let back = Raw::connect_fleeting(&running, Duration::from_millis(300)).await;
        let _control = back.play(1).await;
        player_left(&running);
        tokio::time::sleep(grace + Duration::from_millis(100)).await;
        Raw::connect(&running).await.play(2).await;
    });
}

/// A link that breaks while a frame is on its way: that it stalls is seen no later than that it is
/// silent.
#[test]
fn a_player_that_is_lost_with_a_frame_on_its_way_may_come_back_too() {
    let running = start(Limits { stall: Duration::from_millis(300), ..Limits::default() });
    // One whose tasks do not run after this acknowledges nothing.
    let stopped = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _lost = stopped.block_on(async {
        let raw = Raw::connect(&running).await;
        let control = raw.play(1).await;
        (raw, control)
    });
    running.publish(&frame(1, None));
    let refused = running.wait("refusal", |e| match e {
        ServerEvent::Refused { refusal, .. } => Some(refusal.code),
        _ => None,
    });
    assert_eq!(refused, RefusalCode::Stalled);
    player_left(&running);
    runtime().block_on(async {
        let other = Raw::connect(&running).await;
        let (_send, mut recv) = other.say(&player_hello(2)).await;
        let Message::Refused(refusal) = message(&mut recv).await else { panic!("let in") };
        assert!(refusal.text.contains("kept for it: try again in"), "{}", refusal.text);
        Raw::connect(&running).await.play(1).await;
    });
}
