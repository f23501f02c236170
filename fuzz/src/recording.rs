//! Recordings from anyone: records good and bad, blocks cut and damaged, said again to a hook.
//!
//! The file is written here a second time, without the recorder's code: numbers in LEB128 (DWARF,
//! section 7.6) and zstd frames that hold their bytes plain (RFC 8878, section 3.1.1).

use std::time::Duration;

use stratus_capture::{Capture, CaptureConfig};
use stratus_frame::{Size, mailbox};
use stratus_proxy_core::{Direction, GlobalPolicy};
use stratus_recording::{EndReason, Ending, FdKind, Problem, Reader, Record, Rerun, What};

use crate::input::Input;
use crate::model::message;

/// The kinds of fds, by their numbers.
const KINDS: [FdKind; 7] = [
    FdKind::Memory,
    FdKind::Pipe,
    FdKind::Socket,
    FdKind::Dmabuf,
    FdKind::SyncFile,
    FdKind::Device,
    FdKind::Other,
];
const REASONS: [EndReason; 5] = [
    EndReason::Finished,
    EndReason::SizeLimit,
    EndReason::Overrun,
    EndReason::WriteError,
    EndReason::Other,
];

fn put(out: &mut Vec<u8>, mut n: u64) {
    while n > 127 {
        out.push(n as u8 & 127 | 128);
        n >>= 7;
    }
    out.push(n as u8);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend(bytes);
}

/// A record's kind, and the rest of it.
fn fields(what: &What<'_>) -> (u8, Vec<u8>) {
    let mut out = Vec::new();
    let kind = match what {
        What::Fact { name, value } => {
            put_bytes(&mut out, name.as_bytes());
            put_bytes(&mut out, value.as_bytes());
            1
        }
        What::Connected { pid, program } => {
            put(&mut out, (*pid).into());
            put_bytes(&mut out, program.as_bytes());
            2
        }
        What::Gone => 3,
        What::Message { direction, fds, bytes } => {
            out.push(u8::from(*direction == Direction::Event));
            put(&mut out, fds.len() as u64);
            fds.iter().for_each(|fd| put(&mut out, (*fd).into()));
            put_bytes(&mut out, bytes);
            4
        }
        What::File { file, kind, size } => {
            put(&mut out, (*file).into());
            out.push(KINDS.iter().position(|k| k == kind).unwrap_or(0) as u8);
            put(&mut out, *size);
            5
        }
        What::Size { file, size } => {
            put(&mut out, (*file).into());
            put(&mut out, *size);
            6
        }
        What::Content { file, offset, bytes } => {
            put(&mut out, (*file).into());
            put(&mut out, *offset);
            put_bytes(&mut out, bytes);
            7
        }
        What::Missing { file, offset, len, why } => {
            put(&mut out, (*file).into());
            put(&mut out, *offset);
            put(&mut out, *len);
            put_bytes(&mut out, why.as_bytes());
            8
        }
        What::Closed { file } => {
            put(&mut out, (*file).into());
            9
        }
        What::End { reason, text, messages } => {
            let number = REASONS.iter().position(|r| r == reason).unwrap_or(4);
            out.push(if number == 4 { 255 } else { number as u8 });
            put_bytes(&mut out, text.as_bytes());
            put(&mut out, *messages);
            10
        }
    };
    (kind, out)
}

/// A number of any length.
fn number(input: &mut Input<'_>) -> u64 {
    u64::from(input.number()) << (input.byte() & 32)
}

/// A record chosen by `input`; its bytes are `room`'s.
fn some<'a>(input: &mut Input<'_>, room: &'a [u8]) -> Record<'a> {
    let file = u32::from(input.byte() & 3);
    let choice = input.byte();
    let what = match choice & 15 {
        0 => What::Fact { name: "size", value: "1x1" },
        1 | 2 => What::Connected { pid: input.number(), program: "foot" },
        3 if choice > 128 => What::Gone,
        3..=8 => {
            let direction = if choice & 64 == 0 { Direction::Request } else { Direction::Event };
            let fds = (0..choice >> 4 & 3).map(|n| u32::from(n) + 1).collect();
            What::Message { direction, fds, bytes: room }
        }
        9 => {
            let kind = *input.pick(&KINDS);
            What::File { file, kind, size: number(input) }
        }
        10 => What::Size { file, size: number(input) },
        11 => What::Content { file, offset: number(input), bytes: room },
        12 => What::Missing { file, offset: number(input), len: number(input), why: "no room" },
        13 => What::Closed { file },
        _ if choice > 200 => {
            What::End { reason: *input.pick(&REASONS), text: "so", messages: number(input) }
        }
        _ => What::Fact { name: "", value: "größe" },
    };
    Record { client: u64::from(choice >> 6 & 1), time_ns: number(input), what }
}

