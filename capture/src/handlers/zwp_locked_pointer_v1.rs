//! `zwp_locked_pointer_v1`: the pointer stands still while it is active.

use stratus_protocols::zwp_locked_pointer_v1::{
    EVT_LOCKED_OPCODE, EVT_UNLOCKED_OPCODE, REQ_DESTROY_OPCODE, REQ_SET_CURSOR_POSITION_HINT_OPCODE,
};
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;
use crate::cursor::ConstraintKey;
use crate::graph::from_data;

pub(super) const REQUESTS: &[u16] = &[REQ_DESTROY_OPCODE, REQ_SET_CURSOR_POSITION_HINT_OPCODE];
pub(super) const EVENTS: &[u16] = &[EVT_LOCKED_OPCODE, EVT_UNLOCKED_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    _cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let key: ConstraintKey = from_data(message.data);
    match message.opcode {
        REQ_DESTROY_OPCODE => capture.cursor.with_constraints(|all| all.remove(key)),
        _ => {
            let mut args = message.args();
            let at = (args.int()?, args.int()?);
            capture.cursor.with_constraints(|all| all.hint(key, at));
        }
    }
    Ok(Verdict::Forward)
}

pub(super) fn event(
    capture: &mut Capture,
    _cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let (key, active) = (from_data(message.data), message.opcode == EVT_LOCKED_OPCODE);
    capture.cursor.with_constraints(|all| all.activate(key, active));
    Ok(Verdict::Forward)
}
