//! `wp_alpha_modifier_v1`: ties opacities to surfaces.

use stratus_protocols::wp_alpha_modifier_v1::REQ_GET_SURFACE_OPCODE;
use stratus_proxy_core::{Context, Message, Verdict};

use super::{Answer, surface_of};
use crate::Capture;
use crate::graph::to_data;

pub(super) const REQUESTS: &[u16] = &[REQ_GET_SURFACE_OPCODE];

pub(super) fn request(
    _capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let mut args = message.args();
    let (id, surface) = (args.object()?, args.object()?);
    let key = surface_of(cx, surface);
    cx.set_data(id, to_data(key));
    Ok(Verdict::Forward)
}