/// A block: two lengths and a zstd frame of one raw block.
fn block(plain: &[u8]) -> Vec<u8> {
    let mut frame = 0xfd2f_b528u32.to_le_bytes().to_vec();
    // A single segment whose length stands in four bytes.
    frame.push(0b1010_0000);
    frame.extend((plain.len() as u32).to_le_bytes());
    // The last block, raw.
    frame.extend(&((plain.len() as u32) << 3 | 1).to_le_bytes()[..3]);
    frame.extend(plain);
    let lengths = [frame.len() as u32, plain.len() as u32].map(u32::to_le_bytes);
    [&lengths.concat()[..], &frame].concat()
}

/// Writes a recording, damages it maybe, reads it, and says it again.
///
/// # Panics
/// On a finding.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let damage = input.byte();
    let room: Vec<u8> = match input.byte() {
        n @ 0..=127 => message(u32::from(n & 3), u16::from(n >> 2 & 3), &[2, u32::from(n >> 4)]),
        n => input.bytes(usize::from(n & 31)).to_vec(),
    };
    let mut bytes = b"\x93WlRec\r\n\x01\0\0\0\0\0\0\0".to_vec();
    let mut records: Vec<Record<'_>> = Vec::new();
    // How many records are whole when the file ends there.
    let mut ends = vec![(bytes.len(), 0)];
    let mut skipped = 0;
    for _ in 0..8 {
        let mut plain = Vec::new();
        for _ in 0..1 + input.byte() % 8 {
            if input.byte() == 255 {
                // A kind that a later version may have.
                plain.extend([200, 0, 0, 2, 1, 2]);
                skipped += 1;
            }
            let record = some(&mut input, &room);
            let (kind, mut rest) = fields(&record.what);
            rest.extend(vec![9; usize::from(input.byte() == 254)]);
            plain.push(kind);
            put(&mut plain, record.client);
            put(&mut plain, record.time_ns);
            put_bytes(&mut plain, &rest);
            records.push(record);
        }
        bytes.extend(block(&plain));
        ends.push((bytes.len(), records.len()));
        if input.is_empty() {
            break;
        }
    }
    match damage {
        0..=99 => check(&bytes, &records, &Ending::Unfinished, Some(skipped)),
        100..=179 => {
            let at = 16 + input.below(bytes.len() - 16 + 1);
            let &(end, whole) = ends.iter().rfind(|(end, _)| *end <= at).expect("the preamble");
            let cut = if end == at { Ending::Unfinished } else { Ending::Cut(end as u64) };
            check(&bytes[..at], &records[..whole], &cut, None);
        }
        _ => {
            for _ in 0..1 + (damage & 7) {
                let at = input.below(bytes.len());
                bytes[at] = input.byte();
            }
            replay(&bytes);
        }
    }
}

/// What was written is read, up to its end.
fn check(bytes: &[u8], records: &[Record<'_>], ending: &Ending, skipped: Option<u64>) {
    let mut reader = Reader::new(bytes).expect("a good start");
    let is_end = |r: &&Record<'_>| matches!(r.what, What::End { .. });
    let end = records.iter().find(is_end);
    let before = records.iter().take_while(|r| !is_end(r));
    for expected in before {
        let got = reader.next_record().expect("a good record");
        assert_eq!(got.as_ref(), Some(expected));
    }
    assert_eq!(reader.next_record().expect("an end"), None);
    match end.map(|r| &r.what) {
        Some(What::End { reason, text, messages }) => {
            let (reason, messages) = (*reason, *messages);
            let ended = Ending::Ended { reason, text: (*text).to_owned(), messages };
            assert_eq!(reader.ending(), Some(&ended));
        }
        _ => {
            assert_eq!(reader.ending(), Some(ending));
            assert!(skipped.is_none_or(|n| n == reader.skipped()));
        }
    }
    assert!(reader.position() <= bytes.len() as u64);
    replay(bytes);
}

/// Whatever the bytes are, they are read to some end and can be said to the capture.
fn replay(bytes: &[u8]) {
    let mut reader = match Reader::new(bytes) {
        Ok(reader) => reader,
        Err(error) => {
            assert!(matches!(error.problem, Problem::NotARecording | Problem::Version { .. }));
            return;
        }
    };
    let (post, _slot) = mailbox();
    let mut config = CaptureConfig::new(Size::new(32, 16));
    config.hold_deadline = Duration::from_millis(1);
    let capture = Capture::new(&config, post, std::task::Waker::noop().clone());
    let mut rerun = Rerun::new(capture, GlobalPolicy::default());
    loop {
        match reader.next_record() {
            Ok(Some(record)) => {
                rerun.advance(record.time_ns).expect("the capture is done at some time");
                if rerun.handle(&record, record.time_ns).is_err() {
                    break;
                }
            }
            Ok(None) => {
                assert!(reader.ending().is_some());
                break;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty() && error.offset <= bytes.len() as u64);
                assert!(matches!(reader.next_record(), Ok(None)), "nothing comes after an error");
                break;
            }
        }
    }
}
