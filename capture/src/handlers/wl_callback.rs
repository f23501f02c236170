//! `wl_callback`: the moment at which a game is asked for its next picture.

use stratus_protocols::wl_callback::EVT_DONE_OPCODE;
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;

pub(super) const EVENTS: &[u16] = &[EVT_DONE_OPCODE];

pub(super) fn event(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    // Only callbacks of `wl_surface.frame` carry data.
    if message.data == 0 {
        return Ok(Verdict::Forward);
    }
    let time = message.args().uint()?;
    Ok(capture.callback_done(cx, message.data, time))
}
