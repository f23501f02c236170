//! What is known of a `wl_buffer` and of a `wl_shm_pool`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use stratus_frame::{Pixels, Size};
use stratus_proxy_core::{ClientId, ObjectId};

use super::SurfaceKey;
use crate::shm::PoolMemory;

/// A pool that the client can still make buffers of.
pub(crate) struct Pool {
    pub(crate) client: ClientId,
    pub(crate) memory: Arc<PoolMemory>,
}

/// Where the pixels of a buffer are.
pub(crate) enum Source {
    /// In memory that is shared with us, or with the GPU.
    Readable {
        /// Made once for the buffer, so that a frame only counts a reference.
        pixels: Arc<dyn Pixels>,
        size: Size,
    },
    /// Where we cannot read: a single pixel, or memory that breaks its own bounds.
    Unreadable,
}

/// A buffer whose `wl_buffer` object lives.
///
/// A release reaches the client when both sides are done with the buffer; see `release.rs`.
pub(crate) struct Buffer {
    pub(crate) client: ClientId,
    pub(crate) id: ObjectId,
    pub(crate) source: Source,
    /// The surface it was attached to last.
    pub(crate) surface: Option<SurfaceKey>,
    /// The client gave it away with a commit and has not got it back.
    pub(crate) busy: bool,
    /// The compositor got it with a commit and has not released it since.
    pub(crate) composited: bool,
    /// Live holds on it: frames that wait or are read.
    pub(crate) holds: u32,
    /// Releases of the compositor that the client has not got yet.
    pub(crate) owed: u32,
    /// When holds that keep a release back end by force, in CLOCK_MONOTONIC ns.
    pub(crate) deadline: Option<u64>,
    /// The mark of its frames; a new one each time that it was set.
    pub(crate) torn: Arc<AtomicBool>,
}

impl Buffer {
    pub(crate) fn new(client: ClientId, id: ObjectId, source: Source) -> Self {
        Self {
            client,
            id,
            source,
            surface: None,
            busy: false,
            composited: false,
            holds: 0,
            owed: 0,
            deadline: None,
            torn: Arc::new(AtomicBool::new(false)),
        }
    }

    /// The picture's size, if its pixels can be read.
    pub(crate) fn size(&self) -> Option<Size> {
        match self.source {
            Source::Readable { size, .. } => Some(size),
            Source::Unreadable => None,
        }
    }

    /// Whether releases are owed and nobody needs the buffer any more.
    ///
    /// A client that commits a buffer anew while we keep its release back must not get that
    /// release before the compositor has released the newer commit as well: it would take the
    /// buffer for free.
    pub(crate) fn is_deliverable(&self) -> bool {
        self.owed > 0 && self.holds == 0 && !self.composited
    }
}
