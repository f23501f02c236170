//! `wl_pointer`: gives surfaces the role of the cursor, which is no part of the picture.

use stratus_protocols::wl_pointer::REQ_SET_CURSOR_OPCODE;
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
