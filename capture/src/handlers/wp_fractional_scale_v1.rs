//! `wp_fractional_scale_v1`: agrees with the outputs' scale of 1.

use stratus_protocols::wp_fractional_scale_v1::EVT_PREFERRED_SCALE_OPCODE;
use stratus_proxy_core::{Context, Message, Verdict};

use super::{Answer, patch_int};
use crate::Capture;

pub(super) const EVENTS: &[u16] = &[EVT_PREFERRED_SCALE_OPCODE];

/// Scale 1, in the 120ths that the protocol counts in.
const SCALE_ONE: i32 = 120;

pub(super) fn event(
    _capture: &mut Capture,
    _cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let is = message.args().int()?;
    patch_int(message, 0, is, SCALE_ONE)?;
    Ok(Verdict::Forward)
}
