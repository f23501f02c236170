//! Clients that are broken or hostile, and those that sleep: none costs the others anything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::Write;
use std::process::{Child, Command as Program};
use std::time::Duration;

use pulseaudio::protocol::{
    Command, MAX_VERSION, ProtocolError, PulseError, write_command_message, write_memblock,
};
use stratus_audio::SoundServer;
use support::raw::Raw;
use support::*;

fn pactl_works(server: &SoundServer) {
    let child: Child = client(server, "pactl").arg("info").spawn().unwrap();
    assert!(finish(child).contains("stratus"));
}

fn header(length: u32, channel: u32, flags: u32) -> Vec<u8> {
    [length, channel, 0, 0, flags].iter().flat_map(|n| n.to_be_bytes()).collect()
}

#[test]
fn what_cannot_be_read_ends_that_client_alone() {
    let place = tempfile::tempdir().unwrap();
    let (server, _) = server(place.path());
    let attacks = [
        header(u32::MAX, u32::MAX, 0),
        header(1 << 30, 0, 0),
        header(8, u32::MAX, 0x8000_0000),
        header(16, 5, 0x2000_0000),
        [header(9, u32::MAX, 0), b"x\xff\xff\xff\xff____".to_vec()].concat(),
        vec![0xff; 5000],
    ];
    for bytes in attacks {
        let mut raw = Raw::greet(place.path());
        raw.0.get_mut().write_all(&bytes).unwrap();
        assert!(raw.is_let_go(), "{:?}", &bytes[..20]);
    }
    pactl_works(&server);
}

#[test]
fn who_says_nothing_of_itself_gets_nothing() {
    let place = tempfile::tempdir().unwrap();
    let (_server, _) = server(place.path());
    let mut raw = Raw::open(place.path());
    let Err(ProtocolError::ServerError(why)) = raw.play(1) else { panic!("it may play") };
    assert_eq!(why, PulseError::AccessDenied);
}

#[test]
fn a_hundred_streams_and_more_than_they_may_hold_stay_bounded() {
    let place = tempfile::tempdir().unwrap();
    let (server, _) = server(place.path());
    let mut clients: Vec<Raw> = (0..4).map(|_| Raw::greet(place.path())).collect();
    let mut channels = Vec::new();
    for raw in &mut clients {
        for n in 0..25 {
            if let Ok(reply) = raw.play(5) {
                assert!(reply.buffer_attr.max_length <= 1 << 20);
                channels.push((reply.channel, n));
            }
        }
    }
    assert_eq!(channels.len(), 64, "of all clients together");
    // Blocks for streams of others are not theirs.
    let before = resident();
    for raw in &mut clients {
        let socket = raw.0.get_mut();
        socket.set_nonblocking(false).unwrap();
        for (channel, _) in &channels {
            // Four times as much as fits.
            for _ in 0..4 {
                if write_memblock(socket, *channel, &[1; 1 << 20], 0).is_err() {
                    break;
                }
            }
        }
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 160 << 20, "{} MiB for 64 streams of 1 MiB", grown >> 20);
    drop(clients);
    pactl_works(&server);
}

/// Bytes of memory that this process has.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn who_never_reads_is_let_go() {
    let place = tempfile::tempdir().unwrap();
    let (server, _) = server(place.path());
    let mut raw = Raw::greet(place.path());
    let mut message = Vec::new();
    write_command_message(&mut message, 1, &Command::GetSinkInfoList, MAX_VERSION).unwrap();
    let many = message.repeat(1000);
    let start = std::time::Instant::now();
    while raw.0.get_mut().write_all(&many).is_ok() {
        assert!(start.elapsed() < Duration::from_secs(20), "it may go on for ever");
    }
    pactl_works(&server);
}

#[test]
fn too_many_clients_wait_for_their_turn() {
    let place = tempfile::tempdir().unwrap();
    let (server, _) = server(place.path());
    let clients: Vec<Raw> = (0..32).map(|_| Raw::greet(place.path())).collect();
    let mut pactl: Child = client(&server, "pactl").arg("info").spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert!(pactl.try_wait().unwrap().is_none(), "it waits");
    drop(clients);
    assert!(finish(pactl).contains("stratus"));
}

#[test]
fn nothing_to_be_heard_sends_nothing_and_wakes_nobody() {
    let place = tempfile::tempdir().unwrap();
    let (server, ear) = server(place.path());
    let mut raw = Raw::greet(place.path());
    // A stream with nothing in it, and a corked one.
    raw.play(1).unwrap();
    eventually("all is said", || {
        let before = server.counts();
        std::thread::sleep(Duration::from_millis(100));
        server.counts() == before
    });
    let before = server.counts();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(server.counts(), before);
    assert!(ear.packets().is_empty());
    // One that plays silence is consumed, and sends nothing.
    let reply = raw.play(0).unwrap();
    write_memblock(raw.0.get_mut(), reply.channel, &[0; 96_000], 0).unwrap();
    eventually("half a second is played", || server.counts().ticks >= 100);
    assert!(ear.packets().is_empty());
}

#[test]
fn sound_is_consumed_in_real_time_whether_or_not_a_client_runs_on() {
    let place = tempfile::tempdir().unwrap();
    let (server, ear) = server(place.path());
    let tone = s16le(&tone(48_000, 700.0, 0.4, 30.0));
    let mut pacat = client(&server, "pacat");
    pacat.args(["--playback", "--raw", "--format=s16le", "--rate=48000", "--channels=1"]);
    let mut player = feed(pacat, tone);
    eventually("it plays", || ear.packets().len() > 40);
    let pid = player.id().to_string();
    let signal = |name: &str| {
        assert!(Program::new("kill").args([name, &pid]).status().unwrap().success());
    };
    signal("-STOP");
    // What it had sent is played, and then nothing ticks any more.
    let mut last = server.counts().ticks;
    eventually("its queue is empty", || {
        std::thread::sleep(Duration::from_millis(200));
        std::mem::replace(&mut last, server.counts().ticks) == last
    });
    let stopped = ear.packets().len();
    pactl_works(&server);
    signal("-CONT");
    eventually("it plays again", || ear.packets().len() > stopped + 40);
    // The stamps of what was played are those of a clock: between two packets of one piece of
    // sound lie 5 ms, however busy the machine was.
    for pair in ear.packets().windows(2).filter(|p| !p[1].previous.is_empty()) {
        assert_eq!(pair[1].captured.since(pair[0].captured), Duration::from_millis(5));
    }
    player.kill().unwrap();
    player.wait().unwrap();
}
