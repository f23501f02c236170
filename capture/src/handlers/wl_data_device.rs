//! `wl_data_device`: gives surfaces the role of a drag icon.

use stratus_protocols::wl_data_device::REQ_START_DRAG_OPCODE;
use stratus_proxy_core::{Context, Message, Verdict};

use super::{Answer, surface_of};
use crate::Capture;
use crate::graph::Role;

pub(super) const REQUESTS: &[u16] = &[REQ_START_DRAG_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let mut args = message.args();
    let (_source, _origin, icon) = (args.object()?, args.object()?, args.object()?);
    capture.graph.give_role(surface_of(cx, icon), Role::DragIcon);
    Ok(Verdict::Forward)
}
