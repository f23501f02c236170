//! `wp_viewporter`: ties viewports to surfaces.

use stratus_protocols::wp_viewporter::REQ_GET_VIEWPORT_OPCODE;
use stratus_proxy_core::{Context, Message};

use super::{Answer, tie_to_surface};
use crate::Capture;

pub(super) const REQUESTS: &[u16] = &[REQ_GET_VIEWPORT_OPCODE];

pub(super) fn request(
    _capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    tie_to_surface(cx, message)
}
