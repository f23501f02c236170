//! The golden vectors of the wire format: bytes written by hand, shared with other clients.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use stratus_frame::input::{
    Input, InputEvent, PadState, PicturePoint, Rumble, TouchPhase, WheelSource,
};
use stratus_frame::sound::SoundPacket;
use stratus_frame::{Codec, CursorId, FrameId, MonoTime, PointerBounds, Size, Stamps};
use stratus_stream_core::clipboard::ClipboardPart;
use stratus_stream_core::cursor::{CursorPart, SentCursor, SentLook};
use stratus_stream_core::header::FrameHeader;
use stratus_stream_core::input::{self, Inputs};
use stratus_stream_core::message::{
    ClientId, ClientStats, EndCode, EndReason, Hello, MachineTag, Message, Messages, Refusal,
    RefusalCode, Resize, Role, Welcome,
};
use stratus_stream_core::sound;
use stratus_stream_core::token::Token;
use stratus_stream_core::wire::FRAMING_LEN;

fn vectors() -> BTreeMap<&'static str, Vec<u8>> {
    include_str!("vectors.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
        .map(|line| {
            let (name, hex) = line.split_once(" = ").expect("name = hex");
            let digits: String = hex.split(' ').collect();
            let bytes = (0..digits.len() / 2)
                .map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).expect("hex"))
                .collect();
            (name, bytes)
        })
        .collect()
}

fn counting<const N: usize>(from: u8) -> [u8; N] {
    std::array::from_fn(|i| from + i as u8)
}

fn messages() -> BTreeMap<&'static str, Message> {
    let ns = MonoTime::from_nanos;
    let machine = MachineTag(counting(0x50));
    let hello = Hello {
        version: 1,
        token: Token::new(counting(0)),
        machine,
        name: "päll/1".to_owned(),
        client: ClientId(counting(0xc0)),
    };
    let welcome = Welcome {
        version: 1,
        session: 0x0102_0304_0506_0708,
        machine,
        size: Size::new(1280, 720),
        millifps: 60_000,
        codec: Codec::H264,
        clock: ns(5_000_000_000),
        role: Role::Viewer,
        game: "gnüget".to_owned(),
    };
    let stats = ClientStats {
        received: 100,
        decoded: 99,
        dropped: 1,
        bytes: 1_000_000,
        newest: FrameId(42),
        rtt_us: 250,
        waiting: 2,
    };
    let refused = Refusal { code: RefusalCode::Token, text: "wrong token".to_owned() };
    let end = EndReason { code: EndCode::GameExited, text: "game exited".to_owned() };
    let part = CursorPart {
        id: CursorId(5),
        size: Size::new(2, 1),
        offset: 4,
        bgra: vec![1, 2, 3, 4].into(),
    };
    let look = SentLook::Image { id: CursorId(5), shown: Size::new(2, 1), hotspot: (1, -1) };
    let cursor = SentCursor { look, bounds: PointerBounds::Locked { hint: Some((2560, 512)) } };
    let look = SentLook::Shape("text".to_owned());
    let shape = SentCursor { look, bounds: PointerBounds::Confined };
    let rumble = Rumble { pad: 3, strong: 65_535, weak: 32_768, duration_ms: 250 };
    let clipboard = ClipboardPart { last: true, bytes: "aé".into() };
    BTreeMap::from([
        ("hello", Message::Hello(hello)),
        ("welcome", Message::Welcome(welcome)),
        ("refused", Message::Refused(refused)),
        ("keyframe-request", Message::KeyframeRequest { newest: FrameId(42) }),
        ("client-stats", Message::ClientStats(stats)),
        ("ping", Message::Ping { sent: ns(1000) }),
        ("pong", Message::Pong { ping: ns(1000), received: ns(2000), sent: ns(3000) }),
        ("end", Message::End(end)),
        ("cursor-image", Message::CursorImage(part)),
        ("cursor", Message::Cursor(cursor)),
        ("cursor-shape", Message::Cursor(shape)),
        ("rumble", Message::Rumble(rumble)),
        ("clipboard", Message::Clipboard(clipboard)),
        ("resize", Message::Resize(Resize { size: Size::new(1920, 1080), millifps: 144_000 })),
    ])
}

