//! Good peers over loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use stratus_frame::{FrameId, Size};
use stratus_stream::core::message::{ClientStats, EndCode, EndReason, Resize, Role};
use stratus_stream::{
    ConnectError, Limits, Player, PlayerConfig, PlayerEvent, ServeError, Server, ServerEvent,
};
use support::{Raw, bounded, config, frame, next_id, play, runtime, start, token, watch};

#[test]
fn a_thousand_frames_arrive_in_order_and_whole() {
    let running = start(Limits::default());
    let runtime = runtime();
    assert!(!running.server.publisher().ready(), "nobody is there");
    let mut player = runtime.block_on(play(&running));
    running.wait("join", |e| matches!(e, ServerEvent::Joined { .. }).then_some(()));
    running.wait("keyframe request", |e| matches!(e, ServerEvent::KeyframeWanted).then_some(()));
    assert_eq!(running.server.publisher().viewers(), 1);
    assert!(player.clock().is_same_machine());
    assert_eq!(player.welcome().size, support::SIZE);
    let receiving = runtime.spawn(async move {
        for id in 1..=1000 {
            assert_eq!(next_id(&mut player).await, id);
        }
        player
    });
    for id in 1..=1000u64 {
        // A keyframe in the middle must not push out those before it.
        running.publish(&frame(id, (id % 100 != 1).then(|| id - 1)));
    }
    let player = runtime.block_on(bounded(receiving)).unwrap();
    let counts = player.counts();
    assert_eq!((counts.yielded, counts.dropped, counts.missing), (1000, 0, 0));
}

#[test]
fn the_end_comes_after_the_last_frame() {
    let running = start(Limits::default());
    let runtime = runtime();
    let mut player = runtime.block_on(play(&running));
    running.publish(&frame(1, None));
    running.publish(&frame(2, Some(1)));
    let reason = EndReason { code: EndCode::GameExited, text: "the game exited (0)".to_owned() };
    let expected = reason.clone();
    let receiving = runtime.spawn(async move {
        assert_eq!(next_id(&mut player).await, 1);
        assert_eq!(next_id(&mut player).await, 2);
        for _ in 0..2 {
            let PlayerEvent::End(end) = bounded(player.next()).await else { panic!("no end") };
            assert_eq!(end, expected);
        }
    });
    running.server.end(reason);
    runtime.block_on(bounded(receiving)).unwrap();
}

#[test]
fn requests_and_statistics_reach_the_server() {
    let running = start(Limits::default());
    let runtime = runtime();
    let mut player = runtime.block_on(play(&running));
    running.publish(&frame(1, None));
    assert_eq!(runtime.block_on(next_id(&mut player)), 1);
    let stats = ClientStats { decoded: 1, newest: FrameId(1), ..ClientStats::default() };
    player.report(stats);
    let seen = running.wait("statistics", |e| match e {
        ServerEvent::Stats { stats, .. } => Some(*stats),
        _ => None,
    });
    assert_eq!(seen, stats);
    player.request_keyframe();
    running.wait("keyframe request", |e| matches!(e, ServerEvent::KeyframeWanted).then_some(()));
    running.publish(&frame(2, Some(1)));
    running.publish(&frame(3, None));
    assert_eq!(runtime.block_on(next_id(&mut player)), 3, "2 cannot be decoded any more");
}

#[test]
fn one_that_never_reads_stops_itself_only() {
    let limits = Limits { stall: Duration::from_millis(700), ..Limits::default() };
    let running = start(limits);
    let runtime = runtime();
    let deaf = runtime.block_on(Raw::connect(&running));
    let control = runtime.block_on(deaf.join());
    running.wait("room", |e| matches!(e, ServerEvent::Ready).then_some(()));
    let publisher = running.server.publisher();
    let mut id = 0;
    while publisher.ready() {
        id += 1;
        assert!(id < 100, "a viewer that takes nothing always has room");
        publisher.publish(&frame(id, (id > 1).then(|| id - 1)));
    }
    let mut player = runtime.block_on(play(&running));
    running.wait("room", |e| matches!(e, ServerEvent::Ready).then_some(()));
    let first = id + 1;
    for id in first..first + 50 {
        running.publish(&frame(id, (id > first).then(|| id - 1)));
        assert_eq!(runtime.block_on(next_id(&mut player)), id);
    }
    let (code, text) = runtime.block_on(deaf.refusal());
    assert_eq!(code, 8, "{text}");
    running.wait("leave", |e| matches!(e, ServerEvent::Left { .. }).then_some(()));
    assert_eq!(publisher.viewers(), 1);
    running.publish(&frame(500, None));
    assert_eq!(runtime.block_on(next_id(&mut player)), 500);
    drop(control);
}

