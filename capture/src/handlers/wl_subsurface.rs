//! `wl_subsurface`: whether a surface's commits wait for its parent's.

use stratus_protocols::wl_subsurface::{
    REQ_DESTROY_OPCODE, REQ_SET_DESYNC_OPCODE, REQ_SET_SYNC_OPCODE,
};
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;
use crate::graph::{Role, SurfaceKey, from_data};

pub(super) const REQUESTS: &[u16] =
    &[REQ_DESTROY_OPCODE, REQ_SET_SYNC_OPCODE, REQ_SET_DESYNC_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let key: SurfaceKey = from_data(message.data);
    let shall = match message.opcode {
        REQ_SET_SYNC_OPCODE => true,
        REQ_SET_DESYNC_OPCODE => false,
        _ => {
            capture.graph.unlink(key);
            return Ok(Verdict::Forward);
        }
    };
    if let Some(surface) = capture.graph.surfaces.get_mut(key)
        && let Role::Subsurface { synchronized, .. } = &mut surface.role
    {
        *synchronized = shall;
    }
    // What was cached is applied as soon as the surface is desynchronized in effect.
    if !shall && !capture.graph.is_synchronized(key) {
        let cached = capture.graph.surfaces.get_mut(key).map(|s| std::mem::take(&mut s.cached));
        if let Some(cached) = cached.filter(|c| !c.0.is_empty()) {
            capture.apply(key, &cached.0, cx.now_ns());
        }
    }
    Ok(Verdict::Forward)
}
