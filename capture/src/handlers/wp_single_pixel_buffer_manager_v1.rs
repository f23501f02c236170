//! `wp_single_pixel_buffer_manager_v1`: buffers of one colour.

use stratus_compose::Content as Pixels;
use stratus_frame::Size;
use stratus_protocols::wp_single_pixel_buffer_manager_v1::REQ_CREATE_U32_RGBA_BUFFER_OPCODE;
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;
use crate::graph::{Buffer, Picture, to_data};

pub(super) const REQUESTS: &[u16] = &[REQ_CREATE_U32_RGBA_BUFFER_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let mut args = message.args();
    let id = args.object()?;
    let colour = [args.uint()?, args.uint()?, args.uint()?, args.uint()?];
    let picture = Picture {
        pixels: Pixels::Colour(colour),
        size: Size::new(1, 1),
        opaque: colour[3] == u32::MAX,
        direct: false,
    };
    let key = capture.graph.buffers.insert(Buffer::new(cx.client(), id, Some(picture)));
    cx.set_data(id, to_data(key));
    Ok(Verdict::Forward)
}
