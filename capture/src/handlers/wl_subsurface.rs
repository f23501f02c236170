//! `wl_subsurface`: where a surface lies on its parent, and whether its commits wait for it.

use stratus_protocols::wl_subsurface::{
    REQ_DESTROY_OPCODE, REQ_PLACE_ABOVE_OPCODE, REQ_PLACE_BELOW_OPCODE, REQ_SET_DESYNC_OPCODE,
    REQ_SET_POSITION_OPCODE, REQ_SET_SYNC_OPCODE,
};
use stratus_proxy_core::{Context, Message, Verdict};

use super::{Answer, surface_of};
use crate::Capture;
use crate::graph::{Role, Stack, SurfaceKey, from_data};

pub(super) const REQUESTS: &[u16] = &[
    REQ_DESTROY_OPCODE,
    REQ_SET_POSITION_OPCODE,
    REQ_PLACE_ABOVE_OPCODE,
    REQ_PLACE_BELOW_OPCODE,
    REQ_SET_SYNC_OPCODE,
    REQ_SET_DESYNC_OPCODE,
];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let key: SurfaceKey = from_data(message.data);
    let mut args = message.args();
    match message.opcode {
        REQ_SET_POSITION_OPCODE => {
            let at = (args.int()?, args.int()?);
            change_stack(capture, key, |stack| stack.place(key, at));
        }
        opcode @ (REQ_PLACE_ABOVE_OPCODE | REQ_PLACE_BELOW_OPCODE) => {
            let sibling = surface_of(cx, args.object()?);
            let above = opcode == REQ_PLACE_ABOVE_OPCODE;
            change_stack(capture, key, |stack| stack.restack(key, sibling, above));
        }
        REQ_SET_SYNC_OPCODE => set_mode(capture, key, true),
        REQ_SET_DESYNC_OPCODE => {
            set_mode(capture, key, false);
            capture.apply_cached(key, cx.now_ns());
        }
        _ => {
            let window = capture.graph.window_of(key);
            capture.graph.unlink(key);
            capture.tree_changed(window, cx.now_ns());
        }
    }
    Ok(Verdict::Forward)
}

/// Order and position are state of the parent, which its next commit sets.
fn change_stack(capture: &mut Capture, key: SurfaceKey, change: impl FnOnce(&mut Stack)) {
    let Some(Role::Subsurface { parent, .. }) = capture.graph.surfaces.get(key).map(|s| s.role)
    else {
        return;
    };
    if let Some(surface) = capture.graph.surfaces.get_mut(parent) {
        change(surface.stack_mut(parent));
    }
}

fn set_mode(capture: &mut Capture, key: SurfaceKey, shall: bool) {
    if let Some(surface) = capture.graph.surfaces.get_mut(key)
        && let Role::Subsurface { synchronized, .. } = &mut surface.role
    {
        *synchronized = shall;
    }
}
