//! `wp_cursor_shape_manager_v1`: makes devices, of which those of pointers count.

use stratus_protocols::wp_cursor_shape_manager_v1::REQ_GET_POINTER_OPCODE;
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use super::wp_cursor_shape_device_v1::OF_A_POINTER;
use crate::Capture;

pub(super) const REQUESTS: &[u16] = &[REQ_GET_POINTER_OPCODE];

pub(super) fn request(
    _capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let id = message.args().object()?;
    cx.set_data(id, OF_A_POINTER);
    Ok(Verdict::Forward)
}
