//! Tests of how packets are cut.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use pulseaudio::protocol::Command;

use super::*;

fn header(length: u32, channel: u32, offset: u64, flags: u32) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(length.to_be_bytes());
    out.extend(channel.to_be_bytes());
    out.extend(offset.to_be_bytes());
    out.extend(flags.to_be_bytes());
    out
}

/// Everything that a splitter makes of pieces of `bytes`, blocks joined.
fn split(bytes: &[u8], piece: usize) -> (Vec<String>, Option<Malformed>) {
    let mut splitter = Splitter::default();
    let mut out = Vec::new();
    let mut block: Option<(u32, Seek, Vec<u8>)> = None;
    for mut piece in bytes.chunks(piece) {
        loop {
            match splitter.next(&mut piece) {
                Ok(None) => break,
                Err(e) => return (out, Some(e)),
                Ok(Some(Packet::Command(c))) => out.push(format!("{c:?}")),
                Ok(Some(Packet::Samples { channel, seek, bytes })) => {
                    let (_, _, all) = block.get_or_insert_with(|| (channel, seek, Vec::new()));
                    all.extend_from_slice(bytes);
                }
            }
            if matches!(splitter.state, State::Header)
                && let Some(block) = block.take()
            {
                out.push(format!("{block:?}"));
            }
        }
    }
    (out, None)
}

#[test]
fn packets_are_the_same_however_they_are_cut() {
    let mut stream = header(3, u32::MAX, 0, 0);
    stream.extend(b"1N0");
    stream.extend(header(5, 7, 16, 1));
    stream.extend([1, 2, 3, 4, 5]);
    stream.extend(header(0, u32::MAX, 0, 0x4000_0000));
    stream.extend(header(0, 7, (-4i64).cast_unsigned(), 0));
    stream.extend(header(2, 8, 0, 2));
    stream.extend([6, 7]);
    let expected = [
        "[49, 78, 48]",
        "(7, Absolute(16), [1, 2, 3, 4, 5])",
        "(7, Relative(-4), [])",
        "(8, RelativeOnRead(0), [6, 7])",
    ];
    for piece in 1..=stream.len() {
        assert_eq!(split(&stream, piece), (expected.map(str::to_owned).to_vec(), None), "{piece}");
    }
}

#[test]
fn what_was_not_agreed_on_and_what_is_too_long_ends_the_connection() {
    let error = |bytes: Vec<u8>| split(&bytes, 1000).1;
    assert_eq!(error(header(8, u32::MAX, 0, 0x8000_0000)), Some(Malformed::Flags(0x8000_0000)));
    assert_eq!(error(header(8, 0, 0, 0x2000_0000)), Some(Malformed::Flags(0x2000_0000)));
    assert_eq!(error(header(8, 0, 0, 4)), Some(Malformed::Flags(4)));
    assert_eq!(error(header(u32::MAX, u32::MAX, 0, 0)), Some(Malformed::TooLong(u32::MAX)));
    assert_eq!(error(header(1 << 25, 0, 0, 0)), Some(Malformed::TooLong(1 << 25)));
    // An "arbitrary" of 4 GiB, and a time with two million microseconds.
    for payload in [&b"x\xff\xff\xff\xff"[..], b"T\0\0\0\0\0\x1e\x84\x80", b"?", b"tabc", b"L\0"] {
        let mut bytes = header(payload.len() as u32, u32::MAX, 0, 0);
        bytes.extend(payload);
        assert_eq!(error(bytes), Some(Malformed::Command), "{payload:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// What the check lets pass brings down nothing behind it.
    #[test]
    fn no_command_panics(
        tag in 0u32..106,
        parts in prop::collection::vec(
            (prop::sample::select(b"10NBLVaRrUTtxmvfP".to_vec()),
             prop::collection::vec(any::<u8>(), 0..10)), 0..20),
    ) {
        let mut payload = [&b"L"[..], &tag.to_be_bytes(), b"L\0\0\0\x01"].concat();
        for (tag, bytes) in parts {
            payload.push(tag);
            payload.extend(bytes);
        }
        if check(&payload).is_ok() {
            for version in [13, 35] {
                let _ = Command::read_tag_prefixed(&mut &payload[..], version);
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1usize..50) {
        split(&bytes, piece);
    }
}
