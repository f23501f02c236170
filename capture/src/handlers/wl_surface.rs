//! `wl_surface`: collects pending state and applies it at the commit.

use stratus_protocols::wl_surface::{
    EVT_ENTER_OPCODE, EVT_LEAVE_OPCODE, EVT_PREFERRED_BUFFER_SCALE_OPCODE,
    EVT_PREFERRED_BUFFER_TRANSFORM_OPCODE, REQ_ATTACH_OPCODE, REQ_COMMIT_OPCODE,
    REQ_DAMAGE_BUFFER_OPCODE, REQ_DAMAGE_OPCODE, REQ_DESTROY_OPCODE, REQ_FRAME_OPCODE,
    REQ_OFFSET_OPCODE, REQ_SET_BUFFER_SCALE_OPCODE, REQ_SET_BUFFER_TRANSFORM_OPCODE,
};
use stratus_proxy_core::{Context, Malformed, Message, ObjectId, Verdict};

use super::{Answer, patch_int, wl_buffer};
use crate::Capture;
use crate::graph::{Attach, Content, SurfaceKey, from_data};

pub(super) const REQUESTS: &[u16] = &[
    REQ_DESTROY_OPCODE,
    REQ_ATTACH_OPCODE,
    REQ_DAMAGE_OPCODE,
    REQ_FRAME_OPCODE,
    REQ_COMMIT_OPCODE,
    REQ_SET_BUFFER_TRANSFORM_OPCODE,
    REQ_SET_BUFFER_SCALE_OPCODE,
    REQ_DAMAGE_BUFFER_OPCODE,
    REQ_OFFSET_OPCODE,
];
pub(super) const EVENTS: &[u16] = &[
    EVT_ENTER_OPCODE,
    EVT_LEAVE_OPCODE,
    EVT_PREFERRED_BUFFER_SCALE_OPCODE,
    EVT_PREFERRED_BUFFER_TRANSFORM_OPCODE,
];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let key: SurfaceKey = from_data(message.data);
    let mut args = message.args();
    match message.opcode {
        REQ_COMMIT_OPCODE => commit(capture, cx, key),
        REQ_FRAME_OPCODE => {
            let callback = args.object()?;
            capture.frame_requested(cx, key, callback);
        }
        REQ_DESTROY_OPCODE => {
            let window = capture.graph.window_of(key);
            capture.graph.remove_surface(key);
            capture.cursor.surface_gone(key);
            capture.elect(None);
            capture.tree_changed(window, cx.now_ns());
        }
        REQ_ATTACH_OPCODE => {
            let (buffer, offset) = (args.object()?, (args.int()?, args.int()?));
            capture.cursor_moved(key, offset);
            let content = (buffer != ObjectId::NULL).then(|| wl_buffer::adopt(capture, cx, buffer));
            if let Some(surface) = capture.graph.surfaces.get_mut(key) {
                surface.pending.0.attach = Some(Attach::Asked(content));
            }
        }
        REQ_OFFSET_OPCODE => capture.cursor_moved(key, (args.int()?, args.int()?)),
        opcode => {
            let Some(surface) = capture.graph.surfaces.get_mut(key) else {
                return Ok(Verdict::Forward);
            };
            let pending = &mut surface.pending.0;
            let mut rect =
                || Ok::<_, Malformed>([args.int()?, args.int()?, args.int()?, args.int()?]);
            match opcode {
                REQ_DAMAGE_BUFFER_OPCODE => pending.damage.add_buffer(rect()?),
                REQ_DAMAGE_OPCODE => pending.damage.add_surface(rect()?),
                REQ_SET_BUFFER_SCALE_OPCODE => pending.scale = Some(args.int()?),
                REQ_SET_BUFFER_TRANSFORM_OPCODE => pending.transform = Some(args.uint()?),
                _ => {}
            }
        }
    }
    Ok(Verdict::Forward)
}

fn commit(capture: &mut Capture, cx: &mut Context<'_>, key: SurfaceKey) {
    capture.stats.commits.add(1);
    capture.paced_commit(key, cx.now_ns());
    capture.window_answers(key);
    capture.ask_for_fullscreen(cx, key);
    let Some(surface) = capture.graph.surfaces.get_mut(key) else { return };
    let mut change = std::mem::take(&mut surface.pending).0;
    if let Some(Attach::Asked(asked)) = change.attach {
        // One destroyed between attach and commit: the content is undefined by `wl_surface`;
        // compositors treat it as nil.
        let content = asked.and_then(|buffer| {
            let picture = capture.graph.buffers.get(buffer)?.picture.clone();
            Some(Content { buffer, picture })
        });
        if let Some(content) = &content {
            capture.buffer_committed(content.buffer, key);
        }
        change.attach = Some(Attach::Committed(content));
    }
    if capture.graph.is_synchronized(key) {
        if let Some(surface) = capture.graph.surfaces.get_mut(key) {
            surface.cached.add(change);
        }
        return;
    }
    let changes = !change.is_empty();
    capture.apply(key, &mut change, cx.now_ns());
    capture.cursor_committed(key, changes);
}

pub(super) fn event(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    if matches!(message.opcode, EVT_ENTER_OPCODE | EVT_LEAVE_OPCODE) {
        let output = message.args().object()?;
        let surface = (message.sender, from_data(message.data));
        let enters = message.opcode == EVT_ENTER_OPCODE;
        capture.surface_crosses(cx.client(), surface, output, enters);
        return Ok(Verdict::Forward);
    }
    let is = message.args().int()?;
    match message.opcode {
        EVT_PREFERRED_BUFFER_SCALE_OPCODE => patch_int(message, 0, is, 1)?,
        // `wl_output.transform.normal`.
        EVT_PREFERRED_BUFFER_TRANSFORM_OPCODE => patch_int(message, 0, is, 0)?,
        _ => {}
    }
    Ok(Verdict::Forward)
}
