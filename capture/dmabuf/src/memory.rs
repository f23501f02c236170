//! The memory behind a picture, and the way to its pixels.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use stratus_mapping::Mapping;

use crate::device::{Devices, Import};
use crate::exporter::Exporter;
use crate::fence;
use crate::format::LINEAR;
use crate::layout::{Layout, Plane};

/// How pixels are had.
#[derive(Debug)]
pub(crate) enum Way {
    /// As they lie in main memory.
    Mapped(Mapping),
    /// As they lie, if they do: no driver took them, and a mapping may read zeros.
    Doubtful(Mapping),
    /// Through the GPU's driver.
    Imported(Import),
    /// Not at all, because of this.
    None(Arc<str>),
}

/// Planes with what was found out of them; shared by all buffers of the same memory.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) layout: Layout,
    pub(crate) planes: Vec<Plane>,
    exporter: Exporter,
    way: Mutex<Option<Arc<Way>>>,
}

impl Memory {
    pub(crate) fn new(layout: Layout, planes: Vec<Plane>, exporter: Exporter) -> Self {
        Self { layout, planes, exporter, way: Mutex::new(None) }
    }

    /// The first plane's dmabuf, which has the colours.
    pub(crate) fn first(&self) -> Option<BorrowedFd<'_>> {
        self.planes.first().map(|plane| plane.fd.as_fd())
    }

    /// Waits until the producer is done, at most for `limit`; answers whether it is.
    pub(crate) fn is_drawn(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        self.planes.iter().all(|plane| fence::wait(plane.fd.as_fd(), deadline))
    }

    /// The way to the pixels, which is found at the first call. That may take long: it loads and
    /// asks a driver.
    pub(crate) fn way(&self, devices: &Devices) -> Arc<Way> {
        let mut way = self.way.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(way.get_or_insert_with(|| {
            let found = self.find_way(devices);
            tracing::debug!(exporter = ?self.exporter, modifier = self.layout.modifier, ?found,
                "the way to a dmabuf's pixels");
            Arc::new(found)
        }))
    }

    /// Whether the way is known and leads through main memory, so that a read is but a read.
    pub(crate) fn is_at_hand(&self) -> bool {
        // A first reader that is still looking for the way is reason enough to say no.
        let Ok(way) = self.way.try_lock() else { return false };
        matches!(way.as_deref(), Some(Way::Mapped(_)))
    }

    /// Forgets a way that went wrong.
    pub(crate) fn lose_way(&self) {
        *self.way.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether the memory is a dmabuf, so that what comes of it says something about the machine.
    pub(crate) fn is_dmabuf(&self) -> bool {
        self.exporter != Exporter::File
    }

    fn find_way(&self, devices: &Devices) -> Way {
        if self.exporter.is_plain() && self.layout.is_linear(&self.exporter) {
            return match self.map() {
                Ok(mapping) => Way::Mapped(mapping),
                Err(error) => Way::None(format!("it cannot be mapped: {error}").into()),
            };
        }
        let refused = match devices.import(&self.layout, &self.planes) {
            Ok(import) => return Way::Imported(import),
            Err(refused) => refused,
        };
        if self.exporter.may_be_mapped()
            && self.layout.modifier == LINEAR
            && let Ok(mapping) = self.map()
        {
            return Way::Doubtful(mapping);
        }
        Way::None(refused.to_string().into())
    }

    /// Nobody can cut off a dmabuf, nor the file behind one of udmabuf, which is sealed. A file in
    /// place of one can be, and a driver may have no page where it promised one: both are a SIGBUS,
    /// which the mapping's guard answers.
    fn map(&self) -> std::io::Result<Mapping> {
        let first = self.first().ok_or(std::io::ErrorKind::InvalidInput)?;
        Mapping::new(first, self.layout.end)
    }
}
