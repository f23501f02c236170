//! The player's inputs on their way to the server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use tokio::sync::Notify;

use stratus_frame::input::Input;
use stratus_stream_core::input::encode;
use stratus_stream_core::input_queue::InputQueue;

use crate::connection::Connection;

/// Above the control stream and all that a client sends.
const INPUT_PRIORITY: i32 = i32::MAX;
/// Bytes that are written at once: what more there is may be merged while it waits.
const BATCH: usize = 4096;

/// Where inputs wait for the link. While it takes none, motion is merged, and nothing else is lost.
pub(crate) struct InputSender {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<InputQueue>,
    more: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, InputQueue> {
        // Nothing of the queue can be half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InputSender {
    /// Starts the task that opens the input stream with the first input.
    pub(crate) fn start(connection: Connection) -> Self {
        let shared = Arc::new(Shared::default());
        tokio::spawn(write(connection, Arc::clone(&shared)));
        Self { shared }
    }

    pub(crate) fn send(&self, input: &Input) {
        self.shared.lock().handle_input(input.clone());
        self.shared.more.notify_one();
    }
}

/// Writes until the connection is over, which the player hears elsewhere.
async fn write(connection: Connection, shared: Arc<Shared>) {
    let mut stream = None;
    let mut out = BytesMut::new();
    loop {
        while out.len() < BATCH
            && let Some(input) = shared.lock().poll_rest()
        {
            encode(&input, &mut out);
        }
        if out.is_empty() {
            tokio::select! {
                () = shared.more.notified() => continue,
                _ = connection.closed() => return,
            }
        }
        let stream = match &mut stream {
            Some(stream) => stream,
            None => {
                let Ok(opened) = connection.open_uni().await else { return };
                // A stream just opened has a priority to set.
                let _ = opened.set_priority(INPUT_PRIORITY);
                stream.insert(opened)
            }
        };
        if stream.write_all(&out).await.is_err() {
            return;
        }
        out.clear();
    }
}
