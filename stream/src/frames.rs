//! The frames of one client: sent, counted as arrived, and asked for anew.
//!
//! One unidirectional stream each, written and finished at once. Older ones have the higher
//! priority: each builds on those before it, so a newer one that overtakes is of no use, and what is
//! not worth sending was already replaced before the encoder. No stream is reset, since at most a
//! few frames are ever on the way.

use std::pin::Pin;

use bytes::BytesMut;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use web_transport_quinn::WriteError;

use stratus_frame::{EncodedFrame, MonoTime};
use stratus_stream_core::header::{FrameHeader, HEADER_LEN};
use stratus_stream_core::message::{EndReason, Refusal, RefusalCode};
use stratus_stream_core::wire::FRAMING_LEN;

use crate::config::Limits;
use crate::connection::Connection;
use crate::event::ViewerId;
use crate::hub::{Hub, Outgoing};
use crate::session::{Over, stalled};

pub(crate) type Arrival = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Writes frames in order until the end comes.
pub(crate) async fn send_frames(
    connection: &Connection,
    outgoing: &mut mpsc::UnboundedReceiver<Outgoing>,
    unacknowledged: mpsc::UnboundedSender<Arrival>,
    limits: Limits,
) -> Result<EndReason, Over> {
    loop {
        let (sequence, frame) = match outgoing.recv().await {
            Some(Outgoing::Frame { sequence, frame }) => (sequence, frame),
            Some(Outgoing::End(reason)) => return Ok(reason),
            None => return Err(Over::Lost("the server is gone".to_owned())),
        };
        let arrival = timeout(limits.stall, send_frame(connection, sequence, &frame))
            .await
            .map_err(|_| stalled("no frame was taken", limits))??;
        // The receiver lives as long as this loop.
        let _ = unacknowledged.send(arrival);
    }
}

async fn send_frame(
    connection: &Connection,
    sequence: u64,
    frame: &EncodedFrame,
) -> Result<Arrival, Over> {
    let mut stream = connection.open_uni().await?;
    let header = FrameHeader::of(frame, sequence, MonoTime::now())
        .map_err(|e| Over::Refused(Refusal { code: RefusalCode::Internal, text: e.to_string() }))?;
    let mut head = BytesMut::with_capacity(FRAMING_LEN + HEADER_LEN);
    header.encode(&mut head);
    // A stream that the viewer already stopped needs no priority and no end.
    let _ = stream.set_priority(priority(sequence));
    match stream.write_all_chunks(&mut [head.freeze(), frame.data.clone()]).await {
        Ok(()) => {
            let _ = stream.finish();
        }
        // It does not want this one; that is as good as an acknowledgement.
        Err(WriteError::Stopped(_) | WriteError::InvalidStopped(_)) => {}
        Err(WriteError::SessionError(e)) => return Err(e.into()),
        Err(e) => return Err(Over::Lost(e.to_string())),
    }
    // The stream is kept, as dropping an unfinished one resets it.
    Ok(Box::pin(async move {
        let _ = stream.stopped().await;
    }))
}

/// Falls with every frame: the oldest goes first. After 2^31 frames, a year at 60 fps, one order
/// of a few frames is wrong.
fn priority(sequence: u64) -> i32 {
    -((sequence & 0x7fff_ffff) as i32)
}

/// Counts frames as arrived in their order: one behind a missing one is of no use yet.
pub(crate) async fn acknowledge(
    connection: &Connection,
    mut arriving: mpsc::UnboundedReceiver<Arrival>,
    hub: &Hub,
    id: ViewerId,
    limits: Limits,
) -> Result<(), Over> {
    while let Some(arrival) = arriving.recv().await {
        timeout(limits.stall, arrival)
            .await
            .map_err(|_| stalled("no frame was acknowledged", limits))?;
        hub.acknowledged(id, connection.min_rtt());
    }
    Ok(())
}

/// Asks for the first keyframe, and repeats what is not answered. Never ends by itself.
pub(crate) async fn ask_for_keyframes(
    hub: &Hub,
    id: ViewerId,
    changed: &tokio::sync::Notify,
) -> Over {
    loop {
        hub.poll(id);
        let Some(deadline) = hub.deadline(id) else {
            changed.notified().await;
            continue;
        };
        sleep(deadline.since(MonoTime::now())).await;
    }
}
