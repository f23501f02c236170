//! A recording whose messages are wrong ends the sessions of its clients, and brings nobody down.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use stratus_proxy_core::{GlobalPolicy, PassThrough};
use stratus_recording::{Reader, Record, Rerun, What};

const RECORDING: &[u8] = include_bytes!("../../../harness/recordings/weston-flower.wlrec");

/// Says the recording again with byte `at` of message `number` changed; gives how many messages
/// were said until a session ended.
fn say_damaged(number: u64, at: usize, flip: u8) -> u64 {
    let mut rerun = Rerun::new(PassThrough, GlobalPolicy::default());
    let mut reader = Reader::new(RECORDING).unwrap();
    while let Some(record) = reader.next_record().unwrap() {
        let now = record.time_ns;
        rerun.advance(now).unwrap();
        let violation = match &record.what {
            What::Message { direction, fds, bytes } if rerun.messages() == number => {
                let mut bytes = bytes.to_vec();
                let at = at % bytes.len();
                bytes[at] ^= flip;
                let (direction, fds) = (*direction, fds.clone());
                let what = What::Message { direction, fds, bytes: &bytes };
                rerun.handle(&Record { what, ..record }, now).unwrap()
            }
            _ => rerun.handle(&record, now).unwrap(),
        };
        if violation.is_some() {
            break;
        }
    }
    rerun.messages()
}

#[test]
fn undamaged_it_is_said_to_its_end() {
    assert_eq!(say_damaged(u64::MAX, 0, 0), 124);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_it_brings_nobody_down(number in 0u64..124, at in 0usize..64, flip in 1u8..) {
        let said = say_damaged(number, at, flip);
        prop_assert!(said > number);
    }
}
