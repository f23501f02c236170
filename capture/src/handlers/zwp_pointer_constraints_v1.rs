//! `zwp_pointer_constraints_v1`: locks and confines the pointer.

use stratus_protocols::zwp_pointer_constraints_v1::{
    REQ_CONFINE_POINTER_OPCODE, REQ_LOCK_POINTER_OPCODE,
};
use stratus_proxy_core::{Context, Message, Verdict};

use super::{Answer, surface_of};
use crate::Capture;
use crate::cursor::{Constraint, Kind};
use crate::graph::to_data;

pub(super) const REQUESTS: &[u16] = &[REQ_LOCK_POINTER_OPCODE, REQ_CONFINE_POINTER_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let mut args = message.args();
    let (id, surface) = (args.object()?, args.object()?);
    let kind = match message.opcode {
        REQ_LOCK_POINTER_OPCODE => Kind::Lock,
        _ => Kind::Confinement,
    };
    let constraint = Constraint::new(cx.client(), surface_of(cx, surface), kind);
    let key = capture.cursor.with_constraints(|all| all.add(constraint));
    cx.set_data(id, to_data(key));
    Ok(Verdict::Forward)
}
