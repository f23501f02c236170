//! `wl_buffer`: its release is held while a frame of it waits or is read.

use stratus_protocols::InterfaceId;
use stratus_protocols::wl_buffer::{EVT_RELEASE_OPCODE, REQ_DESTROY_OPCODE};
use stratus_proxy_core::{Context, Message, ObjectId, Verdict};

use super::Answer;
use crate::Capture;
use crate::graph::{Buffer, BufferKey, from_data, to_data};

pub(super) const REQUESTS: &[u16] = &[REQ_DESTROY_OPCODE];
pub(super) const EVENTS: &[u16] = &[EVT_RELEASE_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    _cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    // Frames of it keep its memory; what is owed for it dies with it.
    capture.graph.buffers.remove(from_data(message.data));
    capture.forget_gone_buffers();
    Ok(Verdict::Forward)
}

pub(super) fn event(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    Ok(capture.compositor_released(cx, from_data(message.data)))
}

/// The buffer that object `id` stands for. One that did not come out of a `wl_shm_pool` (a
/// kind that is not followed) is met here for the first time and followed from now on.
pub(super) fn adopt(capture: &mut Capture, cx: &mut Context<'_>, id: ObjectId) -> BufferKey {
    let known = cx
        .object(id)
        .filter(|o| o.interface == InterfaceId::WlBuffer && !o.destroyed)
        .map(|o| o.data);
    match known {
        Some(0) => {
            capture.stats.unreadable.add(1);
            let buffer = Buffer::new(cx.client(), id, None);
            let key = capture.graph.buffers.insert(buffer);
            cx.set_data(id, to_data(key));
            key
        }
        data => from_data(data.unwrap_or(0)),
    }
}
