//! `wl_pointer`: gives surfaces the role of the cursor, which is no part of the picture, and tells
//! which client the pointer is over.

use stratus_protocols::wl_pointer::{EVT_ENTER_OPCODE, EVT_LEAVE_OPCODE, REQ_SET_CURSOR_OPCODE};
use stratus_proxy_core::{Context, Message, ObjectId, Verdict};

use super::{Answer, surface_of};
use crate::Capture;
use crate::graph::Role;

pub(super) const REQUESTS: &[u16] = &[REQ_SET_CURSOR_OPCODE];
pub(super) const EVENTS: &[u16] = &[EVT_ENTER_OPCODE, EVT_LEAVE_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let mut args = message.args();
    let (_serial, surface) = (args.uint()?, args.object()?);
    let hotspot = (args.int()?, args.int()?);
    let key = surface_of(cx, surface);
    capture.graph.give_role(key, Role::Cursor);
    let shown = (surface != ObjectId::NULL).then_some(key);
    capture.cursor_set(cx.client(), shown, hotspot);
    Ok(Verdict::Forward)
}

pub(super) fn event(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    match message.opcode {
        EVT_ENTER_OPCODE => capture.cursor.entered(cx.client(), message.args().uint()?),
        _ => capture.cursor.left(cx.client()),
    }
    Ok(Verdict::Forward)
}
