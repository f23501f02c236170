//! `xdg_surface`: makes its surface a window or a popup, and says which part of it is the window.

use stratus_protocols::InterfaceId;
use stratus_protocols::xdg_surface::{
    EVT_CONFIGURE_OPCODE, REQ_ACK_CONFIGURE_OPCODE, REQ_GET_POPUP_OPCODE, REQ_GET_TOPLEVEL_OPCODE,
    REQ_SET_WINDOW_GEOMETRY_OPCODE,
};
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;
use crate::configure::Acknowledged;
use crate::graph::{Role, SurfaceKey, Toplevel, from_data, to_data};

pub(super) const REQUESTS: &[u16] = &[
    REQ_GET_TOPLEVEL_OPCODE,
    REQ_GET_POPUP_OPCODE,
    REQ_SET_WINDOW_GEOMETRY_OPCODE,
    REQ_ACK_CONFIGURE_OPCODE,
];
pub(super) const EVENTS: &[u16] = &[EVT_CONFIGURE_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let surface: SurfaceKey = from_data(message.data);
    if message.opcode == REQ_ACK_CONFIGURE_OPCODE {
        return acknowledge(capture, message, surface);
    }
    let mut args = message.args();
    if message.opcode == REQ_SET_WINDOW_GEOMETRY_OPCODE {
        let geometry = [args.int()?, args.int()?, args.int()?, args.int()?];
        if let Some(surface) = capture.graph.surfaces.get_mut(surface) {
            surface.pending.0.geometry = Some(geometry);
        }
        return Ok(Verdict::Forward);
    }
    let id = args.object()?;
    if message.opcode == REQ_GET_POPUP_OPCODE {
        // Null where another protocol says what the popup belongs to.
        let parent = args.object()?;
        let parent = cx.object(parent).filter(|o| o.interface == InterfaceId::XdgSurface);
        let parent: SurfaceKey = from_data(parent.map_or(0, |o| o.data));
        capture.graph.add_popup(surface, parent);
        cx.set_data(id, to_data(surface));
        return Ok(Verdict::Forward);
    }
    if capture.graph.can_take_role(surface) {
        let toplevel = Toplevel::new(cx.client(), id, surface);
        let key = capture.graph.toplevels.insert(toplevel);
        cx.set_data(id, to_data(key));
        capture.graph.give_role(surface, Role::Toplevel(key));
        capture.window_made(surface, key, message.sender);
    }
    Ok(Verdict::Forward)
}

/// The compositor hears of its own configures only.
fn acknowledge(capture: &mut Capture, message: &mut Message<'_>, surface: SurfaceKey) -> Answer {
    let serial = message.args().uint()?;
    match capture.acknowledge(surface, serial) {
        Acknowledged::Swallow => return Ok(Verdict::Drop),
        Acknowledged::Forward(theirs) if theirs != serial => message.patch(0, theirs)?,
        Acknowledged::Forward(_) => {}
    }
    Ok(Verdict::Forward)
}

pub(super) fn event(
    capture: &mut Capture,
    _cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let serial = message.args().uint()?;
    let told = capture.configure_ends(from_data(message.data), serial);
    if told != serial {
        message.patch(0, told)?;
    }
    Ok(Verdict::Forward)
}
