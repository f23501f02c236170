//! Peers that break rules: each gets a clear answer, and a viewer beside it notices nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use stratus_frame::MonoTime;
use stratus_stream::core::VERSION;
use stratus_stream::core::link::CertificateHash;
use stratus_stream::core::message::{EndCode, EndReason, Message, RefusalCode};
use stratus_stream::core::token::Token;
use stratus_stream::{ConnectError, Limits, Player, PlayerConfig, ServerEvent};
use support::{
    Raw, Running, bounded, encode, frame, hello, message, next_id, play, runtime, start, watch,
};

/// Runs `attack` beside a viewer, which must get its frames as before.
fn attacked(limits: Limits, attack: impl AsyncFnOnce(&Running)) -> Running {
    let running = start(limits);
    let runtime = runtime();
    let mut player = runtime.block_on(play(&running));
    running.publish(&frame(1, None));
    assert_eq!(runtime.block_on(next_id(&mut player)), 1);
    runtime.block_on(attack(&running));
    for id in 2..20 {
        running.publish(&frame(id, Some(id - 1)));
        assert_eq!(runtime.block_on(next_id(&mut player)), id);
    }
    running
}

/// The code with which somebody was refused.
fn refused(running: &Running) -> RefusalCode {
    running.wait("refusal", |e| match e {
        ServerEvent::Refused { refusal, .. } => Some(refusal.code),
        _ => None,
    })
}

#[test]
fn a_wrong_token() {
    let running = attacked(Limits::default(), async |running: &Running| {
        let link = running.server.link().clone().with_token(Token::new([1; 32]));
        let result = bounded(Player::connect(&link, PlayerConfig::default())).await;
        let Err(error @ ConnectError::Refused { .. }) = result else { panic!("let in") };
        assert!(error.to_string().contains("token"), "{error}");
        assert!(!error.to_string().contains("AQEB"), "the token must not be shown: {error}");
    });
    assert_eq!(refused(&running), RefusalCode::Token);
}

#[test]
fn a_wrong_version_names_both() {
    let running = attacked(Limits::default(), async |running: &Running| {
        let raw = Raw::connect(running).await;
        let (_send, mut recv) = raw.say(&hello(9)).await;
        let Message::Refused(refusal) = message(&mut recv).await else { panic!("not refused") };
        assert!(refusal.text.contains("version 1") && refusal.text.contains("version 9"));
        assert_eq!(raw.refusal().await, (1, refusal.text));
    });
    assert_eq!(refused(&running), RefusalCode::Version);
}

#[test]
fn garbage_instead_of_a_hello() {
    let running = attacked(Limits::default(), async |running: &Running| {
        let raw = Raw::connect(running).await;
        let (_send, _recv) = raw.say(&[0, 1, 0, 0, 0, 3, 9, 9, 9]).await;
        let (code, text) = raw.refusal().await;
        assert_eq!(code, 3);
        assert!(text.contains("hello ends inside token"), "{text}");
    });
    assert_eq!(refused(&running), RefusalCode::Malformed);
}

#[test]
fn an_oversized_message_before_and_after_the_welcome() {
    for joined in [false, true] {
        let running = attacked(Limits::default(), async move |running: &Running| {
            let raw = Raw::connect(running).await;
            let oversized = [0, 99, 0x7f, 0xff, 0xff, 0xff];
            let _streams = if joined {
                let (mut send, recv) = raw.join().await;
                bounded(send.write_all(&oversized)).await.unwrap();
                (send, recv)
            } else {
                raw.say(&oversized).await
            };
            let (code, text) = raw.refusal().await;
            assert_eq!(code, 4);
            assert!(text.contains("limit of 65536"), "{text}");
        });
        assert_eq!(refused(&running), RefusalCode::TooLarge);
    }
}

#[test]
fn messages_that_only_a_server_sends() {
    let running = attacked(Limits::default(), async |running: &Running| {
        let raw = Raw::connect(running).await;
        let (mut send, _recv) = raw.join().await;
        let end = EndReason { code: EndCode::Stopped, text: "no, you end".to_owned() };
        bounded(send.write_all(&encode(&Message::End(end)))).await.unwrap();
        assert_eq!(raw.refusal().await.0, 7);
    });
    assert_eq!(refused(&running), RefusalCode::Unexpected);
}

