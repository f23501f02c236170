//! `zwp_linux_buffer_params_v1`: gathers dmabufs and makes a buffer of them, at once or later.

use std::os::fd::BorrowedFd;

use stratus_dmabuf::Plane;
use stratus_protocols::zwp_linux_buffer_params_v1::{
    EVT_CREATED_OPCODE, EVT_FAILED_OPCODE, REQ_ADD_OPCODE, REQ_CREATE_IMMED_OPCODE,
    REQ_CREATE_OPCODE, REQ_DESTROY_OPCODE,
};
use stratus_proxy_core::{Context, Malformed, Message, ObjectId, Verdict};

use super::Answer;
use crate::Capture;
use crate::dmabuf::{Params, ParamsKey};
use crate::graph::{Picture, from_data, to_data};

pub(super) const REQUESTS: &[u16] =
    &[REQ_DESTROY_OPCODE, REQ_ADD_OPCODE, REQ_CREATE_OPCODE, REQ_CREATE_IMMED_OPCODE];
pub(super) const EVENTS: &[u16] = &[EVT_CREATED_OPCODE, EVT_FAILED_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let key: ParamsKey = from_data(message.data);
    match message.opcode {
        REQ_ADD_OPCODE => add(capture, cx, message, key)?,
        REQ_CREATE_OPCODE => {
            if let Some(picture) = describe(capture, cx, message, key, None)?
                && let Some(params) = capture.dmabufs.params.get_mut(key)
            {
                params.asked(picture);
            }
        }
        REQ_CREATE_IMMED_OPCODE => {
            let id = message.args().object()?;
            // Without planes, or after another `create`, the compositor ends the client.
            let picture = describe(capture, cx, message, key, Some(id))?;
            let buffer = capture.add_dmabuf(cx.client(), id, picture.flatten());
            cx.set_data(id, to_data(buffer));
            if let Some(params) = capture.dmabufs.params.get_mut(key) {
                params.made(buffer);
            }
        }
        REQ_DESTROY_OPCODE => {
            capture.dmabufs.params.remove(key);
        }
        _ => {}
    }
    Ok(Verdict::Forward)
}

fn add(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &Message<'_>,
    key: ParamsKey,
) -> Result<(), Malformed> {
    let mut args = message.args();
    let file: BorrowedFd<'_> = args.fd()?;
    let (index, offset, stride) = (args.uint()?, args.uint()?, args.uint()?);
    let modifier = u64::from(args.uint()?) << 32 | u64::from(args.uint()?);
    let client = cx.client();
    let key = if capture.dmabufs.params.contains_key(key) {
        key
    } else {
        // The first plane is when there is something to remember.
        let key = capture.dmabufs.params.insert(Params::new(client));
        cx.set_data(message.sender, to_data(key));
        key
    };
    let Some(params) = capture.dmabufs.params.get_mut(key) else { return Ok(()) };
    if !params.can_add(index, modifier) {
        params.spoil();
        return Ok(());
    }
    let allowance = capture.allowances.entry(client).or_default();
    match allowance.keep(file) {
        Ok(fd) => params.add(index, modifier, Plane { fd, offset, stride }, allowance.clone()),
        Err(reason) => {
            params.spoil();
            capture.report_unreadable(client, message.sender, &reason);
        }
    }
    Ok(())
}

/// What the arguments of `create` describe, and those of `create_immed`, which has the new id in
/// front. `None` if there is nothing to be made.
fn describe(
    capture: &mut Capture,
    cx: &Context<'_>,
    message: &Message<'_>,
    key: ParamsKey,
    id: Option<ObjectId>,
) -> Result<Option<Option<Picture>>, Malformed> {
    let mut args = message.args();
    if id.is_some() {
        args.object()?;
    }
    let size = [args.int()?, args.int()?];
    let (format, flags) = (args.uint()?, args.uint()?);
    let Some(params) = capture.dmabufs.params.get_mut(key) else { return Ok(None) };
    let Some(described) = params.describe(size, format, flags) else { return Ok(None) };
    let name = id.unwrap_or(message.sender);
    Ok(Some(capture.open_dmabuf(cx.client(), name, described)))
}

pub(super) fn event(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let params = capture.dmabufs.params.get_mut(from_data(message.data));
    match message.opcode {
        EVT_CREATED_OPCODE => {
            // The compositor gave the buffer its id. Params that were destroyed meanwhile leave
            // one that the client never learns of.
            let id = message.args().object()?;
            let picture = params.and_then(Params::created);
            let buffer = capture.add_dmabuf(cx.client(), id, picture);
            cx.set_data(id, to_data(buffer));
        }
        EVT_FAILED_OPCODE => {
            let buffer = params.and_then(Params::failed);
            if let Some(buffer) = buffer.and_then(|key| capture.graph.buffers.get_mut(key)) {
                buffer.picture = None;
                capture.stats.unreadable.add(1);
            }
        }
        _ => {}
    }
    Ok(Verdict::Forward)
}
