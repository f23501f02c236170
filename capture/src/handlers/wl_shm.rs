//! `wl_shm`: makes pools, and says which formats there are.

use std::sync::Arc;

use stratus_protocols::wl_shm::{EVT_FORMAT_OPCODE, REQ_CREATE_POOL_OPCODE};
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::graph::{Pool, to_data};
use crate::shm::{PoolMemory, format_of};
use crate::{Capture, Formats};

pub(super) const REQUESTS: &[u16] = &[REQ_CREATE_POOL_OPCODE];
pub(super) const EVENTS: &[u16] = &[EVT_FORMAT_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let mut args = message.args();
    let (id, file, size) = (args.object()?, args.fd()?, args.int()?);
    // The compositor ends clients that state no size at all; nothing is ever read for them.
    let size = usize::try_from(size).unwrap_or(0);
    let allowance = capture.allowances.entry(cx.client()).or_default();
    match PoolMemory::keep(file, size, allowance) {
        Ok(memory) => {
            let pool = Pool { client: cx.client(), memory: Arc::new(memory) };
            cx.set_data(id, to_data(capture.graph.pools.insert(pool)));
        }
        // Its buffers are then like those that came out of no pool.
        Err(reason) => capture.report_unreadable(cx.client(), id, &reason),
    }
    Ok(Verdict::Forward)
}

pub(super) fn event(
    capture: &mut Capture,
    _cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    // Clients choose another format when theirs is not offered.
    let format = format_of(message.args().uint()?);
    let all = capture.formats == Formats::All;
    let offered = format.is_some_and(|format| all || format.is_bgrx());
    Ok(if offered { Verdict::Forward } else { Verdict::Drop })
}
