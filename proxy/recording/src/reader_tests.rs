//! Tests of the reader: whatever the bytes are, it gives what is whole and says where it is not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use stratus_proxy_core::Direction;

use super::*;
use crate::FdKind;
use crate::block::{BLOCK_HEADER_LEN, MAX_PLAIN, PREAMBLE_LEN, Packer, preamble};

fn records() -> Vec<Record<'static>> {
    let content = &[3; 5000];
    let whats = [
        What::Fact { name: "byte-order", value: OUR_BYTE_ORDER },
        What::Fact { name: "size", value: "1280x720" },
        What::Connected { pid: 4711, program: "foot" },
        What::File { file: 1, kind: FdKind::Memory, size: 1 << 40 },
        What::File { file: 2, kind: FdKind::Pipe, size: 0 },
        What::Content { file: 1, offset: 77, bytes: content },
        What::Size { file: 1, size: 9 },
        What::Missing { file: 1, offset: 1, len: 2, why: "for lack of room" },
        What::Message { direction: Direction::Request, fds: vec![1, 2], bytes: &[1; 12] },
        What::Message { direction: Direction::Event, fds: vec![], bytes: &[2; 400] },
        What::Closed { file: 1 },
        What::Gone,
    ];
    let number = |(i, what): (u64, _)| Record { client: i % 3, time_ns: i * 1_000_000_007, what };
    (0..).zip(whats).map(number).collect()
}

fn plain(records: &[Record<'_>]) -> Vec<u8> {
    let (mut plain, mut scratch) = (Vec::new(), Vec::new());
    records.iter().for_each(|record| record.write(&mut plain, &mut scratch));
    plain
}

/// A file of one block for each of `blocks`, and where each block ends.
fn file(blocks: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
    let mut packer = Packer::new().unwrap();
    let mut bytes = preamble().to_vec();
    let mut ends = vec![bytes.len()];
    for block in blocks {
        bytes.extend_from_slice(packer.pack(block, 3).unwrap());
        ends.push(bytes.len());
    }
    (bytes, ends)
}

/// What `records()` is as a file of several blocks, and how many records there are up to the end
/// of each.
fn sample() -> (Vec<u8>, Vec<usize>) {
    let all = records();
    let blocks: Vec<_> = all.chunks(5).map(plain).collect();
    file(&blocks)
}

/// All records as text, and the error or the ending.
fn read(bytes: &[u8]) -> (Vec<String>, Result<Ending, Error>) {
    let mut read = Vec::new();
    let mut reader = match Reader::new(bytes) {
        Ok(reader) => reader,
        Err(e) => return (read, Err(e)),
    };
    loop {
        match reader.next_record() {
            Ok(Some(record)) => read.push(format!("{record:?}")),
            Ok(None) => break,
            Err(e) => {
                assert!(matches!(reader.next_record(), Ok(None)), "nothing comes after an error");
                return (read, Err(e));
            }
        }
    }
    (read, Ok(reader.ending().unwrap().clone()))
}

fn expected() -> Vec<String> {
    records().iter().map(|record| format!("{record:?}")).collect()
}

#[test]
fn what_was_written_is_read_and_the_ending_is_told() {
    let (bytes, _) = sample();
    let (read_back, ending) = read(&bytes);
    assert_eq!(read_back, expected());
    assert_eq!(ending.unwrap(), Ending::Unfinished);

    let end = What::End { reason: EndReason::SizeLimit, text: "full", messages: 2 };
    let mut all = records();
    all.push(Record { client: 0, time_ns: 0, what: end });
    let (read_back, ending) = read(&file(&[plain(&all)]).0);
    assert_eq!(read_back, expected());
    let ended = Ending::Ended { reason: EndReason::SizeLimit, text: "full".into(), messages: 2 };
    assert_eq!(ending.unwrap(), ended);
}

#[test]
fn a_file_cut_anywhere_is_read_up_to_its_last_whole_block() {
    let (bytes, ends) = sample();
    for len in PREAMBLE_LEN..bytes.len() {
        let whole = ends.iter().filter(|end| **end <= len).count() - 1;
        let (read_back, ending) = read(&bytes[..len]);
        assert_eq!(read_back, expected()[..(whole * 5).min(expected().len())], "{len}");
        let last = ends[whole];
        let wanted = if last == len { Ending::Unfinished } else { Ending::Cut(last as u64) };
        assert_eq!(ending.unwrap(), wanted, "{len}");
    }
    for len in 0..PREAMBLE_LEN {
        let error = read(&bytes[..len]).1.unwrap_err();
        assert!(matches!(error.problem, Problem::NotARecording), "{len}");
    }
}

#[test]
fn newer_kinds_and_fields_are_skipped_and_another_major_version_is_refused() {
    let mut block = plain(&records()[..2]);
    // Kind 200 of client 0 at 0 with three bytes, which no version has yet.
    block.extend([200, 0, 0, 3, 1, 2, 3]);
    // `Closed` of file 9, with a field behind that a later version may have.
    block.extend([9, 0, 0, 3, 9, 55, 55]);
    let (mut bytes, _) = file(&[block]);
    bytes[10] = 99;
    let mut reader = Reader::new(&bytes[..]).unwrap();
    let mut read_back = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        read_back.push(format!("{:?}", record.what));
    }
    assert_eq!(read_back[2..], [format!("{:?}", What::Closed { file: 9 })]);
    assert_eq!((reader.skipped(), reader.minor()), (1, 99));

    bytes[8] = 2;
    let error = read(&bytes).1.unwrap_err();
    assert!(matches!(error.problem, Problem::Version { major: 2, minor: 99 }));
    assert_eq!(error.to_string(), "at byte 0: it has format 2.99; this Stratus reads format 1");
}

