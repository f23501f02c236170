//! Bytes that no honest peer sends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::BytesMut;
use proptest::prelude::*;
use stratus_stream_core::header::FrameHeader;
use stratus_stream_core::link::Link;
use stratus_stream_core::message::{EndCode, EndReason, Message, Messages, RefusalCode};
use stratus_stream_core::wire::{MAX_MESSAGE, MAX_TEXT, WireError};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_panic_a_decoder(kind in 0u16..0x50, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Message::decode(kind, &bytes);
        let _ = FrameHeader::decode(&bytes);
    }

    /// However a stream is cut into pieces, the same messages or the same error come out.
    #[test]
    fn cutting_changes_nothing(
        frames in prop::collection::vec(
            (0u16..12, prop::collection::vec(any::<u8>(), 0..80)), 0..8),
        tail in prop::collection::vec(any::<u8>(), 0..20),
        cuts in prop::collection::vec(1usize..40, 1..50),
    ) {
        let mut stream = Vec::new();
        for (kind, payload) in frames {
            stream.extend(kind.to_be_bytes());
            stream.extend((payload.len() as u32).to_be_bytes());
            stream.extend(payload);
        }
        stream.extend(tail);
        let mut whole = Messages::default();
        whole.handle_bytes(&stream);
        let expected = drain(&mut whole);

        let mut pieces = Messages::default();
        let mut seen = Vec::new();
        let mut rest = &stream[..];
        let mut cuts = cuts.into_iter().cycle();
        let mut error = None;
        while !rest.is_empty() && error.is_none() {
            let (head, tail) = rest.split_at(cuts.next().unwrap().min(rest.len()));
            pieces.handle_bytes(head);
            let (more, e) = drain(&mut pieces);
            seen.extend(more);
            error = e;
            rest = tail;
        }
        prop_assert_eq!((seen, error), expected);
    }

    #[test]
    fn no_text_panics_the_link(text in "\\PC{0,120}", host in "[\\[\\]a-f0-9:.%#/]{0,20}") {
        let _ = text.parse::<Link>();
        let _ = format!("stratus://{text}").parse::<Link>();
        let _ = format!("stratus://{host}:80/#{text}").parse::<Link>();
    }

    #[test]
    fn a_changed_header_reads_the_same_or_not_at_all(at in 0usize..94, to in any::<u8>()) {
        let hex = include_str!("vectors.txt").lines().find(|l| l.starts_with("delta = ")).unwrap();
        let digits: String = hex["delta = ".len()..].split(' ').collect();
        let mut payload: Vec<u8> = (6..100)
            .map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap())
            .collect();
        payload[at] = to;
        if let Ok(header) = FrameHeader::decode(&payload) {
            let mut out = BytesMut::new();
            header.encode(&mut out);
            // Unknown flag bits are ignored, as the next version may set them.
            payload[89] &= 0b11;
            prop_assert_eq!(&out[6..], &payload[..]);
        }
    }
}

fn drain(messages: &mut Messages) -> (Vec<Message>, Option<WireError>) {
    let mut seen = Vec::new();
    loop {
        match messages.poll() {
            Ok(Some(m)) => seen.push(m),
            Ok(None) => return (seen, None),
            Err(e) => return (seen, Some(e)),
        }
    }
}

#[test]
fn a_length_above_the_limit_is_refused_at_its_header() {
    let mut messages = Messages::default();
    let head = |n: u32| [&[0, 9][..], &n.to_be_bytes()].concat();
    messages.handle_bytes(&head(MAX_MESSAGE as u32));
    assert_eq!(messages.poll(), Ok(None), "the limit itself is fine");
    let mut messages = Messages::default();
    messages.handle_bytes(&head(MAX_MESSAGE as u32 + 1));
    assert!(matches!(messages.poll(), Err(WireError::TooLong { limit: 65_536, .. })));
}

#[test]
fn images_of_more_bytes_than_a_number_can_say_are_refused() {
    // 40,000 x 40,000 pixels fit into 32 bits, their bytes do not.
    let words = [0u32, 1, 40_000, 40_000, 0, 1].map(u32::to_be_bytes).concat();
    assert!(Message::decode(0x20, &[&words[..], &[7]].concat()).is_err());
}

#[test]
fn long_texts_are_cut_between_characters() {
    let mut out = BytesMut::new();
    let text = format!("a{}", "é".repeat(MAX_TEXT));
    Message::End(EndReason { code: EndCode::Failed, text }).encode(&mut out);
    let mut messages = Messages::default();
    messages.handle_bytes(&out);
    let Ok(Some(Message::End(end))) = messages.poll() else { panic!("not readable") };
    assert_eq!(end.text, format!("a{}", "é".repeat((MAX_TEXT - 1) / 2)));
}

#[test]
fn codes_of_newer_peers_survive() {
    for n in 0..100 {
        assert_eq!(RefusalCode::from_wire(n).to_wire(), n);
        assert_eq!(EndCode::from_wire(n).to_wire(), n);
    }
}
