//! A peer that was not let in yet.

use std::time::Duration;

use stratus_frame::MonoTime;
use stratus_stream_core::greeting::Greeting;
use stratus_stream_core::message::{MachineTag, RefusalCode};
use stratus_stream_core::token::Token;

use super::messages::{Wrong, framed, read, some};
use crate::input::Input;

const PATIENCE: u64 = 1_000_000;

/// A peer says a hello, or something else, in pieces, in time or not.
pub(super) fn run(input: &mut Input<'_>) {
    let choice = input.byte();
    let secret = [choice & 1; 32];
    let stream = match choice >> 1 & 3 {
        0 => some(input),
        // A good hello but for what follows from the choices.
        _ => {
            let version = u16::from(choice >> 3 & 1) + 1;
            let head = [&version.to_be_bytes()[..], &[0; 32], &[9; 16], b"\x02me"].concat();
            framed(1, &head)
        }
    };
    let mut now = 5;
    let mut greeting = Greeting::new(MonoTime::from_nanos(now), Duration::from_nanos(PATIENCE));
    assert_eq!(greeting.deadline(), MonoTime::from_nanos(now + PATIENCE));
    let mut at = 0;
    let mut ended = false;
    for _ in 0..64 {
        let step = input.byte();
        match step & 3 {
            3 => now += u64::from(step) * 8192,
            2 if step > 250 => {
                greeting.handle_end();
                ended = true;
            }
            _ => {
                let end = (at + usize::from(step)).min(stream.len());
                greeting.handle_bytes(&stream[at..end]);
                at = end;
            }
        }
        let (messages, wrong, _) = read(&stream[..at]);
        let expected = match (messages.first(), wrong) {
            (Some(hello), _) if hello[1] == 1 => match (hello[7], hello[8..40] == secret) {
                (1, true) if hello[6] == 0 => Some(None),
                (1, false) if hello[6] == 0 => Some(Some(RefusalCode::Token)),
                _ => Some(Some(RefusalCode::Version)),
            },
            (Some(_), _) => Some(Some(RefusalCode::Unexpected)),
            (None, Some(Wrong::TooLong)) => Some(Some(RefusalCode::TooLarge)),
            (None, Some(Wrong::Malformed)) => Some(Some(RefusalCode::Malformed)),
            (None, None) if ended => Some(Some(RefusalCode::Malformed)),
            (None, None) if now >= 5 + PATIENCE => Some(Some(RefusalCode::HelloTimeout)),
            (None, None) => None,
        };
        let got = greeting.poll(MonoTime::from_nanos(now), &Token::new(secret));
        let answer = got.map(|answer| answer.err().map(|refusal| refusal.code));
        assert_eq!(answer, expected);
        if answer.is_some() {
            break;
        }
    }
    let messages = greeting.into_messages();
    assert!(at > 0 || messages.is_between_messages());
    assert!(!MachineTag::default().shares_clock_with(MachineTag::default()));
}
