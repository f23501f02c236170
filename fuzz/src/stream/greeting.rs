//! A peer that was not let in yet.

use std::time::Duration;

use stratus_frame::MonoTime;
use stratus_stream_core::greeting::Greeting;
use stratus_stream_core::message::{MachineTag, RefusalCode, Role};
use stratus_stream_core::token::{Token, Tokens};

use super::messages::{Wrong, framed, read, some};
use crate::input::Input;

const PATIENCE: u64 = 1_000_000;

/// A peer says a hello, or something else, in pieces, in time or not.
pub(super) fn run(input: &mut Input<'_>) {
    let choice = input.byte();
    let secret = [choice & 1; 32];
    // The viewers' token is what the player's is not, or there is none.
    let viewers = (choice & 128 == 0).then_some([!choice & 1; 32]);
    let stream = match choice >> 1 & 3 {
        0 => some(input),
        // A good hello but for what follows from the choices.
        _ => {
            let version = u16::from(choice >> 3 & 1) + 1;
            let client: &[u8] = if choice >> 4 & 1 == 1 { &[5; 16] } else { &[] };
            let head = [&version.to_be_bytes()[..], &[0; 32], &[9; 16], b"\x02me", client];
            framed(1, &head.concat())
        }
    };
    let mut now = 5;
    let mut greeting = Greeting::new(MonoTime::from_nanos(now), Duration::from_nanos(PATIENCE));
    assert_eq!(greeting.deadline(), MonoTime::from_nanos(now + PATIENCE));
    let tokens = Tokens { player: Token::new(secret), viewers: viewers.map(Token::new) };
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
            (Some(hello), _) if hello[1] == 1 => Some(if hello[6..8] != [0, 1] {
                Err(RefusalCode::Version)
            } else if hello[8..40] == secret {
                Ok(Role::Player)
            } else if viewers.is_some_and(|token| hello[8..40] == token) {
                Ok(Role::Viewer)
            } else {
                Err(RefusalCode::Token)
            }),
            (Some(_), _) => Some(Err(RefusalCode::Unexpected)),
            (None, Some(Wrong::TooLong)) => Some(Err(RefusalCode::TooLarge)),
            (None, Some(Wrong::Malformed)) => Some(Err(RefusalCode::Malformed)),
            (None, None) if ended => Some(Err(RefusalCode::Malformed)),
            (None, None) if now >= 5 + PATIENCE => Some(Err(RefusalCode::HelloTimeout)),
            (None, None) => None,
        };
        let got = greeting.poll(MonoTime::from_nanos(now), &tokens);
        let answer = got.map(|verdict| verdict.map(|(_, role)| role).map_err(|r| r.code));
        assert_eq!(answer, expected);
        if answer.is_some() {
            break;
        }
    }
    let messages = greeting.into_messages();
    assert!(at > 0 || messages.is_between_messages());
    assert!(!MachineTag::default().shares_clock_with(MachineTag::default()));
}
