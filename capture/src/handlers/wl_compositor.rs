//! `wl_compositor`: makes surfaces.

use stratus_protocols::wl_compositor::REQ_CREATE_SURFACE_OPCODE;
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;
use crate::graph::{Surface, to_data};

pub(super) const REQUESTS: &[u16] = &[REQ_CREATE_SURFACE_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let id = message.args().object()?;
    let key = capture.graph.surfaces.insert(Surface::new(cx.client()));
    cx.set_data(id, to_data(key));
    Ok(Verdict::Forward)
}