#[test]
fn unknown_messages_are_skipped() {
    attacked(Limits::default(), async |running: &Running| {
        let raw = Raw::connect(running).await;
        let (mut send, mut recv) = raw.join().await;
        let mut bytes = vec![0x7f, 0xff, 0, 0, 0, 3, 1, 2, 3];
        let sent = MonoTime::from_nanos(77);
        bytes.extend_from_slice(&encode(&Message::Ping { sent }));
        bounded(send.write_all(&bytes)).await.unwrap();
        let Message::Pong { ping, .. } = message(&mut recv).await else { panic!("no pong") };
        assert_eq!(ping, sent);
    });
}

#[test]
fn those_who_say_nothing_are_sent_away() {
    let limits = Limits { hello: Duration::from_millis(300), ..Limits::default() };
    let running = attacked(limits, async |running: &Running| {
        let raw = Raw::connect(running).await;
        let started = Raw::connect(running).await;
        let _streams = started.say(&hello(VERSION)[..9]).await;
        let half = started.refusal().await;
        assert_eq!(half.0, 5, "{}", half.1);
        assert_eq!(raw.refusal().await.0, 5);
    });
    assert_eq!(refused(&running), RefusalCode::HelloTimeout);
}

#[test]
fn strangers_are_few_and_cost_viewers_nothing() {
    let limits = Limits { strangers: 2, hello: Duration::from_millis(1500), ..Limits::default() };
    attacked(limits, async |running: &Running| {
        let first = Raw::connect(running).await;
        let second = Raw::connect(running).await;
        let third = Raw::try_connect(running).await.map(|_| ()).unwrap_err();
        let quinn::ConnectionError::ConnectionClosed(close) = &third else { panic!("{third}") };
        assert_eq!(u64::from(close.error_code), 2, "CONNECTION_REFUSED, but {third}");
        let link = running.server.viewers_link().unwrap();
        let player = Player::connect(link, PlayerConfig::default()).await;
        assert!(matches!(player, Err(ConnectError::Overrun { .. })));
        assert_eq!((first.refusal().await.0, second.refusal().await.0), (5, 5));
        watch(running).await.close().await;
    });
}

#[test]
fn a_farewell_that_would_be_lines_of_a_log() {
    for code in [0u32, 9] {
        attacked(Limits::default(), async |running| {
            let raw = Raw::connect(running).await;
            let _control = raw.join().await;
            raw.connection.close(code.into(), b"bye\r\nforged\x1b[2J\xc2\x9b");
            let why = running.wait("leave", |e| match e {
                ServerEvent::Left { why, .. } => Some(why.clone()),
                _ => None,
            });
            assert!(why.contains("bye  forged [2J"), "{why:?}");
            assert!(!why.contains(char::is_control), "{why:?}");
        });
    }
}

#[test]
fn a_second_control_stream() {
    let running = attacked(Limits::default(), async |running: &Running| {
        let raw = Raw::connect(running).await;
        let _control = raw.join().await;
        let _second = raw.say(&[0, 6]).await;
        let (code, text) = raw.refusal().await;
        assert_eq!(code, 7);
        assert!(text.contains("second bidirectional stream"), "{text}");
    });
    assert_eq!(refused(&running), RefusalCode::Unexpected);
}

#[test]
fn wrong_links_explain_themselves() {
    let running = start(Limits::default());
    let runtime = runtime();
    let connect = |link| runtime.block_on(bounded(Player::connect(&link, PlayerConfig::default())));
    let link = running.server.link().clone();
    let other = link.clone().with_certificate(CertificateHash([9; 32]));
    let error = connect(other).map(|_| ()).unwrap_err();
    assert!(matches!(error, ConnectError::Certificate { .. }), "{error}");
    drop(running);
    let error = connect(link).map(|_| ()).unwrap_err();
    assert!(matches!(error, ConnectError::NobodyListens { .. }), "{error}");
}

#[test]
fn a_host_that_is_silent_times_out() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let running = start(Limits::default());
    let text = running.server.link().to_string();
    let ours = running.server.local_addr().port().to_string();
    let port = silent.local_addr().unwrap().port().to_string();
    let link = text.replace(&ours, &port).parse().unwrap();
    let config = PlayerConfig { timeout: Duration::from_millis(300), ..PlayerConfig::default() };
    let error =
        runtime().block_on(bounded(Player::connect(&link, config))).map(|_| ()).unwrap_err();
    assert!(matches!(error, ConnectError::Timeout { .. }), "{error}");
}
