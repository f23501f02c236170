//! What is known of a `wl_buffer` and of a `wl_shm_pool`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use stratus_compose::Content as Pixels;
use stratus_frame::{PixelFormat, Pixels as FramePixels, Size};
use stratus_proxy_core::{ClientId, ObjectId};

use super::{BufferKey, SurfaceKey};
use crate::shm::PoolMemory;

/// A pool that the client can still make buffers of.
pub(crate) struct Pool {
    pub(crate) client: ClientId,
    pub(crate) memory: Arc<PoolMemory>,
}

/// What a buffer shows, as far as it can be read.
#[derive(Clone)]
pub(crate) struct Picture {
    /// Made once for the buffer, so that a frame only counts a reference.
    pub(crate) pixels: Pixels,
    pub(crate) size: Size,
    /// Nothing below it shines through.
    pub(crate) opaque: bool,
    /// Encoders take its pixels as they are.
    pub(crate) direct: bool,
}

impl Picture {
    /// What pixels in memory show.
    pub(crate) fn of_pixels(pixels: Arc<dyn FramePixels>, size: Size, format: PixelFormat) -> Self {
        Self {
            pixels: Pixels::Pixels(pixels),
            size,
            opaque: !format.has_alpha(),
            direct: format.is_bgrx(),
        }
    }

    /// The pixels, if they are in memory.
    pub(crate) fn memory(&self) -> Option<&Arc<dyn FramePixels>> {
        match &self.pixels {
            Pixels::Pixels(pixels) => Some(pixels),
            Pixels::Colour(_) => None,
        }
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture").field("size", &self.size).finish_non_exhaustive()
    }
}

/// What a surface shows since a commit.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    /// The buffer; its key may outlive it.
    pub(crate) buffer: BufferKey,
    /// Its picture, which stays when the client destroys the buffer (as it may do at once with a
    /// single pixel). `None` if it cannot be read.
    pub(crate) picture: Option<Picture>,
}

/// A buffer whose `wl_buffer` object lives.
///
/// A release reaches the client when both sides are done with the buffer; see `release.rs`.
pub(crate) struct Buffer {
    pub(crate) client: ClientId,
    pub(crate) id: ObjectId,
    /// `None` where we cannot read: shm that breaks its own bounds, a dmabuf of a strange kind.
    pub(crate) picture: Option<Picture>,
    /// The surface it was attached to last.
    pub(crate) surface: Option<SurfaceKey>,
    /// The client gave it away with a commit and has not got it back.
    pub(crate) busy: bool,
    /// The compositor got it with a commit and has not released it since.
    pub(crate) composited: bool,
    /// Live holds on it: frames that wait or are read.
    pub(crate) holds: u32,
    /// A composed window shows it: its pixels are needed until another takes its place.
    pub(crate) shown: bool,
    /// Releases of the compositor that the client has not got yet.
    pub(crate) owed: u32,
    /// When holds that keep a release back end by force, in CLOCK_MONOTONIC ns.
    pub(crate) deadline: Option<u64>,
    /// The mark of its frames; a new one each time that it was set.
    pub(crate) torn: Arc<AtomicBool>,
}

impl Buffer {
    pub(crate) fn new(client: ClientId, id: ObjectId, picture: Option<Picture>) -> Self {
        Self {
            client,
            id,
            picture,
            surface: None,
            busy: false,
            composited: false,
            holds: 0,
            shown: false,
            owed: 0,
            deadline: None,
            torn: Arc::new(AtomicBool::new(false)),
        }
    }

    /// The picture's size, if its pixels can be read.
    pub(crate) fn size(&self) -> Option<Size> {
        self.picture.as_ref().map(|p| p.size)
    }

    /// Whether releases are owed and nobody needs the buffer any more.
    ///
    /// A client that commits a buffer anew while we keep its release back must not get that
    /// release before the compositor has released the newer commit as well: it would take the
    /// buffer for free.
    pub(crate) fn is_deliverable(&self) -> bool {
        self.owed > 0 && self.holds == 0 && !self.composited && !self.shown
    }
}