#[test]
fn the_other_byte_order_is_refused() {
    let record =
        Record { client: 0, time_ns: 0, what: What::Fact { name: "byte-order", value: "middle" } };
    let error = read(&file(&[plain(&[record])]).0).1.unwrap_err();
    assert!(matches!(error.problem, Problem::ByteOrder(_)), "{error}");
}

#[test]
fn lengths_that_cannot_be_are_refused_before_memory_is_taken_for_them() {
    let block = |packed: u32, plain: u32| {
        let mut bytes = preamble().to_vec();
        bytes.extend(packed.to_le_bytes());
        bytes.extend(plain.to_le_bytes());
        bytes.extend([0; 64]);
        read(&bytes).1
    };
    for (packed, plain) in [(u32::MAX, 1), (64, u32::MAX), (64, MAX_PLAIN as u32 + 1)] {
        let error = block(packed, plain).unwrap_err();
        assert!(matches!(error.problem, Problem::BlockLength { .. }), "{packed} {plain}: {error}");
        assert_eq!(error.offset, 16);
    }
    // As long as may be, but not there: what is taken is what there is.
    assert_eq!(block(MAX_PLAIN as u32, 1).unwrap(), Ending::Cut(16));

    // A block that holds more than it says, by far.
    let (mut bytes, _) = file(&[vec![0; 1 << 20]]);
    bytes[PREAMBLE_LEN + 4..PREAMBLE_LEN + BLOCK_HEADER_LEN].copy_from_slice(&9u32.to_le_bytes());
    assert!(matches!(read(&bytes).1.unwrap_err().problem, Problem::Damaged));
}

/// Reads a sample with the bits `flip` of one byte turned over.
fn damage(mut bytes: Vec<u8>, ends: &[usize], at: usize, flip: u8) -> Result<(), TestCaseError> {
    let at = at % bytes.len();
    bytes[at] ^= flip;
    let (read_back, result) = read(&bytes);
    prop_assert_eq!(&read_back[..], &expected()[..read_back.len()]);
    // The minor version and the four spare bytes may be any. In a zstd frame there are bits that
    // mean nothing, some by RFC 8878 (3.1.1.1.1), some by what a version of the library looks at:
    // the content may come out whole, for the checksum is about that alone.
    let start = ends.iter().rev().find(|end| **end <= at);
    let framed = start.is_some_and(|start| at >= start + BLOCK_HEADER_LEN);
    prop_assert!((10..16).contains(&at) || framed || read_back.len() < expected().len());
    prop_assert!(at >= 10 || result.is_err());
    Ok(())
}

#[test]
fn every_bit_that_means_something_is_guarded() {
    let (bytes, ends) = sample();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            damage(bytes.clone(), &ends, at, 1 << bit).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn a_damaged_file_gives_a_part_of_what_it_was(at in 0usize..1 << 16, flip in 1u8..) {
        let (bytes, ends) = sample();
        damage(bytes, &ends, at, flip)?;
    }

    #[test]
    fn no_bytes_bring_the_reader_down(block in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&block);
        let (whole, _) = file(std::slice::from_ref(&block));
        let _ = read(&whole);
        let mut bare = preamble().to_vec();
        bare.extend(&block);
        let _ = read(&bare);
    }

    #[test]
    fn no_record_brings_the_reader_down(
        kind in 0u8..14,
        rest in prop::collection::vec(prop_oneof![any::<u8>(), 0u8..4], 0..40),
    ) {
        let mut block = vec![kind, 0, 0, rest.len() as u8];
        block.extend(&rest);
        let _ = read(&file(&[block]).0);
    }
}
