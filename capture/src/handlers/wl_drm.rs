//! `wl_drm`: the way of Mesa's older EGL to buffers in GPU memory.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use stratus_dmabuf::{Description, INVALID, Plane, Rejected};
use stratus_protocols::wl_drm::{
    EVT_DEVICE_OPCODE, EVT_FORMAT_OPCODE, REQ_CREATE_PRIME_BUFFER_OPCODE,
};
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;
use crate::graph::to_data;

pub(super) const REQUESTS: &[u16] = &[REQ_CREATE_PRIME_BUFFER_OPCODE];
pub(super) const EVENTS: &[u16] = &[EVT_DEVICE_OPCODE, EVT_FORMAT_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let mut args = message.args();
    let (id, file) = (args.object()?, args.fd()?);
    let (width, height, format) = (args.int()?, args.int()?, args.uint()?);
    let (offset, stride) = (u32::try_from(args.int()?), u32::try_from(args.int()?));
    let client = cx.client();
    let allowance = capture.allowances.entry(client).or_default();
    let described = match (offset, stride, allowance.keep(file)) {
        (Ok(offset), Ok(stride), Ok(fd)) => {
            let planes = vec![Plane { fd, offset, stride }];
            let described = Description { width, height, format, modifier: INVALID, planes };
            Ok((described, vec![allowance.clone()]))
        }
        // Of several planes are only formats that no frame is made of.
        (_, _, Ok(_)) => Err(Rejected::Bounds),
        (_, _, Err(reason)) => Err(Rejected::System(std::io::Error::other(reason))),
    };
    let picture = capture.open_dmabuf(client, id, described);
    let buffer = capture.add_dmabuf(client, id, picture);
    cx.set_data(id, to_data(buffer));
    Ok(Verdict::Forward)
}

pub(super) fn event(
    capture: &mut Capture,
    _cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let mut args = message.args();
    match message.opcode {
        EVT_DEVICE_OPCODE => {
            let node = Path::new(OsStr::from_bytes(args.string()?.unwrap_or_default()));
            if node.starts_with("/dev/dri") {
                capture.dmabufs.reader.prefer_node(node);
            }
        }
        EVT_FORMAT_OPCODE if !capture.dmabufs.lets_through(args.uint()?, INVALID) => {
            return Ok(Verdict::Drop);
        }
        _ => {}
    }
    Ok(Verdict::Forward)
}
