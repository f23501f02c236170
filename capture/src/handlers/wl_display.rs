//! `wl_display`: the id of a frame callback must not be free before the client knows of its end.

use stratus_protocols::wl_display::EVT_DELETE_ID_OPCODE;
use stratus_proxy_core::{Context, Message};

use super::Answer;
use crate::Capture;

pub(super) const EVENTS: &[u16] = &[EVT_DELETE_ID_OPCODE];

pub(super) fn event(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let id = message.args().object()?;
    Ok(capture.id_deleted(cx, id))
}
