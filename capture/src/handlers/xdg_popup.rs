//! `xdg_popup`: where the compositor puts a menu, and when it is gone.

use stratus_protocols::xdg_popup::{
    EVT_CONFIGURE_OPCODE, EVT_POPUP_DONE_OPCODE, REQ_DESTROY_OPCODE,
};
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;
use crate::graph::{SurfaceKey, from_data};

pub(super) const REQUESTS: &[u16] = &[REQ_DESTROY_OPCODE];
pub(super) const EVENTS: &[u16] = &[EVT_CONFIGURE_OPCODE, EVT_POPUP_DONE_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    close(capture, cx, from_data(message.data));
    Ok(Verdict::Forward)
}

pub(super) fn event(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let key: SurfaceKey = from_data(message.data);
    if message.opcode == EVT_POPUP_DONE_OPCODE {
        // The compositor shows it no more, whenever the client destroys it.
        close(capture, cx, key);
        return Ok(Verdict::Forward);
    }
    let mut args = message.args();
    let at = (args.int()?, args.int()?);
    if let Some(surface) = capture.graph.surfaces.get_mut(key) {
        surface.popup_moves = Some(at);
    }
    Ok(Verdict::Forward)
}

fn close(capture: &mut Capture, cx: &Context<'_>, key: SurfaceKey) {
    let window = capture.graph.window_of(key);
    capture.graph.remove_popup(key);
    capture.tree_changed(window, cx.now_ns());
}
