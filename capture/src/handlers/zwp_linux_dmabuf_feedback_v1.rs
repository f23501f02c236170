//! `zwp_linux_dmabuf_feedback_v1`: says, from version 4, which device draws and which formats and
//! modifiers there are: those that we can read.

use stratus_protocols::zwp_linux_dmabuf_feedback_v1::{
    EVT_FORMAT_TABLE_OPCODE, EVT_MAIN_DEVICE_OPCODE, EVT_TRANCHE_FORMATS_OPCODE, REQ_DESTROY_OPCODE,
};
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;
use crate::dmabuf::FeedbackKey;
use crate::graph::{from_data, to_data};

pub(super) const REQUESTS: &[u16] = &[REQ_DESTROY_OPCODE];
pub(super) const EVENTS: &[u16] =
    &[EVT_FORMAT_TABLE_OPCODE, EVT_MAIN_DEVICE_OPCODE, EVT_TRANCHE_FORMATS_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    _cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    capture.dmabufs.feedbacks.remove(from_data(message.data));
    Ok(Verdict::Forward)
}

pub(super) fn event(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let key: FeedbackKey = from_data(message.data);
    let mut args = message.args();
    match message.opcode {
        EVT_FORMAT_TABLE_OPCODE => {
            let (file, size) = (args.fd()?, args.uint()?);
            match capture.dmabufs.feedback(cx.client(), file, size) {
                Ok(feedback) => {
                    capture.dmabufs.feedbacks.remove(key);
                    let key = capture.dmabufs.feedbacks.insert(feedback);
                    cx.set_data(message.sender, to_data(key));
                }
                Err(error) => {
                    tracing::debug!(%error, "cannot read a table of formats: all are offered");
                }
            }
        }
        EVT_MAIN_DEVICE_OPCODE => {
            if let Ok(number) = args.array()?.try_into() {
                capture.dmabufs.reader.prefer_device(u64::from_ne_bytes(number));
            }
        }
        EVT_TRANCHE_FORMATS_OPCODE => {
            let tranche = args.array()?;
            let Some(feedback) = capture.dmabufs.feedbacks.get(key).cloned() else {
                return Ok(Verdict::Forward);
            };
            if let Some(part) = capture.dmabufs.readable_part(&feedback, tranche) {
                cx.send_event(message.sender, EVT_TRANCHE_FORMATS_OPCODE, |w| {
                    w.array(&part);
                });
                return Ok(Verdict::Drop);
            }
        }
        _ => {}
    }
    Ok(Verdict::Forward)
}
