//! `xdg_surface`: makes its surface a window or a popup.

use stratus_protocols::xdg_surface::{REQ_GET_POPUP_OPCODE, REQ_GET_TOPLEVEL_OPCODE};
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;
use crate::graph::{Role, SurfaceKey, Toplevel, from_data, to_data};

pub(super) const REQUESTS: &[u16] = &[REQ_GET_TOPLEVEL_OPCODE, REQ_GET_POPUP_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let surface: SurfaceKey = from_data(message.data);
    let id = message.args().object()?;
    if message.opcode == REQ_GET_POPUP_OPCODE {
        capture.graph.give_role(surface, Role::Popup);
        return Ok(Verdict::Forward);
    }
    if capture.graph.can_take_role(surface) {
        let toplevel = Toplevel::new(cx.client(), id, surface);
        let key = capture.graph.toplevels.insert(toplevel);
        cx.set_data(id, to_data(key));
        capture.graph.give_role(surface, Role::Toplevel(key));
    }
    Ok(Verdict::Forward)
}
