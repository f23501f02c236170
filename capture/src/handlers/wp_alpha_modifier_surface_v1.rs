//! `wp_alpha_modifier_surface_v1`: opacity, double-buffered with the surface's other state.

use stratus_protocols::wp_alpha_modifier_surface_v1::{
    REQ_DESTROY_OPCODE, REQ_SET_MULTIPLIER_OPCODE,
};
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;
use crate::graph::{SurfaceKey, from_data};

pub(super) const REQUESTS: &[u16] = &[REQ_DESTROY_OPCODE, REQ_SET_MULTIPLIER_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    _cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let key: SurfaceKey = from_data(message.data);
    // Destroying it has the effect of a factor of one (`wp_alpha_modifier_surface_v1.destroy`).
    let factor = match message.opcode {
        REQ_SET_MULTIPLIER_OPCODE => message.args().uint()?,
        _ => u32::MAX,
    };
    if let Some(surface) = capture.graph.surfaces.get_mut(key) {
        surface.pending.0.alpha = Some(factor);
    }
    Ok(Verdict::Forward)
}
