//! `xdg_wm_base`: makes the first half of a window.

use stratus_protocols::xdg_wm_base::REQ_GET_XDG_SURFACE_OPCODE;
use stratus_proxy_core::{Context, Message};

use super::{Answer, tie_to_surface};
use crate::Capture;

pub(super) const REQUESTS: &[u16] = &[REQ_GET_XDG_SURFACE_OPCODE];

pub(super) fn request(
    _capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    tie_to_surface(cx, message)
}
