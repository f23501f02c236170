//! The input stream against bytes that no honest player sends, and every honest one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::BytesMut;
use proptest::prelude::*;
use stratus_frame::input::{Input, InputEvent, PadState, PicturePoint, TouchPhase, WheelSource};
use stratus_frame::{MonoTime, Size};
use stratus_stream_core::input::{Inputs, decode, encode};
use stratus_stream_core::wire::WireError;

fn point() -> impl Strategy<Value = PicturePoint> {
    (1u32..=16_384, 1u32..=16_384).prop_flat_map(|(width, height)| {
        let size = Size::new(width, height);
        (0..width, 0..height).prop_map(move |(x, y)| PicturePoint { x, y, size })
    })
}

fn event() -> impl Strategy<Value = InputEvent> {
    let phase = prop_oneof![
        point().prop_map(TouchPhase::Down),
        point().prop_map(TouchPhase::Motion),
        Just(TouchPhase::Up),
        Just(TouchPhase::Cancel),
    ];
    let pad = (0u8..4, any::<bool>(), 0u32..1 << 17, any::<[i16; 4]>(), any::<[u16; 2]>());
    let layout = "[a-z]{1,8}(\\([a-z-]{1,8}\\))?";
    prop_oneof![
        (1u16..=767, any::<bool>()).prop_map(|(code, pressed)| InputEvent::Key { code, pressed }),
        "\\PC{0,100}".prop_map(InputEvent::Text),
        point().prop_map(InputEvent::PointerAt),
        any::<(i32, i32)>().prop_map(|(dx, dy)| InputEvent::PointerBy { dx, dy }),
        (0x110u16..=0x114, any::<bool>())
            .prop_map(|(code, pressed)| InputEvent::Button { code, pressed }),
        any::<(i32, i32, bool)>().prop_map(|(dx, dy, finger)| InputEvent::Wheel {
            dx,
            dy,
            source: if finger { WheelSource::Finger } else { WheelSource::Wheel },
        }),
        (any::<u32>(), phase).prop_map(|(slot, phase)| InputEvent::Touch { slot, phase }),
        pad.prop_map(|(pad, connected, buttons, axes, triggers)| {
            InputEvent::Gamepad(PadState { pad, connected, buttons, axes, triggers })
        }),
        layout.prop_map(|text| InputEvent::Layout(text.parse().unwrap())),
        Just(InputEvent::Release),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// What is said is heard, however the stream is cut.
    #[test]
    fn every_input_arrives(
        events in prop::collection::vec((1u64..1000, any::<u64>(), event()), 0..12),
        cuts in prop::collection::vec(1usize..40, 1..20),
    ) {
        let (mut id, mut bytes, mut said) = (0, BytesMut::new(), Vec::new());
        for (step, time, event) in events {
            id += step;
            let input = Input { id, time: MonoTime::from_nanos(time), event };
            encode(&input, &mut bytes);
            said.push(input);
        }
        let (mut inputs, mut heard) = (Inputs::default(), Vec::new());
        let (mut rest, mut cuts) = (&bytes[..], cuts.into_iter().cycle());
        while !rest.is_empty() {
            let (head, tail) = rest.split_at(cuts.next().unwrap().min(rest.len()));
            inputs.handle_bytes(head);
            rest = tail;
            while let Some(input) = inputs.poll().unwrap() {
                heard.push(input);
            }
        }
        prop_assert!(inputs.is_between_messages());
        prop_assert_eq!(heard, said);
    }

    /// Any bytes are refused, or mean what is written for them.
    #[test]
    fn what_is_read_is_what_was_written(
        kind in 0x0eu16..0x1c,
        bytes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        if let Ok(Some(input)) = decode(kind, &bytes) {
            let mut out = BytesMut::new();
            encode(&input, &mut out);
            prop_assert_eq!(decode(kind, &out[6..]), Ok(Some(input)));
        }
    }
}

/// An input's payload: id 1, time 2, and `rest`.
fn payload(rest: &[u8]) -> Vec<u8> {
    [&1u64.to_be_bytes()[..], &2u64.to_be_bytes(), rest].concat()
}

#[test]
fn values_that_mean_nothing_are_refused() {
    let at = |words: [u32; 4]| words.map(u32::to_be_bytes).concat();
    let touch = |kind: u8, place: [u32; 4]| [&[kind, 0, 0, 0, 0][..], &at(place)].concat();
    let pad = |pad: u8, connected: u8| [&[pad, connected][..], &[0; 16]].concat();
    for (kind, rest, field) in [
        (0x10, vec![0, 0, 1], "code"),
        (0x10, vec![3, 0, 1], "code"),
        (0x10, vec![0, 30, 2], "pressed"),
        (0x12, at([1280, 0, 1280, 720]), "x"),
        (0x12, at([0, 720, 1280, 720]), "y"),
        (0x12, at([0, 0, 0, 720]), "width"),
        (0x12, at([0, 0, 1, 16_385]), "height"),
        (0x14, vec![1, 0x0f, 1], "code"),
        (0x14, vec![1, 0x15, 1], "code"),
        (0x15, vec![0, 0, 0, 0, 0, 0, 0, 0, 2], "source"),
        (0x16, touch(4, [0, 0, 1, 1]), "kind"),
        (0x16, touch(0, [1, 0, 1, 1]), "x"),
        (0x16, touch(1, [0, 0, 1, 0]), "height"),
        (0x17, pad(4, 1), "pad"),
        (0x17, pad(0, 2), "connected"),
        (0x18, vec![0], "length"),
        (0x18, vec![2, b'.', b'.'], "layout"),
    ] {
        match decode(kind, &payload(&rest)) {
            Err(WireError::Value { field: f, .. }) => assert_eq!(f, field, "{kind:#x} {rest:?}"),
            other => panic!("{kind:#x} {rest:?}: {other:?}"),
        }
    }
    let long = [&1025u16.to_be_bytes()[..], &[b'x'; 1025]].concat();
    assert!(matches!(
        decode(0x11, &payload(&long)),
        Err(WireError::TooLong { length: 1025, limit: 1024, .. })
    ));
    assert!(matches!(decode(0x11, &payload(&[0, 1, 0xff])), Err(WireError::Text { .. })));
    let none = [&0u64.to_be_bytes()[..], &2u64.to_be_bytes()].concat();
    assert!(matches!(decode(0x19, &none), Err(WireError::Value { field: "id", .. })));
}

#[test]
fn where_a_finger_was_lifted_does_not_matter_and_unknown_buttons_are_ignored() {
    let up = [&[2u8, 0, 0, 0, 7][..], &[0xff; 16]].concat();
    let event = decode(0x16, &payload(&up)).unwrap().unwrap().event;
    assert_eq!(event, InputEvent::Touch { slot: 7, phase: TouchPhase::Up });
    let pad = [&[0u8, 1][..], &[0xff; 4], &[0; 12]].concat();
    let InputEvent::Gamepad(state) = decode(0x17, &payload(&pad)).unwrap().unwrap().event else {
        panic!("no gamepad")
    };
    assert_eq!(state.buttons, 0x1_ffff);
}

#[test]
fn ids_rise_and_other_messages_are_skipped() {
    let mut bytes = BytesMut::new();
    let input = |id| Input { id, time: MonoTime::UNSET, event: InputEvent::Release };
    encode(&input(5), &mut bytes);
    bytes.extend_from_slice(&[0, 0x1f, 0, 0, 0, 1, 9]);
    encode(&input(9), &mut bytes);
    encode(&input(9), &mut bytes);
    let mut inputs = Inputs::default();
    inputs.handle_bytes(&bytes);
    assert_eq!(inputs.poll(), Ok(Some(input(5))));
    assert_eq!(inputs.poll(), Ok(Some(input(9))));
    let error = WireError::Value { message: "release", field: "id", value: 9 };
    assert_eq!(inputs.poll(), Err(error));
}