fn headers() -> BTreeMap<&'static str, FrameHeader> {
    let ns = MonoTime::from_nanos;
    let keyframe = FrameHeader {
        sequence: 0,
        id: FrameId(7),
        depends_on: None,
        newest_input: 0,
        stamps: Stamps {
            read: ns(1),
            handed: ns(2),
            convert_start: ns(3),
            convert_end: ns(4),
            encoded: ns(5),
        },
        sent: ns(6),
        size: Size::new(1280, 720),
        codec: Codec::H264,
        torn: false,
        payload_len: 1000,
    };
    let delta = FrameHeader {
        sequence: 9,
        id: FrameId(42),
        depends_on: Some(FrameId(40)),
        newest_input: 17,
        torn: true,
        payload_len: 100,
        ..keyframe
    };
    BTreeMap::from([("keyframe", keyframe), ("delta", delta)])
}

fn sounds() -> BTreeMap<&'static str, SoundPacket> {
    let sound = SoundPacket {
        sequence: 9,
        captured: MonoTime::from_nanos(5_000_000_000),
        samples: 240,
        opus: Bytes::from_static(&[0xfc, 1, 2]),
        previous: Bytes::from_static(&[0xfc, 0xff]),
    };
    let first = SoundPacket {
        sequence: u32::MAX,
        captured: MonoTime::from_nanos(1),
        samples: 480,
        opus: Bytes::from_static(&[0xfc]),
        previous: Bytes::new(),
    };
    BTreeMap::from([("sound", sound), ("sound-first", first)])
}

#[test]
fn messages_have_exactly_these_bytes() {
    let vectors = vectors();
    for (name, message) in messages() {
        let mut out = BytesMut::new();
        message.encode(&mut out);
        assert_eq!(out, vectors[name], "{name}");
        let mut messages = Messages::default();
        messages.handle_bytes(&vectors[name]);
        assert_eq!(messages.poll().unwrap().as_ref(), Some(&message), "{name}");
        assert!(messages.is_between_messages());
    }
    let others = headers().len() + sounds().len() + inputs().len();
    assert_eq!(vectors.len(), messages().len() + others);
}

fn inputs() -> BTreeMap<&'static str, Input> {
    let size = Size::new(1280, 720);
    let pad = PadState {
        pad: 1,
        connected: true,
        buttons: 1 | 1 << 16,
        axes: [-32_768, 32_767, 0, -1],
        triggers: [0, 65_535],
    };
    let touched = TouchPhase::Motion(PicturePoint { x: 10, y: 20, size });
    let wheel = |dx, dy, source| InputEvent::Wheel { dx, dy, source };
    let events = [
        ("key", InputEvent::Key { code: 30, pressed: true }),
        ("text", InputEvent::Text("ñ€".to_owned())),
        ("pointer-at", InputEvent::PointerAt(PicturePoint { x: 639, y: 359, size })),
        ("pointer-by", InputEvent::PointerBy { dx: 384, dy: -512 }),
        ("button", InputEvent::Button { code: 0x110, pressed: false }),
        ("wheel", wheel(0, -120, WheelSource::Wheel)),
        ("wheel-finger", wheel(3200, 0, WheelSource::Finger)),
        ("touch", InputEvent::Touch { slot: 2, phase: touched }),
        ("touch-up", InputEvent::Touch { slot: 2, phase: TouchPhase::Up }),
        ("gamepad", InputEvent::Gamepad(pad)),
        ("layout", InputEvent::Layout("de(nodeadkeys)".parse().unwrap())),
        ("release", InputEvent::Release),
    ];
    let time = MonoTime::from_nanos(1_000_000_000);
    let input = |(i, (name, event))| (name, Input { id: i as u64 + 1, time, event });
    events.into_iter().enumerate().map(input).collect()
}

