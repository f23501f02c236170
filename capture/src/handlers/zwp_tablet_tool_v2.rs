//! `zwp_tablet_tool_v2`: its cursor is a tool's and not the pointer's; players draw none of it.

use stratus_protocols::zwp_tablet_tool_v2::REQ_SET_CURSOR_OPCODE;
use stratus_proxy_core::{Context, Message, Verdict};

use super::{Answer, surface_of};
use crate::Capture;
use crate::graph::Role;

pub(super) const REQUESTS: &[u16] = &[REQ_SET_CURSOR_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let mut args = message.args();
    let (_serial, surface) = (args.uint()?, args.object()?);
    capture.graph.give_role(surface_of(cx, surface), Role::Cursor);
    Ok(Verdict::Forward)
}