#[test]
fn a_viewer_that_goes_leaves_room_for_another() {
    let running = start(Limits { viewers: 1, ..Limits::default() });
    let runtime = runtime();
    let _player = runtime.block_on(play(&running));
    let viewer = runtime.block_on(watch(&running));
    assert_eq!(viewer.welcome().role, Role::Viewer);
    let link = running.server.viewers_link().unwrap();
    let second = runtime.block_on(Player::connect(link, PlayerConfig::default()));
    let Err(error @ ConnectError::Refused { .. }) = second else { panic!("let in") };
    assert!(error.to_string().contains("all 1 places for viewers are taken"), "{error}");
    runtime.block_on(bounded(viewer.close()));
    running.wait("leave", |e| matches!(e, ServerEvent::Left { .. }).then_some(()));
    runtime.block_on(watch(&running));
}

#[test]
fn dropping_the_server_ends_the_session() {
    let runtime = runtime();
    let running = start(Limits::default());
    let mut player = runtime.block_on(play(&running));
    let waiting = runtime.spawn(async move { bounded(player.next()).await });
    drop(running);
    let event = runtime.block_on(waiting).unwrap();
    assert!(
        matches!(event, PlayerEvent::End(EndReason { code: EndCode::Stopped, .. })),
        "{event:?}"
    );
}

#[test]
fn a_busy_port_and_a_foreign_address_say_so() {
    let running = start(Limits::default());
    let mut busy = config(Limits::default());
    busy.listen = running.server.local_addr();
    let error = Server::start(busy, std::sync::Arc::new(|_| ())).map(|_| ()).unwrap_err();
    assert!(matches!(error, ServeError::PortBusy { .. }), "{error}");
    let mut foreign = config(Limits::default());
    // RFC 5737: an address of documentation, which no machine has.
    foreign.listen = ([192, 0, 2, 1], 0).into();
    let error = Server::start(foreign, std::sync::Arc::new(|_| ())).map(|_| ()).unwrap_err();
    assert!(matches!(error, ServeError::NoSuchAddress { .. }), "{error}");
    let mut named = config(Limits::default());
    named.public_host = Some("my host".to_owned());
    let error = Server::start(named, std::sync::Arc::new(|_| ())).map(|_| ()).unwrap_err();
    assert!(matches!(error, ServeError::PublicHost { .. }), "{error}");
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut busy = config(Limits::default());
    busy.listen = tcp.local_addr().unwrap();
    let error = Server::start(busy, std::sync::Arc::new(|_| ())).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("(TCP): the port is taken"), "{error}");
}

#[test]
fn the_link_names_the_public_host() {
    let mut config = config(Limits::default());
    config.listen = ([0, 0, 0, 0], 0).into();
    let server = Server::start(config.clone(), std::sync::Arc::new(|_| ())).unwrap();
    assert_eq!(server.link().host(), "127.0.0.1");
    assert_eq!(server.link().port(), server.local_addr().port());
    assert_eq!(server.link().token(), &token());
    config.public_host = Some("[::1]".to_owned());
    let server = Server::start(config, std::sync::Arc::new(|_| ())).unwrap();
    assert_eq!(server.link().host(), "::1");
}

/// Waits for the wish for this width, and answers how many came up to it.
fn wished(running: &support::Running, width: u32) -> usize {
    let mut count = 0;
    running.wait("resize", |e| match e {
        ServerEvent::Resize { resize, .. } => {
            count += 1;
            assert!(resize.size.width < 5000, "a viewer is heard");
            (resize.size.width == width).then_some(())
        }
        _ => None,
    });
    count
}

#[test]
fn the_last_wish_of_a_storm_counts_and_a_viewers_wish_sends_it_away() {
    let running = start(Limits::default());
    let runtime = runtime();
    let player = runtime.block_on(play(&running));
    let mut viewer = runtime.block_on(watch(&running));
    let wish = |width| Resize { size: Size::new(width, 600), millifps: 0 };
    viewer.resize(wish(5000));
    for width in 1000..2000 {
        player.resize(wish(width));
    }
    let told = wished(&running, 1999);
    assert!(told < 500, "{told} of 1000 wishes were passed on");
    let PlayerEvent::Lost(why) = runtime.block_on(bounded(viewer.next())) else { panic!("kept") };
    assert!(why.contains("a viewer must not ask for another screen"), "{why}");
}

#[test]
fn the_welcome_says_what_the_screen_is_by_now() {
    let running = start(Limits::default());
    running.server.publisher().set_screen(Size::new(800, 600), 144_000);
    let player = runtime().block_on(play(&running));
    let welcome = player.welcome();
    assert_eq!((welcome.size, welcome.millifps), (Size::new(800, 600), 144_000));
    assert_eq!((welcome.role, welcome.game.as_str()), (Role::Player, "a game"));
}
