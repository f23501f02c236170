//! Whatever a peer sends, lines are made of it: no panic, one line each, no raw control characters.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use proptest::prelude::*;
use stratus_protocols::InterfaceId;
use stratus_proxy_core::{PassThrough, Side};
use stratus_trace::{Format, Options};
use support::*;

/// A body for which little speaks: small numbers, which make lengths and ids, and any others.
fn body() -> impl Strategy<Value = Vec<u32>> {
    let word = prop_oneof![3 => 0u32..40, 1 => any::<u32>(), 1 => Just(u32::MAX)];
    prop::collection::vec(word, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn every_message_with_any_body_becomes_a_line(
        interface in 0..InterfaceId::ALL.len(),
        opcode in 0u16..24,
        request in any::<bool>(),
        fds in 0usize..3,
        body in body(),
    ) {
        let id = InterfaceId::ALL[interface];
        let from = if request { Side::Client } else { Side::Compositor };
        let bytes = message(3, opcode, &body);
        for format in [Format::Text, Format::Json] {
            let mut stage = Stage::new(PassThrough);
            stage.request(&message(1, 1, &[2]));
            stage.event(&global(1, id.name(), id.version()));
            stage.request(&bind(1, id.name(), id.version(), 3));
            let feed = stage.feed();
            stage.say(from, &bytes, fds);
            let lines = stage.lines(feed, &Options { format, ..Options::default() });
            prop_assert!(lines.iter().all(|line| !line.chars().any(char::is_control)));
        }
    }
}
