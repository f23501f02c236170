//! `wl_shm_pool`: grows, makes buffers, and may go before them.

use std::sync::Arc;

use stratus_protocols::wl_shm_pool::{
    REQ_CREATE_BUFFER_OPCODE, REQ_DESTROY_OPCODE, REQ_RESIZE_OPCODE,
};
use stratus_proxy_core::{Context, Malformed, Message, Verdict};

use super::Answer;
use crate::Capture;
use crate::graph::{Buffer, Picture, PoolKey, from_data, to_data};
use crate::shm::{Layout, ShmPicture};

pub(super) const REQUESTS: &[u16] =
    &[REQ_CREATE_BUFFER_OPCODE, REQ_DESTROY_OPCODE, REQ_RESIZE_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let key: PoolKey = from_data(message.data);
    match message.opcode {
        REQ_CREATE_BUFFER_OPCODE => create_buffer(capture, cx, message, key)?,
        REQ_RESIZE_OPCODE => {
            // Neither a negative size nor a smaller one is allowed; the compositor says so.
            let size = usize::try_from(message.args().int()?).unwrap_or(0);
            if let Some(pool) = capture.graph.pools.get(key) {
                pool.memory.grow(size);
            }
        }
        REQ_DESTROY_OPCODE => {
            capture.graph.pools.remove(key);
        }
        _ => {}
    }
    Ok(Verdict::Forward)
}

fn create_buffer(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &Message<'_>,
    pool: PoolKey,
) -> Result<(), Malformed> {
    let mut args = message.args();
    let id = args.object()?;
    let numbers = [args.int()?, args.int()?, args.int()?, args.int()?];
    let format = args.uint()?;
    let picture = match capture.graph.pools.get(pool) {
        None => None,
        Some(pool) => match Layout::new(numbers, format, pool.memory.size()) {
            Ok(layout) => {
                let memory = Arc::clone(&pool.memory);
                let picture = ShmPicture::new(memory, layout, Arc::clone(&capture.stats));
                Some(Picture::of_pixels(Arc::new(picture), layout.size, layout.format))
            }
            Err(rejected) => {
                capture.report_unreadable(cx.client(), id, &rejected);
                None
            }
        },
    };
    if picture.is_none() {
        capture.stats.unreadable.add(1);
    }
    let key = capture.graph.buffers.insert(Buffer::new(cx.client(), id, picture));
    cx.set_data(id, to_data(key));
    Ok(())
}
