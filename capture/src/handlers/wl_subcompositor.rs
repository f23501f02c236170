//! `wl_subcompositor`: makes surfaces parts of others.

use stratus_protocols::wl_subcompositor::REQ_GET_SUBSURFACE_OPCODE;
use stratus_proxy_core::{Context, Message, Verdict};

use super::{Answer, surface_of};
use crate::Capture;
use crate::graph::to_data;

pub(super) const REQUESTS: &[u16] = &[REQ_GET_SUBSURFACE_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let mut args = message.args();
    let (id, surface, parent) = (args.object()?, args.object()?, args.object()?);
    let child = surface_of(cx, surface);
    capture.graph.link(child, surface_of(cx, parent));
    cx.set_data(id, to_data(child));
    Ok(Verdict::Forward)
}