#[test]
fn inputs_have_exactly_these_bytes() {
    for (name, input) in inputs() {
        let bytes = &vectors()[name];
        let mut out = BytesMut::new();
        input::encode(&input, &mut out);
        assert_eq!(out, bytes, "{name}");
        let mut inputs = Inputs::default();
        inputs.handle_bytes(bytes);
        assert_eq!(inputs.poll().unwrap().as_ref(), Some(&input), "{name}");
        assert!(inputs.is_between_messages());
    }
}

#[test]
fn headers_have_exactly_these_bytes() {
    for (name, header) in headers() {
        let bytes = &vectors()[name];
        let mut out = BytesMut::new();
        header.encode(&mut out);
        assert_eq!(out, bytes, "{name}");
        assert_eq!(FrameHeader::decode(&bytes[FRAMING_LEN..]), Ok(header), "{name}");
    }
}

#[test]
fn datagrams_of_sound_have_exactly_these_bytes() {
    for (name, packet) in sounds() {
        let bytes = Bytes::from(vectors()[name].clone());
        assert_eq!(sound::encode(&packet, 1200).unwrap(), bytes, "{name}");
        assert_eq!(sound::decode(&bytes), Ok(Some(packet.clone())), "{name}");
        for n in 0..bytes.len() {
            sound::decode(&bytes.slice(..n)).expect_err(name);
        }
        let longer = Bytes::from([&bytes[..], &[1, 2, 3]].concat());
        assert_eq!(sound::decode(&longer), Ok(Some(packet)), "{name}");
    }
}

#[test]
fn greetings_of_older_peers_are_read() {
    let vectors = vectors();
    let decode = |name: &str, left_out: usize| {
        let bytes = &vectors[name];
        let kind = u16::from_be_bytes([bytes[0], bytes[1]]);
        Message::decode(kind, &bytes[FRAMING_LEN..bytes.len() - left_out]).unwrap().unwrap()
    };
    let Message::Hello(hello) = decode("hello", 16) else { panic!("no hello") };
    assert_eq!((hello.name.as_str(), hello.client), ("päll/1", ClientId::default()));
    assert!(!hello.client.is_same_as(hello.client), "an unknown client is never known again");
    let Message::Welcome(welcome) = decode("welcome", 9) else { panic!("no welcome") };
    assert_eq!((welcome.role, welcome.game.as_str()), (Role::Viewer, ""));
}

#[test]
fn longer_payloads_are_read_and_shorter_ones_refused() {
    for (name, bytes) in vectors() {
        if sounds().contains_key(name) {
            continue;
        }
        let kind = u16::from_be_bytes([bytes[0], bytes[1]]);
        let payload = &bytes[FRAMING_LEN..];
        let decode = |payload: &[u8]| -> Result<String, String> {
            if kind == 0x40 {
                FrameHeader::decode(payload).map(|h| format!("{h:?}"))
            } else if (0x10..0x1a).contains(&kind) {
                input::decode(kind, payload).map(|i| format!("{:?}", i.unwrap()))
            } else {
                Message::decode(kind, payload).map(|m| format!("{:?}", m.unwrap()))
            }
            .map_err(|e| e.to_string())
        };
        let whole = decode(payload).unwrap();
        assert_eq!(decode(&[payload, &[1, 2, 3]].concat()), Ok(whole), "{name}");
        // Older peers end hello and welcome here.
        let older = match name {
            "hello" => Some(payload.len() - 16),
            "welcome" => Some(payload.len() - 9),
            _ => None,
        };
        for n in (0..payload.len()).filter(|n| Some(*n) != older) {
            decode(&payload[..n]).expect_err(name);
        }
    }
}
