//! `wl_registry`: shows how many outputs the compositor has.

use stratus_protocols::wl_registry::REQ_BIND_OPCODE;
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;

pub(super) const REQUESTS: &[u16] = &[REQ_BIND_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    _cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let mut args = message.args();
    let name = args.uint()?;
    // Two are enough to know that there are several.
    if args.string()? == Some(b"wl_output")
        && capture.outputs.len() < 2
        && !capture.outputs.contains(&name)
    {
        capture.outputs.push(name);
        if capture.outputs.len() == 2 {
            tracing::warn!(
                "the compositor has several outputs: the game sees the same mode on all"
            );
        }
    }
    Ok(Verdict::Forward)
}
