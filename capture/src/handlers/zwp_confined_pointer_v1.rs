//! `zwp_confined_pointer_v1`: the pointer stays inside while it is active.

use stratus_protocols::zwp_confined_pointer_v1::{
    EVT_CONFINED_OPCODE, EVT_UNCONFINED_OPCODE, REQ_DESTROY_OPCODE,
};
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;
use crate::graph::from_data;

pub(super) const REQUESTS: &[u16] = &[REQ_DESTROY_OPCODE];
pub(super) const EVENTS: &[u16] = &[EVT_CONFINED_OPCODE, EVT_UNCONFINED_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    _cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let key = from_data(message.data);
    capture.cursor.with_constraints(|all| all.remove(key));
    Ok(Verdict::Forward)
}

pub(super) fn event(
    capture: &mut Capture,
    _cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let (key, active) = (from_data(message.data), message.opcode == EVT_CONFINED_OPCODE);
    capture.cursor.with_constraints(|all| all.activate(key, active));
    Ok(Verdict::Forward)
}
