//! `zxdg_output_v1`: says of the output what `wl_output` says. SDL takes its size from here.

use stratus_protocols::zxdg_output_v1::{EVT_LOGICAL_POSITION_OPCODE, EVT_LOGICAL_SIZE_OPCODE};
use stratus_proxy_core::{Context, Message, Verdict};

use super::{Answer, patch_int};
use crate::Capture;
use crate::fullscreen::as_ints;

pub(super) const EVENTS: &[u16] = &[EVT_LOGICAL_POSITION_OPCODE, EVT_LOGICAL_SIZE_OPCODE];

pub(super) fn event(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let screen = capture.xdg_output_seen(cx.client(), message.sender);
    let mut args = message.args();
    let is = (args.int()?, args.int()?);
    let shall =
        if message.opcode == EVT_LOGICAL_SIZE_OPCODE { as_ints(screen.size) } else { (0, 0) };
    patch_int(message, 0, is.0, shall.0)?;
    patch_int(message, 1, is.1, shall.1)?;
    Ok(Verdict::Forward)
}
