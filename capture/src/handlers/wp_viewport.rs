//! `wp_viewport`: crop and scale, double-buffered with the surface's other state.

use stratus_frame::Size;
use stratus_protocols::wp_viewport::{
    REQ_DESTROY_OPCODE, REQ_SET_DESTINATION_OPCODE, REQ_SET_SOURCE_OPCODE,
};
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;
use crate::graph::{SurfaceKey, Viewport, from_data};

pub(super) const REQUESTS: &[u16] =
    &[REQ_DESTROY_OPCODE, REQ_SET_SOURCE_OPCODE, REQ_SET_DESTINATION_OPCODE];

/// -1 as a 24.8 fixed-point number.
const FIXED_MINUS_ONE: i32 = -256;

pub(super) fn request(
    capture: &mut Capture,
    _cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let key: SurfaceKey = from_data(message.data);
    let Some(surface) = capture.graph.surfaces.get_mut(key) else { return Ok(Verdict::Forward) };
    let mut viewport = surface.pending.0.viewport.unwrap_or(surface.newest_viewport());
    let mut args = message.args();
    match message.opcode {
        REQ_SET_SOURCE_OPCODE => {
            let source = [args.int()?, args.int()?, args.int()?, args.int()?];
            // All -1 takes the crop away (`wp_viewport.set_source`).
            viewport.source = (source != [FIXED_MINUS_ONE; 4]).then_some(source);
        }
        REQ_SET_DESTINATION_OPCODE => {
            let size = (u32::try_from(args.int()?), u32::try_from(args.int()?));
            // -1 takes the scaling away; other negative numbers end the client.
            viewport.destination = match size {
                (Ok(width), Ok(height)) => Some(Size::new(width, height)),
                _ => None,
            };
        }
        _ => viewport = Viewport::default(),
    }
    surface.pending.0.viewport = Some(viewport);
    Ok(Verdict::Forward)
}
