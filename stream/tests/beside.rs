//! What travels beside frames: sound to everybody, rumble and clipboards for the player.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::Bytes;
use stratus_frame::MonoTime;
use stratus_frame::input::Rumble;
use stratus_frame::sound::SoundPacket;
use stratus_stream::core::message::{Message, Messages};
use stratus_stream::core::sound;
use stratus_stream::{Limits, Player, PlayerEvent, ServerEvent};
use support::web::Web;
use support::{Raw, bounded, config, encode, play, runtime, start, start_with, watch};

fn packet(sequence: u32) -> SoundPacket {
    SoundPacket {
        sequence,
        captured: MonoTime::from_nanos(u64::from(sequence) * 10_000_000),
        samples: 480,
        opus: Bytes::from(vec![sequence as u8; 160]),
        previous: Bytes::from(vec![sequence as u8; 150]),
    }
}

async fn next(player: &mut Player) -> PlayerEvent {
    bounded(player.next()).await
}

#[test]
fn sound_reaches_everybody_as_it_was() {
    let running = start(Limits::default());
    let runtime = runtime();
    let mut player = runtime.block_on(play(&running));
    let mut viewer = runtime.block_on(watch(&running));
    let web = runtime.block_on(Web::connect(&running, "/")).unwrap();
    let _control = runtime.block_on(web.join());
    let publisher = running.server.publisher();
    for sequence in 0..100 {
        publisher.send_sound(&packet(sequence));
        for player in [&mut player, &mut viewer] {
            let PlayerEvent::Sound(heard) = runtime.block_on(next(player)) else { panic!() };
            assert_eq!(heard, packet(sequence));
        }
        let datagram = runtime.block_on(bounded(web.session.read_datagram())).unwrap();
        assert_eq!(sound::decode(&datagram), Ok(Some(packet(sequence))));
    }
}

#[test]
fn motors_and_texts_are_the_players() {
    let running = start(Limits::default());
    let runtime = runtime();
    let publisher = running.server.publisher();
    publisher.set_clipboard("before anybody came");
    let mut player = runtime.block_on(play(&running));
    let mut viewer = runtime.block_on(watch(&running));
    let rumble = |strong| Rumble { pad: 1, strong, weak: 2, duration_ms: 300 };
    publisher.rumble(rumble(1));
    let PlayerEvent::Rumble(told) = runtime.block_on(next(&mut player)) else { panic!() };
    assert_eq!(told, rumble(1));
    let text = "é".repeat(100_000);
    publisher.set_clipboard(&text);
    let PlayerEvent::Clipboard(told) = runtime.block_on(next(&mut player)) else { panic!() };
    assert_eq!(told, text);
    publisher.send_sound(&packet(1));
    let PlayerEvent::Sound(_) = runtime.block_on(next(&mut viewer)) else { panic!("more") };

    player.send_clipboard(&text);
    let pasted = running.wait("clipboard", |e| match e {
        ServerEvent::Clipboard(text) => Some(text.clone()),
        _ => None,
    });
    assert_eq!(pasted, text);
}

/// What is measured by pings must not be how long a text takes.
#[test]
fn a_ping_is_answered_in_the_midst_of_a_text() {
    const LENGTH: usize = 1 << 20;
    let running = start(Limits::default());
    let (asked, answered) = runtime().block_on(async {
        let raw = Raw::connect(&running).await;
        let (mut send, mut recv) = raw.play(1).await;
        running.server.publisher().set_clipboard(&"x".repeat(LENGTH));
        let (mut messages, mut came, mut asked) = (Messages::default(), 0, None);
        loop {
            match messages.poll().unwrap() {
                Some(Message::Clipboard(part)) => {
                    came += part.bytes.len();
                    if asked.is_none() {
                        asked = Some(came);
                        let ping = encode(&Message::Ping { sent: MonoTime::now() });
                        bounded(send.write_all(&ping)).await.unwrap();
                    }
                }
                Some(Message::Pong { .. }) => break (asked.unwrap(), came),
                Some(other) => panic!("{other:?}"),
                None => {
                    let chunk = bounded(recv.read_chunk(4096, true)).await.unwrap().unwrap();
                    messages.handle_bytes(&chunk.bytes);
                }
            }
        }
    });
    assert!(answered < LENGTH / 2, "asked at byte {asked}, answered at byte {answered}");
}

#[test]
fn clipboards_stay_apart_where_that_was_asked_for() {
    let mut config = config(Limits::default());
    config.clipboard = false;
    let running = start_with(config);
    let runtime = runtime();
    let mut player = runtime.block_on(play(&running));
    player.send_clipboard("nothing of yours");
    let publisher = running.server.publisher();
    publisher.set_clipboard("nothing of mine");
    publisher.rumble(Rumble { pad: 0, strong: 1, weak: 1, duration_ms: 1 });
    let PlayerEvent::Rumble(_) = runtime.block_on(next(&mut player)) else { panic!("a text") };
    // What was sent before this was handled before it.
    player.report(Default::default());
    running.wait("report", |e| match e {
        ServerEvent::Clipboard(_) => panic!("a text"),
        ServerEvent::Stats { .. } => Some(()),
        _ => None,
    });
}
