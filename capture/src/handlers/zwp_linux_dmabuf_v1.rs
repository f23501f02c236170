//! `zwp_linux_dmabuf_v1`: says, up to version 3, which formats and modifiers there are: those that
//! we can read.

use stratus_dmabuf::INVALID;
use stratus_protocols::zwp_linux_dmabuf_v1::{EVT_FORMAT_OPCODE, EVT_MODIFIER_OPCODE};
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;

pub(super) const EVENTS: &[u16] = &[EVT_FORMAT_OPCODE, EVT_MODIFIER_OPCODE];

pub(super) fn event(
    capture: &mut Capture,
    _cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let mut args = message.args();
    let format = args.uint()?;
    let modifier = match message.opcode {
        EVT_MODIFIER_OPCODE => u64::from(args.uint()?) << 32 | u64::from(args.uint()?),
        // Without one the layout is left to the driver.
        _ => INVALID,
    };
    let passes = capture.dmabufs.lets_through(format, modifier);
    Ok(if passes { Verdict::Forward } else { Verdict::Drop })
}
